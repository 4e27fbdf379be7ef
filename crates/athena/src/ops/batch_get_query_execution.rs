//! `BatchGetQueryExecution`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_BatchGetQueryExecution.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::{Value, json};

use crate::constraint::Violations;
use crate::{Athena, Error, limits};

pub(super) struct BatchGetQueryExecution;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    query_execution_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    query_executions: Vec<Value>,
    unprocessed_query_execution_ids: Vec<Value>,
}

impl Operation for BatchGetQueryExecution {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "BatchGetQueryExecution";
    const ACTION: &'static str = "athena:BatchGetQueryExecution";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.list("queryExecutionIds", request.query_execution_ids.len(), (1, limits::BATCH_MAX));
        for id in &request.query_execution_ids {
            violations.id("queryExecutionIds", id);
        }
        violations.finish()?;
        let now = athena.inner.clock.now();
        let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
        for id in request.query_execution_ids {
            match athena.inner.execution(cx, &id).await {
                Ok(execution) => found.push(execution.shape(now)),
                Err(Error::InvalidRequest(sentence)) => unprocessed.push(json!({
                    "QueryExecutionId": id, "ErrorCode": "INVALID_INPUT", "ErrorMessage": sentence,
                })),
                Err(error) => return Err(error),
            }
        }
        Ok(Response { query_executions: found, unprocessed_query_execution_ids: unprocessed })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn those_that_are_there_and_those_that_are_not() {
        let node = node().await;
        let one = node.run("select 1").await;
        let id = one["QueryExecutionId"].clone();
        let got = node.ok("BatchGetQueryExecution", json!({"QueryExecutionIds": [id, "nope"]})).await;
        assert_eq!(got["QueryExecutions"], json!([one]));
        let expect = json!([{"QueryExecutionId": "nope", "ErrorCode": "INVALID_INPUT",
            "ErrorMessage": "QueryExecution nope was not found"}]);
        assert_eq!(got["UnprocessedQueryExecutionIds"], expect);
        for (ids, bound) in
            [(vec![], "greater than or equal to 1"), (vec!["a"; 51], "less than or equal to 50")]
        {
            assert_eq!(
                node.said("BatchGetQueryExecution", json!({"QueryExecutionIds": ids})).await,
                format!(
                    "InvalidRequestException: 1 validation error detected: Value at 'queryExecutionIds' failed to satisfy \
                     constraint: Member must have length {bound}"
                )
            );
        }
    }
}
