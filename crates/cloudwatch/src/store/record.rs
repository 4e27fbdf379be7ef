//! A record of the log: what one PutMetricData, or one minute of a service, adds to one account and region.
//!
//! One byte of version, then JSON.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::tier::Tier;
use crate::point::Point;
use crate::series::{MetricName, Scope, UNITS};

const VERSION: u8 = 1;

/// One point to add.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Addition {
    pub(crate) metric: MetricName,
    pub(crate) unit: &'static str,
    pub(crate) tier: Tier,
    /// Seconds since the epoch, a multiple of the tier's.
    pub(crate) at: i64,
    pub(crate) point: Point,
}

#[derive(Serialize, Deserialize)]
struct Form {
    a: String,
    r: String,
    p: Vec<PointForm>,
}

#[derive(Serialize, Deserialize)]
struct PointForm {
    #[serde(flatten)]
    metric: MetricName,
    u: String,
    t: usize,
    v: Vec<f64>,
}

/// The record.
pub(crate) fn encode(scope: &Scope, additions: &[Addition]) -> Bytes {
    let points = additions.iter().map(|addition| PointForm {
        metric: addition.metric.clone(),
        u: addition.unit.to_owned(),
        t: addition.tier.number(),
        v: addition.point.encode(addition.at),
    });
    let form = Form { a: scope.0.clone(), r: scope.1.clone(), p: points.collect() };
    let mut record = vec![VERSION];
    serde_json::to_writer(&mut record, &form).expect("records have string keys and no failing Serialize");
    record.into()
}

/// What [`encode`] wrote; none for anything else.
pub(crate) fn decode(record: &[u8]) -> Option<(Scope, Vec<Addition>)> {
    let json = record.strip_prefix(&[VERSION])?;
    let form: Form = serde_json::from_slice(json).ok()?;
    let additions: Option<Vec<Addition>> = form.p.into_iter().map(addition).collect();
    Some(((form.a, form.r), additions?))
}

fn addition(form: PointForm) -> Option<Addition> {
    let (at, point) = Point::decode(&form.v)?;
    let unit = UNITS.iter().find(|unit| **unit == form.u)?;
    Some(Addition { metric: form.metric, unit, tier: Tier::of_number(form.t)?, at, point })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_is_read_for_ever() {
        let text = br#"{"a":"000000000000","r":"us-east-1","p":[{"n":"App","m":"Latency","d":[["Host","a"]],"u":"Seconds","t":1,"v":[60.0,1.5]}]}"#;
        let record = [&[1][..], text].concat();
        let scope = ("000000000000".to_owned(), "us-east-1".to_owned());
        let additions = vec![Addition {
            metric: MetricName::new("App", "Latency", vec![("Host".to_owned(), "a".to_owned())]),
            unit: "Seconds",
            tier: Tier::Minute,
            at: 60,
            point: Point::equal(1.5, 1.0),
        }];
        assert_eq!(decode(&record), Some((scope.clone(), additions.clone())));
        assert_eq!(encode(&scope, &additions), record);
    }

    #[test]
    fn what_is_not_a_record_is_none() {
        for record in [&b""[..], b"\x02{}", b"\x01{", br#"{"a":"","r":"","p":[]}"#] {
            assert_eq!(decode(record), None);
        }
    }
}
