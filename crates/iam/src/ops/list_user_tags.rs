//! `ListUserTags`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserTags.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::User;
use crate::names::UserName;
use crate::shapes::{PageRequest, on_user};
use crate::{Error, Iam};

pub(super) struct ListUserTags;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListUserTags {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListUserTags";
    const ACTION: &'static str = "iam:ListUserTags";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let name = request.user_name.0;
        let held = iam.entity::<User>(&cx.account, &name)?;
        let row = |(key, value): (&String, &String)| (key.clone(), json!({"Key": key, "Value": value}));
        request.page.cut("Tags", held.entity.tags.iter().map(row))
    }
}
