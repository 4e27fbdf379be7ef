//! The operations of IAM and STS, and what their files share.

mod add_client_id_to_open_id_connect_provider;
mod add_role_to_instance_profile;
mod add_user_to_group;
mod assume_role;
mod assume_role_with_web_identity;
mod attach_group_policy;
mod attach_role_policy;
mod attach_user_policy;
mod create_access_key;
mod create_account_alias;
mod create_group;
mod create_instance_profile;
mod create_open_id_connect_provider;
mod create_policy;
mod create_policy_version;
mod create_role;
mod create_service_linked_role;
mod create_user;
mod delete_access_key;
mod delete_account_alias;
mod delete_group;
mod delete_group_policy;
mod delete_instance_profile;
mod delete_open_id_connect_provider;
mod delete_policy;
mod delete_policy_version;
mod delete_role;
mod delete_role_permissions_boundary;
mod delete_role_policy;
mod delete_service_linked_role;
mod delete_user;
mod delete_user_permissions_boundary;
mod delete_user_policy;
mod detach_group_policy;
mod detach_role_policy;
mod detach_user_policy;
mod get_access_key_info;
mod get_access_key_last_used;
mod get_account_authorization_details;
mod get_account_summary;
mod get_caller_identity;
mod get_group;
mod get_group_policy;
mod get_instance_profile;
mod get_open_id_connect_provider;
mod get_policy;
mod get_policy_version;
mod get_role;
mod get_role_policy;
mod get_service_linked_role_deletion_status;
mod get_session_token;
mod get_user;
mod get_user_policy;
mod list_access_keys;
mod list_account_aliases;
mod list_attached_group_policies;
mod list_attached_role_policies;
mod list_attached_user_policies;
mod list_entities_for_policy;
mod list_group_policies;
mod list_groups;
mod list_groups_for_user;
mod list_instance_profile_tags;
mod list_instance_profiles;
mod list_instance_profiles_for_role;
mod list_open_id_connect_provider_tags;
mod list_open_id_connect_providers;
mod list_policies;
mod list_policy_tags;
mod list_policy_versions;
mod list_role_policies;
mod list_role_tags;
mod list_roles;
mod list_user_policies;
mod list_user_tags;
mod list_users;
mod put_group_policy;
mod put_role_permissions_boundary;
mod put_role_policy;
mod put_user_permissions_boundary;
mod put_user_policy;
mod remove_client_id_from_open_id_connect_provider;
mod remove_role_from_instance_profile;
mod remove_user_from_group;
mod set_default_policy_version;
mod simulate_custom_policy;
mod simulate_principal_policy;
mod tag_instance_profile;
mod tag_open_id_connect_provider;
mod tag_policy;
mod tag_role;
mod tag_user;
mod untag_instance_profile;
mod untag_open_id_connect_provider;
mod untag_policy;
mod untag_role;
mod untag_user;
mod update_access_key;
mod update_assume_role_policy;
mod update_group;
mod update_open_id_connect_provider_thumbprint;
mod update_role;
mod update_role_description;
mod update_user;

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{AccountId, Context, Principal};
use serde_json::{Value, json};
use wire::Entry;

