//! Athena's quotas and bounds.

use std::time::Duration;

/// Bytes of a query's text.
/// <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>
pub(crate) const SQL_BYTES_MAX: usize = 262_144;

/// How long a query may run.
/// <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>
pub(crate) const DML_TIME_MAX: Duration = Duration::from_secs(30 * 60);

/// How long a DDL statement may run.
/// <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>
pub(crate) const DDL_TIME_MAX: Duration = Duration::from_secs(600 * 60);

/// Queries of an account that run at once while no other account runs any; the others are QUEUED. A node runs twice as many at most: every
/// account leaves half of what it finds free. AWS allows 200 on a fleet; this bounds one node's memory together with [`RESULT_BYTES_MAX`].
pub(crate) const DML_RUNNING_MAX: usize = 8;

/// DDL statements of an account that run at once, apart from queries so that no scan delays them; shared among accounts like queries.
/// <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>
pub(crate) const DDL_RUNNING_MAX: usize = 20;

/// Executions of an account that are queued or running while no other account has any; more are refused. A node holds twice as many at most,
/// shared among accounts like turns to run. Ours: bounds the memory of what waits, which is little more than
/// the texts of the queries.
pub(crate) const LIVE_MAX: usize = 500;

/// Bytes of one result. Ours: an object is put whole, so a result is in memory until its query ends.
pub(crate) const RESULT_BYTES_MAX: usize = 64 << 20;

/// How long an execution is remembered.
/// <https://docs.aws.amazon.com/athena/latest/ug/querying.html>
pub(crate) const HISTORY_KEPT: Duration = Duration::from_secs(45 * 24 * 60 * 60);

/// Executions remembered of one workgroup. Ours: a dashboard that asks every two seconds begins two million in 45 days, and this
/// keeps them to some hundred megabytes.
pub(crate) const HISTORY_MAX: usize = 100_000;

/// How often old executions are forgotten. Ours.
pub(crate) const SWEEP_PERIOD: Duration = Duration::from_secs(10 * 60);

/// Executions forgotten in one commit. Ours: keeps the store free for others in between.
pub(crate) const SWEEP_BATCH: usize = 200;

/// How often the end of an execution is written again when the store cannot; after that it counts as interrupted. Ours.
pub(crate) const FINISH_ATTEMPTS: usize = 8;

/// How often a change is tried again when another came between. Ours.
pub(crate) const UPDATE_ATTEMPTS: usize = 16;

/// Executions of one page of ListQueryExecutions, and named queries likewise.
/// <https://docs.aws.amazon.com/athena/latest/APIReference/API_ListQueryExecutions.html>
pub(crate) const LIST_PAGE_MAX: usize = 50;

/// Rows of one page of GetQueryResults.
/// <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html>
pub(crate) const RESULTS_PAGE_MAX: usize = 1_000;

/// Bytes of a result that one page covers, unless a single row is longer. Ours: bounds the memory of an answer.
pub(crate) const RESULTS_PAGE_BYTES_MAX: u64 = 8 << 20;

/// Bytes of a result that are read at once, unless a single row is longer. Ours.
pub(crate) const RESULTS_READ_BYTES: u64 = 256 << 10;

/// Ids of one BatchGetQueryExecution or BatchGetNamedQuery.
/// <https://docs.aws.amazon.com/athena/latest/APIReference/API_BatchGetQueryExecution.html>
pub(crate) const BATCH_MAX: usize = 50;

/// Values of ExecutionParameters. AWS names no such quota; ours bounds the text that comes of them.
pub(crate) const PARAMETERS_MAX: usize = 1_000;

/// Characters of one value of ExecutionParameters.
/// <https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html>
pub(crate) const PARAMETER_CHARS_MAX: usize = 1_024;

/// Workgroups of an account in a region.
/// <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>
pub(crate) const WORKGROUPS_MAX: usize = 1_000;

/// Named queries of a workgroup. AWS names no such quota; ours bounds what a listing reads.
pub(crate) const NAMED_QUERIES_MAX: usize = 10_000;

/// The least BytesScannedCutoffPerQuery.
/// <https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html>
pub(crate) const CUTOFF_BYTES_MIN: i64 = 10_000_000;

/// Tags of one resource.
/// <https://docs.aws.amazon.com/athena/latest/ug/tags.html>
pub(crate) const TAGS_MAX: usize = 50;

/// Objects that MSCK REPAIR TABLE may find below a table's location. Ours: a listing is in memory whole.
pub(crate) const REPAIR_OBJECTS_MAX: usize = 1_000_000;

/// Partitions added in one call of the catalog. Ours: lets others in between.
pub(crate) const PARTITIONS_AT_ONCE: usize = 100;

/// Bound of ResultReuseByAgeConfiguration.MaxAgeInMinutes.
/// <https://docs.aws.amazon.com/athena/latest/APIReference/API_ResultReuseByAgeConfiguration.html>
pub(crate) const REUSE_MINUTES_MAX: i64 = 10_080;
