//! `CreateRole`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::documents::check_trust;
use crate::entity::{Grants, Role, SERVICE_LINKED_PATH};
use crate::ids;
use crate::names::{List, Number, Path, PolicyArn, RoleName, Tag};
use crate::ops::{check_boundary, check_description, session_duration};
use crate::shapes::on_new;
use crate::{Error, Iam, shapes};

pub(super) struct CreateRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    path: Option<Path>,
    assume_role_policy_document: String,
    description: Option<String>,
    max_session_duration: Option<Number>,
    permissions_boundary: Option<PolicyArn>,
    #[serde(default)]
    tags: List<Tag>,
}

impl Operation for CreateRole {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "CreateRole";
    const ACTION: &'static str = "iam:CreateRole";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_new(cx, "role", request.path.as_ref(), &request.role_name)
    }

    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `MalformedPolicyDocument`, `InvalidInput`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let boundary = request.permissions_boundary.map(|arn| arn.0);
        let path = request.path.map_or_else(|| "/".to_owned(), |path| path.0);
        if path.starts_with(SERVICE_LINKED_PATH) {
            let said = format!("Path {path} is reserved for service-linked roles.");
            return Err(Error::Validation(said));
        }
        let role = Role {
            name: request.role_name.0,
            path,
            id: ids::unique(&iam.entropy, "AROA"),
            created_at: iam.clock.now(),
            description: check_description(request.description)?,
            session_s_max: session_duration(request.max_session_duration)?,
            trust: request.assume_role_policy_document,
            tags: request.tags.into_tags()?,
            boundary: boundary.clone(),
            grants: Grants::default(),
        };
        let trust = role.trust.clone();
        let check = |directory: &Directory| {
            check_trust(&trust, &cx.account, directory)?;
            check_boundary(directory, cx, boundary.as_deref())
        };
        let held = iam.insert(&cx.account, role, check).await?;
        Ok(json!({"Role": shapes::role(&cx.account, &held.entity)}))
    }
}
