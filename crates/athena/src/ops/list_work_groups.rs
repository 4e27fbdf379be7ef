//! `ListWorkGroups`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_ListWorkGroups.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::Value;

use super::page::Page;
use crate::workgroup::WorkGroup;
use crate::{Athena, Error, limits};

pub(super) struct ListWorkGroups;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    work_groups: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListWorkGroups {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListWorkGroups";
    const ACTION: &'static str = "athena:ListWorkGroups";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let page = Page::of(request.next_token.as_deref(), request.max_results, (1, limits::LIST_PAGE_MAX))?;
        let found = athena.inner.workgroup_page(cx, page.after.as_deref(), page.size + 1).await?;
        let (found, next_token) = page.cut(found, |workgroup| workgroup.name.clone());
        Ok(Response { work_groups: found.iter().map(WorkGroup::summary).collect(), next_token })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::*;

    async fn names(node: &Node, size: usize) -> Vec<Vec<Value>> {
        let pages = node.pages("ListWorkGroups", json!({"MaxResults": size}), "WorkGroups").await;
        pages.iter().map(|page| page.iter().map(|one| one["Name"].clone()).collect()).collect()
    }

    #[tokio::test]
    async fn they_come_by_name_with_primary_among_them() {
        let node = node().await;
        for name in ["z", "a", "m"] {
            node.ok("CreateWorkGroup", json!({"Name": name, "Description": "d"})).await;
        }
        assert_eq!(names(&node, 3).await, [vec!["a", "m", "primary"], vec!["z"]]);
        assert_eq!(names(&node, 2).await, [vec!["a", "m"], vec!["primary", "z"]]);
        node.ok("UpdateWorkGroup", json!({"WorkGroup": "primary", "Description": "stored now"})).await;
        assert_eq!(names(&node, 3).await, [vec!["a", "m", "primary"], vec!["z"]]);
        let first = node.ok("ListWorkGroups", json!({})).await["WorkGroups"][0].clone();
        assert_eq!((&first["State"], &first["Description"]), (&json!("ENABLED"), &json!("d")));
        assert_eq!(
            node.said("ListWorkGroups", json!({"NextToken": "?"})).await,
            "InvalidRequestException: Invalid NextToken."
        );
    }
}
