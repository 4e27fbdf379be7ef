//! `CreateBucket`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
//!
//! The region is the one the request was signed for; a LocationConstraint must agree with it, except that `us-east-1` creates buckets in every
//! region. Creating one's own bucket of `us-east-1` again is no error there.

use kernel::Region;
use s3s::dto::{CreateBucketInput, CreateBucketOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::convert::{check_acl, refuse};
use crate::{Error, S3};

const FIRST_REGION: &str = "us-east-1";

/// # Errors
/// `BucketAlreadyExists`, `BucketAlreadyOwnedByYou`, `InvalidBucketName`, `IllegalLocationConstraintException`,
/// `InvalidLocationConstraint`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<CreateBucketInput>,
) -> Result<S3Response<CreateBucketOutput>, Error> {
    let input = request.input;
    refuse!(input, Error::NotImplemented; grant_full_control, grant_read, grant_read_acp, grant_write, grant_write_acp);
    check_acl(input.acl.as_ref().map(s3s::dto::BucketCannedACL::as_str))?;
    let plain =
        input.object_ownership.as_ref().is_none_or(|ownership| ownership.as_str() == "BucketOwnerEnforced");
    if input.object_lock_enabled_for_bucket == Some(true) || !plain {
        return Err(Error::NotImplemented);
    }
    let constraint = match &input.create_bucket_configuration {
        Some(configuration) if configuration.bucket.is_some() || configuration.location.is_some() => {
            return Err(Error::NotImplemented);
        }
        Some(configuration) => {
            configuration.location_constraint.as_ref().map(|constraint| constraint.as_str())
        }
        None => None,
    };
    let region = region(&caller.region, constraint)?;
    let location = if region.as_str() == FIRST_REGION {
        format!("/{}", input.bucket)
    } else {
        format!("http://{}.s3.amazonaws.com/", input.bucket)
    };
    match s3.create_bucket(caller, &input.bucket, region).await {
        Err(Error::BucketAlreadyOwnedByYou) if caller.region.as_str() == FIRST_REGION => {
            let existing = s3.bucket(caller, &input.bucket).await?;
            if existing.entity.region.as_str() != FIRST_REGION {
                return Err(Error::BucketAlreadyOwnedByYou);
            }
        }
        created => created?,
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(location) }))
}

fn region(signed_for: &Region, constraint: Option<&str>) -> Result<Region, Error> {
    let first = signed_for.as_str() == FIRST_REGION;
    match constraint.filter(|constraint| !constraint.is_empty()) {
        None if first => Ok(signed_for.clone()),
        None => Err(Error::IllegalLocationConstraintException("unspecified".to_owned())),
        Some(constraint) => {
            let constraint = if constraint == "EU" { "eu-west-1" } else { constraint };
            let valid = constraint.parse().ok().filter(|_| constraint != FIRST_REGION);
            let region: Region = valid.ok_or(Error::InvalidLocationConstraint)?;
            if first || region == *signed_for {
                Ok(region)
            } else {
                Err(Error::IllegalLocationConstraintException(region.into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::ServiceError;

    use super::*;
    use crate::testing::Client;

    #[test]
    fn the_constraint_agrees_with_the_region_of_the_signature() {
        let check = |signed_for: &str, constraint: Option<&str>, expect: &str| {
            let found = region(&signed_for.parse().unwrap(), constraint);
            let found = found.map_or_else(|error| error.code().to_owned(), String::from);
            assert_eq!(found, expect, "{signed_for} {constraint:?}");
        };
        check("us-east-1", None, "us-east-1");
        check("us-east-1", Some("ap-southeast-1"), "ap-southeast-1");
        check("us-east-1", Some("us-east-1"), "InvalidLocationConstraint");
        check("us-east-1", Some("Mars"), "InvalidLocationConstraint");
        check("eu-west-1", Some("EU"), "eu-west-1");
        check("eu-west-1", Some("eu-west-1"), "eu-west-1");
        check("eu-west-1", Some("eu-west-2"), "IllegalLocationConstraintException");
        check("eu-west-1", None, "IllegalLocationConstraintException");
    }
    #[tokio::test]
    async fn a_bucket_is_created_once() {
        let mut client = Client::new();
        let body = "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>ap-southeast-1</LocationConstraint></CreateBucketConfiguration>";
        let acl = [("x-amz-acl", "private")];
        let created = client.call("PUT", "/pydata.iot.serverless", &acl, body).await.expect("200");
        assert_eq!(created.header("location"), Some("http://pydata.iot.serverless.s3.amazonaws.com/"));
        client.call("PUT", "/pydata.iot.serverless", &acl, body).await.expect("409 BucketAlreadyOwnedByYou");
        assert!(client.get("/pydata.iot.serverless?location").await.text().contains(">ap-southeast-1<"));
        let head = client.call("HEAD", "/pydata.iot.serverless", &[], "").await.expect("200");
        assert_eq!(head.header("x-amz-bucket-region"), Some("ap-southeast-1"));
        assert_eq!(client.put("/first", "").await.expect("200").header("location"), Some("/first"));
        client.put("/first", "").await.expect("200");
        client.put("/192.168.1.1", "").await.expect("400 InvalidBucketName");
        client.put("/lake-s3alias", "").await.expect("400 InvalidBucketName");
        client.region = "eu-west-1";
        client.put("/first", "").await.expect("400 IllegalLocationConstraintException");
        assert_eq!(client.get("/").await.expect("200").elements("Name"), ["first", "pydata.iot.serverless"]);
        assert!(!client.get("/first?location").await.expect("200").text().contains("us-east-1"));
    }
}
