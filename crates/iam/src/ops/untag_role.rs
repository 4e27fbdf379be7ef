//! `UntagRole`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::Role;
use crate::names::{List, RoleName, TagKey};
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct UntagRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    tag_keys: List<TagKey>,
}

impl Operation for UntagRole {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "UntagRole";
    const ACTION: &'static str = "iam:UntagRole";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let name = request.role_name.0;
        let change = |entity: &mut Role, _: &Directory| {
            entity.tags.retain(|key, _| !request.tag_keys.0.iter().any(|tag_key| tag_key.0 == *key));
            Ok(())
        };
        iam.update(&cx.account, &name, change).await.map(drop)
    }
}
