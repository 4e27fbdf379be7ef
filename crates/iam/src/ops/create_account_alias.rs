//! `CreateAccountAlias`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::Alias;
use crate::ops::check_alias;
use crate::{Error, Iam};

pub(super) struct CreateAccountAlias;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    account_alias: String,
}

impl Operation for CreateAccountAlias {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "CreateAccountAlias";
    const ACTION: &'static str = "iam:CreateAccountAlias";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `EntityAlreadyExists`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let alias = check_alias(request.account_alias)?;
        iam.put_alias(Alias { alias, account: cx.account.clone() }).await
    }
}
