//! AWS's quotas on policy documents.

/// Characters of an IoT policy's document without its spaces:
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#security-limits>
pub const IOT_DOCUMENT_CHARS_MAX: usize = 2_048;
