//! Names of things: account, region, ARN. Parsed once at the edge; inside there is no `String` ARN.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A twelve-digit account number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

/// A region's name, `us-east-1`: lower-case letters, digits and hyphens, 1–32 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

/// `arn:aws:service:region:account:resource`. Region and account may be empty (S3, IAM), and the account is
/// not required to have twelve digits: clients name roles of accounts that are not ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn {
    text: String,
    /// Byte offsets at which service, region, account and resource begin.
    starts: [usize; 4],
}

/// What did not parse, and as what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct ParseError {
    text: String,
    expected: &'static str,
}

impl ParseError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(200).collect(), expected }
    }
}

impl AccountId {
    /// The account of a node that was told none.
    pub fn default_account() -> Self {
        Self("000000000000".to_owned())
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Region {
    /// The region of a node that was told none.
    pub fn default_region() -> Self {
        Self("us-east-1".to_owned())
    }

    /// The region's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Arn {
    /// An ARN of the `aws` partition. `resource` must not be empty and no part before it may contain a colon;
    /// callers pass literals and validated names.
    pub fn new(service: &str, region: &str, account: &str, resource: &str) -> Self {
        format!("arn:aws:{service}:{region}:{account}:{resource}")
            .parse()
            .expect("callers pass a service, a region and an account without colons")
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn part(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).expect("offsets were taken from this text at colons")
    }

    /// `firehose` in `arn:aws:firehose:…`.
    pub fn service(&self) -> &str {
        self.part(self.starts[0], self.starts[1] - 1)
    }

    /// The region, possibly empty.
    pub fn region(&self) -> &str {
        self.part(self.starts[1], self.starts[2] - 1)
    }

    /// The account, possibly empty.
    pub fn account(&self) -> &str {
        self.part(self.starts[2], self.starts[3] - 1)
    }

    /// Everything after the fifth colon.
    pub fn resource(&self) -> &str {
        self.part(self.starts[3], self.text.len())
    }
}

impl FromStr for AccountId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(text, "an account number of twelve digits"))
        }
    }
}

impl FromStr for Region {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(text, "a region's name"))
        }
    }
}

impl FromStr for Arn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "an ARN");
        let mut starts = [0; 4];
        let mut colons = text.match_indices(':').map(|(at, _)| at + 1);
        let scheme_end = colons.next().ok_or_else(error)?;
        let partition_end = colons.next().ok_or_else(error)?;
        starts[0] = partition_end;
        for start in &mut starts[1..] {
            *start = colons.next().ok_or_else(error)?;
        }
        let partition = text.get(scheme_end..partition_end - 1).ok_or_else(error)?;
        let service_given = starts[1] - 1 > starts[0];
        if text.starts_with("arn:") && partition.starts_with("aws") && service_given && starts[3] < text.len()
        {
            Ok(Self { text: text.to_owned(), starts })
        } else {
            Err(error())
        }
    }
}

macro_rules! as_text {
    ($($name:ty: $field:tt),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.$field)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseError;

            fn try_from(text: String) -> Result<Self, ParseError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.$field
            }
        }
    )*};
}

as_text!(AccountId: 0, Region: 0, Arn: text);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_falls_into_its_parts() {
        let arn: Arn = "arn:aws:iot:us-east-1:123456789012:topic/a:b".parse().unwrap();
        assert_eq!(
            (arn.service(), arn.region(), arn.account(), arn.resource()),
            ("iot", "us-east-1", "123456789012", "topic/a:b")
        );
        let bucket: Arn = "arn:aws:s3:::pydata.iot.pipeline".parse().unwrap();
        assert_eq!((bucket.region(), bucket.account(), bucket.resource()), ("", "", "pydata.iot.pipeline"));
    }

    #[test]
    fn a_role_of_an_account_with_ten_digits_is_an_arn() {
        assert!("arn:aws:iam::1234567890:role/service-role/iot.firehose".parse::<Arn>().is_ok());
    }

    #[test]
    fn what_is_not_an_arn_is_refused() {
        for text in
            ["", "arn", "arn:aws:s3", "arn:aws:s3:::", "arn:gcp:s3:::b", "arn:aws::::b", "x:aws:s3:::b"]
        {
            assert!(text.parse::<Arn>().is_err(), "{text:?}");
        }
        assert!("1234567890".parse::<AccountId>().is_err());
        assert!("US EAST".parse::<Region>().is_err());
    }
}
