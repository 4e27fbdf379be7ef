//! `ListInstanceProfilesForRole`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::{InstanceProfile, Role};
use crate::names::RoleName;
use crate::ops::profile_shape;
use crate::shapes::{PageRequest, on_role};
use crate::{Error, Iam};

pub(super) struct ListInstanceProfilesForRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListInstanceProfilesForRole {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListInstanceProfilesForRole";
    const ACTION: &'static str = "iam:ListInstanceProfilesForRole";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let role = iam.entity::<Role>(&cx.account, &request.role_name)?;
        let all = iam.all::<InstanceProfile>(&cx.account);
        let of_role = all.iter().filter(|held| held.entity.role.as_ref() == Some(&role.entity.name));
        let row = |profile: &InstanceProfile| (profile.name.to_lowercase(), profile_shape(iam, cx, profile));
        request.page.cut("InstanceProfiles", of_role.map(|held| row(&held.entity)))
    }
}
