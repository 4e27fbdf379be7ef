//! `RemoveRoleFromInstanceProfile`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveRoleFromInstanceProfile.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::change::Described;
use crate::directory::Directory;
use crate::entity::{InstanceProfile, Role};
use crate::names::{InstanceProfileName, RoleName};
use crate::shapes::on_instance_profile;
use crate::{Error, Iam};

pub(super) struct RemoveRoleFromInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    instance_profile_name: InstanceProfileName,
    role_name: RoleName,
}

impl Operation for RemoveRoleFromInstanceProfile {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "RemoveRoleFromInstanceProfile";
    const ACTION: &'static str = "iam:RemoveRoleFromInstanceProfile";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_instance_profile(cx, &request.instance_profile_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let role = request.role_name.0;
        let change = |profile: &mut InstanceProfile, _: &Directory| {
            if profile.role.as_ref() != Some(&role) {
                return Err(Error::NoSuchEntity(Role::missing(&role)));
            }
            profile.role = None;
            Ok(())
        };
        iam.update(&cx.account, &request.instance_profile_name, change).await.map(drop)
    }
}
