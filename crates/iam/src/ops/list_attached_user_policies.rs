//! `ListAttachedUserPolicies`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::User;
use crate::names::{PathPrefix, UserName};
use crate::shapes::{PageRequest, on_user};
use crate::{Error, Iam};

pub(super) struct ListAttachedUserPolicies;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    path_prefix: Option<PathPrefix>,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListAttachedUserPolicies {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListAttachedUserPolicies";
    const ACTION: &'static str = "iam:ListAttachedUserPolicies";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let prefix = request.path_prefix.map(|prefix| prefix.0);
        iam.list_attached::<User>(&cx.account, &request.user_name, prefix.as_deref(), &request.page)
    }
}
