//! `CreateOpenIDConnectProvider`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::{Named, OidcProvider};
use crate::names::{ClientId, List, ProviderUrl, Tag};
use crate::oidc::{self, on_new_provider};
use crate::{Error, Iam, shapes};

pub(super) struct CreateOpenIDConnectProvider;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    url: ProviderUrl,
    #[serde(default, rename = "ClientIDList")]
    client_ids: List<ClientId>,
    #[serde(default)]
    thumbprint_list: List<String>,
    #[serde(default)]
    tags: List<Tag>,
}

impl Operation for CreateOpenIDConnectProvider {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "CreateOpenIDConnectProvider";
    const ACTION: &'static str = "iam:CreateOpenIDConnectProvider";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_new_provider(cx, &request.url.0)
    }

    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `InvalidInput`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let mut provider = OidcProvider {
            url: oidc::url(&request.url.0)?,
            client_ids: Vec::new(),
            thumbprints: oidc::thumbprints(&request.thumbprint_list)?,
            created_at: iam.clock.now(),
            tags: request.tags.into_tags()?,
        };
        for ClientId(id) in request.client_ids.0 {
            provider.add_client_id(id)?;
        }
        let held = iam.insert(&cx.account, provider, |_| Ok(())).await?;
        let provider = &held.entity;
        Ok(json!({
            "OpenIDConnectProviderArn": provider.arn(&cx.account),
            "Tags": shapes::tags(&provider.tags),
        }))
    }
}
