//! `DeleteGroup`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::{Directory, Kept};
use crate::entity::{Group, User};
use crate::grants::check_bare;
use crate::names::GroupName;
use crate::shapes::on_group;
use crate::{Error, Iam};

pub(super) struct DeleteGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
}

impl Operation for DeleteGroup {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteGroup";
    const ACTION: &'static str = "iam:DeleteGroup";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `DeleteConflict`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let check = |group: &Group, directory: &Directory| {
            let mut users = User::of(directory.account(&cx.account)).values();
            if users.any(|held| held.entity.groups.contains(&group.name)) {
                return Err(Error::DeleteConflict(
                    "Cannot delete entity, must remove users from group first.",
                ));
            }
            check_bare(&group.grants)
        };
        iam.remove::<Group>(&cx.account, &request.group_name, check).await
    }
}
