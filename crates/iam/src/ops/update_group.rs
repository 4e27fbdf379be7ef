//! `UpdateGroup`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::names::{GroupName, NewGroupName, Path};
use crate::shapes::on_group;
use crate::{Error, Iam};

pub(super) struct UpdateGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    new_group_name: Option<NewGroupName>,
    new_path: Option<Path>,
}

impl Operation for UpdateGroup {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "UpdateGroup";
    const ACTION: &'static str = "iam:UpdateGroup";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let (name, path) = (request.new_group_name.map(|name| name.0), request.new_path.map(|path| path.0));
        iam.rename_group(&cx.account, &request.group_name, name, path).await
    }
}
