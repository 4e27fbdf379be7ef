//! `ListNamedQueries`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_ListNamedQueries.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::page::Page;
use crate::constraint::Violations;
use crate::workgroup::PRIMARY;
use crate::{Athena, Error, limits};

pub(super) struct ListNamedQueries;

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
    named_query_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListNamedQueries {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListNamedQueries";
    const ACTION: &'static str = "athena:ListNamedQueries";

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
        athena.inner.workgroup(cx, name).await?;
        let found = athena.inner.named_query_page(cx, name, page.after.as_deref(), page.size + 1).await?;
        let (named_query_ids, next_token) =
            page.cut(found.into_iter().map(|one| one.id).collect(), String::clone);
        Ok(Response { named_query_ids, next_token })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::*;

    #[tokio::test]
    async fn those_of_a_workgroup_come_in_pages() {
        let node = node().await;
        node.ok("CreateWorkGroup", json!({"Name": "w"})).await;
        let mut ids = Vec::new();
        for n in 0..10 {
            let workgroup = if n % 2 == 0 { "w" } else { "primary" };
            let input =
                json!({"Name": "n", "Database": "d", "QueryString": "select 1", "WorkGroup": workgroup});
            let id = node.ok("CreateNamedQuery", input).await["NamedQueryId"].as_str().unwrap().to_owned();
            if workgroup == "w" {
                ids.push(id);
            }
        }
        ids.sort();
        let pages =
            node.pages("ListNamedQueries", json!({"WorkGroup": "w", "MaxResults": 2}), "NamedQueryIds").await;
        let expect: Vec<Vec<Value>> =
            ids.chunks(2).map(|ids| ids.iter().map(|id| json!(id)).collect()).collect();
        assert_eq!(pages, expect);
        assert_eq!(
            node.said("ListNamedQueries", json!({"WorkGroup": "gone"})).await,
            "InvalidRequestException: WorkGroup gone is not found."
        );
    }
}