use add_client_id_to_open_id_connect_provider::AddClientIDToOpenIDConnectProvider;
use add_role_to_instance_profile::AddRoleToInstanceProfile;
use add_user_to_group::AddUserToGroup;
use assume_role::AssumeRole;
use assume_role_with_web_identity::AssumeRoleWithWebIdentity;
use attach_group_policy::AttachGroupPolicy;
use attach_role_policy::AttachRolePolicy;
use attach_user_policy::AttachUserPolicy;
use create_access_key::CreateAccessKey;
use create_account_alias::CreateAccountAlias;
use create_group::CreateGroup;
use create_instance_profile::CreateInstanceProfile;
use create_open_id_connect_provider::CreateOpenIDConnectProvider;
use create_policy::CreatePolicy;
use create_policy_version::CreatePolicyVersion;
use create_role::CreateRole;
use create_service_linked_role::CreateServiceLinkedRole;
use create_user::CreateUser;
use delete_access_key::DeleteAccessKey;
use delete_account_alias::DeleteAccountAlias;
use delete_group::DeleteGroup;
use delete_group_policy::DeleteGroupPolicy;
use delete_instance_profile::DeleteInstanceProfile;
use delete_open_id_connect_provider::DeleteOpenIDConnectProvider;
use delete_policy::DeletePolicy;
use delete_policy_version::DeletePolicyVersion;
use delete_role::DeleteRole;
use delete_role_permissions_boundary::DeleteRolePermissionsBoundary;
use delete_role_policy::DeleteRolePolicy;
use delete_service_linked_role::DeleteServiceLinkedRole;
use delete_user::DeleteUser;
use delete_user_permissions_boundary::DeleteUserPermissionsBoundary;
use delete_user_policy::DeleteUserPolicy;
use detach_group_policy::DetachGroupPolicy;
use detach_role_policy::DetachRolePolicy;
use detach_user_policy::DetachUserPolicy;
use get_access_key_info::GetAccessKeyInfo;
use get_access_key_last_used::GetAccessKeyLastUsed;
use get_account_authorization_details::GetAccountAuthorizationDetails;
use get_account_summary::GetAccountSummary;
use get_caller_identity::GetCallerIdentity;
use get_group::GetGroup;
use get_group_policy::GetGroupPolicy;
use get_instance_profile::GetInstanceProfile;
use get_open_id_connect_provider::GetOpenIDConnectProvider;
use get_policy::GetPolicy;
use get_policy_version::GetPolicyVersion;
use get_role::GetRole;
use get_role_policy::GetRolePolicy;
use get_service_linked_role_deletion_status::GetServiceLinkedRoleDeletionStatus;
use get_session_token::GetSessionToken;
use get_user::GetUser;
use get_user_policy::GetUserPolicy;
use list_access_keys::ListAccessKeys;
use list_account_aliases::ListAccountAliases;
use list_attached_group_policies::ListAttachedGroupPolicies;
use list_attached_role_policies::ListAttachedRolePolicies;
use list_attached_user_policies::ListAttachedUserPolicies;
use list_entities_for_policy::ListEntitiesForPolicy;
use list_group_policies::ListGroupPolicies;
use list_groups::ListGroups;
use list_groups_for_user::ListGroupsForUser;
use list_instance_profile_tags::ListInstanceProfileTags;
use list_instance_profiles::ListInstanceProfiles;
use list_instance_profiles_for_role::ListInstanceProfilesForRole;
use list_open_id_connect_provider_tags::ListOpenIDConnectProviderTags;
use list_open_id_connect_providers::ListOpenIDConnectProviders;
use list_policies::ListPolicies;
use list_policy_tags::ListPolicyTags;
use list_policy_versions::ListPolicyVersions;
use list_role_policies::ListRolePolicies;
use list_role_tags::ListRoleTags;
use list_roles::ListRoles;
use list_user_policies::ListUserPolicies;
use list_user_tags::ListUserTags;
use list_users::ListUsers;
use put_group_policy::PutGroupPolicy;
use put_role_permissions_boundary::PutRolePermissionsBoundary;
use put_role_policy::PutRolePolicy;
use put_user_permissions_boundary::PutUserPermissionsBoundary;
use put_user_policy::PutUserPolicy;
use remove_client_id_from_open_id_connect_provider::RemoveClientIDFromOpenIDConnectProvider;
use remove_role_from_instance_profile::RemoveRoleFromInstanceProfile;
use remove_user_from_group::RemoveUserFromGroup;
use set_default_policy_version::SetDefaultPolicyVersion;
use simulate_custom_policy::SimulateCustomPolicy;
use simulate_principal_policy::SimulatePrincipalPolicy;
use tag_instance_profile::TagInstanceProfile;
use tag_open_id_connect_provider::TagOpenIDConnectProvider;
use tag_policy::TagPolicy;
use tag_role::TagRole;
use tag_user::TagUser;
use untag_instance_profile::UntagInstanceProfile;
use untag_open_id_connect_provider::UntagOpenIDConnectProvider;
use untag_policy::UntagPolicy;
use untag_role::UntagRole;
use untag_user::UntagUser;
use update_access_key::UpdateAccessKey;
use update_assume_role_policy::UpdateAssumeRolePolicy;
use update_group::UpdateGroup;
use update_open_id_connect_provider_thumbprint::UpdateOpenIDConnectProviderThumbprint;
use update_role::UpdateRole;
use update_role_description::UpdateRoleDescription;
use update_user::UpdateUser;

use crate::authorize::iso;
use crate::change::Described;
use crate::directory::{Directory, Held, HeldKey};
use crate::entity::{Grants, InstanceProfile, Policy, Role, Tags};
use crate::grants::check_attachable;
use crate::limits::{SESSION_S_DEFAULT, SESSION_S_MAX, TAGS_MAX, TOKEN_CHARS_MAX};
use crate::names::{Number, SerialNumber, TokenCode, UserName, violated};
use crate::session::Temporary;
use crate::shapes::{self, Attachments};
use crate::{Error, Iam};

