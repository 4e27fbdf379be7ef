//! `GetAccountSummary`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::limits;
use crate::{Error, Iam};

pub(super) struct GetAccountSummary;

#[derive(Deserialize)]
pub(super) struct Request {}

impl Operation for GetAccountSummary {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetAccountSummary";
    const ACTION: &'static str = "iam:GetAccountSummary";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iam: &Iam, cx: &Context, _: Request) -> Result<Value, Error> {
        let directory = iam.directory();
        let account = directory.account(&cx.account);
        let versions: usize = account.policies.values().map(|held| held.entity.versions.len()).sum();
        let rows = [
            ("Users", account.users.len()),
            ("UsersQuota", limits::USERS_MAX),
            ("Groups", account.groups.len()),
            ("GroupsQuota", limits::GROUPS_MAX),
            ("Roles", account.roles.len()),
            ("RolesQuota", limits::ROLES_MAX),
            ("InstanceProfiles", account.instance_profiles.len()),
            ("InstanceProfilesQuota", limits::INSTANCE_PROFILES_MAX),
            ("Policies", account.policies.len()),
            ("PoliciesQuota", limits::POLICIES_MAX),
            ("PolicyVersionsInUse", versions),
            ("PolicySizeQuota", limits::POLICY_CHARS_MAX),
            ("VersionsPerPolicyQuota", limits::VERSIONS_MAX),
            ("AccessKeysPerUserQuota", limits::ACCESS_KEYS_PER_USER_MAX),
            ("GroupsPerUserQuota", limits::GROUPS_PER_USER_MAX),
            ("AttachedPoliciesPerUserQuota", limits::ATTACHED_MAX),
            ("AttachedPoliciesPerGroupQuota", limits::ATTACHED_MAX),
            ("AttachedPoliciesPerRoleQuota", limits::ATTACHED_MAX),
            ("UserPolicySizeQuota", limits::USER_INLINE_CHARS_MAX),
            ("GroupPolicySizeQuota", limits::GROUP_INLINE_CHARS_MAX),
            ("RolePolicySizeQuota", limits::ROLE_INLINE_CHARS_MAX),
            ("AssumeRolePolicySizeQuota", limits::TRUST_CHARS_MAX),
            ("AccountMFAEnabled", 0),
            ("AccountAccessKeysPresent", 1),
            ("AccountSigningCertificatesPresent", 0),
            ("MFADevices", 0),
            ("MFADevicesInUse", 0),
            ("Providers", account.oidc_providers.len()),
            ("ServerCertificates", 0),
        ];
        let entries: Vec<Value> =
            rows.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        Ok(json!({"SummaryMap": {"entry": entries}}))
    }
}
