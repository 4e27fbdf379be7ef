//! Conditional requests: `If-Match` and its siblings.
//!
//! Order of evaluation: <https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2>; conditional writes:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use kernel::Timestamp;

use crate::Error;
use crate::object::Object;

/// A list of etags, or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`
    Any,
    /// Etags without quotation marks.
    These(Vec<String>),
}

impl Tags {
    fn contain(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag == etag),
        }
    }
}

/// What a reader requires of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadCondition {
    pub(crate) if_match: Option<Tags>,
    pub(crate) if_none_match: Option<Tags>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

impl ReadCondition {
    /// # Errors
    /// `PreconditionFailed`, `NotModified`.
    pub(crate) fn check(&self, object: &Object) -> Result<(), Error> {
        // HTTP dates have whole seconds.
        let modified_s = object.last_modified.as_millis().div_euclid(1000);
        let seconds = |at: Timestamp| at.as_millis().div_euclid(1000);
        let held = match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) => tags.contain(&object.etag),
            (None, Some(since)) => modified_s <= seconds(since),
            (None, None) => true,
        };
        if !held {
            return Err(Error::PreconditionFailed);
        }
        let fresh = match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => !tags.contain(&object.etag),
            (None, Some(since)) => modified_s > seconds(since),
            (None, None) => true,
        };
        if fresh { Ok(()) } else { Err(Error::NotModified { etag: object.etag.clone() }) }
    }

    /// The same for the source of a copy, where nothing is answered with 304.
    pub(crate) fn check_source(&self, object: &Object) -> Result<(), Error> {
        self.check(object).map_err(|_| Error::PreconditionFailed)
    }
}

/// What a writer requires of what it replaces.
#[derive(Clone, Debug, Default)]
pub(crate) enum WriteCondition {
    /// Nothing.
    #[default]
    None,
    /// There is no object.
    Absent,
    /// There is an object with one of these etags.
    Match(Tags),
}

impl WriteCondition {
    /// # Errors
    /// `NotImplemented` for conditions S3 does not know for writes.
    pub(crate) fn new(if_match: Option<Tags>, if_none_match: Option<Tags>) -> Result<Self, Error> {
        match (if_match, if_none_match) {
            (None, None) => Ok(Self::None),
            (None, Some(Tags::Any)) => Ok(Self::Absent),
            (Some(tags), None) => Ok(Self::Match(tags)),
            _ => Err(Error::NotImplemented),
        }
    }

    /// # Errors
    /// `PreconditionFailed`; `NoSuchKey` when there is nothing to match.
    pub(crate) fn check(&self, existing: Option<&Object>) -> Result<(), Error> {
        match (self, existing) {
            (Self::None, _) | (Self::Absent, None) => Ok(()),
            (Self::Absent, Some(_)) => Err(Error::PreconditionFailed),
            (Self::Match(_), None) => Err(Error::NoSuchKey),
            (Self::Match(tags), Some(object)) => {
                if tags.contain(&object.etag) {
                    Ok(())
                } else {
                    Err(Error::PreconditionFailed)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(condition: &ReadCondition, expect: &str) {
        let object = Object::for_test("tag", Timestamp::from_millis(10_500));
        let found = match condition.check(&object) {
            Ok(()) => "200",
            Err(Error::PreconditionFailed) => "412",
            Err(Error::NotModified { .. }) => "304",
            Err(_) => "other",
        };
        assert_eq!(found, expect, "{condition:?}");
    }

    #[test]
    fn conditions_are_evaluated_in_the_order_of_the_rfc() {
        let these = |tag: &str| Some(Tags::These(vec![tag.to_owned()]));
        let at = |s: i64| Some(Timestamp::from_millis(s * 1000));
        let none = ReadCondition::default;
        check(&none(), "200");
        check(&ReadCondition { if_match: these("tag"), ..none() }, "200");
        check(&ReadCondition { if_match: these("other"), ..none() }, "412");
        check(&ReadCondition { if_none_match: these("tag"), ..none() }, "304");
        check(&ReadCondition { if_none_match: Some(Tags::Any), ..none() }, "304");
        check(&ReadCondition { if_none_match: these("other"), if_modified_since: at(20), ..none() }, "200");
        check(&ReadCondition { if_modified_since: at(10), ..none() }, "304");
        check(&ReadCondition { if_modified_since: at(9), ..none() }, "200");
        check(&ReadCondition { if_unmodified_since: at(9), ..none() }, "412");
        check(&ReadCondition { if_unmodified_since: at(10), ..none() }, "200");
        check(&ReadCondition { if_match: these("tag"), if_unmodified_since: at(9), ..none() }, "200");
    }
}
