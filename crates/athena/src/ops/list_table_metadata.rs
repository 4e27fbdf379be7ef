//! `ListTableMetadata`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_ListTableMetadata.html>
//!
//! Differs from AWS: the expression is of the `regex` crate, without look-around and back-references.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use regex::RegexBuilder;
use serde_json::Value;

use super::metadata;
use super::page::Page;
use crate::constraint::Violations;
use crate::{Athena, Error, limits};

pub(super) struct ListTableMetadata;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_name: String,
    database_name: String,
    /// A regular expression that the name must match.
    expression: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
    work_group: Option<String>,
    attributes_to_get: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    table_metadata_list: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListTableMetadata {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListTableMetadata";
    const ACTION: &'static str = "athena:ListTableMetadata";

    fn resource(cx: &Context, request: &Request) -> Resource {
        metadata::resource(cx, &request.catalog_name)
    }

    /// # Errors
    /// `InvalidRequestException`, `MetadataException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        metadata::check_catalog(&request.catalog_name)?;
        metadata::check_workgroup(request.work_group.as_deref())?;
        let attributes = metadata::attributes(request.attributes_to_get.as_deref(), &["NAME", "TABLE_TYPE"])?;
        metadata::check_name("databaseName", &request.database_name)?;
        let mut violations = Violations::default();
        violations.text("expression", request.expression.as_deref(), (0, 256));
        violations.finish()?;
        let page = Page::of(request.next_token.as_deref(), request.max_results, (1, limits::LIST_PAGE_MAX))?;
        let mut all =
            athena.inner.catalog.tables(cx, &request.database_name).await.map_err(Error::of_catalog)?;
        if let Some(expression) = request.expression.filter(|expression| !expression.is_empty()) {
            let pattern = RegexBuilder::new(&format!("^(?:{expression})$")).case_insensitive(true).build();
            let pattern =
                pattern.map_err(|_| Error::invalid(format!("Expression {expression} is not valid.")))?;
            all.retain(|table| pattern.is_match(&table.name));
        }
        let (found, next_token) = page.cut_all(all, |table| table.name.clone());
        let shape = |table| metadata::shown(metadata::table(table), attributes);
        Ok(Response { table_metadata_list: found.iter().map(shape).collect(), next_token })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn tables_come_in_pages_and_by_expression() {
        let node = node().await;
        for name in ["heart_a", "heart_b", "other"] {
            node.run(&format!("create external table {name} (x int) location 's3://lake/{name}/'")).await;
        }
        let mut input = json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "default", "MaxResults": 2});
        let pages = node.pages("ListTableMetadata", input.clone(), "TableMetadataList").await;
        let names: Vec<Vec<_>> =
            pages.iter().map(|page| page.iter().map(|one| &one["Name"]).collect()).collect();
        assert_eq!(names, [vec!["heart_a", "heart_b"], vec!["other"]]);
        input["Expression"] = "heart_.*".into();
        let pages = node.pages("ListTableMetadata", input.clone(), "TableMetadataList").await;
        assert_eq!(pages.len(), 1);
        input["AttributesToGet"] = json!(["NAME", "TABLE_TYPE"]);
        let pages = node.pages("ListTableMetadata", input.clone(), "TableMetadataList").await;
        assert_eq!(pages[0][0], json!({"Name": "heart_a", "TableType": "EXTERNAL_TABLE"}));
        input["AttributesToGet"] = json!(["TABLE_TYPE"]);
        let said = node.said("ListTableMetadata", input).await;
        assert_eq!(said, "InvalidRequestException: AttributesToGet must include NAME.");
        for (member, value, expect) in [
            ("Expression", "(", "InvalidRequestException: Expression ( is not valid."),
            ("DatabaseName", "gone", "MetadataException: Database gone not found."),
            (
                "WorkGroup",
                "a b",
                "InvalidRequestException: 1 validation error detected: Value 'a b' at 'workGroup' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [a-zA-Z0-9._-]{1,128}",
            ),
            ("CatalogName", "other", "InvalidRequestException: Data catalog other was not found"),
        ] {
            let mut input = json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "default"});
            input[member] = value.into();
            assert_eq!(node.said("ListTableMetadata", input).await, expect);
        }
    }
}
