//! Quotas of Amazon S3, and our own bounds.

/// Largest object of one PutObject, and largest copy source: 5 GiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html>
pub(crate) const PUT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// Smallest part but the last: 5 MiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub(crate) const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;

/// Highest part number.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub(crate) const PART_NUMBER_MAX: i32 = 10_000;

/// Keys, parts or uploads in one answer of a listing.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
pub(crate) const LIST_MAX: usize = 1000;

/// Keys in one DeleteObjects.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub(crate) const DELETE_KEYS_MAX: usize = 1000;

/// Keys of one DeleteObjects that are deleted at once: their commits share a sync of the disk. Ours.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html> names none.
pub(crate) const DELETES_AT_ONCE: usize = 16;

/// Buckets of an account.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html>
pub(crate) const BUCKETS_MAX: usize = 10_000;

/// Bytes of a bucket's policy without the spaces between its tokens.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html>
pub(crate) const POLICY_BYTES_MAX: usize = 20_480;

/// Rules about pages of other origins.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html>
pub(crate) const CORS_RULES_MAX: usize = 100;

/// Characters of such a rule's name.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CORSRule.html>
pub(crate) const RULE_ID_CHARS_MAX: usize = 255;

/// Tags of a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html>
pub(crate) const BUCKET_TAGS_MAX: usize = 50;

/// Tags of an object.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
pub(crate) const OBJECT_TAGS_MAX: usize = 10;

/// Characters of a tag's key and value.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html>
pub(crate) const TAG_CHARS_MAX: (usize, usize) = (128, 256);

/// Bytes of a key in UTF-8.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
pub(crate) const KEY_BYTES_MAX: usize = 1024;

/// Bytes of user metadata, names and values together.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
pub(crate) const METADATA_BYTES_MAX: usize = 2 * 1024;

/// Longest life of a presigned request in seconds: seven days.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
pub(crate) const EXPIRES_MAX_S: i64 = 7 * 24 * 60 * 60;

/// How far a request's date may be from the node's: 15 minutes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> (`RequestTimeTooSkewed`)
pub(crate) const SKEW_MAX_MS: i64 = 15 * 60 * 1000;

/// A body up to this size is gathered in memory and written at once; a larger one is streamed. Ours.
/// <https://docs.rs/object_store/0.13.2/object_store/struct.WriteMultipart.html>
pub(crate) const BUFFERED_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes of one write of a streamed body. Ours: the smallest part any blob store takes is 5 MiB.
/// <https://docs.rs/object_store/0.13.2/object_store/struct.WriteMultipart.html>
pub(crate) const WRITE_BYTES: usize = 5 * 1024 * 1024;

/// Writes of one streamed body in flight, beyond which the client is not read. Ours.
/// <https://docs.rs/object_store/0.13.2/object_store/struct.WriteMultipart.html>
pub(crate) const WRITES_IN_FLIGHT_MAX: usize = 2;

/// Bytes of an XML request body. Ours: a CompleteMultipartUpload of 10,000 parts with checksums has about 2 MB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
pub(crate) const XML_BYTES_MAX: usize = 4 * 1024 * 1024;
