//! Prefixes of object keys, with expressions `!{namespace:value}`.
//! <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>
//!
//! 1. No prefix: `yyyy/MM/dd/HH/`. 2. A prefix without an expression: the same behind it, no slash between.
//! 3. A prefix with any expression: itself, evaluated. All expressions of one key see one instant.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::date_pattern::DatePattern;
use crate::error::Error;
use crate::limits;

/// A parsed prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Timestamp(DatePattern),
    RandomString,
    ErrorOutputType,
}

/// The first word is as AWS spells it.
const CONSTRAINT: &str = "Ths supplied prefix(es) do not satisfy the following constraint: ";

impl Prefix {
    /// # Errors
    /// `InvalidArgumentException`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("!{") {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            let (expression, after) = after.split_once('}').ok_or_else(|| {
                Error::invalid(format!("{CONSTRAINT}an expression is not closed: !{{{after}"))
            })?;
            pieces.push(piece(expression)?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    fn has_expressions(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Literal(_)))
    }

    /// What every evaluation begins with.
    pub(crate) fn constant(&self) -> &str {
        match self.0.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// The prefix for records of which the oldest arrived at `at`. The n-th random string is `random(n)`.
    pub(crate) fn evaluate(&self, at: &DateTime<Tz>, random: impl Fn(usize) -> String) -> String {
        let mut out = String::new();
        let mut randoms = 0;
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Timestamp(pattern) => out.push_str(&pattern.format(at)),
                Piece::RandomString => {
                    out.push_str(&random(randoms));
                    randoms += 1;
                }
                Piece::ErrorOutputType => unreachable!("check admits it in no prefix of delivered records"),
            }
        }
        if !self.has_expressions() {
            out.push_str(&at.format("%Y/%m/%d/%H/").to_string());
        }
        out
    }
}

fn piece(expression: &str) -> Result<Piece, Error> {
    let (namespace, value) = expression.split_once(':').unwrap_or((expression, ""));
    match (namespace, value) {
        ("timestamp", pattern) => DatePattern::parse(pattern)
            .map(Piece::Timestamp)
            .map_err(|clause| Error::invalid(format!("{CONSTRAINT}in !{{{expression}}} {clause}"))),
        ("firehose", "random-string") => Ok(Piece::RandomString),
        ("firehose", "error-output-type") => Ok(Piece::ErrorOutputType),
        ("partitionKeyFromQuery" | "partitionKeyFromLambda", _) => Err(Error::invalid(
            "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is \
             enabled.",
        )),
        _ => Err(Error::invalid(format!("{CONSTRAINT}!{{{expression}}} is not an expression"))),
    }
}

