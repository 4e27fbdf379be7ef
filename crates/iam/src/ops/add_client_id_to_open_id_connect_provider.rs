//! `AddClientIDToOpenIDConnectProvider`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddClientIDToOpenIDConnectProvider.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::OidcProvider;
use crate::names::ClientId;
use crate::oidc::{ProviderArn, on_provider};
use crate::{Error, Iam};

pub(super) struct AddClientIDToOpenIDConnectProvider;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    #[serde(rename = "ClientID")]
    client_id: ClientId,
}

impl Operation for AddClientIDToOpenIDConnectProvider {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "AddClientIDToOpenIDConnectProvider";
    const ACTION: &'static str = "iam:AddClientIDToOpenIDConnectProvider";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_provider(&request.arn)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let add = |provider: &mut OidcProvider, _: &Directory| provider.add_client_id(request.client_id.0);
        iam.update_provider(cx, &request.arn, add).await.map(drop)
    }
}
