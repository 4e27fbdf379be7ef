//! AWS's quotas for the control plane of AWS IoT, and our own bounds.

use std::time::Duration;

/// Characters of a thing's name.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html>
pub(crate) const THING_NAME_CHARS_MAX: usize = 128;

/// Attributes of a thing without a type.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#thing-limits>
pub(crate) const THING_ATTRIBUTES_MAX: usize = 3;

/// Characters of a policy's name.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_CreatePolicy.html>
pub(crate) const POLICY_NAME_CHARS_MAX: usize = 128;

/// Characters of a certificate's PEM.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_RegisterCertificateWithoutCA.html>
pub(crate) const CERTIFICATE_PEM_CHARS_MAX: usize = 65_536;

/// Registered CA certificates of one subject.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_RegisterCACertificate.html>
pub(crate) const CAS_PER_SUBJECT_MAX: usize = 10;

/// Policies attached to one certificate.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#security-limits>
pub(crate) const POLICIES_PER_PRINCIPAL_MAX: usize = 10;

/// Characters of a rule's name.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_CreateTopicRule.html>
pub(crate) const RULE_NAME_CHARS_MAX: usize = 128;

/// Actions of one rule.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#limits_iot>
pub(crate) const RULE_ACTIONS_MAX: usize = 10;

/// Rules of an account in one region.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#limits_iot>
pub(crate) const RULES_MAX: usize = 1000;

/// Bytes of a rule: statement, actions, error action, version and description as JSON.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#limits_iot>
pub(crate) const RULE_BYTES_MAX: usize = 128 * 1024;

/// Items of one page of a listing.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_ListThings.html>
pub(crate) const PAGE_MAX: usize = 250;

/// Items of one page of rules.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_ListTopicRules.html>
pub(crate) const RULES_PAGE_MAX: usize = 10_000;

/// Versions of one policy.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#security-limits>
pub(crate) const POLICY_VERSIONS_MAX: usize = 5;

/// Tags of one resource.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/tagging-iot.html#tagging-iot-restrictions>
pub(crate) const TAGS_MAX: usize = 50;

/// Characters of a tag's key.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_Tag.html>
pub(crate) const TAG_KEY_CHARS_MAX: usize = 128;

/// Characters of a tag's value.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_Tag.html>
pub(crate) const TAG_VALUE_CHARS_MAX: usize = 256;

/// Our choice: how long a CA of the node is valid. Ten years, as device makers' CAs are; it is rotated long before.
pub(crate) const CA_LIFE: Duration = Duration::from_secs(3650 * 24 * 3600);

/// Our choice: how long a certificate of the node's listeners is valid. The node renews it by itself, so it can be short.
pub(crate) const SERVER_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);

/// Our choice: after how long it is renewed, so that a month is left in which a renewal may fail.
pub(crate) const SERVER_RENEW_AFTER: Duration = Duration::from_secs(60 * 24 * 3600);

/// Our choice: how much earlier a certificate begins than it is made, for devices whose clock is slow.
pub(crate) const CLOCK_SKEW: Duration = Duration::from_secs(3600);

/// Our bound: CAs that were replaced and not retired; each adds a certificate to every handshake.
pub(crate) const AUTHORITIES_REPLACED_MAX: usize = 3;

/// Our choice: how long a revocation list says that it is good for.
pub(crate) const CRL_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Our choice: after how long a revocation list is made anew although nothing was revoked.
pub(crate) const CRL_RENEW_AFTER: Duration = Duration::from_secs(24 * 3600);
