//! What is known of a metric at one moment: a statistic set, and how often each value occurred where that is known.
//!
//! 1. Merging is commutative and associative up to the rounding of sums and of values beyond [`DISTINCT_MAX`]: points of a minute make
//!    points of an hour whatever way they go.
//! 2. Values are known ([`Values::Known`]) as long as everything that was merged said them. A point of one sample, or whose least value is
//!    the greatest, says them by itself.
//! 3. Of more than [`DISTINCT_MAX`] different values the mantissas are cut, all to the same number of bits, until there are no more:
//!    statistics of the set (sum, count, least, greatest) stay exact, percentiles are as exact as the bits left.
//!
//! The stored form is a list of numbers that says by its length what it is: `[at, value]`, `[at, value, count]` of equal samples,
//! `[at, sum, count, min, max]` without values, `[at, sum, count, min, max, bits, value, count, …]` with them.

use crate::limits::DISTINCT_MAX;

/// Bits of the mantissa of a double, the implied one not counted.
const MANTISSA_BITS: u32 = 52;

/// A statistic set with what is known of the values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) sum: f64,
    pub(crate) count: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) values: Values,
}

/// How often each value occurred.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    /// All samples are `min`, which is `max`.
    Equal,
    /// Value and how often, by value; `bits` of each mantissa are kept.
    Known { bits: u32, counts: Vec<(f64, f64)> },
    /// Only the statistic set was said.
    Unknown,
}

impl Point {
    /// `count` samples of one value.
    pub(crate) fn equal(value: f64, count: f64) -> Self {
        Self { sum: value * count, count, min: value, max: value, values: Values::Equal }
    }

    /// A statistic set as a client says it.
    pub(crate) fn set(sum: f64, count: f64, min: f64, max: f64) -> Self {
        // Sums of equal values differ in their last bits from the product.
        let equal = min == max && (sum - min * count).abs() <= 1e-9 * sum.abs();
        let values = if equal { Values::Equal } else { Values::Unknown };
        Self { sum, count, min, max, values }
    }

    /// Values and how often each occurred; none if nothing did.
    pub(crate) fn of_values(pairs: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let mut counts: Vec<(f64, f64)> = pairs.into_iter().filter(|(_, count)| *count > 0.0).collect();
        let (sum, count) =
            counts.iter().fold((0.0, 0.0), |(sum, n), (value, count)| (sum + value * count, n + count));
        counts.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (min, max) = (counts.first()?.0, counts.last()?.0);
        let values = if min == max { Values::Equal } else { Values::known(MANTISSA_BITS, counts) };
        Some(Self { sum, count, min, max, values })
    }

    /// Takes another point in.
    pub(crate) fn merge(&mut self, other: &Self) {
        let values = match (self.known(), other.known()) {
            (Some(_), Some(_)) if self.min == other.max && self.max == other.min => Values::Equal,
            (Some((bits, mut counts)), Some((other_bits, others))) => {
                counts.extend(others);
                counts.sort_by(|one, other| one.0.total_cmp(&other.0));
                Values::known(bits.min(other_bits), counts)
            }
            _ => Values::Unknown,
        };
        self.sum += other.sum;
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.values = values;
    }

    /// Value and how often, by value, and the bits of each mantissa that are kept; none if that is not known.
    fn known(&self) -> Option<(u32, Vec<(f64, f64)>)> {
        match &self.values {
            Values::Equal => Some((MANTISSA_BITS, vec![(self.min, self.count)])),
            Values::Known { bits, counts } => Some((*bits, counts.clone())),
            Values::Unknown => None,
        }
    }

    /// Value and how often, by value; none if that is not known.
    pub(crate) fn distribution(&self) -> Option<Vec<(f64, f64)>> {
        self.known().map(|(_, counts)| counts)
    }

    /// The stored form; `at` is the point's place in its chunk.
    pub(crate) fn encode(&self, at: i64) -> Vec<f64> {
        let at = at as f64;
        match &self.values {
            Values::Equal if self.sum == self.min && self.count == 1.0 => vec![at, self.min],
            Values::Equal if self.sum == self.min * self.count => vec![at, self.min, self.count],
            Values::Equal | Values::Unknown => vec![at, self.sum, self.count, self.min, self.max],
            Values::Known { bits, counts } => {
                let mut form = vec![at, self.sum, self.count, self.min, self.max, f64::from(*bits)];
                form.extend(counts.iter().flat_map(|(value, count)| [*value, *count]));
                form
            }
        }
    }

