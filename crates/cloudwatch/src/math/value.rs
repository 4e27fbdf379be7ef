//! What an expression works on.

use crate::series::MetricName;

/// Values by time, each time once, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series {
    pub(crate) label: String,
    /// Seconds between points.
    pub(crate) period: i64,
    pub(crate) points: Vec<(i64, f64)>,
    /// The metric and the statistic it was read as, unless it was computed.
    pub(crate) origin: Option<(MetricName, String)>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Scalar(f64),
    Series(Series),
    List(Vec<Series>),
    /// Text, and names that stand for themselves (`REPEAT`, `ASC`).
    Text(String),
}

impl Series {
    /// The same times with other values; what is no number any more is no point.
    pub(crate) fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        self.computed(self.points.iter().map(|(at, value)| (*at, f(*value))))
    }

    /// A series of these points that is named as this one is.
    pub(crate) fn computed(&self, points: impl IntoIterator<Item = (i64, f64)>) -> Self {
        let points = points.into_iter().filter(|(_, value)| value.is_finite()).collect();
        Self { label: self.label.clone(), period: self.period, points, origin: self.origin.clone() }
    }

    /// Points of the times that both have.
    pub(crate) fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let mut others = other.points.iter().peekable();
        let both = self.points.iter().filter_map(|(at, value)| {
            while others.peek().is_some_and(|(other_at, _)| other_at < at) {
                others.next();
            }
            let (_, other) = others.peek().filter(|(other_at, _)| other_at == at)?;
            Some((*at, f(*value, *other)))
        });
        let both: Vec<_> = both.collect();
        Self { period: self.period.max(other.period), ..self.computed(both) }
    }

    /// The value at a time.
    pub(crate) fn at(&self, at: i64) -> Option<f64> {
        let index = self.points.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        Some(self.points[index].1)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        self.points.iter().map(|(_, value)| *value)
    }
}
