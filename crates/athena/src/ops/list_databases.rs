//! `ListDatabases`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_ListDatabases.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::Value;

use super::metadata;
use super::page::Page;
use crate::{Athena, Error, limits};

pub(super) struct ListDatabases;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_name: String,
    next_token: Option<String>,
    max_results: Option<i64>,
    work_group: Option<String>,
    attributes_to_get: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    database_list: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListDatabases {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListDatabases";
    const ACTION: &'static str = "athena:ListDatabases";

    fn resource(cx: &Context, request: &Request) -> Resource {
        metadata::resource(cx, &request.catalog_name)
    }

    /// # Errors
    /// `InvalidRequestException`, `MetadataException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        metadata::check_catalog(&request.catalog_name)?;
        metadata::check_workgroup(request.work_group.as_deref())?;
        // Here an empty list is as good as none.
        let attributes = request.attributes_to_get.as_deref().filter(|list| !list.is_empty());
        let attributes = metadata::attributes(attributes, &["NAME"])?;
        let page = Page::of(request.next_token.as_deref(), request.max_results, (1, limits::LIST_PAGE_MAX))?;
        let all = athena.inner.catalog.databases(cx).await.map_err(Error::of_catalog)?;
        let (found, next_token) = page.cut_all(all, |database| database.name.clone());
        let shape = |database| metadata::shown(metadata::database(database), attributes);
        Ok(Response { database_list: found.iter().map(shape).collect(), next_token })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn databases_come_in_pages() {
        let node = node().await;
        node.run("create database b").await;
        node.run("create database a").await;
        let input = json!({"CatalogName": "AwsDataCatalog", "MaxResults": 2});
        let pages = node.pages("ListDatabases", input, "DatabaseList").await;
        let names: Vec<Vec<_>> =
            pages.iter().map(|page| page.iter().map(|one| &one["Name"]).collect()).collect();
        assert_eq!(names, [vec!["a", "b"], vec!["default"]]);
        assert_eq!(
            node.said("ListDatabases", json!({"CatalogName": "other"})).await,
            "InvalidRequestException: Data catalog other was not found"
        );
    }
}
