//! `ListPolicyGenerations`: <https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ListPolicyGenerations.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::generation::{Generation, check_principal};
use crate::limits::GENERATIONS_MAX;
use crate::{AccessAnalyzer, Error, ops};

pub(super) struct ListPolicyGenerations;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    principal_arn: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    /// The latest first.
    policy_generations: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListPolicyGenerations {
    type Service = AccessAnalyzer;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListPolicyGenerations";
    const ACTION: &'static str = "access-analyzer:ListPolicyGenerations";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationException`, `InternalServerException`.
    async fn handle(analyzer: &AccessAnalyzer, cx: &Context, request: Request) -> Result<Response, Error> {
        if let Some(arn) = &request.principal_arn {
            check_principal(arn)?;
        }
        let max = match request.max_results {
            None => GENERATIONS_MAX,
            Some(asked) => usize::try_from(asked).ok().filter(|asked| *asked > 0).ok_or_else(|| {
                Error::invalid(format!(
                    "1 validation error detected: Value '{asked}' at 'maxResults' failed to satisfy constraint: Member must \
                     have value greater than or equal to 1"
                ))
            })?,
        };
        let token = request.next_token.as_deref();
        let position = token.map(|token| wire::page::position(token).and_then(|text| key_of(&text)));
        let after = match position {
            None => None,
            Some(Some(after)) => Some(after),
            Some(None) => return Err(Error::invalid("The nextToken is not one that this API has answered.")),
        };
        let all = analyzer.generations(cx).await?;
        let mut wanted = all.iter().filter(|generation| {
            request.principal_arn.as_ref().is_none_or(|arn| generation.principal_arn == *arn)
                && after.as_ref().is_none_or(|after| key(generation) > *after)
        });
        let page: Vec<&Generation> = wanted.by_ref().take(max).collect();
        let last = page.last().filter(|_| wanted.next().is_some());
        let next_token =
            last.map(|last| wire::page::token(&format!("{} {}", last.at.as_millis(), last.job_id)));
        Ok(Response { policy_generations: page.into_iter().map(row).collect(), next_token })
    }
}

/// By what generations are in order: the latest first, and then by id.
fn key(generation: &Generation) -> (i64, String) {
    (-generation.at.as_millis(), generation.job_id.clone())
}

fn key_of(text: &str) -> Option<(i64, String)> {
    let (at, job_id) = text.split_once(' ')?;
    Some((at.parse::<i64>().ok()?.checked_neg()?, job_id.to_owned()))
}

fn row(generation: &Generation) -> Value {
    let mut row = ops::state(generation);
    row.insert("principalArn".to_owned(), json!(generation.principal_arn));
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::testing::{BOB, Bench};

    #[tokio::test]
    async fn generations_come_in_pages_the_latest_first() {
        let bench = Bench::new();
        let mut ids = Vec::new();
        for n in 0..5 {
            // Two of them at the same moment.
            if n != 3 {
                bench.advance(Duration::from_secs(1));
            }
            let principal = if n == 0 { "arn:aws:iam::000000000000:role/idle" } else { BOB };
            ids.push(bench.start(principal).await);
        }
        let mut found = Vec::new();
        let mut input = json!({"maxResults": 2});
        loop {
            let page = bench.ok("ListPolicyGenerations", input.clone()).await;
            found.extend(page["policyGenerations"].as_array().unwrap().clone());
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => break,
            }
        }
        assert_eq!(found.len(), 5);
        assert_eq!((&found[0]["jobId"], &found[4]["jobId"]), (&json!(ids[4]), &json!(ids[0])));
        assert_eq!((&found[0]["principalArn"], &found[0]["status"]), (&json!(BOB), &json!("SUCCEEDED")));
        let of = bench.ok("ListPolicyGenerations", json!({"principalArn": BOB})).await;
        assert_eq!(of["policyGenerations"].as_array().unwrap().len(), 4);
    }

    #[tokio::test]
    async fn refusals() {
        let bench = Bench::new();
        for (input, expect) in [
            (json!({"maxResults": 0}), "Value '0' at 'maxResults'"),
            (json!({"nextToken": "x"}), "The nextToken is not one"),
            (json!({"principalArn": "x"}), "Value 'x' at 'principalArn'"),
        ] {
            let said = bench.refused("ListPolicyGenerations", input).await;
            assert!(said.starts_with("ValidationException: ") && said.contains(expect), "{said}");
        }
    }
}
