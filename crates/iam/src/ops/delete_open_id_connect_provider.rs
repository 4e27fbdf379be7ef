//! `DeleteOpenIDConnectProvider`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteOpenIDConnectProvider.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::oidc::{ProviderArn, on_provider};
use crate::{Error, Iam};

pub(super) struct DeleteOpenIDConnectProvider;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
}

impl Operation for DeleteOpenIDConnectProvider {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteOpenIDConnectProvider";
    const ACTION: &'static str = "iam:DeleteOpenIDConnectProvider";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_provider(&request.arn)
    }

    /// # Errors
    /// None but those of the store: to delete what is not there is no error.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        iam.remove_provider(cx, &request.arn).await
    }
}
