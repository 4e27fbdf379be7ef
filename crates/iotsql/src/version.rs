//! The versions of the language a rule can ask for in `awsIotSqlVersion`.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-rule-sql-version.html>. A rule that names
//! none gets 2015-10-08, although the console pre-selects 2016-03-23.

use std::fmt;
use std::str::FromStr;

/// A version of the language; later ones compare greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SqlVersion {
    #[default]
    V2015_10_08,
    V2016_03_23,
    /// Whatever is newest; here the same as 2016-03-23.
    Beta,
}

/// The text names no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown SQL version {0:?}: expected 2015-10-08, 2016-03-23 or beta")]
pub struct UnknownVersion(pub String);

impl SqlVersion {
    pub fn name(self) -> &'static str {
        match self {
            SqlVersion::V2015_10_08 => "2015-10-08",
            SqlVersion::V2016_03_23 => "2016-03-23",
            SqlVersion::Beta => "beta",
        }
    }

    /// Whether `5.0` is written `5`.
    pub(crate) fn writes_whole_decimals_as_int(self) -> bool {
        self >= SqlVersion::V2016_03_23
    }
}

impl fmt::Display for SqlVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SqlVersion {
    type Err = UnknownVersion;

    fn from_str(name: &str) -> Result<Self, UnknownVersion> {
        [SqlVersion::V2015_10_08, SqlVersion::V2016_03_23, SqlVersion::Beta]
            .into_iter()
            .find(|version| version.name() == name)
            .ok_or_else(|| UnknownVersion(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_unknown() {
        for name in ["2015-10-08", "2016-03-23", "beta"] {
            assert_eq!(name.parse::<SqlVersion>().unwrap().to_string(), name);
        }
        assert_eq!("2016-03-24".parse::<SqlVersion>(), Err(UnknownVersion("2016-03-24".into())));
        assert_eq!(SqlVersion::default().name(), "2015-10-08");
    }
}
