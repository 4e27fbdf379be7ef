//! Resources of all services: found, asked for by name, changed one by one.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use kernel::{Arn, Context, ErrorKind};
use ports::{PortError, Tagged, TaggedResource};
use serde::Serialize;
use wire::{Facts, Resource};

use crate::constraint::Violations;
use crate::limits::{ARN_CHARS_MAX, TAG_ARNS_MAX};
use crate::{Error, Tagging};

/// What was not changed, by ARN.
pub(crate) type Failed = BTreeMap<String, FailureInfo>;

/// Why a resource was not changed: the service's own error.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FailureInfo {
    status_code: u16,
    error_code: String,
    error_message: String,
}

/// A change of tags.
pub(crate) enum Change {
    Tag(Vec<(String, String)>),
    Untag(Vec<String>),
}

/// The type of a resource, as its ARN has it: `firehose:deliverystream`. An ARN without one, as of a bucket, has only a service.
pub(crate) fn is_of_type(arn: &str, wanted: &str) -> bool {
    let Ok(arn) = arn.parse::<Arn>() else { return false };
    let (service, kind) =
        wanted.split_once(':').map_or((wanted, None), |(service, kind)| (service, Some(kind)));
    let own = || arn.resource().split_once(['/', ':']).map(|(own, _)| own);
    arn.service() == service && kind.is_none_or(|kind| own() == Some(kind))
}

/// The ARNs of a request that changes resources, each once.
///
/// # Errors
/// `InvalidParameterException` for what is no ARN.
pub(crate) fn arns(list: &[String], mut violations: Violations) -> Result<BTreeSet<Arn>, Error> {
    violations.length("resourceARNList", list.len(), (1, TAG_ARNS_MAX));
    for (n, arn) in list.iter().enumerate() {
        violations.text(&format!("resourceARNList.{}.member", n + 1), arn, (1, ARN_CHARS_MAX));
    }
    violations.finish()?;
    list.iter().map(|arn| parsed(arn)).collect()
}

/// # Errors
/// `InvalidParameterException`.
pub(crate) fn parsed(arn: &str) -> Result<Arn, Error> {
    arn.parse().map_err(|_| Error::invalid(format!("{arn} is not a valid ARN.")))
}

impl Tagging {
    /// Every resource of the account and region that has a tag, in the order of ARNs.
    ///
    /// # Errors
    /// `InternalServiceException`.
    pub(crate) async fn all(&self, cx: &Context) -> Result<Vec<TaggedResource>, Error> {
        let mut found = Vec::new();
        for service in &self.services {
            found.extend(service.tagged(cx).await?);
        }
        found.sort_by(|a, b| a.arn.cmp(&b.arn));
        Ok(found)
    }

    /// Changes the tags of each resource, and tells which could not be changed.
    pub(crate) async fn change(&self, cx: &Context, arns: BTreeSet<Arn>, change: &Change) -> Failed {
        let mut failed = Failed::new();
        for arn in arns {
            if let Err(error) = self.change_one(cx, &arn, change).await {
                failed.insert(arn.to_string(), FailureInfo::of(&error));
            }
        }
        failed
    }

    async fn change_one(&self, cx: &Context, arn: &Arn, change: &Change) -> Result<(), PortError> {
        let service = self.service_of(cx, arn)?;
        if let Some(actions) = service.actions() {
            let (action, keys) = match change {
                Change::Tag(tags) => (actions.tag, tag_keys(tags)),
                Change::Untag(keys) => (actions.untag, vec![("aws:TagKeys".to_owned(), keys.clone())]),
            };
            let keys: Vec<(&str, Vec<String>)> =
                keys.iter().map(|(key, values)| (key.as_str(), values.clone())).collect();
            let facts = Facts { keys: &keys, ..Facts::default() };
            self.authorize.authorize_with(cx, action, &Resource::Arn(arn.clone()), &facts).map_err(
                |denied| PortError::new(ErrorKind::Denied, "AccessDeniedException", denied.to_string()),
            )?;
        }
        let changed: BoxFuture<'_, Result<(), PortError>> = match change {
            Change::Tag(tags) => service.tag(cx, arn, tags),
            Change::Untag(keys) => service.untag(cx, arn, keys),
        };
        changed.await
    }

    /// # Errors
    /// `InvalidParameterException` for a resource of elsewhere, or of a service whose resources have no tags here.
    fn service_of(&self, cx: &Context, arn: &Arn) -> Result<&dyn Tagged, PortError> {
        let invalid =
            |sentence: String| PortError::new(ErrorKind::Invalid, "InvalidParameterException", sentence);
        let is = |own: &str, given: &str| given.is_empty() || own == given;
        if !is(cx.account.as_str(), arn.account()) || !is(cx.region.as_str(), arn.region()) {
            let sentence = format!("{arn} is not a resource of this account in this region.");
            return Err(invalid(sentence));
        }
        let found = self.services.iter().find(|service| service.service() == arn.service());
        found.map(|service| &**service).ok_or_else(|| {
            invalid(format!("Resources of the service {} cannot be tagged by this API.", arn.service()))
        })
    }
}

/// The condition keys of a request that adds tags.
fn tag_keys(tags: &[(String, String)]) -> Vec<(String, Vec<String>)> {
    let names = tags.iter().map(|(key, _)| key.clone()).collect();
    let each = tags.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), vec![value.clone()]));
    std::iter::once(("aws:TagKeys".to_owned(), names)).chain(each).collect()
}

impl FailureInfo {
    fn of(error: &PortError) -> Self {
        let inner = error.kind == ErrorKind::Internal;
        if inner {
            tracing::error!(code = error.code, error = ?error.source, "a resource was not tagged");
        }
        let code = if inner { "InternalServiceException" } else { &error.code };
        // Services of JSON protocols answer what is not there with 400.
        let status = match error.kind {
            ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Throttled => 400,
            kind => kind.http_status(),
        };
        Self { status_code: status, error_code: code.to_owned(), error_message: error.message.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_what_the_arn_begins_with() {
        let stream = "arn:aws:firehose:us-east-1:000000000000:deliverystream/s";
        for (arn, wanted, expect) in [
            (stream, "firehose", true),
            (stream, "firehose:deliverystream", true),
            (stream, "firehose:delivery", false),
            (stream, "s3", false),
            ("arn:aws:s3:::bucket", "s3", true),
            ("arn:aws:s3:::bucket", "s3:bucket", false),
            ("arn:aws:cloudwatch:us-east-1:000000000000:alarm:a", "cloudwatch:alarm", true),
            ("nothing", "s3", false),
        ] {
            assert_eq!(is_of_type(arn, wanted), expect, "{arn} {wanted}");
        }
    }
}
