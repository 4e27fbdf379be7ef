//! `ListAccountAliases`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::shapes::PageRequest;
use crate::{Error, Iam};

pub(super) struct ListAccountAliases;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListAccountAliases {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListAccountAliases";
    const ACTION: &'static str = "iam:ListAccountAliases";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let alias = iam.directory().account(&cx.account).alias.clone();
        request.page.cut("AccountAliases", alias.into_iter().map(|alias| (alias.clone(), Value::from(alias))))
    }
}
