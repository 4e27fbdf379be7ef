//! `GetRole`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>
//!
//! Differs from AWS: RoleLastUsed is always empty.

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::Role;
use crate::names::RoleName;
use crate::shapes::on_role;
use crate::{Error, Iam, shapes};

pub(super) struct GetRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
}

impl Operation for GetRole {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetRole";
    const ACTION: &'static str = "iam:GetRole";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let held = iam.entity::<Role>(&cx.account, &request.role_name)?;
        let mut shape = shapes::role(&cx.account, &held.entity);
        // An empty element, as AWS answers for a role that was never used.
        shape["RoleLastUsed"] = json!({});
        Ok(json!({"Role": shape}))
    }
}
