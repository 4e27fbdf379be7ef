//! `StartPolicyGeneration`: <https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_StartPolicyGeneration.html>
//!
//! Differs from AWS: the policy is of what the node recorded, of the last 90 days, so that cloudTrailDetails, and with them the role that
//! reads trails, are not supported.

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use crate::generation::check_principal;
use crate::limits::TOKEN_CHARS_MAX;
use crate::{AccessAnalyzer, Error};

pub(super) struct StartPolicyGeneration;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    policy_generation_details: Details,
    cloud_trail_details: Option<Value>,
    client_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    principal_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    job_id: String,
}

impl Operation for StartPolicyGeneration {
    type Service = AccessAnalyzer;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "StartPolicyGeneration";
    const ACTION: &'static str = "access-analyzer:StartPolicyGeneration";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationException`, `ConflictException`, `InternalServerException`.
    async fn handle(analyzer: &AccessAnalyzer, cx: &Context, request: Request) -> Result<Response, Error> {
        if request.cloud_trail_details.is_some() {
            let said = "cloudTrailDetails is not supported: the policy is of what the node recorded itself.";
            return Err(Error::invalid(said));
        }
        let token = request.client_token;
        if token.as_ref().is_some_and(|token| !(1..=TOKEN_CHARS_MAX).contains(&token.chars().count())) {
            let said = format!("clientToken must have 1 to {TOKEN_CHARS_MAX} characters.");
            return Err(Error::invalid(said));
        }
        let principal = request.policy_generation_details.principal_arn;
        check_principal(&principal)?;
        let job_id = analyzer.generate(cx, principal, token).await?;
        Ok(Response { job_id })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{BOB, Bench};

    fn start(principal: &str, token: &str) -> serde_json::Value {
        json!({"policyGenerationDetails": {"principalArn": principal}, "clientToken": token})
    }

    #[tokio::test]
    async fn the_same_token_is_the_same_generation() {
        let bench = Bench::new();
        let first = bench.ok("StartPolicyGeneration", start(BOB, "t")).await;
        assert_eq!(bench.ok("StartPolicyGeneration", start(BOB, "t")).await, first);
        assert_ne!(bench.ok("StartPolicyGeneration", start(BOB, "u")).await, first);
        let other = start("arn:aws:iam::000000000000:user/alice", "t");
        assert_eq!(
            bench.refused("StartPolicyGeneration", other).await,
            "ConflictException: The client token was used with other policy generation details."
        );
    }

    #[tokio::test]
    async fn refusals() {
        let bench = Bench::new();
        let mut trails = start(BOB, "t");
        trails["cloudTrailDetails"] =
            json!({"trails": [], "accessRole": "r", "startTime": "2026-01-01T00:00:00Z"});
        for (input, expect) in [
            (trails, "cloudTrailDetails is not supported: the policy is of what the node recorded itself."),
            (start(BOB, ""), "clientToken must have 1 to 128 characters."),
            (
                start("arn:aws:iam::000000000000:root", "t"),
                "1 validation error detected: Value 'arn:aws:iam::000000000000:root' at 'principalArn' failed to satisfy \
                 constraint: Member must satisfy regular expression pattern: arn:[^:]*:iam::[^:]*:(role|user)/.{1,576}",
            ),
        ] {
            let expect = format!("ValidationException: {expect}");
            assert_eq!(bench.refused("StartPolicyGeneration", input).await, expect);
        }
        bench.deny();
        let said = bench.refused("StartPolicyGeneration", start(BOB, "t")).await;
        assert_eq!(said, "InternalServerException: An internal error has occurred.");
    }
}
