//! Amazon Data Firehose's quotas, and our own bounds where AWS names none.

use std::time::Duration;

/// Delivery streams of one account in one region: AWS's largest quota.
/// <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
pub(crate) const STREAMS_MAX: usize = 5_000;

/// Characters of a delivery stream's name.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html>
pub(crate) const NAME_CHARS_MAX: usize = 64;

/// Bytes of one record, before base64: 1,000 KiB.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_Record.html>
pub(crate) const RECORD_BYTES_MAX: usize = 1_024_000;

/// Records of one PutRecordBatch. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>
pub(crate) const BATCH_RECORDS_MAX: usize = 500;

/// Bytes of the records of one PutRecordBatch.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>
pub(crate) const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bounds of BufferingHints.SizeInMBs. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html>
pub(crate) const SIZE_IN_MBS: (i64, i64) = (1, 128);

/// Bounds of BufferingHints.IntervalInSeconds.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html>
pub(crate) const INTERVAL_IN_SECONDS: (i64, i64) = (0, 900);

/// BufferingHints of a stream that was given none: MiB and seconds.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html>
pub(crate) const BUFFERING_DEFAULT: (u32, u32) = (5, 300);

/// Bounds of ThroughputHintInMBs.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_DirectPutSourceConfiguration.html>
pub(crate) const THROUGHPUT_HINT_IN_MBS: (i64, i64) = (1, 100);

/// Characters of a prefix as it is written.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
pub(crate) const PREFIX_CHARS_MAX: usize = 1_024;

/// Bytes of a prefix once evaluated, so that the key stays within S3's 1,024.
/// <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>
pub(crate) const EVALUATED_PREFIX_BYTES_MAX: usize = 512;

/// Characters of FileExtension.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
pub(crate) const FILE_EXTENSION_CHARS_MAX: usize = 128;

/// Characters of CustomTimeZone.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
pub(crate) const TIME_ZONE_CHARS_MAX: usize = 50;

/// Characters of a role's ARN.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
pub(crate) const ROLE_ARN_CHARS_MAX: usize = 512;

/// Characters of a bucket's ARN.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
pub(crate) const BUCKET_ARN_CHARS_MAX: usize = 2_048;

/// Characters of a processor's parameter.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ProcessorParameter.html>
pub(crate) const PARAMETER_VALUE_CHARS_MAX: usize = 5_120;

/// Tags of one delivery stream. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_TagDeliveryStream.html>
pub(crate) const TAGS_MAX: usize = 50;

/// Characters of a tag's key and value. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_Tag.html>
pub(crate) const TAG_CHARS_MAX: (usize, usize) = (128, 256);

/// Entries of one ListDeliveryStreams, and how many when none are asked for.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ListDeliveryStreams.html>
pub(crate) const LIST_MAX_AND_DEFAULT: (i64, usize) = (10_000, 10);

/// How long records whose delivery fails are kept.
/// <https://docs.aws.amazon.com/firehose/latest/dev/retry.html>
pub(crate) const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// Bytes of records in one object when delivery catches up; the hint is smaller or equal.
/// Ours: AWS says only that it "may raise the buffer".
/// <https://docs.aws.amazon.com/firehose/latest/dev/buffering-hints.html>
pub(crate) const OBJECT_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Arrival of an object's last record after its first, when delivery catches up. Ours: records that cannot be delivered for a
/// day are dropped by the object, so an object must not hold much that is younger than its oldest record.
/// <https://docs.aws.amazon.com/firehose/latest/dev/retry.html> names none.
pub(crate) const OBJECT_SPAN: Duration = Duration::from_secs(60 * 60);

/// Objects being built at once, so that memory stays bounded. Ours.
/// <https://docs.aws.amazon.com/firehose/latest/dev/limits.html> names none.
pub(crate) const DELIVERIES_AT_ONCE: usize = 4;

/// Bytes of one read of an intake log. Ours.
/// <https://docs.aws.amazon.com/firehose/latest/dev/limits.html> names none.
pub(crate) const READ_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of buffered records one hot read returns. Ours; AWS has no hot read.
/// <https://docs.aws.amazon.com/firehose/latest/dev/limits.html> names none.
pub(crate) const HOT_READ_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Roles of which a stream remembers that they may put records, until the next second or change of a policy; others are decided
/// anew for each put. Ours. <https://docs.aws.amazon.com/firehose/latest/dev/limits.html> names none.
pub(crate) const CALLERS_REMEMBERED_MAX: usize = 16;

/// Waits between attempts to deliver: the first, and the longest. Ours.
/// <https://docs.aws.amazon.com/firehose/latest/dev/retry.html> names none.
pub(crate) const RETRY_WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How often what should not be there is looked for. Ours.
/// <https://docs.aws.amazon.com/firehose/latest/dev/limits.html> names none.
pub(crate) const RECONCILE_PERIOD: Duration = Duration::from_secs(600);

/// How often the gauges are read. Ours.
/// <https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html> has minutes.
pub(crate) const METER_PERIOD: Duration = Duration::from_secs(1);

/// How often an update is tried anew when another came between. Ours.
/// <https://docs.aws.amazon.com/firehose/latest/dev/limits.html> names none.
pub(crate) const UPDATE_ATTEMPTS: usize = 5;

/// Bounds of RetryOptions.DurationInSeconds. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_RetryOptions.html>
pub(crate) const RETRY_DURATION_IN_SECONDS: (i64, i64) = (0, 7200);

/// Characters of a destination's id. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_DestinationDescription.html>
pub(crate) const DESTINATION_ID_CHARS_MAX: usize = 100;
