//! `GetCallerIdentity`: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use kernel::{Context, Principal};
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::{Error, Iam};

pub(super) struct GetCallerIdentity;

#[derive(Deserialize)]
pub(super) struct Request {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    /// The unique id of the principal; the account's number for its root.
    user_id: String,
    account: String,
    arn: String,
}

impl Operation for GetCallerIdentity {
    type Service = Iam;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetCallerIdentity";
    const ACTION: &'static str = "sts:GetCallerIdentity";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(_: &Iam, cx: &Context, _: Request) -> Result<Response, Error> {
        let user_id = match &cx.principal {
            Principal::Certificate { certificate_id, .. } => certificate_id.clone(),
            _ => cx.account.to_string(),
        };
        Ok(Response { user_id, account: cx.account.to_string(), arn: cx.principal.arn() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::AccountId;
    use serde_json::json;

    use crate::{Iam, OPERATIONS, RootKey, STS};

    #[tokio::test]
    async fn root_is_told_its_account_and_arn() {
        let iam = Arc::new(Iam::new(AccountId::default_account(), RootKey::new("AK", "secret")));
        let sts = wire::service(&STS, OPERATIONS, iam);
        let output = wire::testing::call(&*sts, "GetCallerIdentity", json!({})).await.unwrap();
        assert_eq!(
            output,
            json!({"UserId": "000000000000", "Account": "000000000000", "Arn": "arn:aws:iam::000000000000:root"})
        );
    }
}
