//! `GetDatabases`: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetDatabases.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use super::attributes::Attributes;
use super::listing::Page;
use crate::database::Database;
use crate::limits::DATABASES_PAGE_MAX;
use crate::{Error, Glue, names};

pub(super) struct GetDatabases;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
    resource_share_type: Option<String>,
    attributes_to_get: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    database_list: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for GetDatabases {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetDatabases";
    const ACTION: &'static str = "glue:GetDatabases";

    fn resource(cx: &Context, _: &Request) -> Resource {
        super::catalog_arn(cx).into()
    }

    /// # Errors
    /// `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        let share = request.resource_share_type.as_deref();
        names::one_of("resourceShareType", share, &["FOREIGN", "ALL", "FEDERATED"])?;
        let attributes = Attributes::of_database(request.attributes_to_get.as_deref())?;
        let page = Page::of(request.next_token.as_deref(), request.max_results, DATABASES_PAGE_MAX)?;
        let mut databases = glue.databases(cx).await?;
        databases.retain(|_| share.is_none_or(|share| share == "ALL"));
        let (found, next_token) = page.cut(databases, Database::name);
        Ok(Response {
            database_list: found.iter().map(|database| attributes.of(database.shape(cx))).collect(),
            next_token,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn databases_come_in_pages_by_name() {
        let glue = glue();
        for name in ["b", "e", "a"] {
            call(&glue, "CreateDatabase", json!({"DatabaseInput": {"Name": name}})).await;
        }
        let names = names_by_page(&glue, "GetDatabases", json!({"MaxResults": 3}), "DatabaseList").await;
        assert_eq!(names, [vec!["a", "b", "default"], vec!["e"]]);
        for input in [json!({"MaxResults": 0}), json!({"MaxResults": 101}), json!({"NextToken": "?"})] {
            assert_eq!(refused(&glue, "GetDatabases", input).await.code, "InvalidInputException");
        }
    }
}
