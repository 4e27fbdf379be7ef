//! `GetAccessKeyLastUsed`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html>
//!
//! Differs from AWS: only uses since the node started are known.

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::authorize::iso;
use crate::names::AccessKeyId;
use crate::ops::no_key;
use crate::{Error, Iam};

pub(super) struct GetAccessKeyLastUsed;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    access_key_id: AccessKeyId,
}

impl Operation for GetAccessKeyLastUsed {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetAccessKeyLastUsed";
    const ACTION: &'static str = "iam:GetAccessKeyLastUsed";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let id = request.access_key_id.0;
        let held = iam.directory().keys.get(&id).filter(|held| held.key.account == cx.account).cloned();
        let held = held.ok_or_else(|| no_key(&id))?;
        let last = match iam.last_uses.of(&id) {
            Some(last) => {
                json!({"LastUsedDate": iso(last.at), "ServiceName": last.service, "Region": last.region})
            }
            None => json!({"ServiceName": "N/A", "Region": "N/A"}),
        };
        Ok(json!({"UserName": held.key.user, "AccessKeyLastUsed": last}))
    }
}
