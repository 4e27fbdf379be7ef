//! `TagPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::Policy;
use crate::names::{List, PolicyArn, Tag};
use crate::ops::{add_tags, own_policy};
use crate::shapes::on_policy;
use crate::{Error, Iam};

pub(super) struct TagPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_arn: PolicyArn,
    tags: List<Tag>,
}

impl Operation for TagPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "TagPolicy";
    const ACTION: &'static str = "iam:TagPolicy";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_arn.0)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`, `InvalidInput`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let tags = request.tags.into_tags()?;
        let name = own_policy(cx, &request.policy_arn.0)?;
        let change = |entity: &mut Policy, _: &Directory| add_tags(&mut entity.tags, tags);
        iam.update(&cx.account, &name, change).await.map(drop)
    }
}