/// Every operation of IAM that is served.
pub const IAM_OPERATIONS: &[Entry<Iam>] = &[
    Entry::of::<CreateUser>(),
    Entry::of::<GetUser>(),
    Entry::of::<ListUsers>(),
    Entry::of::<UpdateUser>(),
    Entry::of::<DeleteUser>(),
    Entry::of::<TagUser>(),
    Entry::of::<UntagUser>(),
    Entry::of::<ListUserTags>(),
    Entry::of::<PutUserPermissionsBoundary>(),
    Entry::of::<DeleteUserPermissionsBoundary>(),
    Entry::of::<CreateGroup>(),
    Entry::of::<GetGroup>(),
    Entry::of::<ListGroups>(),
    Entry::of::<UpdateGroup>(),
    Entry::of::<DeleteGroup>(),
    Entry::of::<AddUserToGroup>(),
    Entry::of::<RemoveUserFromGroup>(),
    Entry::of::<ListGroupsForUser>(),
    Entry::of::<CreateAccessKey>(),
    Entry::of::<ListAccessKeys>(),
    Entry::of::<UpdateAccessKey>(),
    Entry::of::<DeleteAccessKey>(),
    Entry::of::<GetAccessKeyLastUsed>(),
    Entry::of::<CreateRole>(),
    Entry::of::<GetRole>(),
    Entry::of::<ListRoles>(),
    Entry::of::<UpdateRole>(),
    Entry::of::<UpdateRoleDescription>(),
    Entry::of::<UpdateAssumeRolePolicy>(),
    Entry::of::<DeleteRole>(),
    Entry::of::<TagRole>(),
    Entry::of::<UntagRole>(),
    Entry::of::<ListRoleTags>(),
    Entry::of::<PutRolePermissionsBoundary>(),
    Entry::of::<DeleteRolePermissionsBoundary>(),
    Entry::of::<PutUserPolicy>(),
    Entry::of::<GetUserPolicy>(),
    Entry::of::<ListUserPolicies>(),
    Entry::of::<DeleteUserPolicy>(),
    Entry::of::<AttachUserPolicy>(),
    Entry::of::<DetachUserPolicy>(),
    Entry::of::<ListAttachedUserPolicies>(),
    Entry::of::<PutGroupPolicy>(),
    Entry::of::<GetGroupPolicy>(),
    Entry::of::<ListGroupPolicies>(),
    Entry::of::<DeleteGroupPolicy>(),
    Entry::of::<AttachGroupPolicy>(),
    Entry::of::<DetachGroupPolicy>(),
    Entry::of::<ListAttachedGroupPolicies>(),
    Entry::of::<PutRolePolicy>(),
    Entry::of::<GetRolePolicy>(),
    Entry::of::<ListRolePolicies>(),
    Entry::of::<DeleteRolePolicy>(),
    Entry::of::<AttachRolePolicy>(),
    Entry::of::<DetachRolePolicy>(),
    Entry::of::<ListAttachedRolePolicies>(),
    Entry::of::<CreatePolicy>(),
    Entry::of::<GetPolicy>(),
    Entry::of::<ListPolicies>(),
    Entry::of::<DeletePolicy>(),
    Entry::of::<CreatePolicyVersion>(),
    Entry::of::<GetPolicyVersion>(),
    Entry::of::<ListPolicyVersions>(),
    Entry::of::<SetDefaultPolicyVersion>(),
    Entry::of::<DeletePolicyVersion>(),
    Entry::of::<TagPolicy>(),
    Entry::of::<UntagPolicy>(),
    Entry::of::<ListPolicyTags>(),
    Entry::of::<ListEntitiesForPolicy>(),
    Entry::of::<CreateInstanceProfile>(),
    Entry::of::<GetInstanceProfile>(),
    Entry::of::<ListInstanceProfiles>(),
    Entry::of::<ListInstanceProfilesForRole>(),
    Entry::of::<DeleteInstanceProfile>(),
    Entry::of::<AddRoleToInstanceProfile>(),
    Entry::of::<RemoveRoleFromInstanceProfile>(),
    Entry::of::<TagInstanceProfile>(),
    Entry::of::<UntagInstanceProfile>(),
    Entry::of::<ListInstanceProfileTags>(),
    Entry::of::<CreateServiceLinkedRole>(),
    Entry::of::<DeleteServiceLinkedRole>(),
    Entry::of::<GetServiceLinkedRoleDeletionStatus>(),
    Entry::of::<CreateAccountAlias>(),
    Entry::of::<DeleteAccountAlias>(),
    Entry::of::<ListAccountAliases>(),
    Entry::of::<SimulateCustomPolicy>(),
    Entry::of::<SimulatePrincipalPolicy>(),
    Entry::of::<GetAccountSummary>(),
    Entry::of::<GetAccountAuthorizationDetails>(),
    Entry::of::<CreateOpenIDConnectProvider>(),
    Entry::of::<GetOpenIDConnectProvider>(),
    Entry::of::<ListOpenIDConnectProviders>(),
    Entry::of::<DeleteOpenIDConnectProvider>(),
    Entry::of::<AddClientIDToOpenIDConnectProvider>(),
    Entry::of::<RemoveClientIDFromOpenIDConnectProvider>(),
    Entry::of::<UpdateOpenIDConnectProviderThumbprint>(),
    Entry::of::<TagOpenIDConnectProvider>(),
    Entry::of::<UntagOpenIDConnectProvider>(),
    Entry::of::<ListOpenIDConnectProviderTags>(),
];

