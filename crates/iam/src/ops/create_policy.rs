//! `CreatePolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>

use std::collections::BTreeMap;

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::documents::check_managed;
use crate::entity::{Policy, Version};
use crate::ids;
use crate::names::{List, Path, PolicyName, Tag};
use crate::ops::check_description;
use crate::shapes::Attachments;
use crate::shapes::on_new;
use crate::{Error, Iam, shapes};

pub(super) struct CreatePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_name: PolicyName,
    path: Option<Path>,
    policy_document: String,
    description: Option<String>,
    #[serde(default)]
    tags: List<Tag>,
}

impl Operation for CreatePolicy {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "CreatePolicy";
    const ACTION: &'static str = "iam:CreatePolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_new(cx, "policy", request.path.as_ref(), &request.policy_name)
    }

    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `MalformedPolicyDocument`, `InvalidInput`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        check_managed(&request.policy_document)?;
        let now = iam.clock.now();
        let policy = Policy {
            name: request.policy_name.0,
            path: request.path.map_or_else(|| "/".to_owned(), |path| path.0),
            id: ids::unique(&iam.entropy, "ANPA"),
            created_at: now,
            updated_at: now,
            description: check_description(request.description)?,
            tags: request.tags.into_tags()?,
            versions: BTreeMap::from([(1, Version { text: request.policy_document, created_at: now })]),
            default_version: 1,
            next_version: 2,
        };
        let held = iam.insert(&cx.account, policy, |_| Ok(())).await?;
        Ok(json!({"Policy": shapes::policy_row(&cx.account, &held.entity, Attachments::default())}))
    }
}
