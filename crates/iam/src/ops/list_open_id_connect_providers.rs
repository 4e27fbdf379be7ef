//! `ListOpenIDConnectProviders`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviders.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::{Named, OidcProvider};
use crate::{Error, Iam};

pub(super) struct ListOpenIDConnectProviders;

#[derive(Deserialize)]
pub(super) struct Request {}

impl Operation for ListOpenIDConnectProviders {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListOpenIDConnectProviders";
    const ACTION: &'static str = "iam:ListOpenIDConnectProviders";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iam: &Iam, cx: &Context, _: Request) -> Result<Value, Error> {
        let all = iam.all::<OidcProvider>(&cx.account);
        let list: Vec<Value> = all.iter().map(|held| json!({"Arn": held.entity.arn(&cx.account)})).collect();
        Ok(json!({"OpenIDConnectProviderList": list}))
    }
}
