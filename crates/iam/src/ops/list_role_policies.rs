//! `ListRolePolicies`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::Role;
use crate::names::RoleName;
use crate::shapes::{PageRequest, on_role};
use crate::{Error, Iam};

pub(super) struct ListRolePolicies;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListRolePolicies {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListRolePolicies";
    const ACTION: &'static str = "iam:ListRolePolicies";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        iam.list_inline::<Role>(&cx.account, &request.role_name, &request.page)
    }
}
