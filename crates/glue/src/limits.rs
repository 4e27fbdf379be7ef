//! Glue's quotas and bounds.

/// Characters of a name.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_DatabaseInput.html>
pub(crate) const NAME_CHARS_MAX: usize = 255;

/// Databases of one page.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_GetDatabases.html>
pub(crate) const DATABASES_PAGE_MAX: usize = 100;

/// Tables of one page.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html>
pub(crate) const TABLES_PAGE_MAX: usize = 100;

/// Partitions of one page.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html>
pub(crate) const PARTITIONS_PAGE_MAX: usize = 1000;

/// Characters of GetPartitions' expression.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html>
pub(crate) const EXPRESSION_CHARS_MAX: usize = 2048;

/// Parentheses and NOTs inside each other; Glue names no such limit, ours keeps an expression from exhausting the stack.
pub(crate) const EXPRESSION_DEPTH_MAX: usize = 100;

/// Segments a listing of partitions can be cut into.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_Segment.html>
pub(crate) const SEGMENTS_MAX: u64 = 10;

/// Tables of one BatchDeleteTable.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeleteTable.html>
pub(crate) const BATCH_DELETE_TABLES_MAX: usize = 100;

/// Partitions of one BatchCreatePartition or BatchUpdatePartition.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html>
pub(crate) const BATCH_PARTITIONS_MAX: usize = 100;

/// Partitions of one BatchDeletePartition.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeletePartition.html>
pub(crate) const BATCH_DELETE_PARTITIONS_MAX: usize = 25;

/// Partitions of one BatchGetPartition.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_BatchGetPartition.html>
pub(crate) const BATCH_GET_PARTITIONS_MAX: usize = 1000;

/// Characters of a partition's value.
/// <https://docs.aws.amazon.com/glue/latest/webapi/API_PartitionInput.html>
pub(crate) const VALUE_CHARS_MAX: usize = 1024;

/// Tags of one resource.
/// <https://docs.aws.amazon.com/glue/latest/dg/monitor-tags.html>
pub(crate) const TAGS_MAX: usize = 50;
