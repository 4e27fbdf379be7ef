//! What MetaStore keeps: a row for each series and one for each of its chunks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::Entity;

use super::tier::Tier;
use crate::point::Point;
use crate::series::{MetricName, Scope};

/// A series, under account, region and id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredSeries {
    pub(crate) metric: MetricName,
    pub(crate) unit: String,
    /// Seconds of its last point.
    pub(crate) last: i64,
}

impl Entity for StoredSeries {
    const TABLE: &'static str = "cloudwatch-series";
    const VERSION: u8 = 1;
}

/// Points of a series in one tier's stretch of time, under account, region, id, tier and its beginning in twelve digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    /// Records of the log before this offset are in.
    #[serde(rename = "o")]
    pub(crate) through: u64,
    /// [`Point::encode`] with its place: seconds since the beginning.
    #[serde(rename = "p")]
    points: Vec<Vec<f64>>,
}

impl Entity for Chunk {
    const TABLE: &'static str = "cloudwatch-chunk";
    const VERSION: u8 = 1;
}

impl Chunk {
    /// The chunk of these points.
    pub(crate) fn new(through: u64, begin: i64, points: &BTreeMap<i64, Point>) -> Self {
        Self { through, points: points.iter().map(|(at, point)| point.encode(at - begin)).collect() }
    }

    /// Its points by their seconds since the epoch.
    pub(crate) fn points(&self, begin: i64) -> impl Iterator<Item = (i64, Point)> {
        self.points
            .iter()
            .filter_map(move |form| Point::decode(form))
            .map(move |(at, point)| (begin + at, point))
    }
}

/// The parts of a chunk's key.
pub(crate) fn chunk_key(begin: i64) -> String {
    format!("{:012}", begin.max(0))
}

/// Where the chunk of a key begins.
pub(crate) fn begin_of(parts: &[String]) -> i64 {
    parts.last().and_then(|part| part.parse().ok()).unwrap_or_default()
}

/// The leading parts of the keys of a series' chunks in one tier.
pub(crate) fn tier_key<'a>(scope: &'a Scope, id: &'a str, tier: Tier) -> [&'a str; 4] {
    [&scope.0, &scope.1, id, tier.part()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_is_read_for_ever() {
        let series = br#"{"metric":{"n":"App","m":"Latency","d":[["Host","a"]]},"unit":"Seconds","last":60}"#;
        let expect = StoredSeries {
            metric: MetricName::new("App", "Latency", vec![("Host".to_owned(), "a".to_owned())]),
            unit: "Seconds".to_owned(),
            last: 60,
        };
        assert_eq!(store::entity::decode::<StoredSeries>(&[&[1][..], series].concat()).unwrap(), expect);
        let chunk =
            store::entity::decode::<Chunk>(b"\x01{\"o\":7,\"p\":[[0.0,1.5],[60.0,2.0,3.0]]}").unwrap();
        let points: BTreeMap<_, _> = chunk.points(21_600).collect();
        assert_eq!(points[&21_600], Point::equal(1.5, 1.0));
        assert_eq!(points[&21_660], Point::equal(2.0, 3.0));
        assert_eq!(Chunk::new(7, 21_600, &points), chunk);
    }
}
