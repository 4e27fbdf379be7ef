//! Signs requests of our own clients.

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Uri};
use kernel::Timestamp;

use super::canonical::{canonical_path, canonical_request, query_pairs, sha256_hex, signature};
use super::date::format_date;
use super::{ALGORITHM, Scope};

/// What a client needs to sign.
#[derive(Clone, Debug)]
pub struct Signer<'a> {
    /// The access key.
    pub access_key_id: &'a str,
    /// Its other half.
    pub secret_access_key: &'a str,
    /// `us-east-1`.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
}

impl Signer<'_> {
    /// The headers that make a request authentic: `x-amz-date`, `x-amz-content-sha256`, `authorization`. `headers` are those to
    /// sign besides, `host` among them; if `x-amz-content-sha256` is (`UNSIGNED-PAYLOAD`, a streaming form), it is signed as it is
    /// given and not added once more.
    ///
    /// # Errors
    /// When `headers` cannot be part of a request.
    pub fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &[(&str, &str)],
        body: &Bytes,
        now: Timestamp,
    ) -> Result<Vec<(&'static str, String)>, http::Error> {
        let date = format_date(now);
        let given = headers.iter().find(|(name, _)| *name == "x-amz-content-sha256").map(|(_, value)| *value);
        let payload_hash = given.map_or_else(|| sha256_hex(body), str::to_owned);
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request = request.header("x-amz-date", &date);
        if given.is_none() {
            request = request.header("x-amz-content-sha256", &payload_hash);
        }
        let (parts, ()) = request.body(())?.into_parts();
        // S3 alone signs the path as it is sent.
        let path = if self.service == "s3" { uri.path().to_owned() } else { canonical_path(uri.path()) };
        let authorization = self.authorization(&parts, &path, &payload_hash, &date);
        let mut added = vec![("x-amz-date", date), ("authorization", authorization)];
        if given.is_none() {
            added.push(("x-amz-content-sha256", payload_hash));
        }
        Ok(added)
    }

    /// The header of a request that has every other header already, all of which are signed.
    pub(super) fn authorization(&self, parts: &Parts, path: &str, payload_hash: &str, date: &str) -> String {
        let mut signed_headers: Vec<String> =
            parts.headers.keys().map(|name| name.as_str().to_owned()).collect();
        signed_headers.sort();
        let scope = Scope {
            access_key_id: self.access_key_id.to_owned(),
            date: date.chars().take(8).collect(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
        };
        let query = query_pairs(&parts.uri);
        let canonical = canonical_request(parts, path, &query, &signed_headers, payload_hash);
        format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={}",
            self.access_key_id,
            scope.text(),
            signed_headers.join(";"),
            signature(self.secret_access_key, &scope, date, &canonical)
        )
    }
}
