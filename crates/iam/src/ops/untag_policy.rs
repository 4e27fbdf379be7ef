//! `UntagPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::Policy;
use crate::names::{List, PolicyArn, TagKey};
use crate::ops::own_policy;
use crate::shapes::on_policy;
use crate::{Error, Iam};

pub(super) struct UntagPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_arn: PolicyArn,
    tag_keys: List<TagKey>,
}

impl Operation for UntagPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "UntagPolicy";
    const ACTION: &'static str = "iam:UntagPolicy";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_arn.0)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let name = own_policy(cx, &request.policy_arn.0)?;
        let change = |entity: &mut Policy, _: &Directory| {
            entity.tags.retain(|key, _| !request.tag_keys.0.iter().any(|tag_key| tag_key.0 == *key));
            Ok(())
        };
        iam.update(&cx.account, &name, change).await.map(drop)
    }
}
