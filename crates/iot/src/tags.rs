//! Tags of policies and topic rules, which are kept with what they are of.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/tagging-iot.html>

use std::collections::BTreeMap;

use kernel::{Arn, Context};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use wire::Resource;

use crate::limits::{TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX};
use crate::policy_document::Policy;
use crate::rule::Rule;
use crate::{Error, Iot};

/// Values by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// A tag as requests and answers have it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) value: String,
}

/// The tags with others added.
///
/// # Errors
/// `InvalidRequestException` for illegal ones, `LimitExceededException` for too many.
pub(crate) fn with(mut tags: Tags, more: &[Tag]) -> Result<Tags, Error> {
    for Tag { key, value } in more {
        if key.is_empty() || key.chars().count() > TAG_KEY_CHARS_MAX || !is_legal(key) {
            return Err(Error::InvalidRequest(format!("Invalid tag key: {key}")));
        }
        if key.starts_with("aws:") {
            return Err(Error::InvalidRequest("A tag's key must not begin with aws:".to_owned()));
        }
        if value.chars().count() > TAG_VALUE_CHARS_MAX || !is_legal(value) {
            return Err(Error::InvalidRequest(format!("Invalid value of the tag {key}")));
        }
        tags.insert(key.clone(), value.clone());
    }
    if tags.len() > TAGS_MAX {
        return Err(Error::LimitExceeded(format!("A resource can have at most {TAGS_MAX} tags.")));
    }
    Ok(tags)
}

/// The tags of the header `x-amz-tagging`: `key=value&key=value`.
///
/// # Errors
/// As [`with`].
pub(crate) fn of_header(header: Option<&str>) -> Result<Tags, Error> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        let decoded = percent_decode_str(&text).decode_utf8().map(String::from);
        decoded.map_err(|_| Error::InvalidRequest("The tags are not valid UTF-8.".to_owned()))
    };
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let tags: Vec<Tag> = pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok(Tag { key: decode(key)?, value: decode(value)? })
        })
        .collect::<Result<_, Error>>()?;
    with(Tags::new(), &tags)
}

fn is_legal(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c))
}

/// The resource of a request that names it by its ARN.
pub(crate) fn resource(arn: &str) -> Resource {
    arn.parse().map_or(Resource::Any, Resource::Arn)
}

/// What can have tags, by name.
enum Tagged {
    Policy(String),
    Rule(String),
}

impl Tagged {
    /// # Errors
    /// `InvalidRequestException` for what is no ARN or of a kind without tags, `ResourceNotFoundException` for one of elsewhere.
    fn parse(cx: &Context, arn: &str) -> Result<Self, Error> {
        let parsed: Arn =
            arn.parse().map_err(|_| Error::InvalidRequest(format!("{arn} is not a valid ARN.")))?;
        let (kind, name) = parsed.resource().split_once('/').unwrap_or_default();
        let tagged = match (parsed.service(), kind) {
            ("iot", "policy") => Self::Policy(name.to_owned()),
            ("iot", "rule") => Self::Rule(name.to_owned()),
            _ => return Err(Error::InvalidRequest(format!("Resource {arn} cannot have tags."))),
        };
        if (parsed.region(), parsed.account()) != (cx.region.as_str(), cx.account.as_str()) {
            return Err(not_found(arn));
        }
        Ok(tagged)
    }
}

fn not_found(arn: &str) -> Error {
    Error::NotFound(format!("Resource {arn} cannot be found."))
}

/// To a request that names a rule by its ARN, one that is not there is not a matter of rights.
fn of_resource<T>(arn: &str, found: Result<T, Error>) -> Result<T, Error> {
    found.map_err(|error| match error {
        Error::NotFound(_) | Error::Unauthorized(_) => not_found(arn),
        error => error,
    })
}

impl Iot {
    /// The tags of a resource.
    ///
    /// # Errors
    /// `InvalidRequestException`, `ResourceNotFoundException`.
    pub(crate) async fn tags(&self, cx: &Context, arn: &str) -> Result<Tags, Error> {
        match Tagged::parse(cx, arn)? {
            Tagged::Policy(name) => {
                of_resource(arn, self.policy(cx, &name).await).map(|stored| stored.entity.tags)
            }
            Tagged::Rule(name) => {
                of_resource(arn, self.rule(cx, &name).await).map(|stored| stored.entity.tags)
            }
        }
    }

    /// Changes the tags of a resource.
    ///
    /// # Errors
    /// `InvalidRequestException`, `ResourceNotFoundException`, and those of the change.
    pub(crate) async fn change_tags(
        &self,
        cx: &Context,
        arn: &str,
        change: impl FnOnce(Tags) -> Result<Tags, Error> + Send,
    ) -> Result<(), Error> {
        let tagged = Tagged::parse(cx, arn)?;
        let _turn = self.turn().await?;
        match tagged {
            Tagged::Policy(name) => {
                let stored = of_resource(arn, self.policy(cx, &name).await)?;
                let tags = change(stored.entity.tags.clone())?;
                let policy = Policy { tags, ..stored.entity };
                let key = [cx.account.as_str(), cx.region.as_str(), &name];
                self.policies.update(&key, &policy, stored.revision).await?;
            }
            Tagged::Rule(name) => {
                let stored = of_resource(arn, self.rule(cx, &name).await)?;
                let tags = change(stored.entity.tags.clone())?;
                let rule = Rule { tags, ..stored.entity };
                let key = [cx.account.as_str(), cx.region.as_str(), &name];
                self.rules.update(&key, &rule, stored.revision).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use kernel::ServiceError;

    use super::*;

    #[test]
    fn a_header_is_decoded_or_refused() {
        let many: Vec<String> = (0..51).map(|n| format!("{n}=")).collect();
        for (header, expect) in [
            ("", "{}"),
            ("a=b&c=d+e&f", r#"{"a": "b", "c": "d e", "f": ""}"#),
            ("k%C3%A9y=%3D%2F", r#"{"kéy": "=/"}"#),
            ("a=%FF", "InvalidRequestException"),
            ("=b", "InvalidRequestException"),
            ("a=%3C", "InvalidRequestException"),
            ("aws%3Aa=b", "InvalidRequestException"),
            (&many.join("&"), "LimitExceededException"),
        ] {
            let found = match of_header(Some(header)) {
                Ok(tags) => format!("{tags:?}"),
                Err(error) => error.code().to_owned(),
            };
            assert_eq!(found, expect, "{header}");
        }
    }
}
