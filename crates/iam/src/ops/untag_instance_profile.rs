//! `UntagInstanceProfile`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagInstanceProfile.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::InstanceProfile;
use crate::names::{InstanceProfileName, List, TagKey};
use crate::shapes::on_instance_profile;
use crate::{Error, Iam};

pub(super) struct UntagInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    instance_profile_name: InstanceProfileName,
    tag_keys: List<TagKey>,
}

impl Operation for UntagInstanceProfile {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "UntagInstanceProfile";
    const ACTION: &'static str = "iam:UntagInstanceProfile";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_instance_profile(cx, &request.instance_profile_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let name = request.instance_profile_name.0;
        let change = |entity: &mut InstanceProfile, _: &Directory| {
            entity.tags.retain(|key, _| !request.tag_keys.0.iter().any(|tag_key| tag_key.0 == *key));
            Ok(())
        };
        iam.update(&cx.account, &name, change).await.map(drop)
    }
}
