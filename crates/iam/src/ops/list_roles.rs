//! `ListRoles`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::Role;
use crate::names::PathPrefix;
use crate::shapes::PageRequest;
use crate::{Error, Iam, shapes};

pub(super) struct ListRoles;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    path_prefix: Option<PathPrefix>,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListRoles {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListRoles";
    const ACTION: &'static str = "iam:ListRoles";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let prefix = request.path_prefix.map_or_else(|| "/".to_owned(), |prefix| prefix.0);
        let all = iam.all::<Role>(&cx.account);
        let within = all.iter().filter(|held| held.entity.path.starts_with(&prefix));
        let row = |role: &Role| (role.name.to_lowercase(), shapes::role_row(&cx.account, role));
        request.page.cut("Roles", within.map(|held| row(&held.entity)))
    }
}