/// Checks the two prefixes of a destination against each other and returns the one of delivered records.
///
/// # Errors
/// `InvalidArgumentException`.
pub(crate) fn check(prefix: &str, error_output_prefix: &str) -> Result<Prefix, Error> {
    let parsed = Prefix::parse(prefix)?;
    let errors = Prefix::parse(error_output_prefix)?;
    let fail = |clause: &str| Err(Error::invalid(format!("{CONSTRAINT}{clause}")));
    if parsed.0.contains(&Piece::ErrorOutputType) {
        return fail("Prefix cannot contain !{firehose:error-output-type}");
    }
    if parsed.has_expressions() && error_output_prefix.is_empty() {
        return fail("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions");
    }
    if errors.has_expressions() && !errors.0.contains(&Piece::ErrorOutputType) {
        return fail(
            "ErrorOutputPrefix must contain !{firehose:error-output-type} when it contains expressions",
        );
    }
    let sample = parsed.evaluate(&DateTime::UNIX_EPOCH.with_timezone(&Tz::UTC), |_| "x".repeat(11));
    if sample.len() > limits::EVALUATED_PREFIX_BYTES_MAX {
        return fail(&format!(
            "the evaluated Prefix cannot be longer than {} characters",
            limits::EVALUATED_PREFIX_BYTES_MAX
        ));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn evaluate(prefix: &str) -> String {
        let at = DateTime::parse_from_rfc3339("2017-08-26T07:47:12.345Z").unwrap().with_timezone(&Tz::UTC);
        check(prefix, "failed/!{firehose:error-output-type}/")
            .unwrap()
            .evaluate(&at, |n| format!("random{n}"))
    }

    #[test]
    fn evaluated() {
        for (prefix, expect) in [
            ("", "2017/08/26/07/"),
            ("legacy", "legacy2017/08/26/07/"),
            ("heartrate_data/", "heartrate_data/2017/08/26/07/"),
            ("it's/", "it's/2017/08/26/07/"),
            ("y=!{timestamp:yyyy}/m=!{timestamp:MM}/", "y=2017/m=08/"),
            ("!{timestamp:'year='yyyy'/month='MM/}", "year=2017/month=08/"),
            ("a/!{firehose:random-string}/!{firehose:random-string}", "a/random0/random1"),
            ("$!{timestamp:HH}!", "$07!"),
        ] {
            assert_eq!(evaluate(prefix), expect, "{prefix}");
        }
    }

    #[test]
    fn a_time_zone_moves_the_default_too() {
        let at =
            DateTime::parse_from_rfc3339("2017-08-26T20:47:12Z").unwrap().with_timezone(&Tz::Asia__Tokyo);
        assert_eq!(Prefix::parse("p/").unwrap().evaluate(&at, |_| String::new()), "p/2017/08/27/05/");
    }

    #[test]
    fn refused() {
        let partitions = "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic \
                          Partitioning is enabled.";
        for (prefix, errors, expect) in [
            (
                "!{timestamp:yyyy}/",
                "",
                "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions",
            ),
            ("!{firehose:error-output-type}/", "e/", "Prefix cannot contain !{firehose:error-output-type}"),
            (
                "p/",
                "!{timestamp:yyyy}/",
                "ErrorOutputPrefix must contain !{firehose:error-output-type} when it contains expressions",
            ),
            ("!{timestamp:yyyy", "e/", "an expression is not closed: !{timestamp:yyyy"),
            ("!{nope:x}/", "e/", "!{nope:x} is not an expression"),
            ("!{firehose}/", "e/", "!{firehose} is not an expression"),
            ("!{timestamp:VV}/", "e/", "in !{timestamp:VV} the pattern letters VV are not supported"),
            (&"x".repeat(512), "", "the evaluated Prefix cannot be longer than 512 characters"),
        ] {
            let sentence = check(prefix, errors).unwrap_err().to_string();
            assert_eq!(sentence, format!("{CONSTRAINT}{expect}"), "{prefix}");
        }
        for prefix in ["!{partitionKeyFromQuery:a}/", "!{partitionKeyFromLambda:a}/"] {
            assert_eq!(check(prefix, "e/").unwrap_err().to_string(), partitions);
        }
        assert_eq!(check("p/", "!{partitionKeyFromQuery:a}/").unwrap_err().to_string(), partitions);
    }

    fn any_prefix() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-z/=!{}:']{0,4}",
            "!\\{timestamp:[yMdHmsSuDEaX/'=-]{0,6}\\}",
            Just("!{firehose:random-string}".to_owned()),
            Just("!{firehose:error-output-type}".to_owned()),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_evaluated_within_bounds(prefix in any_prefix(), seconds in 0_i64..4_102_444_800) {
            if let Ok(parsed) = check(&prefix, "e/!{firehose:error-output-type}/") {
                let at = DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&Tz::America__New_York);
                let evaluated = parsed.evaluate(&at, |n| format!("{n:011}"));
                prop_assert!(evaluated.starts_with(parsed.constant()));
                let left = "!{timestamp:";
                prop_assert!(!evaluated.contains(left), "{}", evaluated);
            }
        }

        #[test]
        fn without_expressions_a_prefix_is_itself_before_the_hour(prefix in "[ -z|~é]{0,40}") {
            prop_assert_eq!(evaluate(&prefix), format!("{prefix}2017/08/26/07/"));
        }
    }
}
