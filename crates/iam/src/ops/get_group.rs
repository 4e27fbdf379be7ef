//! `GetGroup`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::{Group, User};
use crate::names::GroupName;
use crate::shapes::{PageRequest, on_group};
use crate::{Error, Iam, shapes};

pub(super) struct GetGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for GetGroup {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetGroup";
    const ACTION: &'static str = "iam:GetGroup";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let group = iam.entity::<Group>(&cx.account, &request.group_name)?;
        let all = iam.all::<User>(&cx.account);
        let members = all.iter().filter(|held| held.entity.groups.contains(&request.group_name.0));
        let row = |user: &User| (user.name.to_lowercase(), shapes::user_row(&cx.account, user));
        let mut answer = request.page.cut("Users", members.map(|held| row(&held.entity)))?;
        answer["Group"] = shapes::group(&cx.account, &group.entity);
        Ok(answer)
    }
}
