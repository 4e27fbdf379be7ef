//! `ListAttachedRolePolicies`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::Role;
use crate::names::{PathPrefix, RoleName};
use crate::shapes::{PageRequest, on_role};
use crate::{Error, Iam};

pub(super) struct ListAttachedRolePolicies;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    path_prefix: Option<PathPrefix>,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListAttachedRolePolicies {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListAttachedRolePolicies";
    const ACTION: &'static str = "iam:ListAttachedRolePolicies";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let prefix = request.path_prefix.map(|prefix| prefix.0);
        iam.list_attached::<Role>(&cx.account, &request.role_name, prefix.as_deref(), &request.page)
    }
}
