//! `RemoveUserFromGroup`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::change::Described;
use crate::directory::Directory;
use crate::entity::{Group, User};
use crate::names::{GroupName, UserName};
use crate::shapes::on_group;
use crate::{Error, Iam};

pub(super) struct RemoveUserFromGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    user_name: UserName,
}

impl Operation for RemoveUserFromGroup {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "RemoveUserFromGroup";
    const ACTION: &'static str = "iam:RemoveUserFromGroup";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let group = request.group_name.0;
        let change = |user: &mut User, directory: &Directory| {
            if directory.get::<Group>(&cx.account, &group).is_none() {
                return Err(Error::NoSuchEntity(Group::missing(&group)));
            }
            if user.groups.remove(&group) {
                return Ok(());
            }
            Err(Error::NoSuchEntity(format!("User {} is not in group {group}.", user.name)))
        };
        iam.update(&cx.account, &request.user_name, change).await.map(drop)
    }
}
