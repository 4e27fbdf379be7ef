//! `ListGroups`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::Group;
use crate::names::PathPrefix;
use crate::shapes::PageRequest;
use crate::{Error, Iam, shapes};

pub(super) struct ListGroups;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    path_prefix: Option<PathPrefix>,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListGroups {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListGroups";
    const ACTION: &'static str = "iam:ListGroups";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let prefix = request.path_prefix.map_or_else(|| "/".to_owned(), |prefix| prefix.0);
        let all = iam.all::<Group>(&cx.account);
        let within = all.iter().filter(|held| held.entity.path.starts_with(&prefix));
        let row = |group: &Group| (group.name.to_lowercase(), shapes::group(&cx.account, group));
        request.page.cut("Groups", within.map(|held| row(&held.entity)))
    }
}
