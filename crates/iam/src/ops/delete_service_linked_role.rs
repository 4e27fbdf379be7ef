//! `DeleteServiceLinkedRole`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::{Role, SERVICE_LINKED_PATH};
use crate::names::RoleName;
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct DeleteServiceLinkedRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
}

impl Operation for DeleteServiceLinkedRole {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "DeleteServiceLinkedRole";
    const ACTION: &'static str = "iam:DeleteServiceLinkedRole";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let check = |role: &Role, _: &Directory| {
            if role.is_service_linked() {
                return Ok(());
            }
            Err(Error::InvalidInput(format!("{} is not a service-linked role.", role.name)))
        };
        let held = iam.entity::<Role>(&cx.account, &request.role_name)?;
        iam.remove::<Role>(&cx.account, &request.role_name, check).await?;
        let service = held.entity.path.trim_start_matches(SERVICE_LINKED_PATH).trim_end_matches('/');
        let task = format!("task{SERVICE_LINKED_PATH}{service}/{}/{}", held.entity.name, iam.entropy.uuid());
        Ok(json!({"DeletionTaskId": task}))
    }
}
