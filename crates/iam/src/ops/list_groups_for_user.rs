//! `ListGroupsForUser`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::{Group, User};
use crate::names::UserName;
use crate::shapes::{PageRequest, on_user};
use crate::{Error, Iam, shapes};

pub(super) struct ListGroupsForUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListGroupsForUser {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListGroupsForUser";
    const ACTION: &'static str = "iam:ListGroupsForUser";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let user = iam.entity::<User>(&cx.account, &request.user_name)?;
        let all = iam.all::<Group>(&cx.account);
        let of_user = all.iter().filter(|held| user.entity.groups.contains(&held.entity.name));
        let row = |group: &Group| (group.name.to_lowercase(), shapes::group(&cx.account, group));
        request.page.cut("Groups", of_user.map(|held| row(&held.entity)))
    }
}
