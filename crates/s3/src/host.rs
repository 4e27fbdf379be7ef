//! Which bucket a `Host` header names.
//!
//! `bucket.s3.localhost:4566` names `bucket`; `localhost:4566`, an address or any other host names none, and the path begins with the bucket
//! (path style). A name with dots works both ways.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// Domains under which a bucket is a subdomain.
#[derive(Clone, Debug)]
pub(crate) struct Domains {
    /// The longest first, so that `s3.localhost` is not the bucket `s3` of `localhost`.
    domains: Vec<String>,
}

impl Domains {
    /// `localhost`, `s3.localhost` and these.
    pub(crate) fn new(more: &[String]) -> Self {
        let mut domains: Vec<String> = ["localhost", "s3.localhost"].map(str::to_owned).into();
        domains.extend(more.iter().map(|domain| domain.to_ascii_lowercase()));
        domains.sort_by_key(|domain| std::cmp::Reverse(domain.len()));
        Self { domains }
    }

    /// The bucket that a host names.
    pub(crate) fn bucket(&self, host: &str) -> Option<String> {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.to_ascii_lowercase();
        let below = |domain: &String| name == *domain || name.ends_with(&format!(".{domain}"));
        let domain = self.domains.iter().find(|domain| below(domain))?;
        name.strip_suffix(domain.as_str())?.strip_suffix('.').map(str::to_owned)
    }
}

impl S3Host for Domains {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let found = VirtualHost::new(host);
        Ok(match self.bucket(host) {
            Some(bucket) => found.with_bucket(bucket),
            None => found,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_name_buckets() {
        let domains = Domains::new(&["S3.Example.com".to_owned()]);
        let check =
            |host: &str, bucket: Option<&str>| assert_eq!(domains.bucket(host).as_deref(), bucket, "{host}");
        check("lake.s3.localhost:4566", Some("lake"));
        check("lake.localhost", Some("lake"));
        check("pydata.iot.serverless.s3.localhost:4566", Some("pydata.iot.serverless"));
        check("lake.s3.example.com", Some("lake"));
        check("s3.localhost:4566", None);
        check("localhost:4566", None);
        check("headwater:4566", None);
        check("127.0.0.1:4566", None);
        check("notlocalhost", None);
        check("[::1]:4566", None);
    }
}
