//! AWS's quotas on IAM and STS, and the bounds of what is only kept in memory.

/// Users in an account: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const USERS_MAX: usize = 5_000;
/// Groups in an account: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const GROUPS_MAX: usize = 300;
/// Roles in an account: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const ROLES_MAX: usize = 1_000;
/// Customer managed policies in an account: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const POLICIES_MAX: usize = 1_500;
/// Instance profiles in an account: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const INSTANCE_PROFILES_MAX: usize = 1_000;
/// Groups a user is in: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const GROUPS_PER_USER_MAX: usize = 10;
/// Access keys of a user: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const ACCESS_KEYS_PER_USER_MAX: usize = 2;
/// Managed policies attached to a user, group or role: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const ATTACHED_MAX: usize = 10;
/// Versions of a managed policy: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const VERSIONS_MAX: usize = 5;
/// Tags of anything: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const TAGS_MAX: usize = 50;
/// Characters of a managed policy without white space: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const POLICY_CHARS_MAX: usize = 6_144;
/// Characters of all inline policies of a user together: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const USER_INLINE_CHARS_MAX: usize = 2_048;
/// Characters of all inline policies of a group together: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const GROUP_INLINE_CHARS_MAX: usize = 5_120;
/// Characters of all inline policies of a role together: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const ROLE_INLINE_CHARS_MAX: usize = 10_240;
/// Characters of a trust policy: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const TRUST_CHARS_MAX: usize = 2_048;
/// Bytes of any document in a request: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>
pub(crate) const DOCUMENT_CHARS_MAX: usize = 131_072;
/// Items of a page unless asked otherwise: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>
pub(crate) const PAGE_DEFAULT: usize = 100;
/// Items of a page at most: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>
pub(crate) const PAGE_MAX: usize = 1_000;
/// Actions times resources of one simulation: the largest page, so that a simulation is one page.
pub(crate) const SIMULATIONS_MAX: usize = 1_000;

/// Seconds a session lasts at least: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub(crate) const SESSION_S_MIN: u64 = 900;
/// Seconds a session of a role lasts unless asked otherwise, and at most when a session begins it:
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub(crate) const SESSION_S_DEFAULT: u64 = 3_600;
/// Seconds a role may let its sessions last: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub(crate) const SESSION_S_MAX: u64 = 43_200;
/// Seconds temporary credentials of a user last unless asked otherwise: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
pub(crate) const TOKEN_S_DEFAULT: u64 = 43_200;
/// Seconds temporary credentials of a user last at most: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
pub(crate) const TOKEN_S_MAX: u64 = 129_600;
/// Seconds temporary credentials of the root last at most: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
pub(crate) const ROOT_TOKEN_S_MAX: u64 = 3_600;
/// Characters that a session token can be asked to have at least: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub(crate) const TOKEN_CHARS_MAX: u64 = 4_096;
/// Characters of a session policy: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub(crate) const SESSION_POLICY_CHARS_MAX: usize = 2_048;
/// Managed policies that limit a session: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub(crate) const SESSION_POLICY_ARNS_MAX: usize = 10;

/// Would-be denials remembered: enough for a pipeline's first day, and a few hundred kilobytes.
pub(crate) const DENIALS_MAX: usize = 1_000;
/// Principals whose use is remembered: those of a pipeline many times over.
pub(crate) const USED_PRINCIPALS_MAX: usize = 200;
/// Actions with their resource remembered of one principal; what comes later is counted as the action on anything.
pub(crate) const USED_PER_PRINCIPAL_MAX: usize = 500;
/// Resource policies kept parsed: a bucket's or function's each, of the busiest.
pub(crate) const PARSED_MAX: usize = 1_000;
/// Access keys whose last use is remembered: every key of a full account.
pub(crate) const LAST_USES_MAX: usize = 10_000;
