//! `DeleteAccountAlias`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccountAlias.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::Alias;
use crate::ops::check_alias;
use crate::{Error, Iam};

pub(super) struct DeleteAccountAlias;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    account_alias: String,
}

impl Operation for DeleteAccountAlias {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteAccountAlias";
    const ACTION: &'static str = "iam:DeleteAccountAlias";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `NoSuchEntity`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let alias = check_alias(request.account_alias)?;
        iam.remove_alias(Alias { alias, account: cx.account.clone() }).await
    }
}
