//! `StartQueryExecution`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::constraint::Violations;
use crate::result_configuration::ResultConfiguration;
use crate::start::NewExecution;
use crate::workgroup::PRIMARY;
use crate::{Athena, Error, limits, parameters};

pub(super) struct StartQueryExecution;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    query_string: String,
    client_request_token: Option<String>,
    query_execution_context: Option<QueryExecutionContext>,
    result_configuration: Option<ResultConfiguration>,
    work_group: Option<String>,
    execution_parameters: Option<Vec<String>>,
    result_reuse_configuration: Option<ResultReuseConfiguration>,
    engine_configuration: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResultReuseConfiguration {
    result_reuse_by_age_configuration: Option<ResultReuseByAgeConfiguration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResultReuseByAgeConfiguration {
    /// Required.
    #[serde(rename = "Enabled")]
    _enabled: bool,
    max_age_in_minutes: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    query_execution_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueryExecutionContext {
    database: Option<String>,
    catalog: Option<String>,
}

impl Operation for StartQueryExecution {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "StartQueryExecution";
    const ACTION: &'static str = "athena:StartQueryExecution";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::workgroup_resource(cx, request.work_group.as_deref().unwrap_or(PRIMARY))
    }

    /// # Errors
    /// `InvalidRequestException`, `TooManyRequestsException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let sql = request.query_string;
        let mut violations = Violations::default();
        violations.token(request.client_request_token.as_deref());
        violations.workgroup("workGroup", request.work_group.as_deref());
        let context = request.query_execution_context;
        let (database, catalog) = context.map_or((None, None), |context| (context.database, context.catalog));
        violations.text("queryExecutionContext.database", database.as_deref(), (1, 255));
        violations.text("queryExecutionContext.catalog", catalog.as_deref(), (1, 256));
        if sql.is_empty() {
            violations.text("queryString", Some(&sql), (1, limits::SQL_BYTES_MAX));
        }
        let parameters = request.execution_parameters;
        if let Some(values) = &parameters {
            violations.list("executionParameters", values.len(), (1, limits::PARAMETERS_MAX));
            for value in values {
                violations.text("executionParameters", Some(value), (1, limits::PARAMETER_CHARS_MAX));
            }
        }
        let reuse = request.result_reuse_configuration;
        let by_age = reuse.and_then(|reuse| reuse.result_reuse_by_age_configuration);
        violations.range(
            "resultReuseConfiguration.resultReuseByAgeConfiguration.maxAgeInMinutes",
            by_age.and_then(|by_age| by_age.max_age_in_minutes),
            (0, limits::REUSE_MINUTES_MAX),
        );
        violations.finish()?;
        if request.engine_configuration.is_some() {
            return Err(Error::invalid("EngineConfiguration is not supported."));
        }
        if sql.len() > limits::SQL_BYTES_MAX {
            let max = limits::SQL_BYTES_MAX;
            return Err(Error::invalid(format!("The query string is longer than {max} bytes.")));
        }
        if let Some(catalog) = &catalog {
            super::metadata::check_catalog(catalog)?;
        }
        let parameters = parameters.unwrap_or_default();
        parameters.iter().try_for_each(|value| parameters::check(value))?;
        let result_configuration = request.result_configuration.unwrap_or_default();
        result_configuration.check()?;
        let new = NewExecution {
            sql,
            token: request.client_request_token,
            database,
            catalog,
            workgroup: request.work_group.unwrap_or_else(|| PRIMARY.to_owned()),
            result_configuration,
            parameters,
        };
        Ok(Response { query_execution_id: athena.inner.begin(cx, new).await? })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn refusals() {
        let node = node().await;
        node.ok("CreateWorkGroup", json!({"Name": "off"})).await;
        node.ok("UpdateWorkGroup", json!({"WorkGroup": "off", "State": "DISABLED"})).await;
        let long = "x".repeat(262_145);
        for (input, expect) in [
            (
                json!({}),
                "1 validation error detected: Value null at 'queryString' failed to satisfy constraint: Member must not \
                 be null",
            ),
            (
                json!({"QueryString": ""}),
                "1 validation error detected: Value '' at 'queryString' failed to satisfy constraint: Member must have \
                 length greater than or equal to 1",
            ),
            (json!({"QueryString": long}), "The query string is longer than 262144 bytes."),
            (
                json!({"QueryString": "slect 1"}),
                "line 1:1: mismatched input 'slect'. Expecting: 'ALTER', 'CREATE', 'DESC', 'DESCRIBE', 'DROP', \
                 'EXPLAIN', 'MSCK', 'SHOW', <query>",
            ),
            (
                json!({"QueryString": "show tables in `a\0b`"}),
                "The query and its context must not contain NUL.",
            ),
            (
                json!({"QueryString": "show tables", "QueryExecutionContext": {"Database": "a\0b"}}),
                "The query and its context must not contain NUL.",
            ),
            (json!({"QueryString": "insert into t values (1)"}), "Queries of this type are not supported"),
            (json!({"QueryString": "create view v as select 1"}), "Queries of this type are not supported"),
            (json!({"QueryString": "create table t as select 1"}), "Queries of this type are not supported"),
            (
                json!({"QueryString": "select 1; select 2"}),
                "Only one sql statement is allowed. Got: select 1; select 2",
            ),
            (json!({"QueryString": "select 1", "WorkGroup": "gone"}), "WorkGroup gone is not found."),
            (json!({"QueryString": "select 1", "WorkGroup": "off"}), "WorkGroup off is disabled."),
            (
                json!({"QueryString": "select 1", "QueryExecutionContext": {"Catalog": "other"}}),
                "Data catalog other was not found",
            ),
            (
                json!({"QueryString": "select 1", "ResultConfiguration": {"OutputLocation": "b"}}),
                "outputLocation is not a valid S3 path.",
            ),
            (
                json!({"QueryString": "select 1", "ResultConfiguration": {"OutputLocation": "s3://nope/a"}}),
                "Unable to verify/create output bucket nope",
            ),
            (
                json!({"QueryString": "select ?", "ExecutionParameters": ["1, 2"]}),
                "Execution parameter '1, 2' is not an expression.",
            ),
            (
                json!({"QueryString": "show tables", "ExecutionParameters": ["1"]}),
                "Execution parameters are supported for queries only.",
            ),
            (
                json!({"QueryString": "select 1", "EngineConfiguration": {}}),
                "EngineConfiguration is not supported.",
            ),
            (
                json!({"QueryString": "select 1", "ResultReuseConfiguration":
                    {"ResultReuseByAgeConfiguration": {"Enabled": true, "MaxAgeInMinutes": 10081}}}),
                "1 validation error detected: Value '10081' at \
                 'resultReuseConfiguration.resultReuseByAgeConfiguration.maxAgeInMinutes' failed to satisfy constraint: Member \
                 must have value less than or equal to 10080",
            ),
            (
                json!({"QueryString": "select 1", "ClientRequestToken": "short"}),
                "1 validation error detected: Value 'short' at 'clientRequestToken' failed to satisfy constraint: Member \
                 must have length greater than or equal to 32",
            ),
        ] {
            let said = node.said("StartQueryExecution", input).await;
            assert_eq!(said, format!("InvalidRequestException: {expect}"));
        }
    }

    #[tokio::test]
    async fn a_token_begins_one_execution_even_after_a_restart() {
        let world = World::new();
        let node = world.start().await;
        let token = "0123456789abcdef0123456789abcdef";
        let input = |sql: &str| json!({"QueryString": sql, "ClientRequestToken": token});
        let first = node.ok("StartQueryExecution", input("select 1")).await;
        assert_eq!(node.ok("StartQueryExecution", input("select 1")).await, first);
        node.finished(first["QueryExecutionId"].as_str().unwrap()).await;
        let node = world.restart(node).await;
        assert_eq!(node.ok("StartQueryExecution", input("select 1")).await, first);
        assert_eq!(
            node.said("StartQueryExecution", input("select 2")).await,
            "InvalidRequestException: Idempotent parameters do not match"
        );
        let listed = node.ok("ListQueryExecutions", json!({})).await;
        assert_eq!(listed["QueryExecutionIds"], json!([first["QueryExecutionId"]]));
    }

    #[tokio::test]
    async fn requests_with_one_token_at_once_begin_one_execution() {
        let node = node().await;
        let input =
            json!({"QueryString": "select 1", "ClientRequestToken": "0123456789abcdef0123456789abcdef"});
        let all = (0..8).map(|_| node.ok("StartQueryExecution", input.clone()));
        let ids = futures::future::join_all(all).await;
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(
            node.ok("ListQueryExecutions", json!({})).await["QueryExecutionIds"].as_array().unwrap().len(),
            1
        );
    }

    #[tokio::test]
    async fn a_workgroup_may_enforce_where_results_go() {
        let world = World::new();
        world.objects.bucket("own");
        world.objects.bucket("mine");
        let node = world.start().await;
        let location = json!({"OutputLocation": "s3://own/results"});
        for (name, enforce) in [("strict", true), ("lax", false)] {
            let configuration =
                json!({"ResultConfiguration": location, "EnforceWorkGroupConfiguration": enforce});
            node.ok("CreateWorkGroup", json!({"Name": name, "Configuration": configuration})).await;
        }
        node.ok("CreateWorkGroup", json!({"Name": "none"})).await;
        for (workgroup, client, expect) in [
            ("strict", Some("s3://mine/x/"), "s3://own/results/ID.csv"),
            ("strict", None, "s3://own/results/ID.csv"),
            ("lax", Some("s3://mine/x/"), "s3://mine/x/ID.csv"),
            ("lax", None, "s3://own/results/ID.csv"),
            ("none", Some("s3://mine"), "s3://mine/ID.csv"),
            ("none", None, "s3://aws-athena-query-results-000000000000-us-east-1/ID.csv"),
        ] {
            let mut input = json!({"QueryString": "select 1", "WorkGroup": workgroup});
            if let Some(client) = client {
                input["ResultConfiguration"] = json!({"OutputLocation": client});
            }
            let execution = node.run_with(input).await;
            let id = execution["QueryExecutionId"].as_str().unwrap();
            assert_eq!(execution["Status"]["State"], "SUCCEEDED");
            assert_eq!(
                execution["ResultConfiguration"]["OutputLocation"],
                expect.replace("ID", id),
                "{workgroup} {client:?}"
            );
        }
    }

    #[tokio::test]
    async fn values_take_the_places_of_question_marks() {
        let node = node().await;
        let input = json!({"QueryString": "select ?, '?'", "ExecutionParameters": ["'a'"]});
        let execution = node.run_with(input).await;
        assert_eq!(execution["Query"], "select ?, '?'");
        assert_eq!(execution["ExecutionParameters"], json!(["'a'"]));
        assert_eq!(node.world.execute.asked(), ["select 'a', '?'"]);
        let execution = node.run("select ?").await;
        assert_eq!(
            execution["Status"]["StateChangeReason"],
            "INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected 1 but found 0"
        );
    }

    #[tokio::test]
    async fn too_many_are_refused_and_none_overtakes_another() {
        let node = node().await;
        let mut ids = Vec::new();
        for n in 0..crate::limits::LIVE_MAX {
            ids.push(node.begin(&format!("select wait_{n}")).await);
        }
        node.world.execute.wait_for(crate::limits::DML_RUNNING_MAX).await;
        assert_eq!(
            node.said("StartQueryExecution", json!({"QueryString": "select 1"})).await,
            "TooManyRequestsException: You have exceeded the limit for the number of queries you can run concurrently. \
             Please reduce the number of concurrent queries submitted by this account. Contact customer support to request \
             a concurrent query limit increase."
        );
        assert_eq!(node.get(&ids[0]).await["Status"]["State"], "RUNNING");
        assert_eq!(node.get(&ids[crate::limits::LIVE_MAX - 1]).await["Status"]["State"], "QUEUED");
        assert_eq!(
            node.gauge("athena_queued"),
            (crate::limits::LIVE_MAX - crate::limits::DML_RUNNING_MAX) as i64
        );
        node.world.execute.open();
        for id in &ids {
            node.finished(id).await;
        }
        let expect: Vec<_> = (0..crate::limits::LIVE_MAX).map(|n| format!("select wait_{n}")).collect();
        assert_eq!(node.world.execute.asked(), expect);
        assert_eq!((node.gauge("athena_queued"), node.gauge("athena_running")), (0, 0));
    }

    #[tokio::test]
    async fn a_scan_does_not_delay_ddl() {
        let node = node().await;
        for _ in 0..20 {
            node.begin("select wait").await;
        }
        assert_eq!(node.run("show databases").await["Status"]["State"], "SUCCEEDED");
    }

    #[tokio::test]
    async fn result_reuse_is_accepted_and_nothing_is_reused() {
        let node = node().await;
        let reuse = json!({"ResultReuseByAgeConfiguration": {"Enabled": true, "MaxAgeInMinutes": 60}});
        for _ in 0..2 {
            let input = json!({"QueryString": "select 1", "ResultReuseConfiguration": reuse});
            let execution = node.run_with(input).await;
            assert_eq!(
                execution["Statistics"]["ResultReuseInformation"],
                json!({"ReusedPreviousResult": false})
            );
        }
        assert_eq!(node.world.execute.asked().len(), 2);
    }
}
