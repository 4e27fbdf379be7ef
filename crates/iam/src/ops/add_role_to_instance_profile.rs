//! `AddRoleToInstanceProfile`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::change::{Described, modifiable};
use crate::directory::Directory;
use crate::entity::{InstanceProfile, Role};
use crate::names::{InstanceProfileName, RoleName};
use crate::shapes::on_instance_profile;
use crate::{Error, Iam};

pub(super) struct AddRoleToInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    instance_profile_name: InstanceProfileName,
    role_name: RoleName,
}

impl Operation for AddRoleToInstanceProfile {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "AddRoleToInstanceProfile";
    const ACTION: &'static str = "iam:AddRoleToInstanceProfile";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_instance_profile(cx, &request.instance_profile_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let role = request.role_name.0;
        let change = |profile: &mut InstanceProfile, directory: &Directory| {
            let held = directory.get::<Role>(&cx.account, &role);
            modifiable(&held.ok_or_else(|| Error::NoSuchEntity(Role::missing(&role)))?.entity)?;
            if profile.role.is_some() {
                return Err(Error::quota("InstanceSessionsPerInstanceProfile", 1));
            }
            profile.role = Some(role);
            Ok(())
        };
        iam.update(&cx.account, &request.instance_profile_name, change).await.map(drop)
    }
}
