//! What operations answer, and the pages that they answer in.

use kernel::{AccountId, Context, Principal};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wire::Resource;

use crate::Error;
use crate::authorize::iso;
use crate::aws_managed::AwsPolicy;
use crate::documents::encoded;
use crate::entity::{Group, InstanceProfile, Named, Policy, Role, Tags, User};
use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::names::Number;

/// The page that a request asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PageRequest {
    marker: Option<String>,
    max_items: Option<Number>,
}

impl PageRequest {
    /// This page of items, which come in the order of their keys, as an answer whose list is named `member`.
    ///
    /// # Errors
    /// `ValidationError` for a size out of range or a marker that is not ours.
    pub(crate) fn cut(
        &self,
        member: &str,
        items: impl Iterator<Item = (String, Value)>,
    ) -> Result<Value, Error> {
        let max = u64::try_from(PAGE_MAX).unwrap_or(u64::MAX);
        let size = match self.max_items {
            Some(number) => usize::try_from(number.within("maxItems", 1, max)?).unwrap_or(PAGE_MAX),
            None => PAGE_DEFAULT,
        };
        let after = match self.marker.as_deref() {
            None => None,
            Some(marker) => Some(
                wire::page::position(marker)
                    .ok_or_else(|| Error::Validation("Invalid Marker.".to_owned()))?,
            ),
        };
        let mut rest = items.filter(|(key, _)| after.as_ref().is_none_or(|after| key > after)).peekable();
        let (mut last, mut found) = (String::new(), Vec::new());
        for (key, item) in rest.by_ref().take(size) {
            found.push(item);
            last = key;
        }
        let more = rest.peek().is_some();
        let mut answer = Map::new();
        answer.insert(member.to_owned(), Value::Array(found));
        answer.insert("IsTruncated".to_owned(), more.into());
        if more {
            answer.insert("Marker".to_owned(), wire::page::token(&last).into());
        }
        Ok(Value::Object(answer))
    }
}

fn resource(cx: &Context, kind: &str, name: &str) -> Resource {
    kernel::Arn::new("iam", "", cx.account.as_str(), &format!("{kind}/{name}")).into()
}

/// The ARN of a user, whose path the decision adds.
pub(crate) fn on_user(cx: &Context, name: &str) -> Resource {
    resource(cx, "user", name)
}

/// The ARN of a user, or of the caller if none is named.
pub(crate) fn on_user_or_caller(cx: &Context, name: Option<&str>) -> Resource {
    match (name, &cx.principal) {
        (Some(name), _) => on_user(cx, name),
        (None, Principal::User { user, .. }) => user.clone().into(),
        (None, _) => Resource::Any,
    }
}

/// The ARN of a group.
pub(crate) fn on_group(cx: &Context, name: &str) -> Resource {
    resource(cx, "group", name)
}

/// The ARN of a role.
pub(crate) fn on_role(cx: &Context, name: &str) -> Resource {
    resource(cx, "role", name)
}

/// The ARN of an instance profile.
pub(crate) fn on_instance_profile(cx: &Context, name: &str) -> Resource {
    resource(cx, "instance-profile", name)
}

/// The ARN of something new, with its path.
pub(crate) fn on_new(cx: &Context, kind: &str, path: Option<&crate::names::Path>, name: &str) -> Resource {
    let path = path.map_or("/", |path| path.0.as_str());
    resource(cx, kind, &format!("{}{name}", path.strip_prefix('/').unwrap_or(path)))
}

/// A managed policy by its ARN.
pub(crate) fn on_policy(arn: &str) -> Resource {
    arn.parse().map_or(Resource::Any, Resource::Arn)
}

pub(crate) fn tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

fn boundary(arn: Option<&String>) -> Value {
    arn.map_or(Value::Null, |arn| json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}))
}

/// A user as listings tell of it.
pub(crate) fn user_row(account: &AccountId, user: &User) -> Value {
    json!({
        "Path": user.path, "UserName": user.name, "UserId": user.id, "Arn": user.arn(account),
        "CreateDate": iso(user.created_at),
    })
}

/// A user in full.
pub(crate) fn user(account: &AccountId, user: &User) -> Value {
    let mut shape = user_row(account, user);
    shape["PermissionsBoundary"] = boundary(user.boundary.as_ref());
    with_tags(shape, &user.tags)
}

/// Without an element for no tags, as AWS.
fn with_tags(mut shape: Value, found: &Tags) -> Value {
    if !found.is_empty() {
        shape["Tags"] = tags(found);
    }
    shape
}

pub(crate) fn group(account: &AccountId, group: &Group) -> Value {
    json!({
        "Path": group.path, "GroupName": group.name, "GroupId": group.id, "Arn": group.arn(account),
        "CreateDate": iso(group.created_at),
    })
}

/// A role as listings tell of it.
pub(crate) fn role_row(account: &AccountId, role: &Role) -> Value {
    json!({
        "Path": role.path, "RoleName": role.name, "RoleId": role.id, "Arn": role.arn(account),
        "CreateDate": iso(role.created_at), "AssumeRolePolicyDocument": encoded(&role.trust),
        "Description": role.description, "MaxSessionDuration": role.session_s_max,
    })
}

/// A role in full.
pub(crate) fn role(account: &AccountId, role: &Role) -> Value {
    let mut shape = role_row(account, role);
    shape["PermissionsBoundary"] = boundary(role.boundary.as_ref());
    with_tags(shape, &role.tags)
}

pub(crate) fn instance_profile(account: &AccountId, profile: &InstanceProfile, of: Option<&Role>) -> Value {
    let roles: Vec<Value> = of.into_iter().map(|role| role_row(account, role)).collect();
    let shape = json!({
        "Path": profile.path, "InstanceProfileName": profile.name, "InstanceProfileId": profile.id,
        "Arn": profile.arn(account), "CreateDate": iso(profile.created_at), "Roles": roles,
    });
    with_tags(shape, &profile.tags)
}

/// How often a managed policy is attached, and how often it is a boundary.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attachments {
    pub(crate) policies: usize,
    pub(crate) boundaries: usize,
}

/// A managed policy as listings tell of it.
pub(crate) fn policy_row(account: &AccountId, policy: &Policy, counts: Attachments) -> Value {
    json!({
        "PolicyName": policy.name, "PolicyId": policy.id, "Arn": policy.arn(account), "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default_version), "AttachmentCount": counts.policies,
        "PermissionsBoundaryUsageCount": counts.boundaries, "IsAttachable": true,
        "CreateDate": iso(policy.created_at), "UpdateDate": iso(policy.updated_at),
    })
}

/// A managed policy in full.
pub(crate) fn policy(account: &AccountId, policy: &Policy, counts: Attachments) -> Value {
    let mut shape = policy_row(account, policy, counts);
    shape["Description"] = policy.description.clone().into();
    with_tags(shape, &policy.tags)
}

/// One of AWS's.
pub(crate) fn aws_policy(policy: &AwsPolicy, counts: Attachments) -> Value {
    json!({
        "PolicyName": policy.name, "PolicyId": policy.id, "Arn": policy.arn, "Path": policy.path,
        "DefaultVersionId": "v1", "AttachmentCount": counts.policies,
        "PermissionsBoundaryUsageCount": counts.boundaries, "IsAttachable": true,
        "Description": policy.description, "CreateDate": "1970-01-01T00:00:00Z", "UpdateDate": "1970-01-01T00:00:00Z",
    })
}
