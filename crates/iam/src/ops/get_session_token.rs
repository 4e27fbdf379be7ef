//! `GetSessionToken`: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
//!
//! Differs from AWS: there are no MFA devices, so a request with SerialNumber or TokenCode is denied.

use kernel::{Context, Principal};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::limits::{ROOT_TOKEN_S_MAX, SESSION_S_MIN, TOKEN_S_DEFAULT, TOKEN_S_MAX};
use crate::names::{Number, SerialNumber, TokenCode};
use crate::ops::{check_mfa, credentials, token_size};
use crate::{Error, Iam};

pub(super) struct GetSessionToken;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    duration_seconds: Option<Number>,
    serial_number: Option<SerialNumber>,
    token_code: Option<TokenCode>,
    minimum_session_token_size: Option<Number>,
}

impl Operation for GetSessionToken {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetSessionToken";
    const ACTION: &'static str = "sts:GetSessionToken";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `AccessDenied`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let is_root = matches!(cx.principal, Principal::Root { .. });
        let long_term = is_root || matches!(cx.principal, Principal::User { issued_at: None, .. });
        if !long_term {
            return Err(Error::AccessDenied(
                "Cannot call GetSessionToken with session credentials".to_owned(),
            ));
        }
        check_mfa(request.serial_number.as_ref(), request.token_code.as_ref())?;
        let size_min = token_size(request.minimum_session_token_size)?;
        let asked = match request.duration_seconds {
            Some(number) => number.within("durationSeconds", SESSION_S_MIN, TOKEN_S_MAX)?,
            None => TOKEN_S_DEFAULT,
        };
        let seconds = if is_root { asked.min(ROOT_TOKEN_S_MAX) } else { asked };
        let refused = || Error::AccessDenied("Access denied".to_owned());
        let temporary = iam.issue(&cx.principal, seconds, size_min).ok_or_else(refused)?;
        Ok(json!({"Credentials": credentials(&temporary)}))
    }
}
