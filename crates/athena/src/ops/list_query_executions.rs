//! `ListQueryExecutions`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_ListQueryExecutions.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::page::Page;
use crate::constraint::Violations;
use crate::execution::Execution;
use crate::workgroup::PRIMARY;
use crate::{Athena, Error, limits, scope};

pub(super) struct ListQueryExecutions;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    work_group: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    query_execution_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListQueryExecutions {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListQueryExecutions";
    const ACTION: &'static str = "athena:ListQueryExecutions";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::workgroup_resource(cx, request.work_group.as_deref().unwrap_or(PRIMARY))
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.workgroup("workGroup", request.work_group.as_deref());
        violations.finish()?;
        let page = Page::of(request.next_token.as_deref(), request.max_results, (0, limits::LIST_PAGE_MAX))?;
        let name = request.work_group.as_deref().unwrap_or(PRIMARY);
        let ([account, region], inner) = (scope(cx), &athena.inner);
        inner.workgroup(cx, name).await?;
        let found =
            inner.history.page(&[account, region, name], "", page.after.as_deref(), page.size + 1).await?;
        let keys = found.into_iter().filter_map(|(mut parts, _)| parts.pop()).collect();
        let (keys, next_token) = page.cut(keys, String::clone);
        Ok(Response {
            query_execution_ids: keys.iter().map(|key| Execution::id_of(key)).collect(),
            next_token,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn the_newest_come_first_in_pages() {
        let node = node().await;
        node.ok("CreateWorkGroup", json!({"Name": "other"})).await;
        node.run_with(json!({"QueryString": "select 1", "WorkGroup": "other"})).await;
        let mut ids = Vec::new();
        for _ in 0..7 {
            ids.insert(0, node.run("select 1").await["QueryExecutionId"].as_str().unwrap().to_owned());
            node.world.clock.advance(Duration::from_millis(1));
        }
        let pages = node.pages("ListQueryExecutions", json!({"MaxResults": 3}), "QueryExecutionIds").await;
        let expect: Vec<_> =
            ids.chunks(3).map(|ids| ids.iter().map(|id| json!(id)).collect::<Vec<_>>()).collect();
        assert_eq!(pages, expect);
    }

    #[tokio::test]
    async fn old_executions_are_forgotten_with_their_results() {
        let node = node().await;
        node.world.objects.bucket("mine");
        let location = json!({"OutputLocation": "s3://mine/"});
        let input = json!({"QueryString": "select 1", "ResultConfiguration": location,
            "ClientRequestToken": "0123456789abcdef0123456789abcdef"});
        node.run_with(input).await;
        node.run("select 1").await;
        let day = Duration::from_secs(24 * 60 * 60);
        node.world.clock.advance(day * 44);
        let young = node.run("select 1").await["QueryExecutionId"].clone();
        node.world.clock.advance(day + Duration::from_millis(1));
        node.athena.inner.sweep(crate::limits::HISTORY_MAX).await.unwrap();
        let listed = node.ok("ListQueryExecutions", json!({})).await;
        assert_eq!(listed["QueryExecutionIds"], json!([young]));
        assert_eq!(node.athena.inner.executions.list(&[]).await.unwrap().len(), 1);
        assert!(node.athena.inner.tokens.list(&[]).await.unwrap().is_empty());
        assert_eq!(node.world.objects.count(BUCKET), 2, "the result that is left and its metadata");
        assert_eq!(node.world.objects.count("mine"), 2, "what the client placed is the client's");
    }

    #[tokio::test]
    async fn of_many_executions_the_newest_are_remembered() {
        let node = node().await;
        node.ok("CreateWorkGroup", json!({"Name": "a"})).await;
        node.run_with(json!({"QueryString": "select 1", "WorkGroup": "a"})).await;
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.insert(0, node.run("select 1").await["QueryExecutionId"].clone());
            node.world.clock.advance(Duration::from_millis(1));
        }
        for kept in [5, 3] {
            node.athena.inner.sweep(kept).await.unwrap();
            let listed = node.ok("ListQueryExecutions", json!({})).await;
            assert_eq!(listed["QueryExecutionIds"], json!(ids[..kept]));
        }
        let listed = node.ok("ListQueryExecutions", json!({"WorkGroup": "a"})).await;
        assert_eq!(listed["QueryExecutionIds"].as_array().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn refusals() {
        let node = node().await;
        for (input, expect) in [
            (json!({"WorkGroup": "gone"}), "WorkGroup gone is not found."),
            (json!({"NextToken": "?"}), "Invalid NextToken."),
            (
                json!({"MaxResults": 51}),
                "1 validation error detected: Value '51' at 'maxResults' failed to satisfy constraint: Member must have \
                 value less than or equal to 50",
            ),
        ] {
            let said = node.said("ListQueryExecutions", input).await;
            assert_eq!(said, format!("InvalidRequestException: {expect}"));
        }
    }
}
