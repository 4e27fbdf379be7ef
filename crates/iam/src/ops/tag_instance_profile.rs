//! `TagInstanceProfile`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagInstanceProfile.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::InstanceProfile;
use crate::names::{InstanceProfileName, List, Tag};
use crate::ops::add_tags;
use crate::shapes::on_instance_profile;
use crate::{Error, Iam};

pub(super) struct TagInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    instance_profile_name: InstanceProfileName,
    tags: List<Tag>,
}

impl Operation for TagInstanceProfile {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "TagInstanceProfile";
    const ACTION: &'static str = "iam:TagInstanceProfile";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_instance_profile(cx, &request.instance_profile_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`, `InvalidInput`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let tags = request.tags.into_tags()?;
        let name = request.instance_profile_name.0;
        let change = |entity: &mut InstanceProfile, _: &Directory| add_tags(&mut entity.tags, tags);
        iam.update(&cx.account, &name, change).await.map(drop)
    }
}
