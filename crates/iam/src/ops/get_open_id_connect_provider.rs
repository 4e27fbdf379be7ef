//! `GetOpenIDConnectProvider`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::authorize::iso;
use crate::oidc::{ProviderArn, on_provider};
use crate::{Error, Iam, shapes};

pub(super) struct GetOpenIDConnectProvider;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
}

impl Operation for GetOpenIDConnectProvider {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetOpenIDConnectProvider";
    const ACTION: &'static str = "iam:GetOpenIDConnectProvider";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_provider(&request.arn)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let held = iam.oidc_provider(cx, &request.arn)?;
        let provider = &held.entity;
        Ok(json!({
            "Url": provider.url, "ClientIDList": provider.client_ids, "ThumbprintList": provider.thumbprints,
            "CreateDate": iso(provider.created_at), "Tags": shapes::tags(&provider.tags),
        }))
    }
}
