//! `RemoveClientIDFromOpenIDConnectProvider`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveClientIDFromOpenIDConnectProvider.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::OidcProvider;
use crate::names::ClientId;
use crate::oidc::{ProviderArn, on_provider};
use crate::{Error, Iam};

pub(super) struct RemoveClientIDFromOpenIDConnectProvider;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    #[serde(rename = "ClientID")]
    client_id: ClientId,
}

impl Operation for RemoveClientIDFromOpenIDConnectProvider {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "RemoveClientIDFromOpenIDConnectProvider";
    const ACTION: &'static str = "iam:RemoveClientIDFromOpenIDConnectProvider";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_provider(&request.arn)
    }

    /// # Errors
    /// `NoSuchEntity`. To remove what is not there is no error.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let remove = |provider: &mut OidcProvider, _: &Directory| {
            provider.client_ids.retain(|id| *id != request.client_id.0);
            Ok(())
        };
        iam.update_provider(cx, &request.arn, remove).await.map(drop)
    }
}
