//! `ListUserPolicies`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::User;
use crate::names::UserName;
use crate::shapes::{PageRequest, on_user};
use crate::{Error, Iam};

pub(super) struct ListUserPolicies;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListUserPolicies {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListUserPolicies";
    const ACTION: &'static str = "iam:ListUserPolicies";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        iam.list_inline::<User>(&cx.account, &request.user_name, &request.page)
    }
}
