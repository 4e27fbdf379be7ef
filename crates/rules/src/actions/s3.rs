//! `s3`: puts what SELECT made into a bucket, as one object under a key that usually has a template in it.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/s3-rule-action.html>
//!
//! Differs from AWS: `cannedAcl` must be one AWS knows and has no effect, as buckets here have no access control lists.

use iotsql::{Message, Template, Variables};
use ports::{PortFuture, PutObject};
use serde::{Deserialize, Serialize};

use super::{Action, Effect, Input, Kind, Perform, render};
use crate::outside::Outside;
use crate::parameters::{Invalid, Parameters};

pub(super) static KIND: Kind = Kind { name: "s3", failed_action: "S3Action", parse };

/// <https://docs.aws.amazon.com/iot/latest/apireference/API_S3Action.html>
const CANNED_ACLS: [&str; 8] = [
    "private",
    "public-read",
    "public-read-write",
    "aws-exec-read",
    "authenticated-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "log-delivery-write",
];

struct S3Action {
    bucket: Template,
    resource: String,
    key: Template,
}

/// An object for a bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Put {
    bucket: String,
    key: String,
}

fn parse(parameters: &Parameters<'_>) -> Result<Box<dyn Action>, Invalid> {
    let (bucket, resource) = parameters.required_template("bucketName")?;
    let (key, _) = parameters.required_template("key")?;
    if let Some(acl) = parameters.template("cannedAcl")?
        && let Some(acl) = acl.constant()
        && !CANNED_ACLS.contains(&acl)
    {
        let shown: String = acl.chars().take(64).collect();
        let constraint = format!("Member must satisfy enum value set: [{}]", CANNED_ACLS.join(", "));
        let path = parameters.path("cannedAcl");
        return Err(Invalid::constraint(&format!("'{shown}'"), &path, &constraint));
    }
    Ok(Box::new(S3Action { bucket, resource: resource.to_owned(), key }))
}

impl Action for S3Action {
    fn effect(&self, message: &Message<'_>, variables: &Variables) -> Result<Effect, String> {
        let bucket = render(&self.bucket, message, variables)?;
        let key = render(&self.key, message, variables)?;
        if key.is_empty() {
            return Err("the key of the object is empty".to_owned());
        }
        Ok(Effect::S3(Put { bucket, key }))
    }

    fn resource(&self) -> &str {
        &self.resource
    }
}

impl Perform for Put {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn resource(&self) -> &str {
        &self.bucket
    }

    fn attempt(&self) -> (&'static str, String) {
        ("Failed to put S3 object.", format!("Bucket: {}, Key: \"{}\"", self.bucket, self.key))
    }

    fn perform<'a>(&'a self, outside: &'a Outside, input: &'a Input<'_>) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let object = PutObject {
                bucket: self.bucket.clone(),
                key: self.key.clone(),
                body: input.body.clone(),
                ..PutObject::default()
            };
            outside.objects.put(input.cx, object).await.map(drop)
        })
    }
}
