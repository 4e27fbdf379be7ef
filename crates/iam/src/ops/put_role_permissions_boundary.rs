//! `PutRolePermissionsBoundary`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::change::modifiable;
use crate::directory::Directory;
use crate::entity::Role;
use crate::names::{PolicyArn, RoleName};
use crate::ops::check_boundary;
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct PutRolePermissionsBoundary;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    permissions_boundary: PolicyArn,
}

impl Operation for PutRolePermissionsBoundary {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "PutRolePermissionsBoundary";
    const ACTION: &'static str = "iam:PutRolePermissionsBoundary";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let arn = request.permissions_boundary.0;
        let change = |entity: &mut Role, directory: &Directory| {
            modifiable(entity)?;
            check_boundary(directory, cx, Some(&arn))?;
            entity.boundary = Some(arn);
            Ok(())
        };
        iam.update(&cx.account, &request.role_name, change).await.map(drop)
    }
}
