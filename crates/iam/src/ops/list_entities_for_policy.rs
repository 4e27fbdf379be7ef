//! `ListEntitiesForPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::{Grants, Group, Role, User};
use crate::names::{PathPrefix, PolicyArn};
use crate::ops::check_known;
use crate::shapes::{PageRequest, on_policy};
use crate::{Error, Iam};

pub(super) struct ListEntitiesForPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_arn: PolicyArn,
    entity_filter: Option<EntityFilter>,
    path_prefix: Option<PathPrefix>,
    policy_usage_filter: Option<Usage>,
    #[serde(flatten)]
    page: PageRequest,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
enum EntityFilter {
    User,
    Role,
    Group,
    LocalManagedPolicy,
    #[serde(rename = "AWSManagedPolicy")]
    AwsManagedPolicy,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
enum Usage {
    PermissionsPolicy,
    PermissionsBoundary,
}

/// One page of all kinds, in a list for each.
fn by_kind(mut page: Value) -> Value {
    let entities = page["Entities"].take();
    if let Some(members) = page.as_object_mut() {
        members.remove("Entities");
    }
    for (list, id) in [("PolicyGroups", "GroupId"), ("PolicyUsers", "UserId"), ("PolicyRoles", "RoleId")] {
        let of_kind = entities.as_array().into_iter().flatten().filter(|row| row.get(id).is_some());
        page[list] = of_kind.cloned().collect();
    }
    page
}

impl Operation for ListEntitiesForPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListEntitiesForPolicy";
    const ACTION: &'static str = "iam:ListEntitiesForPolicy";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_arn.0)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let arn = request.policy_arn.0;
        check_known(iam, cx, &arn)?;
        let prefix = request.path_prefix.map_or_else(|| "/".to_owned(), |prefix| prefix.0);
        let usage = request.policy_usage_filter;
        let uses = |path: &str, grants: &Grants, boundary: Option<&String>| {
            let attached = usage != Some(Usage::PermissionsBoundary) && grants.attached.contains(&arn);
            let bounds = usage != Some(Usage::PermissionsPolicy) && boundary == Some(&arn);
            path.starts_with(&prefix) && (attached || bounds)
        };
        let wants = |kind: EntityFilter| request.entity_filter.is_none_or(|filter| filter == kind);
        let mut rows = Vec::new();
        for held in iam.all::<Group>(&cx.account).iter().filter(|_| wants(EntityFilter::Group)) {
            let Group { name, id, path, grants, .. } = &held.entity;
            if uses(path, grants, None) {
                rows.push((format!("group/{name}"), json!({"GroupName": name, "GroupId": id})));
            }
        }
        for held in iam.all::<Role>(&cx.account).iter().filter(|_| wants(EntityFilter::Role)) {
            let Role { name, id, path, grants, boundary, .. } = &held.entity;
            if uses(path, grants, boundary.as_ref()) {
                rows.push((format!("role/{name}"), json!({"RoleName": name, "RoleId": id})));
            }
        }
        for held in iam.all::<User>(&cx.account).iter().filter(|_| wants(EntityFilter::User)) {
            let User { name, id, path, grants, boundary, .. } = &held.entity;
            if uses(path, grants, boundary.as_ref()) {
                rows.push((format!("user/{name}"), json!({"UserName": name, "UserId": id})));
            }
        }
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(by_kind(request.page.cut("Entities", rows.into_iter())?))
    }
}
