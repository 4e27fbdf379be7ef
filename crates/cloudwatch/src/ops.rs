//! The operations of CloudWatch, and what their files share.

mod get_metric_data;
mod get_metric_statistics;
mod list_metrics;
mod put_metric_data;

use kernel::{Context, Timestamp};
use wire::Entry;

use get_metric_data::GetMetricData;
use get_metric_statistics::GetMetricStatistics;
use list_metrics::ListMetrics;
use put_metric_data::PutMetricData;

use crate::CloudWatch;
use crate::series::Scope;
use crate::store::tier::Tier;

/// Every operation that is served.
pub const OPERATIONS: &[Entry<CloudWatch>] = &[
    Entry::of::<PutMetricData>(),
    Entry::of::<GetMetricData>(),
    Entry::of::<GetMetricStatistics>(),
    Entry::of::<ListMetrics>(),
];

/// The account and region of a request.
fn scope(cx: &Context) -> Scope {
    (cx.account.as_str().to_owned(), cx.region.as_str().to_owned())
}

/// Whole seconds since the epoch.
fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

/// Where the stretch of time of a request really begins: at a whole period's resolution, as far back as it begins.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
pub(crate) fn rounded_start(start: i64, period: i64, now: i64) -> i64 {
    let age = now - start;
    let resolution = match () {
        () if age > Tier::FiveMinutes.retention().as_secs().cast_signed() => 3_600,
        () if age > Tier::Minute.retention().as_secs().cast_signed() => 300,
        () if period < 60 => period,
        () => 60,
    };
    start - start.rem_euclid(resolution)
}

/// Whether there are points of this period so far back: seconds are kept for three hours, minutes for fifteen days.
pub(crate) fn has_points(start: i64, period: i64, now: i64) -> bool {
    let age = now - start;
    let kept = |tier: Tier| age <= tier.retention().as_secs().cast_signed();
    let least = match () {
        () if kept(Tier::Second) => 1,
        () if kept(Tier::Minute) => 60,
        () if kept(Tier::FiveMinutes) => 300,
        () => 3_600,
    };
    period % least == 0
}

/// Whether a period is one that metrics have.
fn is_period(period: i64) -> bool {
    matches!(period, 1 | 5 | 10 | 20 | 30) || (period > 0 && period % 60 == 0)
}
