//! `UntagUser`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::User;
use crate::names::{List, TagKey, UserName};
use crate::shapes::on_user;
use crate::{Error, Iam};

pub(super) struct UntagUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    tag_keys: List<TagKey>,
}

impl Operation for UntagUser {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "UntagUser";
    const ACTION: &'static str = "iam:UntagUser";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let name = request.user_name.0;
        let change = |entity: &mut User, _: &Directory| {
            entity.tags.retain(|key, _| !request.tag_keys.0.iter().any(|tag_key| tag_key.0 == *key));
            Ok(())
        };
        iam.update(&cx.account, &name, change).await.map(drop)
    }
}
