//! `UpdateUser`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::names::{NewUserName, Path, UserName};
use crate::shapes::on_user;
use crate::{Error, Iam};

pub(super) struct UpdateUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    new_user_name: Option<NewUserName>,
    new_path: Option<Path>,
}

impl Operation for UpdateUser {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "UpdateUser";
    const ACTION: &'static str = "iam:UpdateUser";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let (name, path) = (request.new_user_name.map(|name| name.0), request.new_path.map(|path| path.0));
        iam.rename_user(&cx.account, &request.user_name, name, path).await
    }
}
