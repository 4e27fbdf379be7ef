//! `AssumeRoleWithWebIdentity`: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
//!
//! Needs no signature: the token says who asks.
//!
//! Differs from AWS: there are no OAuth 2.0 providers, so one with ProviderId is refused; the provider's condition keys
//! (`PROVIDER:sub` …) are the trust policy's alone, the session does not keep them.

use std::sync::Arc;

use kernel::{Context, Principal};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::names::{List, Number, PolicyDescriptor, ProviderId, RoleArn, RoleSessionName, WebIdentityToken};
use crate::ops::credentials;
use crate::shapes::on_policy;
use crate::web_identity::AssumeWithToken;
use crate::{Error, Iam};

pub(super) struct AssumeRoleWithWebIdentity;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_arn: RoleArn,
    role_session_name: RoleSessionName,
    web_identity_token: WebIdentityToken,
    provider_id: Option<ProviderId>,
    duration_seconds: Option<Number>,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: List<PolicyDescriptor>,
}

impl Operation for AssumeRoleWithWebIdentity {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "AssumeRoleWithWebIdentity";
    const ACTION: &'static str = "sts:AssumeRoleWithWebIdentity";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.role_arn.0)
    }

    /// # Errors
    /// `InvalidIdentityToken`, `ExpiredTokenException`, `IDPCommunicationError`, `AccessDenied`, `ValidationError`,
    /// `MalformedPolicyDocument`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        if let Some(ProviderId(id)) = request.provider_id {
            return Err(Error::Validation(format!("ProviderId {id} is not supported.")));
        }
        let assume = AssumeWithToken {
            role: request.role_arn.0,
            session: request.role_session_name.0,
            token: request.web_identity_token.0,
            duration: request.duration_seconds,
            policy: request.policy,
            policy_arns: request.policy_arns.0.into_iter().map(|descriptor| descriptor.arn.0).collect(),
        };
        let vouched = iam.assume_role_with_token(cx, assume).await?;
        let assumed = vouched.assumed;
        let id = format!("{}:{}", assumed.session.role_id, assumed.session.name);
        let (arn, source_identity) = (assumed.session.arn(), assumed.session.source_identity.clone());
        let principal = Principal::Session(Arc::new(assumed.session));
        let refused = || Error::AccessDenied("Access denied".to_owned());
        let temporary = iam.issue(&principal, assumed.seconds, 0).ok_or_else(refused)?;
        Ok(json!({
            "Credentials": credentials(&temporary),
            "SubjectFromWebIdentityToken": vouched.subject,
            "AssumedRoleUser": {"AssumedRoleId": id, "Arn": arn},
            "PackedPolicySize": assumed.packed_percent,
            "Provider": vouched.provider,
            "Audience": vouched.audience,
            "SourceIdentity": source_identity,
        }))
    }
}
