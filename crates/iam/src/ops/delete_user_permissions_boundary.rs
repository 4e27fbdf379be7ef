//! `DeleteUserPermissionsBoundary`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::User;
use crate::names::UserName;
use crate::shapes::on_user;
use crate::{Error, Iam};

pub(super) struct DeleteUserPermissionsBoundary;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
}

impl Operation for DeleteUserPermissionsBoundary {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteUserPermissionsBoundary";
    const ACTION: &'static str = "iam:DeleteUserPermissionsBoundary";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let change = |entity: &mut User, _: &Directory| {
            entity.boundary = None;
            Ok(())
        };
        iam.update(&cx.account, &request.user_name, change).await.map(drop)
    }
}
