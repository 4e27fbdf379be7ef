//! `GetInstanceProfile`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetInstanceProfile.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::InstanceProfile;
use crate::names::InstanceProfileName;
use crate::ops::profile_shape;
use crate::shapes::on_instance_profile;
use crate::{Error, Iam};

pub(super) struct GetInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    instance_profile_name: InstanceProfileName,
}

impl Operation for GetInstanceProfile {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetInstanceProfile";
    const ACTION: &'static str = "iam:GetInstanceProfile";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_instance_profile(cx, &request.instance_profile_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let held = iam.entity::<InstanceProfile>(&cx.account, &request.instance_profile_name)?;
        Ok(json!({"InstanceProfile": profile_shape(iam, cx, &held.entity)}))
    }
}
