//! `CreateUser`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html>

use std::collections::BTreeSet;

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::{Grants, User};
use crate::ids;
use crate::names::{List, Path, PolicyArn, Tag, UserName};
use crate::ops::check_boundary;
use crate::shapes::on_new;
use crate::{Error, Iam, shapes};

pub(super) struct CreateUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    path: Option<Path>,
    permissions_boundary: Option<PolicyArn>,
    #[serde(default)]
    tags: List<Tag>,
}

impl Operation for CreateUser {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "CreateUser";
    const ACTION: &'static str = "iam:CreateUser";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_new(cx, "user", request.path.as_ref(), &request.user_name)
    }

    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `NoSuchEntity`, `InvalidInput`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let boundary = request.permissions_boundary.map(|arn| arn.0);
        let user = User {
            name: request.user_name.0,
            path: request.path.map_or_else(|| "/".to_owned(), |path| path.0),
            id: ids::unique(&iam.entropy, "AIDA"),
            created_at: iam.clock.now(),
            tags: request.tags.into_tags()?,
            boundary: boundary.clone(),
            grants: Grants::default(),
            groups: BTreeSet::new(),
        };
        let check = |directory: &Directory| check_boundary(directory, cx, boundary.as_deref());
        let held = iam.insert(&cx.account, user, check).await?;
        Ok(json!({"User": shapes::user(&cx.account, &held.entity)}))
    }
}
