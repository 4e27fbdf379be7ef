//! `TagOpenIDConnectProvider`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagOpenIDConnectProvider.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::OidcProvider;
use crate::names::{List, Tag};
use crate::oidc::{ProviderArn, on_provider};
use crate::ops::add_tags;
use crate::{Error, Iam};

pub(super) struct TagOpenIDConnectProvider;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: ProviderArn,
    tags: List<Tag>,
}

impl Operation for TagOpenIDConnectProvider {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "TagOpenIDConnectProvider";
    const ACTION: &'static str = "iam:TagOpenIDConnectProvider";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_provider(&request.arn)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`, `InvalidInput`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let more = request.tags.into_tags()?;
        let tag = |provider: &mut OidcProvider, _: &Directory| add_tags(&mut provider.tags, more);
        iam.update_provider(cx, &request.arn, tag).await.map(drop)
    }
}
