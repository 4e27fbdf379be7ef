//! `AddUserToGroup`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::change::Described;
use crate::directory::Directory;
use crate::entity::{Group, User};
use crate::limits::GROUPS_PER_USER_MAX;
use crate::names::{GroupName, UserName};
use crate::shapes::on_group;
use crate::{Error, Iam};

pub(super) struct AddUserToGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    user_name: UserName,
}

impl Operation for AddUserToGroup {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "AddUserToGroup";
    const ACTION: &'static str = "iam:AddUserToGroup";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let group = request.group_name.0;
        let change = |user: &mut User, directory: &Directory| {
            if directory.get::<Group>(&cx.account, &group).is_none() {
                return Err(Error::NoSuchEntity(Group::missing(&group)));
            }
            user.groups.insert(group);
            if user.groups.len() > GROUPS_PER_USER_MAX {
                return Err(Error::quota("GroupsPerUser", GROUPS_PER_USER_MAX));
            }
            Ok(())
        };
        iam.update(&cx.account, &request.user_name, change).await.map(drop)
    }
}
