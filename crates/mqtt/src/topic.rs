//! Topic names and topic filters: what is well-formed, what AWS IoT Core accepts, what matches what, and the
//! two `$` forms that carry something: `$share/NAME/FILTER` and `$aws/rules/RULE/…`.
//!
//! Sources: MQTT 5 §4.7 and §4.8.2; AWS IoT Core, "MQTT topics" and "differences from MQTT specifications".
//!
//! 1. A [`TopicFilter`] is well-formed and within AWS's limits; so whatever is built of filters is at most
//!    eight levels deep.
//! 2. A wildcard at the first level matches no topic that begins with `$` (MQTT-4.7.2-1).
//! 3. `a/#` does not match `a` on AWS; by the standard it does. [`MultiLevel`] says which.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::limits::{SHARE_NAME_CHARS_MAX, TOPIC_BYTES_MAX, TOPIC_SLASHES_MAX};

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TopicError {
    #[error("a topic is empty")]
    Empty,
    #[error("a topic has U+0000")]
    Nul,
    #[error("a topic name has a wildcard")]
    WildcardInName,
    #[error("a wildcard is not a whole level, or # is not the last")]
    MisplacedWildcard,
    #[error("a shared subscription has no share name or no filter")]
    MalformedShare,
    #[error("a topic has more than 256 bytes")]
    TooLong,
    #[error("a topic has more than 7 slashes")]
    TooDeep,
}

impl TopicError {
    pub(crate) fn clause(self) -> &'static str {
        match self {
            Self::Empty => "a topic is empty",
            Self::Nul => "a topic has U+0000",
            Self::WildcardInName => "a topic name has a wildcard",
            Self::MisplacedWildcard => "a wildcard is not a whole level, or # is not the last",
            Self::MalformedShare => "a shared subscription has no share name or no filter",
            Self::TooLong => "a topic has more than 256 bytes",
            Self::TooDeep => "a topic has more than 7 slashes",
        }
    }
}

/// Whether `#` also stands for no level at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MultiLevel {
    /// AWS IoT Core: `a/#` matches `a/` and `a/b`, not `a`.
    #[default]
    Children,
    /// MQTT §4.7.1.2: `a/#` matches `a` too.
    ParentAndChildren,
}

/// Whether `name` is a topic name by the standard: not empty, no wildcard, no NUL.
///
/// # Errors
/// The rule it breaks.
pub fn check_name(name: &str) -> Result<(), TopicError> {
    if name.is_empty() {
        return Err(TopicError::Empty);
    }
    for byte in name.bytes() {
        match byte {
            0 => return Err(TopicError::Nul),
            b'+' | b'#' => return Err(TopicError::WildcardInName),
            _ => {}
        }
    }
    Ok(())
}

/// Whether AWS IoT Core accepts a publish to the topic name: `$aws/rules/RULE/` is not counted.
///
/// # Errors
/// The quota it breaks.
pub fn check_name_limits(name: &str) -> Result<(), TopicError> {
    check_limits(BasicIngest::parse(name).map_or(name, |basic_ingest| basic_ingest.topic))
}

fn check_limits(topic: &str) -> Result<(), TopicError> {
    if topic.len() > TOPIC_BYTES_MAX {
        return Err(TopicError::TooLong);
    }
    if topic.bytes().filter(|&byte| byte == b'/').count() > TOPIC_SLASHES_MAX {
        return Err(TopicError::TooDeep);
    }
    Ok(())
}

/// Whether a topic is one of the server's own (`$…`).
pub fn is_reserved(topic: &str) -> bool {
    topic.starts_with('$')
}

/// A publish straight to a rule, past the broker: `$aws/rules/RULE/TOPIC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicIngest<'a> {
    pub rule: &'a str,
    /// What the rule's `topic()` sees. May be empty.
    pub topic: &'a str,
}

impl<'a> BasicIngest<'a> {
    pub fn parse(name: &'a str) -> Option<Self> {
        let rest = name.strip_prefix("$aws/rules/")?;
        let (rule, topic) = rest.split_once('/').unwrap_or((rest, ""));
        (!rule.is_empty()).then_some(Self { rule, topic })
    }
}

/// What a client subscribes to; invariant 1.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicFilter {
    /// As the client wrote it.
    text: Arc<str>,
    /// Bytes of `$share/NAME/`, or 0.
    share_prefix_bytes: usize,
}

