//! `DeleteRolePermissionsBoundary`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::change::modifiable;
use crate::directory::Directory;
use crate::entity::Role;
use crate::names::RoleName;
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct DeleteRolePermissionsBoundary;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
}

impl Operation for DeleteRolePermissionsBoundary {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteRolePermissionsBoundary";
    const ACTION: &'static str = "iam:DeleteRolePermissionsBoundary";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let change = |entity: &mut Role, _: &Directory| {
            modifiable(entity)?;

            entity.boundary = None;
            Ok(())
        };
        iam.update(&cx.account, &request.role_name, change).await.map(drop)
    }
}
