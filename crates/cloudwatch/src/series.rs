//! What names a series: namespace, name, dimensions, unit.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The units of the model, in its order.
pub(crate) const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// Account and region.
pub(crate) type Scope = (String, String);

/// A metric as clients name it. Dimensions are by name, of which each is there once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct MetricName {
    #[serde(rename = "n")]
    pub(crate) namespace: String,
    #[serde(rename = "m")]
    pub(crate) name: String,
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dimensions: Vec<(String, String)>,
}

impl MetricName {
    /// The name with its dimensions in order.
    pub(crate) fn new(namespace: &str, name: &str, mut dimensions: Vec<(String, String)>) -> Self {
        dimensions.sort();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }

    /// What the series of this name and unit is kept under: half a SHA-256 in hex digits, of its parts with their lengths.
    pub(crate) fn id(&self, unit: &str) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        [&self.namespace, &self.name, unit].into_iter().for_each(&mut part);
        for (name, value) in &self.dimensions {
            part(name);
            part(value);
        }
        let mut id = hex::encode(hash.finalize());
        id.truncate(32);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_every_part_apart_and_not_the_order_of_dimensions() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            MetricName::new("n", "m", pairs.collect())
        };
        assert_eq!(of(&[("a", "1"), ("b", "2")]).id("None"), of(&[("b", "2"), ("a", "1")]).id("None"));
        let all = [
            of(&[]).id("None"),
            of(&[]).id("Count"),
            of(&[("a", "b")]).id("None"),
            of(&[("ab", "")]).id("None"),
            MetricName::new("nm", "", vec![]).id("None"),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        // What is stored is found under it, so it never changes.
        assert_eq!(of(&[]).id("None"), "41694ce6ef52b4141c0f66f51bc7f21d");
    }
}
