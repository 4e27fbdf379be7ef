//! `ListInstanceProfileTags`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfileTags.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::InstanceProfile;
use crate::names::InstanceProfileName;
use crate::shapes::{PageRequest, on_instance_profile};
use crate::{Error, Iam};

pub(super) struct ListInstanceProfileTags;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    instance_profile_name: InstanceProfileName,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListInstanceProfileTags {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListInstanceProfileTags";
    const ACTION: &'static str = "iam:ListInstanceProfileTags";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_instance_profile(cx, &request.instance_profile_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let name = request.instance_profile_name.0;
        let held = iam.entity::<InstanceProfile>(&cx.account, &name)?;
        let row = |(key, value): (&String, &String)| (key.clone(), json!({"Key": key, "Value": value}));
        request.page.cut("Tags", held.entity.tags.iter().map(row))
    }
}
