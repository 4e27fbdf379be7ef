//! `CreateInstanceProfile`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::InstanceProfile;
use crate::ids;
use crate::names::{InstanceProfileName, List, Path, Tag};
use crate::shapes::on_new;
use crate::{Error, Iam, shapes};

pub(super) struct CreateInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    instance_profile_name: InstanceProfileName,
    path: Option<Path>,
    #[serde(default)]
    tags: List<Tag>,
}

impl Operation for CreateInstanceProfile {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "CreateInstanceProfile";
    const ACTION: &'static str = "iam:CreateInstanceProfile";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_new(cx, "instance-profile", request.path.as_ref(), &request.instance_profile_name)
    }

    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `InvalidInput`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let profile = InstanceProfile {
            name: request.instance_profile_name.0,
            path: request.path.map_or_else(|| "/".to_owned(), |path| path.0),
            id: ids::unique(&iam.entropy, "AIPA"),
            created_at: iam.clock.now(),
            tags: request.tags.into_tags()?,
            role: None,
        };
        let held = iam.insert(&cx.account, profile, |_| Ok(())).await?;
        Ok(json!({"InstanceProfile": shapes::instance_profile(&cx.account, &held.entity, None)}))
    }
}
