//! `UpdateRoleDescription`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRoleDescription.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::change::modifiable;
use crate::directory::Directory;
use crate::entity::Role;
use crate::names::RoleName;
use crate::ops::check_description;
use crate::shapes::on_role;
use crate::{Error, Iam, shapes};

pub(super) struct UpdateRoleDescription;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    description: String,
}

impl Operation for UpdateRoleDescription {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "UpdateRoleDescription";
    const ACTION: &'static str = "iam:UpdateRoleDescription";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let description = check_description(Some(request.description))?;
        let change = |role: &mut Role, _: &Directory| {
            modifiable(role)?;
            role.description = description;
            Ok(())
        };
        let held = iam.update(&cx.account, &request.role_name, change).await?;
        Ok(json!({"Role": shapes::role(&cx.account, &held.entity)}))
    }
}
