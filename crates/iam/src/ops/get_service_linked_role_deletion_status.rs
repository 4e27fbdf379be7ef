//! `GetServiceLinkedRoleDeletionStatus`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::SERVICE_LINKED_PATH;
use crate::{Error, Iam};

pub(super) struct GetServiceLinkedRoleDeletionStatus;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    deletion_task_id: String,
}

impl Operation for GetServiceLinkedRoleDeletionStatus {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetServiceLinkedRoleDeletionStatus";
    const ACTION: &'static str = "iam:GetServiceLinkedRoleDeletionStatus";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidInput`.
    async fn handle(_: &Iam, _: &Context, request: Request) -> Result<Value, Error> {
        let task = &request.deletion_task_id;
        let prefix = format!("task{SERVICE_LINKED_PATH}");
        let parts: Vec<&str> =
            task.strip_prefix(&prefix).map(|rest| rest.split('/').collect()).unwrap_or_default();
        let [_, role, _] = parts.as_slice() else {
            return Err(Error::InvalidInput(format!("Deletion task {task} is not valid.")));
        };
        // Deletion is done when its task is answered; a role that is there again was made since.
        tracing::trace!(role, "deletion status");
        Ok(json!({"Status": "SUCCEEDED"}))
    }
}
