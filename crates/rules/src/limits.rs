//! AWS's quotas for rule actions, and our own bounds where AWS names none.

use std::time::Duration;

/// Characters of each MQTT 5 header of a republish action.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_MqttHeaders.html>
pub(crate) const HEADER_CHARS_MAX: usize = 1_024;

/// User properties of a republish action: at least one if any are given.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_MqttHeaders.html>
pub(crate) const USER_PROPERTIES_MAX: usize = 100;

/// Bytes of a parameter once its templates are filled in: an S3 key, the longest there is.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
pub(crate) const RENDERED_BYTES_MAX: usize = 1_024;

/// How many rules may republish a message one after the other. Ours: AWS leaves loops to their authors; here a rule that
/// feeds itself stops after this many rounds, which also bounds what one that feeds itself tenfold can multiply.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/republish-rule-action.html>
pub(crate) const HOPS_MAX: u8 = 5;

/// How long an action is tried again before the error action runs, counted from when it was queued or, if that is later, from
/// when the node started. Ours: AWS says only that the engine may retry.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html>
pub(crate) const RETRY_FOR: Duration = Duration::from_secs(30);

/// Waits between attempts: the first, and the longest. Ours, for the same reason.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html>
pub(crate) const RETRY_WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Bytes of queued actions; beyond, publishers are not acknowledged. Ours: AWS names none.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#limits_iot>
pub(crate) const QUEUE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Bytes of one append to the queue, but for an entry that is larger alone: well below a segment of the log. Ours.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#limits_iot> names none.
pub(crate) const APPEND_BYTES: usize = 4 * 1024 * 1024;

/// Entries of the queue worked on at once, and the bytes of one read of it. Ours: they bound the memory, and how many effects
/// are repeated after a crash.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#limits_iot> names none.
pub(crate) const IN_FLIGHT_MAX: usize = 256;

/// See [`IN_FLIGHT_MAX`].
pub(crate) const READ_BYTES: usize = 4 * 1024 * 1024;

/// How often one rule may say in the log that it fails. Ours.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/cloud-watch-logs.html> names none.
pub(crate) const LOG_PERIOD: Duration = Duration::from_secs(10);
