//! `GetAccountAuthorizationDetails`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>
//!
//! Users, groups, roles, the account's policies and those of AWS's that are in use, in this order, over all pages.
//!
//! Differs from AWS: RoleLastUsed is missing.

use std::collections::HashMap;

use kernel::{AccountId, Context};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::authorize::iso;
use crate::aws_managed::AwsPolicy;
use crate::directory::{Account, Directory};
use crate::documents::encoded;
use crate::entity::{Grants, Named, Policy, Role};
use crate::names::List;
use crate::ops::attachments;
use crate::shapes::{self, Attachments, PageRequest};
use crate::{Error, Iam};

pub(super) struct GetAccountAuthorizationDetails;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(default)]
    filter: List<EntityType>,
    #[serde(flatten)]
    page: PageRequest,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
enum EntityType {
    User,
    Group,
    Role,
    LocalManagedPolicy,
    #[serde(rename = "AWSManagedPolicy")]
    AwsManagedPolicy,
}

impl EntityType {
    const ALL: [Self; 5] =
        [Self::User, Self::Group, Self::Role, Self::LocalManagedPolicy, Self::AwsManagedPolicy];

    /// The list of the answer that has them.
    fn member(self) -> &'static str {
        match self {
            Self::User => "UserDetailList",
            Self::Group => "GroupDetailList",
            Self::Role => "RoleDetailList",
            Self::LocalManagedPolicy | Self::AwsManagedPolicy => "Policies",
        }
    }
}

impl Operation for GetAccountAuthorizationDetails {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetAccountAuthorizationDetails";
    const ACTION: &'static str = "iam:GetAccountAuthorizationDetails";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let directory = iam.directory();
        let details = Details {
            account: &cx.account,
            all: directory.account(&cx.account),
            counts: attachments(&directory, &cx.account),
            directory: &directory,
        };
        let wanted = |kind: &EntityType| request.filter.0.is_empty() || request.filter.0.contains(kind);
        let mut rows = Vec::new();
        for (at, kind) in EntityType::ALL.into_iter().enumerate().filter(|(_, kind)| wanted(kind)) {
            let of_kind = details.of(kind).into_iter();
            rows.extend(of_kind.map(|(key, shape)| (format!("{at}/{key}"), json!([kind.member(), shape]))));
        }
        let mut answer = request.page.cut("Rows", rows.into_iter())?;
        let found = answer.as_object_mut().and_then(|members| members.remove("Rows"));
        for kind in EntityType::ALL {
            answer[kind.member()] = json!([]);
        }
        for row in found.as_ref().and_then(Value::as_array).into_iter().flatten() {
            if let Some(list) = row[0].as_str().and_then(|member| answer[member].as_array_mut()) {
                list.push(row[1].clone());
            }
        }
        Ok(answer)
    }
}

/// What an account has.
struct Details<'a> {
    account: &'a AccountId,
    all: &'a Account,
    counts: HashMap<String, Attachments>,
    directory: &'a Directory,
}

impl Details<'_> {
    /// In the order of their keys.
    fn of(&self, kind: EntityType) -> Vec<(String, Value)> {
        match kind {
            EntityType::User => {
                let users = self.all.users.iter();
                users
                    .map(|(key, held)| {
                        let mut shape = shapes::user(self.account, &held.entity);
                        with_grants(&mut shape, "UserPolicyList", &held.entity.grants);
                        shape["GroupList"] = json!(held.entity.groups);
                        (key.clone(), shape)
                    })
                    .collect()
            }
            EntityType::Group => {
                let groups = self.all.groups.iter();
                groups
                    .map(|(key, held)| {
                        let mut shape = shapes::group(self.account, &held.entity);
                        with_grants(&mut shape, "GroupPolicyList", &held.entity.grants);
                        (key.clone(), shape)
                    })
                    .collect()
            }
            EntityType::Role => {
                let roles = self.all.roles.iter();
                roles.map(|(key, held)| (key.clone(), self.role(&held.entity))).collect()
            }
            EntityType::LocalManagedPolicy => {
                let policies = self.all.policies.iter();
                policies.map(|(key, held)| (key.clone(), self.policy(&held.entity))).collect()
            }
            EntityType::AwsManagedPolicy => {
                let used = |policy: &&std::sync::Arc<AwsPolicy>| self.counts.contains_key(&policy.arn);
                let policies = self.directory.aws_managed.all().filter(used);
                policies.map(|policy| (policy.arn.clone(), self.aws_policy(policy))).collect()
            }
        }
    }

    fn role(&self, role: &Role) -> Value {
        let mut shape = shapes::role(self.account, role);
        if let Some(members) = shape.as_object_mut() {
            members.remove("Description");
            members.remove("MaxSessionDuration");
        }
        with_grants(&mut shape, "RolePolicyList", &role.grants);
        let profiles =
            self.all.instance_profiles.values().filter(|held| held.entity.role.as_ref() == Some(&role.name));
        shape["InstanceProfileList"] =
            profiles.map(|held| shapes::instance_profile(self.account, &held.entity, Some(role))).collect();
        shape
    }

    fn counts(&self, arn: &str) -> Attachments {
        self.counts.get(arn).copied().unwrap_or_default()
    }

    fn policy(&self, policy: &Policy) -> Value {
        let counts = self.counts(&policy.arn(self.account));
        let mut shape = shapes::policy_row(self.account, policy, counts);
        shape["Description"] = policy.description.clone().into();
        let versions = policy.versions.iter().rev();
        shape["PolicyVersionList"] = versions
            .map(|(number, version)| {
                json!({
                    "Document": encoded(&version.text), "VersionId": format!("v{number}"),
                    "IsDefaultVersion": *number == policy.default_version, "CreateDate": iso(version.created_at),
                })
            })
            .collect();
        shape
    }

    fn aws_policy(&self, policy: &AwsPolicy) -> Value {
        let mut shape = shapes::aws_policy(policy, self.counts(&policy.arn));
        shape["PolicyVersionList"] = json!([{
            "Document": encoded(policy.text), "VersionId": "v1", "IsDefaultVersion": true,
            "CreateDate": "1970-01-01T00:00:00Z",
        }]);
        shape
    }
}

fn with_grants(shape: &mut Value, member: &str, grants: &Grants) {
    let inline = grants.inline.iter();
    shape[member] =
        inline.map(|(name, text)| json!({"PolicyName": name, "PolicyDocument": encoded(text)})).collect();
    let attached = grants.attached.iter();
    shape["AttachedManagedPolicies"] = attached
        .map(|arn| json!({"PolicyName": arn.rsplit('/').next().unwrap_or_default(), "PolicyArn": arn}))
        .collect();
}
