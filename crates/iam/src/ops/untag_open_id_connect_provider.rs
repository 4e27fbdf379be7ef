//! `UntagOpenIDConnectProvider`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagOpenIDConnectProvider.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::OidcProvider;
use crate::names::{List, TagKey};
use crate::oidc::{ProviderArn, on_provider};
use crate::{Error, Iam};

pub(super) struct UntagOpenIDConnectProvider;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    tag_keys: List<TagKey>,
}

impl Operation for UntagOpenIDConnectProvider {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "UntagOpenIDConnectProvider";
    const ACTION: &'static str = "iam:UntagOpenIDConnectProvider";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_provider(&request.arn)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let untag = |provider: &mut OidcProvider, _: &Directory| {
            provider.tags.retain(|key, _| !request.tag_keys.0.iter().any(|tag_key| tag_key.0 == *key));
            Ok(())
        };
        iam.update_provider(cx, &request.arn, untag).await.map(drop)
    }
}
