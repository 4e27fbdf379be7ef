//! `ListOpenIDConnectProviderTags`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviderTags.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::oidc::{ProviderArn, on_provider};
use crate::shapes::PageRequest;
use crate::{Error, Iam};

pub(super) struct ListOpenIDConnectProviderTags;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListOpenIDConnectProviderTags {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListOpenIDConnectProviderTags";
    const ACTION: &'static str = "iam:ListOpenIDConnectProviderTags";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_provider(&request.arn)
    }

    /// # Errors
    /// `NoSuchEntity`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let held = iam.oidc_provider(cx, &request.arn)?;
        let tags = &held.entity.tags;
        let rows = tags.iter().map(|(key, value)| (key.clone(), json!({"Key": key, "Value": value})));
        request.page.cut("Tags", rows)
    }
}
