//! `UpdateOpenIDConnectProviderThumbprint`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateOpenIDConnectProviderThumbprint.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::OidcProvider;
use crate::names::List;
use crate::oidc::{self, ProviderArn, on_provider};
use crate::{Error, Iam};

pub(super) struct UpdateOpenIDConnectProviderThumbprint;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    thumbprint_list: List<String>,
}

impl Operation for UpdateOpenIDConnectProviderThumbprint {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "UpdateOpenIDConnectProviderThumbprint";
    const ACTION: &'static str = "iam:UpdateOpenIDConnectProviderThumbprint";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_provider(&request.arn)
    }

    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let thumbprints = oidc::thumbprints(&request.thumbprint_list)?;
        let replace = |provider: &mut OidcProvider, _: &Directory| {
            provider.thumbprints = thumbprints;
            Ok(())
        };
        iam.update_provider(cx, &request.arn, replace).await.map(drop)
    }
}