/// Every operation of STS that is served.
pub const STS_OPERATIONS: &[Entry<Iam>] = &[
    Entry::of::<GetCallerIdentity>(),
    Entry::of::<GetAccessKeyInfo>(),
    Entry::of::<GetSessionToken>(),
    Entry::of::<AssumeRole>(),
    Entry::unsigned::<AssumeRoleWithWebIdentity>(),
];

/// The user named, or the caller.
///
/// # Errors
/// `ValidationError` when neither is a user.
fn user_or_caller(cx: &Context, named: Option<UserName>) -> Result<String, Error> {
    match (named, &cx.principal) {
        (Some(name), _) => Ok(name.0),
        (None, Principal::User { user, .. }) => {
            Ok(user.resource().rsplit('/').next().unwrap_or_default().to_owned())
        }
        (None, _) => {
            let said = "Must specify userName when calling with non-User credentials";
            Err(Error::Validation(said.to_owned()))
        }
    }
}

/// # Errors
/// `NoSuchEntity` for a boundary that is no policy.
fn check_boundary(directory: &Directory, cx: &Context, arn: Option<&str>) -> Result<(), Error> {
    arn.map_or(Ok(()), |arn| check_attachable(directory, &cx.account, arn))
}

/// # Errors
/// `ValidationError` for more than 1,000 characters.
fn check_description(description: Option<String>) -> Result<Option<String>, Error> {
    match &description {
        Some(text) if text.chars().count() > 1_000 => {
            let constraint = "Member must have length less than or equal to 1000";
            let shown: String = text.chars().take(200).collect();
            Err(Error::Validation(violated(&shown, "description", constraint)))
        }
        _ => Ok(description),
    }
}

/// # Errors
/// `ValidationError` outside an hour to twelve.
fn session_duration(asked: Option<Number>) -> Result<u64, Error> {
    let within = |number: Number| number.within("maxSessionDuration", SESSION_S_DEFAULT, SESSION_S_MAX);
    asked.map_or(Ok(SESSION_S_DEFAULT), within)
}

/// # Errors
/// `LimitExceeded` for too many together with those that are there.
fn add_tags(tags: &mut Tags, more: Tags) -> Result<(), Error> {
    for (key, value) in more {
        // A key in other case is the same key, and takes the new form.
        tags.retain(|known, _| known.to_lowercase() != key.to_lowercase());
        tags.insert(key, value);
    }
    if tags.len() > TAGS_MAX {
        return Err(Error::LimitExceeded("The number of tags has reached the maximum limit.".to_owned()));
    }
    Ok(())
}

fn no_key(id: &str) -> Error {
    Error::NoSuchEntity(format!("The Access Key with id {id} cannot be found."))
}

/// # Errors
/// `NoSuchEntity` when the user has no such key.
fn key_of(directory: &Directory, account: &AccountId, user: &str, id: &str) -> Result<Arc<HeldKey>, Error> {
    let of_user = |held: &&Arc<HeldKey>| held.key.account == *account && held.key.user == user;
    directory.keys.get(id).filter(of_user).cloned().ok_or_else(|| no_key(id))
}

/// The managed policy of this account with this ARN.
///
/// # Errors
/// `NoSuchEntity`.
fn policy(iam: &Iam, cx: &Context, arn: &str) -> Result<Arc<Held<Policy>>, Error> {
    let found = iam
        .directory()
        .by_arn::<Policy>(arn)
        .filter(|(account, _)| *account == cx.account)
        .map(|(_, held)| Arc::clone(held));
    found.ok_or_else(|| Error::NoSuchEntity(Policy::missing(arn)))
}

/// # Errors
/// `NoSuchEntity` for what is neither AWS's nor the account's.
fn check_known(iam: &Iam, cx: &Context, arn: &str) -> Result<(), Error> {
    if iam.aws_managed.get(arn).is_some() { Ok(()) } else { policy(iam, cx, arn).map(drop) }
}

