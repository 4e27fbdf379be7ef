//! `GetGeneratedPolicy`: <https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_GetGeneratedPolicy.html>
//!
//! Differs from AWS: the resources are those that were used rather than placeholders, and every action is known rather than some
//! services only, so that includeResourcePlaceholders and includeServiceLevelTemplate add nothing.

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::{AccessAnalyzer, Error, ops};

pub(super) struct GetGeneratedPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    job_id: String,
    #[serde(rename = "includeResourcePlaceholders")]
    _include_resource_placeholders: Option<bool>,
    #[serde(rename = "includeServiceLevelTemplate")]
    _include_service_level_template: Option<bool>,
}

impl Operation for GetGeneratedPolicy {
    type Service = AccessAnalyzer;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetGeneratedPolicy";
    const ACTION: &'static str = "access-analyzer:GetGeneratedPolicy";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationException` for a generation that is not there or over, `InternalServerException`.
    async fn handle(analyzer: &AccessAnalyzer, cx: &Context, request: Request) -> Result<Value, Error> {
        let kept = analyzer.generations(cx).await?;
        let found = kept.into_iter().find(|generation| generation.job_id == request.job_id);
        let none = || Error::invalid(format!("Policy generation {} was not found.", request.job_id));
        let generation = found.ok_or_else(none)?;
        let policies: Vec<Value> = generation.policy.iter().map(|policy| json!({"policy": policy})).collect();
        Ok(json!({
            "jobDetails": ops::state(&generation),
            "generatedPolicyResult": {
                "properties": {"isComplete": true, "principalArn": generation.principal_arn},
                "generatedPolicies": policies,
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::limits::{GENERATIONS_MAX, KEPT};
    use crate::testing::{BOB, Bench};

    #[tokio::test]
    async fn a_policy_is_of_the_moment_it_was_asked_for() {
        let bench = Bench::new();
        let id = bench.start(BOB).await;
        bench.use_more();
        let got =
            bench.ok("GetGeneratedPolicy", json!({"jobId": id, "includeResourcePlaceholders": true})).await;
        let at = "2017-08-26T07:47:12.000Z";
        assert_eq!(
            got["jobDetails"],
            json!({"jobId": id, "status": "SUCCEEDED", "startedOn": at, "completedOn": at})
        );
        let result = &got["generatedPolicyResult"];
        assert_eq!(result["properties"], json!({"isComplete": true, "principalArn": BOB}));
        let policy: Value =
            serde_json::from_str(result["generatedPolicies"][0]["policy"].as_str().unwrap()).unwrap();
        assert_eq!(policy, json!({"Version": "2012-10-17", "Statement": [{"Action": ["s3:Use1"]}]}));
        let nobody = bench.start("arn:aws:iam::000000000000:role/idle").await;
        let got = bench.ok("GetGeneratedPolicy", json!({"jobId": nobody})).await;
        assert_eq!(got["generatedPolicyResult"]["generatedPolicies"], json!([]));
    }

    #[tokio::test]
    async fn generations_are_over_after_a_week_and_the_oldest_make_room() {
        let bench = Bench::new();
        let first = bench.start(BOB).await;
        for _ in 0..GENERATIONS_MAX {
            bench.advance(std::time::Duration::from_secs(1));
            bench.start(BOB).await;
        }
        let gone = format!("ValidationException: Policy generation {first} was not found.");
        assert_eq!(bench.refused("GetGeneratedPolicy", json!({"jobId": first})).await, gone);
        let last = bench.start(BOB).await;
        bench.ok("GetGeneratedPolicy", json!({"jobId": last})).await;
        bench.advance(KEPT + std::time::Duration::from_secs(1));
        bench.refused("GetGeneratedPolicy", json!({"jobId": last})).await;
    }

    #[tokio::test]
    async fn other_accounts_and_regions_have_their_own() {
        let bench = Bench::new();
        let id = bench.start(BOB).await;
        for elsewhere in [bench.in_account("111111111111"), bench.in_region("eu-west-1")] {
            let said = elsewhere.refused("GetGeneratedPolicy", json!({"jobId": id})).await;
            assert!(said.ends_with("was not found."), "{said}");
            assert_eq!(
                elsewhere.ok("ListPolicyGenerations", json!({})).await["policyGenerations"],
                json!([])
            );
        }
    }
}
