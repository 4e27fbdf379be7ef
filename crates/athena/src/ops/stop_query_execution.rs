//! `StopQueryExecution`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_StopQueryExecution.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use super::Empty;
use crate::constraint::Violations;
use crate::{Athena, Error};

pub(super) struct StopQueryExecution;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    query_execution_id: String,
}

impl Operation for StopQueryExecution {
    type Service = Athena;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "StopQueryExecution";
    const ACTION: &'static str = "athena:StopQueryExecution";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.id("queryExecutionId", &request.query_execution_id);
        violations.finish()?;
        athena.inner.stop(cx, &request.query_execution_id).await?;
        Ok(Empty {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn what_runs_and_what_waits_is_cancelled() {
        let node = node().await;
        let mut ids = Vec::new();
        for _ in 0..9 {
            ids.push(node.begin("select wait").await);
        }
        node.world.execute.wait_for(8).await;
        for id in [&ids[8], &ids[0]] {
            assert_eq!(node.ok("StopQueryExecution", json!({"QueryExecutionId": id})).await, json!({}));
            let status = node.get(id).await["Status"].clone();
            assert_eq!(status["State"], "CANCELLED");
            assert_eq!(status["StateChangeReason"], "Query cancelled by user");
            assert_eq!(
                node.said("GetQueryResults", json!({"QueryExecutionId": id})).await,
                "InvalidRequestException: Query did not finish successfully. Final query state: CANCELLED"
            );
        }
        assert_eq!(node.world.execute.dropped(), 1, "the engine was stopped");
        assert_eq!(node.counter("athena_executions_total", "cancelled"), 2);
    }

    #[tokio::test]
    async fn what_has_ended_stays_so_and_what_is_not_there_is_refused() {
        let node = node().await;
        let id = node.run("select 1").await["QueryExecutionId"].clone();
        node.ok("StopQueryExecution", json!({"QueryExecutionId": id})).await;
        assert_eq!(node.get(id.as_str().unwrap()).await["Status"]["State"], "SUCCEEDED");
        assert_eq!(
            node.said("StopQueryExecution", json!({"QueryExecutionId": "nope"})).await,
            "InvalidRequestException: QueryExecution nope was not found"
        );
    }
}
