//! `DeleteInstanceProfile`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::InstanceProfile;
use crate::names::InstanceProfileName;
use crate::shapes::on_instance_profile;
use crate::{Error, Iam};

pub(super) struct DeleteInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    instance_profile_name: InstanceProfileName,
}

impl Operation for DeleteInstanceProfile {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteInstanceProfile";
    const ACTION: &'static str = "iam:DeleteInstanceProfile";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_instance_profile(cx, &request.instance_profile_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `DeleteConflict`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let check = |profile: &InstanceProfile, _: &Directory| match profile.role {
            Some(_) => Err(Error::DeleteConflict(
                "Cannot delete entity, must remove roles from instance profile first.",
            )),
            None => Ok(()),
        };
        iam.remove::<InstanceProfile>(&cx.account, &request.instance_profile_name, check).await
    }
}
