//! `ListPolicies`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::{Named, Policy};
use crate::names::{Flag, PathPrefix};
use crate::ops::attachments;
use crate::shapes::Attachments;
use crate::shapes::PageRequest;
use crate::{Error, Iam, shapes};

pub(super) struct ListPolicies;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    scope: Option<Scope>,
    #[serde(default)]
    only_attached: Flag,
    path_prefix: Option<PathPrefix>,
    policy_usage_filter: Option<Usage>,
    #[serde(flatten)]
    page: PageRequest,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
enum Scope {
    All,
    #[serde(rename = "AWS")]
    Aws,
    Local,
}

#[derive(Deserialize)]
enum Usage {
    PermissionsPolicy,
    PermissionsBoundary,
}

impl Operation for ListPolicies {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListPolicies";
    const ACTION: &'static str = "iam:ListPolicies";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let counts = attachments(&iam.directory(), &cx.account);
        let of = |arn: &str| counts.get(arn).copied().unwrap_or_default();
        let prefix = request.path_prefix.map_or_else(|| "/".to_owned(), |prefix| prefix.0);
        let scope = request.scope.unwrap_or(Scope::All);
        let wanted = |path: &str, arn: &str| {
            let Attachments { policies, boundaries } = of(arn);
            let used = match request.policy_usage_filter {
                None => policies + boundaries,
                Some(Usage::PermissionsPolicy) => policies,
                Some(Usage::PermissionsBoundary) => boundaries,
            };
            let all = request.only_attached == Flag::Clear && request.policy_usage_filter.is_none();
            path.starts_with(&prefix) && (all || used > 0)
        };
        let mut rows = Vec::new();
        if scope != Scope::Aws {
            for held in iam.all::<Policy>(&cx.account) {
                let arn = held.entity.arn(&cx.account);
                if wanted(&held.entity.path, &arn) {
                    rows.push((arn.clone(), shapes::policy_row(&cx.account, &held.entity, of(&arn))));
                }
            }
        }
        if scope != Scope::Local {
            for policy in iam.aws_managed.all().filter(|policy| wanted(policy.path, &policy.arn)) {
                rows.push((policy.arn.clone(), shapes::aws_policy(policy, of(&policy.arn))));
            }
        }
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        request.page.cut("Policies", rows.into_iter())
    }
}
