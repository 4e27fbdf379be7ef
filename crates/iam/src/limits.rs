//! AWS's quotas on IAM and STS, and the bounds of what is only kept in memory.

use std::time::Duration;

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

/// OpenID Connect providers in an account: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const OIDC_PROVIDERS_MAX: usize = 100;
/// Client ids of a provider: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) const CLIENT_IDS_MAX: usize = 100;
/// Thumbprints of a provider: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html>
pub(crate) const THUMBPRINTS_MAX: usize = 5;
/// Keys of a provider's set that are looked at: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>
pub(crate) const JWKS_KEYS_MAX: usize = 100;
/// Keys that are tried for a token that names none: more would be work that anybody can order.
pub(crate) const KEYS_TRIED_MAX: usize = 10;
/// Seconds by which a provider's clock may be ahead: what clocks that are kept differ by, many times over.
pub(crate) const TOKEN_SKEW_S: i64 = 300;
/// How long a provider's keys are good without asking again: a key that it has withdrawn is good for as long.
pub(crate) const KEYS_KEPT: Duration = Duration::from_secs(3_600);
/// How long a provider that has answered is not asked again, whatever tokens come: a key it has just added is known after as long.
pub(crate) const KEYS_REFRESH_MIN: Duration = Duration::from_secs(30);
/// Key sets kept: one of every provider of ten full accounts, a few kilobytes each.
pub(crate) const KEY_SETS_MAX: usize = 1_000;

/// Accounts of a node: each is a few entries in memory, and an organization of AWS's has ten unless it asks for more.
pub(crate) const ACCOUNTS_MAX: usize = 1_000;
/// Characters of an account's name: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html>
pub(crate) const ACCOUNT_NAME_CHARS_MAX: usize = 50;
/// How long a root's key may be good beside the one that replaced it: a week, as a longer one is forgotten.
pub(crate) const ROOT_KEY_OVERLAP_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Denied requests remembered of an account's principals: enough for a pipeline's first day, and a few hundred kilobytes.
pub(crate) const DENIALS_MAX: usize = 1_000;
/// Denied requests remembered of others on what an account owns: a share of its own, so that they push out nothing.
pub(crate) const DENIALS_FROM_OUTSIDE_MAX: usize = 250;
/// Principals of an account whose use is remembered: those of a pipeline many times over.
pub(crate) const USED_PRINCIPALS_MAX: usize = 500;
/// Resources remembered of an action; more are drawn together into patterns, as nobody reads a policy that is longer.
pub(crate) const RESOURCES_PER_ACTION_MAX: usize = 20;
/// Bytes of a resource's name that are remembered: longer ones are objects with a long key, of which the beginning says enough.
pub(crate) const RESOURCE_BYTES_MAX: usize = 512;
/// Bytes remembered of what an account's principals used: more than one principal can fill with every action there is.
pub(crate) const USED_BYTES_MAX: usize = 8 << 20;
/// How long a use is remembered: as long as Access Analyzer looks back,
/// <https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CloudTrailDetails.html>
pub(crate) const USE_KEPT: Duration = Duration::from_secs(90 * 86_400);
/// How often what was used is stored: what a crash may lose.
pub(crate) const USE_SAVED_PERIOD: Duration = Duration::from_secs(60);
/// How often the time of a principal's last use is stored when nothing else about it changes: it is shown in days.
pub(crate) const USE_SAVED_EVERY: Duration = Duration::from_secs(3_600);
/// Entities of one commit when what was used is stored: bounds how long it holds up others.
pub(crate) const USES_AT_ONCE: usize = 50;
/// Resource policies kept parsed: a bucket's or function's each, of the busiest.
pub(crate) const PARSED_MAX: usize = 1_000;
/// Access keys whose last use is remembered: every key of a full account.
pub(crate) const LAST_USES_MAX: usize = 10_000;
