//! `CreateServiceLinkedRole`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html>
//!
//! Differs from AWS: the role has no policy: the services here act for the account themselves.

use kernel::{Arn, Context};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::{Grants, Role, SERVICE_LINKED_PATH, Tags};
use crate::ids;
use crate::limits::SESSION_S_DEFAULT;
use crate::names::{AwsServiceName, CustomSuffix};
use crate::ops::check_description;
use crate::{Error, Iam, shapes};

pub(super) struct CreateServiceLinkedRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "AWSServiceName")]
    service: AwsServiceName,
    description: Option<String>,
    custom_suffix: Option<CustomSuffix>,
}

fn on_service_linked(cx: &Context, service: &str) -> Resource {
    let path = format!("role{SERVICE_LINKED_PATH}{service}/*");
    Arn::new("iam", "", cx.account.as_str(), &path).into()
}

/// `AWSServiceRoleForIotEvents_suffix` of `iot-events.amazonaws.com`.
///
/// # Errors
/// `InvalidInput` for what is no service's name.
fn linked_name(service: &str, suffix: Option<&str>) -> Result<String, Error> {
    let invalid = || Error::InvalidInput(format!("The AWS service name {service} is not valid."));
    let prefix =
        service.strip_suffix(".amazonaws.com").filter(|prefix| !prefix.is_empty()).ok_or_else(invalid)?;
    let camel = prefix.split(['.', '-']).map(|word| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    });
    let name = format!("AWSServiceRoleFor{}", camel.collect::<String>());
    let name = suffix.map_or(name.clone(), |suffix| format!("{name}_{suffix}"));
    if name.len() <= 64 { Ok(name) } else { Err(invalid()) }
}

impl Operation for CreateServiceLinkedRole {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "CreateServiceLinkedRole";
    const ACTION: &'static str = "iam:CreateServiceLinkedRole";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_service_linked(cx, &request.service)
    }

    /// # Errors
    /// `InvalidInput`, `LimitExceeded`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let service = request.service.0;
        let name = linked_name(&service, request.custom_suffix.as_deref())?;
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"},
        ]});
        let role = Role {
            name: name.clone(),
            path: format!("{SERVICE_LINKED_PATH}{service}/"),
            id: ids::unique(&iam.entropy, "AROA"),
            created_at: iam.clock.now(),
            description: check_description(request.description)?,
            session_s_max: SESSION_S_DEFAULT,
            trust: trust.to_string(),
            tags: Tags::new(),
            boundary: None,
            grants: Grants::default(),
        };
        let held = match iam.insert(&cx.account, role, |_| Ok(())).await {
            Err(Error::EntityAlreadyExists(_)) => {
                let said = format!(
                    "Service role name {name} has been taken in this account, please try a different suffix."
                );
                return Err(Error::InvalidInput(said));
            }
            made => made?,
        };
        Ok(json!({"Role": shapes::role(&cx.account, &held.entity)}))
    }
}