    /// What [`Point::encode`] wrote: the place in the chunk and the point.
    pub(crate) fn decode(form: &[f64]) -> Option<(i64, Self)> {
        let at = *form.first()? as i64;
        let point = match form.get(1..)? {
            [value] => Self::equal(*value, 1.0),
            [value, count] => Self::equal(*value, *count),
            [sum, count, min, max] => Self::set(*sum, *count, *min, *max),
            [sum, count, min, max, bits, pairs @ ..] if pairs.len() % 2 == 0 => {
                let counts = pairs.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
                let values = Values::Known { bits: *bits as u32, counts };
                Self { sum: *sum, count: *count, min: *min, max: *max, values }
            }
            _ => return None,
        };
        Some((at, point))
    }
}

impl Values {
    /// From pairs sorted by value, of which no two need differ.
    fn known(mut bits: u32, mut counts: Vec<(f64, f64)>) -> Self {
        loop {
            for (value, _) in &mut counts {
                *value = cut(*value, bits);
            }
            counts.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                if same {
                    kept.1 += next.1;
                }
                same
            });
            if counts.len() <= DISTINCT_MAX {
                return Self::Known { bits, counts };
            }
            match bits {
                0 => return Self::Unknown,
                // From all bits at once to those that tell a percent apart.
                MANTISSA_BITS => bits = 7,
                _ => bits -= 1,
            }
        }
    }
}

/// The value with all but the first bits of its mantissa cleared: nearer to zero, and in the same order as before.
fn cut(value: f64, bits: u32) -> f64 {
    let dropped = MANTISSA_BITS - bits.min(MANTISSA_BITS);
    f64::from_bits(value.to_bits() & (u64::MAX << dropped))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Point {
        Point::of_values(values.iter().map(|value| (*value, 1.0))).unwrap()
    }

    #[test]
    fn a_merge_knows_values_as_long_as_both_did() {
        let mut point = Point::equal(2.0, 3.0);
        point.merge(&Point::equal(1.0, 1.0));
        assert_eq!((point.sum, point.count, point.min, point.max), (7.0, 4.0, 1.0, 2.0));
        assert_eq!(point.distribution().unwrap(), [(1.0, 1.0), (2.0, 3.0)]);
        point.merge(&Point::set(10.0, 2.0, 1.0, 9.0));
        assert_eq!((point.sum, point.count, point.max), (17.0, 6.0, 9.0));
        assert_eq!(point.distribution(), None);
    }

    #[test]
    fn too_many_values_are_rounded_and_the_set_stays_exact() {
        let values: Vec<f64> = (0..10_000).map(|n| 100.0 + f64::from(n) / 7.0).collect();
        let point = of(&values);
        assert_eq!(point.count, 10_000.0);
        assert_eq!((point.min, point.max), (100.0, 100.0 + 9_999.0 / 7.0));
        let counts = point.distribution().unwrap();
        assert!((100..=DISTINCT_MAX).contains(&counts.len()), "{}", counts.len());
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<f64>(), 10_000.0);
    }

    #[test]
    fn what_is_not_a_stored_form_is_none() {
        for form in [&[][..], &[1.0], &[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 52.0, 1.0]] {
            assert_eq!(Point::decode(form), None, "{form:?}");
        }
    }

    fn any_point() -> impl Strategy<Value = Point> {
        let value = -1000_i32..1000;
        prop_oneof![
            value.clone().prop_map(|value| Point::equal(f64::from(value), 1.0)),
            (value.clone(), 1_i32..9).prop_map(|(v, n)| Point::equal(f64::from(v) / 4.0, f64::from(n))),
            prop::collection::vec(value, 1..400)
                .prop_map(|values| of(&values.into_iter().map(f64::from).collect::<Vec<_>>())),
            Just(Point::set(10.0, 4.0, 1.0, 5.0)),
        ]
    }

    proptest! {
        #[test]
        fn the_stored_form_comes_back(point in any_point(), at in 0_i64..100_000) {
            prop_assert_eq!(Point::decode(&point.encode(at)), Some((at, point)));
        }

        #[test]
        fn the_order_of_merging_does_not_matter(points in prop::collection::vec(any_point(), 1..12)) {
            let fold = |points: &mut dyn Iterator<Item = &Point>| {
                let mut all = points.next().unwrap().clone();
                points.for_each(|point| all.merge(point));
                (all.sum, all.count, all.min, all.max, all.distribution())
            };
            let (forth, back) = (fold(&mut points.iter()), fold(&mut points.iter().rev()));
            prop_assert_eq!(forth, back);
        }
    }
}
