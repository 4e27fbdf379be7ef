//! `GetCallerIdentity`: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use kernel::{Context, Principal};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::{Error, Iam};

pub(super) struct GetCallerIdentity;

#[derive(Deserialize)]
pub(super) struct Request {}

impl Operation for GetCallerIdentity {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetCallerIdentity";
    const ACTION: &'static str = "sts:GetCallerIdentity";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(_: &Iam, cx: &Context, _: Request) -> Result<Value, Error> {
        let user_id = match &cx.principal {
            Principal::Certificate { certificate_id, .. } => certificate_id.clone(),
            Principal::User { id, .. } => id.clone(),
            Principal::Session(session) => format!("{}:{}", session.role_id, session.name),
            _ => cx.account.to_string(),
        };
        Ok(json!({"UserId": user_id, "Account": cx.account, "Arn": cx.principal.arn()}))
    }
}
