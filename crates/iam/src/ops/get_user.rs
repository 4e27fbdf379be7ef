//! `GetUser`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html>

use kernel::{Context, Principal};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::User;
use crate::names::UserName;
use crate::ops::user_or_caller;
use crate::shapes::on_user_or_caller;
use crate::{Error, Iam, shapes};

pub(super) struct GetUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: Option<UserName>,
}

impl Operation for GetUser {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetUser";
    const ACTION: &'static str = "iam:GetUser";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user_or_caller(cx, request.user_name.as_deref())
    }

    /// # Errors
    /// `NoSuchEntity`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        if let (None, Principal::Root { account }) = (&request.user_name, &cx.principal) {
            let root =
                json!({"UserId": account, "Arn": cx.principal.arn(), "CreateDate": "1970-01-01T00:00:00Z"});
            return Ok(json!({"User": root}));
        }
        let name = user_or_caller(cx, request.user_name)?;
        let held = iam.entity::<User>(&cx.account, &name)?;
        Ok(json!({"User": shapes::user(&cx.account, &held.entity)}))
    }
}
