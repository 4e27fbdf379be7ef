//! Bounds on what a query may make the engine hold or do. None of them is a knob: each is either AWS's own quota
//! or far beyond any honest data.

/// Bytes of an object read by one call; larger objects are read in such pieces.
pub(crate) const READ_BYTES: u64 = 8 << 20;

/// Objects that one partition of a scan asks for ahead of the one it decodes.
pub(crate) const READ_AHEAD: usize = 4;

/// Rows of a batch, and so of what a cancelled query still finishes.
pub(crate) const BATCH_ROWS: usize = 8_192;

/// Bytes of one line of text: Athena's limit of a row or its columns,
/// <https://docs.aws.amazon.com/athena/latest/ug/other-notable-limitations.html>.
pub(crate) const LINE_BYTES_MAX: usize = 32 << 20;

/// Objects and arrays inside each other in one JSON value.
pub(crate) const JSON_DEPTH_MAX: usize = 128;

/// Compressed bytes fed to the decompressor at a time: bounds what one step can yield to about 64 MiB, since
/// deflate cannot exceed 1032:1 (<https://www.rfc-editor.org/rfc/rfc1951>).
pub(crate) const INFLATE_STEP_BYTES: usize = 64 << 10;

/// Decompressed bytes of an object from which on its ratio is watched.
pub(crate) const INFLATE_FREE_BYTES: u64 = 256 << 20;

/// Decompressed bytes per stored byte beyond which an object is taken for a bomb.
pub(crate) const INFLATE_RATIO_MAX: u64 = 200;

/// Stored bytes that are worth one more partition of a scan.
pub(crate) const PARTITION_BYTES_MIN: u64 = 1 << 20;

/// Objects that are worth one more partition of a scan: opening them costs more than their bytes.
pub(crate) const PARTITION_OBJECTS_MIN: usize = 64;

/// Batches of rows that wait for a reader of a result.
pub(crate) const RESULT_BATCHES: usize = 4;

/// Objects and partitions that one scan may name.
pub(crate) const SCAN_OBJECTS_MAX: usize = 1_000_000;

/// Digits of a decimal: <https://docs.aws.amazon.com/athena/latest/ug/data-types.html>.
pub(crate) const DECIMAL_DIGITS_MAX: u8 = 38;

/// Elements of an array that `sequence` makes:
/// <https://github.com/trinodb/trino/blob/master/core/trino-main/src/main/java/io/trino/operator/scalar/SequenceFunction.java>.
pub(crate) const SEQUENCE_MAX: i64 = 10_000;

/// Columns that UNNEST makes of one array of rows: each is a function with a name.
pub(crate) const UNNEST_COLUMNS_MAX: usize = 8;
