//! `PutUserPermissionsBoundary`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::User;
use crate::names::{PolicyArn, UserName};
use crate::ops::check_boundary;
use crate::shapes::on_user;
use crate::{Error, Iam};

pub(super) struct PutUserPermissionsBoundary;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    permissions_boundary: PolicyArn,
}

impl Operation for PutUserPermissionsBoundary {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "PutUserPermissionsBoundary";
    const ACTION: &'static str = "iam:PutUserPermissionsBoundary";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let arn = request.permissions_boundary.0;
        let change = |entity: &mut User, directory: &Directory| {
            check_boundary(directory, cx, Some(&arn))?;
            entity.boundary = Some(arn);
            Ok(())
        };
        iam.update(&cx.account, &request.user_name, change).await.map(drop)
    }
}
