//! `AssumeRole`: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
//!
//! Differs from AWS: there are no MFA devices, so a request with SerialNumber or TokenCode is denied; there is no
//! Identity Center to vouch for a context, so one with ProvidedContexts is refused.

use std::sync::Arc;

use kernel::{Context, Principal};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::names::{
    ExternalId, List, Number, PolicyDescriptor, RoleArn, RoleSessionName, SerialNumber, SourceIdentity, Tag,
    TokenCode,
};
use crate::ops::{check_mfa, credentials, token_size};
use crate::shapes::on_policy;
use crate::sts::Assume;
use crate::{Error, Iam};

pub(super) struct AssumeRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_arn: RoleArn,
    role_session_name: RoleSessionName,
    duration_seconds: Option<Number>,
    external_id: Option<ExternalId>,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: List<PolicyDescriptor>,
    #[serde(default)]
    tags: List<Tag>,
    #[serde(default)]
    transitive_tag_keys: List<String>,
    source_identity: Option<SourceIdentity>,
    serial_number: Option<SerialNumber>,
    token_code: Option<TokenCode>,
    minimum_session_token_size: Option<Number>,
    #[serde(default)]
    provided_contexts: List<Value>,
}

impl Operation for AssumeRole {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "AssumeRole";
    const ACTION: &'static str = "sts:AssumeRole";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.role_arn.0)
    }

    /// # Errors
    /// `AccessDenied`, `ValidationError`, `MalformedPolicyDocument`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        if !request.provided_contexts.0.is_empty() {
            return Err(Error::Validation("ProvidedContexts is not supported.".to_owned()));
        }
        check_mfa(request.serial_number.as_ref(), request.token_code.as_ref())?;
        let size_min = token_size(request.minimum_session_token_size)?;
        let assume = Assume {
            role: request.role_arn.0,
            session: request.role_session_name.0,
            duration: request.duration_seconds,
            external_id: request.external_id.map(|id| id.0),
            policy: request.policy,
            policy_arns: request.policy_arns.0.into_iter().map(|descriptor| descriptor.arn.0).collect(),
            tags: request.tags.into_tags()?,
            transitive_tag_keys: request.transitive_tag_keys.0,
            source_identity: request.source_identity.map(|identity| identity.0),
        };
        let assumed = iam.assume_role(cx, assume)?;
        let id = format!("{}:{}", assumed.session.role_id, assumed.session.name);
        let (arn, source_identity) = (assumed.session.arn(), assumed.session.source_identity.clone());
        let principal = Principal::Session(Arc::new(assumed.session));
        let refused = || Error::AccessDenied("Access denied".to_owned());
        let temporary = iam.issue(&principal, assumed.seconds, size_min).ok_or_else(refused)?;
        Ok(json!({
            "Credentials": credentials(&temporary),
            "AssumedRoleUser": {"AssumedRoleId": id, "Arn": arn},
            "PackedPolicySize": assumed.packed_percent,
            "SourceIdentity": source_identity,
        }))
    }
}
