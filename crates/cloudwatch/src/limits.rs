//! CloudWatch's quotas, and what bounds one node.

use std::time::Duration;

/// Metrics of one PutMetricData.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
pub(crate) const DATUMS_MAX: usize = 1_000;
/// Values of one metric of a PutMetricData.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
pub(crate) const VALUES_MAX: usize = 150;
/// Bytes of a PutMetricData: of the shortest form there is of it, since no operation sees the one it came in.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
pub(crate) const PUT_BYTES_MAX: usize = 1_048_576;
/// Dimensions of a metric.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
pub(crate) const DIMENSIONS_MAX: usize = 30;
/// Characters of a namespace, a metric's name and a dimension's name.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Metric.html>
pub(crate) const NAME_CHARS_MAX: usize = 255;
/// Characters of a dimension's value.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html>
pub(crate) const DIMENSION_VALUE_CHARS_MAX: usize = 1_024;
/// Magnitude of a value: 2^360.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
pub(crate) const VALUE_MAX: f64 = 2.348_542_582_773_833_3e108;
/// How far back a time stamp may be.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
pub(crate) const PAST_MAX: Duration = Duration::from_secs(14 * 86_400);
/// How far ahead a time stamp may be.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
pub(crate) const FUTURE_MAX: Duration = Duration::from_secs(2 * 3_600);

/// Data points of one GetMetricStatistics.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>
pub(crate) const DATAPOINTS_MAX: i64 = 1_440;
/// Statistics of one GetMetricStatistics.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>
pub(crate) const STATISTICS_MAX: usize = 5;
/// Percentiles and the like of one GetMetricStatistics.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>
pub(crate) const EXTENDED_STATISTICS_MAX: usize = 10;
/// The longest period: a day.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html>
pub(crate) const PERIOD_SECONDS_MAX: i64 = 86_400;

/// Queries of one GetMetricData.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
pub(crate) const QUERIES_MAX: usize = 500;
/// Data points of a page of GetMetricData.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
pub(crate) const PAGE_DATAPOINTS_MAX: usize = 100_800;
/// Characters of an expression.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html>
pub(crate) const EXPRESSION_CHARS_MAX: usize = 2_048;
/// Time series that one SEARCH finds.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html>
pub(crate) const SEARCH_SERIES_MAX: usize = 100;
/// Searches of one GetMetricData. Ours: each reads up to a hundred metrics.
pub(crate) const SEARCHES_MAX: usize = 50;
/// Requests with expressions that are evaluated at once; others wait for their turn. Ours: each holds a processor for up to some seconds.
pub(crate) const EVALUATIONS_MAX: usize = 2;
/// How deep an expression may nest. Ours: its evaluation is recursive.
pub(crate) const EXPRESSION_DEPTH_MAX: usize = 32;
/// Data points that the expressions of one GetMetricData may work on. Ours: they are in memory at once, sixteen bytes each.
pub(crate) const EXPRESSION_DATAPOINTS_MAX: usize = 1_000_000;

/// Metrics of a page of ListMetrics.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>
pub(crate) const LIST_PAGE: usize = 500;
/// Dimension filters of a ListMetrics.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>
pub(crate) const FILTERS_MAX: usize = 10;
/// For how long after its last data point a metric is listed.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>
pub(crate) const LISTED_FOR: Duration = Duration::from_secs(14 * 86_400);
/// The only RecentlyActive there is.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>
pub(crate) const RECENTLY: Duration = Duration::from_secs(3 * 3_600);

/// How long points of one second are kept, then of a minute, of five minutes and of an hour.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html>
pub(crate) const RETENTION: [Duration; 4] = [
    Duration::from_secs(3 * 3_600),
    Duration::from_secs(15 * 86_400),
    Duration::from_secs(63 * 86_400),
    Duration::from_secs(455 * 86_400),
];

/// Series of an account in a region, a metric's units counted apart. AWS has no such quota and a bill instead; ours bounds memory
/// (about 600 bytes each) and disk (about 250 KB each for fifteen days of one value per minute).
pub(crate) const SERIES_MAX: usize = 10_000;
/// Series of all accounts and regions. Ours, for the same reason.
pub(crate) const SERIES_OF_NODE_MAX: usize = 100_000;
/// Bytes of the log that are not in chunks yet, before PutMetricData is refused. Ours: they are in memory too, and are more only if
/// chunks cannot be written.
pub(crate) const LOG_BYTES_MAX: u64 = 256 << 20;
/// Bytes of the log at which it is flushed before its time. Ours: bounds what a start reads.
pub(crate) const LOG_BYTES_FLUSH: u64 = 32 << 20;
/// How often the log is flushed into chunks. Ours: each flush rewrites the chunks of all series that had data.
pub(crate) const FLUSH_EVERY: Duration = Duration::from_secs(15 * 60);
/// Bytes that one read of the log asks for. Ours: a PutMetricData or a few.
pub(crate) const READ_BYTES: usize = 1 << 20;
/// Chunks that one commit writes. Ours: others commit in between.
pub(crate) const CHUNKS_AT_ONCE: usize = 128;
/// Values told apart in one point; with more they are rounded. Ours, AWS's bound for one PutMetricData.
pub(crate) const DISTINCT_MAX: usize = 150;
