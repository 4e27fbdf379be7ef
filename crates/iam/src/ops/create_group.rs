//! `CreateGroup`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::{Grants, Group};
use crate::ids;
use crate::names::{GroupName, Path};
use crate::shapes::on_new;
use crate::{Error, Iam, shapes};

pub(super) struct CreateGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    path: Option<Path>,
}

impl Operation for CreateGroup {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "CreateGroup";
    const ACTION: &'static str = "iam:CreateGroup";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_new(cx, "group", request.path.as_ref(), &request.group_name)
    }

    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let group = Group {
            name: request.group_name.0,
            path: request.path.map_or_else(|| "/".to_owned(), |path| path.0),
            id: ids::unique(&iam.entropy, "AGPA"),
            created_at: iam.clock.now(),
            grants: Grants::default(),
        };
        let held = iam.insert(&cx.account, group, |_| Ok(())).await?;
        Ok(json!({"Group": shapes::group(&cx.account, &held.entity)}))
    }
}
