//! `ListAttachedGroupPolicies`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedGroupPolicies.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::Group;
use crate::names::{GroupName, PathPrefix};
use crate::shapes::{PageRequest, on_group};
use crate::{Error, Iam};

pub(super) struct ListAttachedGroupPolicies;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    path_prefix: Option<PathPrefix>,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListAttachedGroupPolicies {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListAttachedGroupPolicies";
    const ACTION: &'static str = "iam:ListAttachedGroupPolicies";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let prefix = request.path_prefix.map(|prefix| prefix.0);
        iam.list_attached::<Group>(&cx.account, &request.group_name, prefix.as_deref(), &request.page)
    }
}
