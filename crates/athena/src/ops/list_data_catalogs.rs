//! `ListDataCatalogs`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_ListDataCatalogs.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::{Value, json};

use super::page::Page;
use crate::{Athena, Error, limits};

pub(super) struct ListDataCatalogs;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    next_token: Option<String>,
    max_results: Option<i64>,
    work_group: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    data_catalogs_summary: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListDataCatalogs {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListDataCatalogs";
    const ACTION: &'static str = "athena:ListDataCatalogs";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(_: &Athena, _: &Context, request: Request) -> Result<Self::Response, Error> {
        super::metadata::check_workgroup(request.work_group.as_deref())?;
        let page = Page::of(request.next_token.as_deref(), request.max_results, (2, limits::LIST_PAGE_MAX))?;
        let (names, next_token) = page.cut_all(vec![super::metadata::CATALOG], |name| (*name).to_owned());
        let summary = names.iter().map(|name| json!({"CatalogName": name, "Type": "GLUE"})).collect();
        Ok(Response { data_catalogs_summary: summary, next_token })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn there_is_one() {
        let node = node().await;
        let listed = node.ok("ListDataCatalogs", json!({})).await;
        assert_eq!(
            listed,
            json!({"DataCatalogsSummary": [{"CatalogName": "AwsDataCatalog", "Type": "GLUE"}]})
        );
        assert_eq!(
            node.said("ListDataCatalogs", json!({"MaxResults": 1})).await,
            "InvalidRequestException: 1 validation error detected: Value '1' at 'maxResults' failed to satisfy \
             constraint: Member must have value greater than or equal to 2"
        );
    }
}