impl TopicFilter {
    /// # Errors
    /// The rule of the standard or the quota of AWS it breaks.
    pub fn parse(text: &str) -> Result<Self, TopicError> {
        let share_prefix_bytes = share_prefix_bytes(text)?;
        let (_, filter) = text.split_at(share_prefix_bytes);
        check_filter(filter)?;
        check_limits(filter)?;
        Ok(Self { text: Arc::from(text), share_prefix_bytes })
    }

    /// The filter as the client wrote it, `$share/NAME/` included.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The filter that topics are matched with, without `$share/NAME/`.
    pub fn filter(&self) -> &str {
        self.text.split_at(self.share_prefix_bytes).1
    }

    /// The share name of a shared subscription.
    pub fn share_name(&self) -> Option<&str> {
        self.text.split_at(self.share_prefix_bytes).0.strip_prefix("$share/")?.strip_suffix('/')
    }

    pub fn has_wildcard(&self) -> bool {
        self.filter().contains(['+', '#'])
    }

    pub fn matches(&self, topic: &str, multi_level: MultiLevel) -> bool {
        matches(self.filter(), topic, multi_level)
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Whether `topic` is matched by the well-formed `filter`. For many filters at once see
/// [`crate::TopicTrie`].
pub fn matches(filter: &str, topic: &str, multi_level: MultiLevel) -> bool {
    if is_reserved(topic) && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    let mut filter_levels = filter.split('/');
    loop {
        match (filter_levels.next(), levels.next()) {
            (Some("#"), Some(_)) => return true,
            (Some("#"), None) => return multi_level == MultiLevel::ParentAndChildren,
            (Some("+"), Some(_)) => {}
            (Some(expected), Some(level)) if expected == level => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// MQTT-4.8.2-1, -2.
fn share_prefix_bytes(text: &str) -> Result<usize, TopicError> {
    let Some(rest) = text.strip_prefix("$share/") else { return Ok(0) };
    let (name, filter) = rest.split_once('/').ok_or(TopicError::MalformedShare)?;
    if name.is_empty() || filter.is_empty() || name.contains(['+', '#']) {
        return Err(TopicError::MalformedShare);
    }
    if name.chars().count() > SHARE_NAME_CHARS_MAX {
        return Err(TopicError::TooLong);
    }
    Ok("$share/".len() + name.len() + 1)
}

/// MQTT-4.7.1-1 to -3, MQTT-4.7.3-1, -2.
fn check_filter(filter: &str) -> Result<(), TopicError> {
    if filter.is_empty() {
        return Err(TopicError::Empty);
    }
    if filter.contains('\0') {
        return Err(TopicError::Nul);
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let is_last = levels.peek().is_none();
        let misplaced = match level {
            "#" => !is_last,
            "+" => false,
            _ => level.contains(['+', '#']),
        };
        if misplaced {
            return Err(TopicError::MisplacedWildcard);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_error_is_displayed_as_its_clause() {
        for err in [
            TopicError::Empty,
            TopicError::Nul,
            TopicError::WildcardInName,
            TopicError::MisplacedWildcard,
            TopicError::MalformedShare,
            TopicError::TooLong,
            TopicError::TooDeep,
        ] {
            assert_eq!(err.to_string(), err.clause());
        }
    }

    #[test]
    fn mqtt_3_3_2_2_a_topic_name_has_no_wildcard() {
        assert_eq!(check_name("a/+"), Err(TopicError::WildcardInName));
        assert_eq!(check_name("a#"), Err(TopicError::WildcardInName));
        assert_eq!(check_name("/health/Bailey"), Ok(()));
        assert_eq!(check_name("a b/ü"), Ok(()));
    }

    #[test]
    fn mqtt_4_7_3_1_a_topic_has_at_least_one_character() {
        assert_eq!(check_name(""), Err(TopicError::Empty));
        assert_eq!(TopicFilter::parse(""), Err(TopicError::Empty));
    }

    #[test]
    fn mqtt_4_7_3_2_a_topic_has_no_nul() {
        assert_eq!(check_name("a\0"), Err(TopicError::Nul));
        assert_eq!(TopicFilter::parse("a\0/#"), Err(TopicError::Nul));
    }

    #[test]
    fn mqtt_4_7_1_2_and_3_wildcards_are_whole_levels_and_hash_is_last() {
        for good in ["#", "+", "/", "a/#", "+/+/#", "a//b", "/+", "+/a", "$aws/#"] {
            assert!(TopicFilter::parse(good).is_ok(), "{good}");
        }
        for bad in ["a#", "#/a", "a/#/b", "a+", "+a/b", "a/b+/c", "##"] {
            assert_eq!(TopicFilter::parse(bad), Err(TopicError::MisplacedWildcard), "{bad}");
        }
    }

    #[test]
    fn aws_topics_have_at_most_256_bytes_and_7_slashes() {
        assert_eq!(check_name_limits(&"x".repeat(256)), Ok(()));
        assert_eq!(check_name_limits(&"x".repeat(257)), Err(TopicError::TooLong));
        assert_eq!(check_name_limits("1/2/3/4/5/6/7/8"), Ok(()));
        assert_eq!(check_name_limits("1/2/3/4/5/6/7/8/"), Err(TopicError::TooDeep));
        assert_eq!(TopicFilter::parse("1/2/3/4/5/6/7/8/#"), Err(TopicError::TooDeep));
        assert_eq!(TopicFilter::parse(&"x".repeat(257)), Err(TopicError::TooLong));
    }

    #[test]
    fn aws_the_three_levels_of_basic_ingest_are_not_counted() {
        let rest = "1/2/3/4/5/6/7/8";
        assert_eq!(check_name_limits(&format!("$aws/rules/r/{rest}")), Ok(()));
        assert_eq!(check_name_limits(&format!("$aws/rules/r/{rest}/9")), Err(TopicError::TooDeep));
        assert_eq!(check_name_limits(&format!("$aws/rules/r/{}", "x".repeat(256))), Ok(()));
    }

    #[test]
    fn aws_basic_ingest_names_a_rule_and_the_topic_it_sees() {
        assert_eq!(BasicIngest::parse("$aws/rules/r/a/b"), Some(BasicIngest { rule: "r", topic: "a/b" }));
        assert_eq!(BasicIngest::parse("$aws/rules/r"), Some(BasicIngest { rule: "r", topic: "" }));
        assert_eq!(BasicIngest::parse("$aws/rules/"), None);
        assert_eq!(BasicIngest::parse("aws/rules/r/a"), None);
    }

    #[test]
    fn mqtt_4_8_2_shared_subscriptions() {
        let filter = TopicFilter::parse("$share/g/a/+").unwrap();
        assert_eq!(
            (filter.share_name(), filter.filter(), filter.as_str()),
            (Some("g"), "a/+", "$share/g/a/+")
        );
        assert!(filter.matches("a/b", MultiLevel::Children));
        let plain = TopicFilter::parse("$shared/g").unwrap();
        assert_eq!((plain.share_name(), plain.filter()), (None, "$shared/g"));
        for bad in ["$share/", "$share/g", "$share/g/", "$share//a", "$share/g+/a", "$share/#/a"] {
            assert_eq!(TopicFilter::parse(bad), Err(TopicError::MalformedShare), "{bad}");
        }
        let long = format!("$share/{}/a", "n".repeat(129));
        assert_eq!(TopicFilter::parse(&long), Err(TopicError::TooLong));
        // The limits are of FILTER alone.
        assert!(TopicFilter::parse(&format!("$share/{}/{}", "n".repeat(128), "f".repeat(256))).is_ok());
    }

    #[test]
    fn matching_by_example() {
        use MultiLevel::{Children, ParentAndChildren};
        for (filter, topic, multi_level, expected) in [
            ("a/b", "a/b", Children, true),
            ("a/b", "a/c", Children, false),
            ("a/b", "A/b", Children, false),
            ("a/+", "a/b", Children, true),
            ("a/+", "a/", Children, true),
            ("a/+", "a", Children, false),
            ("a/+", "a/b/c", Children, false),
            ("+", "a", Children, true),
            ("+", "/a", Children, false),
            ("+/+", "/a", Children, true),
            ("/+", "/a", Children, true),
            ("#", "a/b", Children, true),
            ("#", "/", Children, true),
            ("a/#", "a/b/c", Children, true),
            ("a/#", "a/", Children, true),
            ("a/#", "a", Children, false),
            ("a/#", "a", ParentAndChildren, true),
            ("a/#", "ab", ParentAndChildren, false),
            ("a/+/#", "a", ParentAndChildren, false),
            ("a/+/#", "a/b", ParentAndChildren, true),
            ("#", "$aws/x", Children, false),
            ("+/x", "$aws/x", Children, false),
            ("$aws/#", "$aws/x", Children, true),
            ("$aws/+", "$aws/x", Children, true),
            ("a/#", "a/$b", Children, true),
        ] {
            assert_eq!(matches(filter, topic, multi_level), expected, "{filter} {topic} {multi_level:?}");
        }
    }
}
