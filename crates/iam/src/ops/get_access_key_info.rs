//! `GetAccessKeyInfo`: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::ids;
use crate::names::AccessKeyId;
use crate::{Error, Iam};

pub(super) struct GetAccessKeyInfo;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    access_key_id: AccessKeyId,
}

impl Operation for GetAccessKeyInfo {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetAccessKeyInfo";
    const ACTION: &'static str = "sts:GetAccessKeyInfo";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationError`.
    async fn handle(iam: &Iam, _: &Context, request: Request) -> Result<Value, Error> {
        let id = request.access_key_id.0;
        let known = iam.directory().keys.get(&id).map(|held| held.key.account.clone());
        let root = iam.find_root(&id).map(|(account, _)| account);
        let invalid = || Error::Validation("The access key id provided is not valid.".to_owned());
        let account = known.or(root).or_else(|| ids::account_of(&id)).ok_or_else(invalid)?;
        Ok(json!({"Account": account}))
    }
}
