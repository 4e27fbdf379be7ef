//! The bounds of policy generation.

use std::time::Duration;

/// How long a generated policy is kept: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-policy-generation.html>
pub(crate) const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// Generations kept of an account in a region. Reason: bounds what they take up, at some kilobytes each.
pub(crate) const GENERATIONS_MAX: usize = 100;
/// Characters of a user's or role's path and name in an ARN:
/// <https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_PolicyGenerationDetails.html>
pub(crate) const NAME_CHARS_MAX: usize = 576;
/// Characters of a client's token. Reason: a token is a UUID; this bounds what is kept.
pub(crate) const TOKEN_CHARS_MAX: usize = 128;
