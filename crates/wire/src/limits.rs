//! How much a request may ask of the node before anyone knows who sends it.

/// How deep an input may nest. AWS's own models stay below twenty; the reference for JSON parsers is 128, at which this stack is
/// still small.
pub(crate) const DEPTH_MAX: usize = 64;

/// How many values a CBOR input may have. Each costs some fifty bytes of memory and can be one byte on the wire, so that the size
/// of the body alone bounds nothing. The largest input AWS accepts, PutMetricData with a thousand metrics of 150 values
/// and counts, has three hundred thousand.
pub(crate) const CBOR_VALUES_MAX: usize = 500_000;

/// How many members a form may have: the same bound, for the same reason. PutMetricData as a form is at most 1 MB.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
pub(crate) const FORM_PAIRS_MAX: usize = 200_000;

/// The largest body after decompression: as large as one that comes uncompressed may be.
pub(crate) const INFLATED_BYTES_MAX: usize = 16 << 20;

/// How many regions an account may name. AWS has fewer than forty:
/// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
pub(crate) const REGIONS_PER_ACCOUNT_MAX: usize = 64;
