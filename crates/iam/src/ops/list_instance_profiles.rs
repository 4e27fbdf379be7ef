//! `ListInstanceProfiles`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::InstanceProfile;
use crate::names::PathPrefix;
use crate::ops::profile_shape;
use crate::shapes::PageRequest;
use crate::{Error, Iam};

pub(super) struct ListInstanceProfiles;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    path_prefix: Option<PathPrefix>,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListInstanceProfiles {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListInstanceProfiles";
    const ACTION: &'static str = "iam:ListInstanceProfiles";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let prefix = request.path_prefix.map_or_else(|| "/".to_owned(), |prefix| prefix.0);
        let all = iam.all::<InstanceProfile>(&cx.account);
        let within = all.iter().filter(|held| held.entity.path.starts_with(&prefix));
        let row = |profile: &InstanceProfile| (profile.name.to_lowercase(), profile_shape(iam, cx, profile));
        request.page.cut("InstanceProfiles", within.map(|held| row(&held.entity)))
    }
}
