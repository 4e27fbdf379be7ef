//! `GetQueryExecution`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryExecution.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::Value;

use crate::constraint::Violations;
use crate::{Athena, Error};

pub(super) struct GetQueryExecution;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    query_execution_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    query_execution: Value,
}

impl Operation for GetQueryExecution {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetQueryExecution";
    const ACTION: &'static str = "athena:GetQueryExecution";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.id("queryExecutionId", &request.query_execution_id);
        violations.finish()?;
        let execution = athena.inner.execution(cx, &request.query_execution_id).await?;
        Ok(Response { query_execution: execution.shape(athena.inner.clock.now()) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use serde_json::json;

    use crate::limits;
    use crate::testing::*;

    #[tokio::test]
    async fn an_execution_goes_from_queued_to_its_end() {
        let node = node().await;
        let context = json!({"Database": "iot", "Catalog": "AwsDataCatalog"});
        let input = json!({"QueryString": "select wait", "QueryExecutionContext": context});
        let id = node.ok("StartQueryExecution", input).await["QueryExecutionId"].as_str().unwrap().to_owned();
        let queued = node.get(&id).await;
        assert_eq!(queued["Status"], json!({"State": "QUEUED", "SubmissionDateTime": 1_503_733_632.345}));
        node.world.execute.wait_for(1).await;
        node.world.clock.advance(Duration::from_millis(1_500));
        let running = node.get(&id).await;
        assert_eq!(running["Status"]["State"], "RUNNING");
        assert_eq!(running["Statistics"]["TotalExecutionTimeInMillis"], 1500);
        assert_eq!(running["Statistics"]["DataScannedInBytes"], 4096);
        node.world.execute.open();
        node.finished(&id).await;
        let expect = json!({
            "QueryExecutionId": id,
            "Query": "select wait",
            "StatementType": "DML",
            "SubstatementType": "SELECT",
            "ResultConfiguration":
                {"OutputLocation": format!("s3://aws-athena-query-results-000000000000-us-east-1/{id}.csv")},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": false}},
            "QueryExecutionContext": context,
            "Status": {
                "State": "SUCCEEDED",
                "SubmissionDateTime": 1_503_733_632.345,
                "CompletionDateTime": 1_503_733_633.845,
            },
            "Statistics": {
                "EngineExecutionTimeInMillis": 1500,
                "DataScannedInBytes": 4096,
                "TotalExecutionTimeInMillis": 1500,
                "QueryQueueTimeInMillis": 0,
                "ServicePreProcessingTimeInMillis": 0,
                "QueryPlanningTimeInMillis": 0,
                "ServiceProcessingTimeInMillis": 0,
                "ResultReuseInformation": {"ReusedPreviousResult": false},
            },
            "WorkGroup": "primary",
            "EngineVersion":
                {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
        });
        assert_eq!(node.get(&id).await, expect);
        let world = node.world.clone();
        let node = world.restart(node).await;
        assert_eq!(node.get(&id).await, expect, "the end is stored");
        assert_eq!(node.counter("athena_executions_total", "succeeded"), 0, "counts are a node's own");
    }

    #[tokio::test]
    async fn what_the_engine_says_is_why_it_failed() {
        let node = node().await;
        let execution = node.run("select nope").await;
        let sentence = "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved";
        assert_eq!(execution["Status"]["State"], "FAILED");
        assert_eq!(execution["Status"]["StateChangeReason"], sentence);
        let error =
            json!({"ErrorCategory": 2, "ErrorType": 1006, "Retryable": false, "ErrorMessage": sentence});
        assert_eq!(execution["Status"]["AthenaError"], error);
        let execution = node.run("select breaks").await;
        assert_eq!(execution["Status"]["StateChangeReason"], "DIVISION_BY_ZERO: Division by zero");
        let execution = node.run("select panics").await;
        assert_eq!(execution["Status"]["AthenaError"]["ErrorCategory"], 1);
        assert_eq!(node.counter("athena_executions_total", "failed"), 3);
        let execution = node.run("select cutoff").await;
        assert_eq!(execution["Status"]["State"], "CANCELLED");
        assert_eq!(execution["Status"]["StateChangeReason"], "Bytes scanned limit was exceeded");
    }

    #[tokio::test]
    async fn a_result_that_cannot_be_written_fails_the_query() {
        let node = node().await;
        let id = node.begin("select wait").await;
        node.world.execute.wait_for(1).await;
        node.world.objects.remove_bucket(BUCKET);
        node.world.execute.open();
        node.finished(&id).await;
        let status = node.get(&id).await["Status"].clone();
        assert_eq!(status["State"], "FAILED");
        assert_eq!(status["StateChangeReason"], "The specified bucket does not exist");
    }

    #[tokio::test]
    async fn a_query_that_takes_too_long_ends() {
        let node = node().await;
        let id = node.begin("select wait").await;
        node.world.execute.wait_for(1).await;
        node.world.clock.advance(Duration::from_secs(30 * 60));
        node.finished(&id).await;
        assert_eq!(node.get(&id).await["Status"]["StateChangeReason"], "Query timeout");
    }

    #[tokio::test]
    async fn a_stop_of_the_node_interrupts_what_runs_and_what_waits() {
        let world = World::new();
        let node = world.start().await;
        let mut ids = Vec::new();
        for _ in 0..10 {
            ids.push(node.begin("select wait").await);
        }
        node.world.execute.wait_for(8).await;
        let node = world.restart(node).await;
        for id in ids {
            let status = node.get(&id).await["Status"].clone();
            assert_eq!(status["State"], "FAILED");
            assert_eq!(
                status["StateChangeReason"],
                "INTERNAL_ERROR: The query was interrupted because the node stopped. Please run it again."
            );
            assert_eq!(status["AthenaError"]["Retryable"], true);
        }
        assert!(node.athena.inner.open.list(&[]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_cutoff_of_the_workgroup_reaches_the_engine() {
        let node = node().await;
        let configuration = json!({"BytesScannedCutoffPerQuery": 10_000_000});
        node.ok("CreateWorkGroup", json!({"Name": "small", "Configuration": configuration})).await;
        node.run_with(json!({"QueryString": "select 1", "WorkGroup": "small"})).await;
        assert_eq!(node.world.execute.cutoff(), Some(10_000_000));
    }

    #[tokio::test]
    async fn the_end_is_stored_when_the_disk_is_no_longer_full_and_given_up_if_it_stays_so() {
        let store = Arc::new(FullStore::new());
        let world = World { meta: Arc::clone(&store) as _, ..World::new() };
        let node = world.start().await;
        for (refusals, expect) in [(3, "SUCCEEDED"), (limits::FINISH_ATTEMPTS, "FAILED")] {
            let id = node.begin("select 1").await;
            store.refusals.store(refusals, Ordering::SeqCst);
            let cx = wire::testing::context();
            while node.athena.inner.live.get(&cx, &id).is_some() {
                node.world.clock.advance(Duration::from_secs(5));
                tokio::task::yield_now().await;
            }
            assert_eq!(node.get(&id).await["Status"]["State"], expect);
        }
        store.refusals.store(1, Ordering::SeqCst);
        assert_eq!(
            node.said("StartQueryExecution", json!({"QueryString": "select 1"})).await,
            "InternalServerException: The service is temporarily unavailable. Please try again."
        );
        assert_eq!(node.gauge("athena_queued"), 0, "what was not stored does not wait");
        let node = world.restart(node).await;
        assert!(node.athena.inner.open.list(&[]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn refusals() {
        let node = node().await;
        for (id, expect) in [
            ("nope", "QueryExecution nope was not found"),
            (
                "a b",
                "1 validation error detected: Value 'a b' at 'queryExecutionId' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: \\S+",
            ),
        ] {
            let said = node.said("GetQueryExecution", json!({"QueryExecutionId": id})).await;
            assert_eq!(said, format!("InvalidRequestException: {expect}"));
        }
    }
}
