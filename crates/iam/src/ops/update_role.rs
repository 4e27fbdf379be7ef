//! `UpdateRole`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::change::modifiable;
use crate::directory::Directory;
use crate::entity::Role;
use crate::names::{Number, RoleName};
use crate::ops::{check_description, session_duration};
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct UpdateRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    description: Option<String>,
    max_session_duration: Option<Number>,
}

impl Operation for UpdateRole {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "UpdateRole";
    const ACTION: &'static str = "iam:UpdateRole";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let description = check_description(request.description)?;
        let seconds = match request.max_session_duration {
            Some(number) => Some(session_duration(Some(number))?),
            None => None,
        };
        let change = |role: &mut Role, _: &Directory| {
            modifiable(role)?;
            // What is not given stays.
            role.description = description.or(role.description.take());
            role.session_s_max = seconds.unwrap_or(role.session_s_max);
            Ok(())
        };
        iam.update(&cx.account, &request.role_name, change).await?;
        Ok(json!({}))
    }
}
