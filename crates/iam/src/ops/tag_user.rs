//! `TagUser`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::User;
use crate::names::{List, Tag, UserName};
use crate::ops::add_tags;
use crate::shapes::on_user;
use crate::{Error, Iam};

pub(super) struct TagUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    tags: List<Tag>,
}

impl Operation for TagUser {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "TagUser";
    const ACTION: &'static str = "iam:TagUser";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`, `InvalidInput`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let tags = request.tags.into_tags()?;
        let name = request.user_name.0;
        let change = |entity: &mut User, _: &Directory| add_tags(&mut entity.tags, tags);
        iam.update(&cx.account, &name, change).await.map(drop)
    }
}
