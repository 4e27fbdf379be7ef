//! `ListRoleTags`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::Role;
use crate::names::RoleName;
use crate::shapes::{PageRequest, on_role};
use crate::{Error, Iam};

pub(super) struct ListRoleTags;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListRoleTags {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListRoleTags";
    const ACTION: &'static str = "iam:ListRoleTags";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let name = request.role_name.0;
        let held = iam.entity::<Role>(&cx.account, &name)?;
        let row = |(key, value): (&String, &String)| (key.clone(), json!({"Key": key, "Value": value}));
        request.page.cut("Tags", held.entity.tags.iter().map(row))
    }
}