/// The name of a policy that the account may change.
///
/// # Errors
/// `NoSuchEntity` for another account's, `AccessDenied` for AWS's.
fn own_policy(cx: &Context, arn: &str) -> Result<String, Error> {
    let rest = arn.strip_prefix(&format!("arn:aws:iam::{}:policy/", cx.account));
    match rest.and_then(|rest| rest.rsplit('/').next()) {
        Some(name) => Ok(name.to_owned()),
        None if arn.starts_with("arn:aws:iam::aws:policy/") => {
            Err(Error::AccessDenied(format!("Policy {arn} is managed by AWS and cannot be changed.")))
        }
        None => Err(Error::NoSuchEntity(Policy::missing(arn))),
    }
}

/// `v3` is 3.
///
/// # Errors
/// `NoSuchEntity`.
fn version_number(policy: &Policy, arn: &str, id: &str) -> Result<u32, Error> {
    let number = id.strip_prefix('v').and_then(|digits| digits.parse().ok());
    number.filter(|number| policy.versions.contains_key(number)).ok_or_else(|| {
        Error::NoSuchEntity(format!("Policy {arn} version {id} does not exist or is not attachable."))
    })
}

/// Of every managed policy that is in use, how often.
fn attachments(directory: &Directory, account: &AccountId) -> HashMap<String, Attachments> {
    let mut counts: HashMap<String, Attachments> = HashMap::new();
    let account = directory.account(account);
    let mut count = |grants: &Grants, boundary: Option<&String>| {
        for arn in &grants.attached {
            counts.entry(arn.clone()).or_default().policies += 1;
        }
        if let Some(arn) = boundary {
            counts.entry(arn.clone()).or_default().boundaries += 1;
        }
    };
    account.users.values().for_each(|held| count(&held.entity.grants, held.entity.boundary.as_ref()));
    account.roles.values().for_each(|held| count(&held.entity.grants, held.entity.boundary.as_ref()));
    account.groups.values().for_each(|held| count(&held.entity.grants, None));
    counts
}

/// An instance profile and its role.
fn profile_shape(iam: &Iam, cx: &Context, profile: &InstanceProfile) -> Value {
    let directory = iam.directory();
    let role = profile.role.as_ref().and_then(|name| directory.get::<Role>(&cx.account, name));
    shapes::instance_profile(&cx.account, profile, role.map(|held| &held.entity))
}

/// # Errors
/// `ValidationError` for what is no alias: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html>
fn check_alias(alias: String) -> Result<String, Error> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let shaped = (3..=63).contains(&alias.len())
        && alias.chars().all(legal)
        && !alias.starts_with('-')
        && !alias.ends_with('-')
        && !alias.contains("--");
    if shaped {
        return Ok(alias);
    }
    let constraint =
        "Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$";
    Err(Error::Validation(violated(&alias, "accountAlias", constraint)))
}

/// Nobody has an MFA device here, so what one shows is always wrong.
///
/// # Errors
/// `AccessDenied`, `ValidationError`.
fn check_mfa(serial_number: Option<&SerialNumber>, token_code: Option<&TokenCode>) -> Result<(), Error> {
    if let Some(TokenCode(code)) = token_code.filter(|code| !code.0.chars().all(|c| c.is_ascii_digit())) {
        let constraint = "Member must satisfy regular expression pattern: [\\d]*";
        return Err(Error::Validation(violated(code, "tokenCode", constraint)));
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c);
    if let Some(SerialNumber(serial)) = serial_number.filter(|serial| !serial.0.chars().all(legal)) {
        let constraint = "Member must satisfy regular expression pattern: [\\w+=/:,.@-]*";
        return Err(Error::Validation(violated(serial, "serialNumber", constraint)));
    }
    if serial_number.is_none() && token_code.is_none() {
        return Ok(());
    }
    let said = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
    Err(Error::AccessDenied(said.to_owned()))
}

/// How long a token must be at least.
///
/// # Errors
/// `ValidationError`.
fn token_size(asked: Option<Number>) -> Result<usize, Error> {
    let Some(number) = asked else { return Ok(0) };
    let size = number.within("minimumSessionTokenSize", 0, TOKEN_CHARS_MAX)?;
    Ok(usize::try_from(size).unwrap_or_default())
}

fn credentials(temporary: &Temporary) -> Value {
    json!({
        "AccessKeyId": temporary.access_key_id, "SecretAccessKey": temporary.secret_access_key.expose(),
        "SessionToken": temporary.token, "Expiration": iso(temporary.expires_at),
    })
}
