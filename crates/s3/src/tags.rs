//! Tags of buckets and objects.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>

use std::collections::BTreeMap;

use s3s::dto::Tag;

use crate::authorize::{Caller, Target, request_tags};
use crate::limits::{BUCKET_TAGS_MAX, OBJECT_TAGS_MAX, TAG_CHARS_MAX};
use crate::object::Described;
use crate::{Error, S3};

/// Values by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// The tags a request gives a bucket.
///
/// # Errors
/// `InvalidTag`, `BadRequest` for too many.
pub(crate) fn of_bucket(set: Vec<Tag>) -> Result<Tags, Error> {
    if set.len() > BUCKET_TAGS_MAX {
        return Err(Error::TooManyTags("Bucket tag count cannot be greater than 50"));
    }
    checked(set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())))
}

/// A bucket's tags with others added.
///
/// # Errors
/// As [`of_bucket`].
pub(crate) fn with(own: Tags, more: &[(String, String)]) -> Result<Tags, Error> {
    let mut tags = own;
    tags.extend(checked(more.iter().cloned())?);
    if tags.len() > BUCKET_TAGS_MAX {
        return Err(Error::TooManyTags("Bucket tag count cannot be greater than 50"));
    }
    Ok(tags)
}

/// The tags a request's body gives an object.
///
/// # Errors
/// As [`of_bucket`].
pub(crate) fn of_object(set: Vec<Tag>) -> Result<Tags, Error> {
    few(set.len())?;
    checked(set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())))
}

/// The tags that `x-amz-tagging` gives an object: `key=value&key=value`.
///
/// # Errors
/// `InvalidArgument`, and as [`of_object`].
pub(crate) fn of_header(header: Option<&str>) -> Result<Tags, Error> {
    let pairs: Vec<&str> = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).collect();
    few(pairs.len())?;
    let malformed = || {
        Error::argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        )
    };
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8().map(String::from).map_err(|_| malformed())
    };
    let mut decoded = BTreeMap::new();
    for pair in pairs {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decoded.insert(decode(key)?, decode(value)?).is_some() {
            return Err(malformed());
        }
    }
    checked(decoded.into_iter())
}

/// As answers tell them.
pub(crate) fn to_set(tags: Tags) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
}

/// How many there are, as answers tell it: only if there are any.
pub(crate) fn count(tags: &Tags) -> Option<i32> {
    i32::try_from(tags.len()).ok().filter(|count| *count > 0)
}

fn few(count: usize) -> Result<(), Error> {
    if count > OBJECT_TAGS_MAX {
        return Err(Error::TooManyTags("Object tags cannot be greater than 10"));
    }
    Ok(())
}

fn checked(pairs: impl Iterator<Item = (String, String)>) -> Result<Tags, Error> {
    let mut tags = BTreeMap::new();
    let (key_max, value_max) = TAG_CHARS_MAX;
    let refused = |sentence: &'static str| Err(Error::InvalidTag(sentence));
    let legal =
        |text: &str| text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c));
    for (key, value) in pairs {
        if key.is_empty() || key.chars().count() > key_max || !legal(&key) {
            return refused("The TagKey you have provided is invalid");
        }
        if key.starts_with("aws:") {
            return refused("System tags cannot be added/updated by requester");
        }
        if value.chars().count() > value_max || !legal(&value) {
            return refused("The TagValue you have provided is invalid");
        }
        if tags.insert(key, value).is_some() {
            return refused("Cannot provide multiple Tags with the same key");
        }
    }
    Ok(tags)
}

impl S3 {
    /// Whether the caller may give an object the tags it is said to have, which is an action of its own.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(crate) fn allow_tags(
        &self,
        caller: &Caller,
        bucket: &str,
        key: &str,
        described: &Described,
    ) -> Result<(), Error> {
        if described.tags.is_empty() {
            return Ok(());
        }
        let more = request_tags(&described.tags);
        self.allow_with(caller, "s3:PutObjectTagging", Target::Object(bucket, key), &more)
    }
}

#[cfg(test)]
mod tests {
    use kernel::ServiceError;

    use super::*;

    #[test]
    fn a_header_is_decoded_or_refused() {
        let many: Vec<String> = (0..11).map(|n| format!("{n}=")).collect();
        for (header, expect) in [
            ("", "{}"),
            ("a=b&c=d+e&f", r#"{"a": "b", "c": "d e", "f": ""}"#),
            ("k%C3%A9y=%3D%2F", r#"{"kéy": "=/"}"#),
            ("a=1&a=2", "InvalidArgument"),
            ("a=%FF", "InvalidArgument"),
            ("=b", "InvalidTag"),
            ("a=%3C", "InvalidTag"),
            ("aws%3Aa=b", "InvalidTag"),
            (&many.join("&"), "BadRequest"),
        ] {
            let found = match of_header(Some(header)) {
                Ok(tags) => format!("{tags:?}"),
                Err(error) => error.code().to_owned(),
            };
            assert_eq!(found, expect, "{header}");
        }
    }
}
