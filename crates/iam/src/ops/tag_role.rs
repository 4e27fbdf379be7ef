//! `TagRole`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::Role;
use crate::names::{List, RoleName, Tag};
use crate::ops::add_tags;
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct TagRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    tags: List<Tag>,
}

impl Operation for TagRole {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "TagRole";
    const ACTION: &'static str = "iam:TagRole";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`, `InvalidInput`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let tags = request.tags.into_tags()?;
        let name = request.role_name.0;
        let change = |entity: &mut Role, _: &Directory| add_tags(&mut entity.tags, tags);
        iam.update(&cx.account, &name, change).await.map(drop)
    }
}
