//! `ListGroupPolicies`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::Group;
use crate::names::GroupName;
use crate::shapes::{PageRequest, on_group};
use crate::{Error, Iam};

pub(super) struct ListGroupPolicies;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListGroupPolicies {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListGroupPolicies";
    const ACTION: &'static str = "iam:ListGroupPolicies";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        iam.list_inline::<Group>(&cx.account, &request.group_name, &request.page)
    }
}
