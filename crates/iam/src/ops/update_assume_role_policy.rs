//! `UpdateAssumeRolePolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::change::modifiable;
use crate::directory::Directory;
use crate::documents::check_trust;
use crate::entity::Role;
use crate::names::RoleName;
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct UpdateAssumeRolePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    policy_document: String,
}

impl Operation for UpdateAssumeRolePolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "UpdateAssumeRolePolicy";
    const ACTION: &'static str = "iam:UpdateAssumeRolePolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let trust = request.policy_document;
        let change = |role: &mut Role, directory: &Directory| {
            modifiable(role)?;
            check_trust(&trust, &cx.account, directory)?;
            role.trust = trust;
            Ok(())
        };
        iam.update(&cx.account, &request.role_name, change).await.map(drop)
    }
}
