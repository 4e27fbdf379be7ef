//! `DeleteRole`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::change::modifiable;
use crate::directory::{Directory, Kept};
use crate::entity::{InstanceProfile, Role};
use crate::grants::check_bare;
use crate::names::RoleName;
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct DeleteRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
}

impl Operation for DeleteRole {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteRole";
    const ACTION: &'static str = "iam:DeleteRole";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `DeleteConflict`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let check = |role: &Role, directory: &Directory| {
            modifiable(role)?;
            let mut profiles = InstanceProfile::of(directory.account(&cx.account)).values();
            if profiles.any(|held| held.entity.role.as_ref() == Some(&role.name)) {
                let said = "Cannot delete entity, must remove roles from instance profile first.";
                return Err(Error::DeleteConflict(said));
            }
            check_bare(&role.grants)
        };
        iam.remove::<Role>(&cx.account, &request.role_name, check).await
    }
}
