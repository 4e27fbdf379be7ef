//! `GetTables`: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html>
//!
//! Differs from AWS: the expression is of the `regex` crate, without look-around and back-references.

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use regex::{Regex, RegexBuilder};

use super::attributes::Attributes;
use super::listing::Page;
use crate::limits::TABLES_PAGE_MAX;
use crate::table::Table;
use crate::{Error, Glue, names};

pub(super) struct GetTables;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    /// A regular expression that the whole name must match.
    expression: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
    transaction_id: Option<Value>,
    query_as_of_time: Option<Value>,
    audit_context: Option<Value>,
    resource_share_type: Option<String>,
    /// There is never anything that is still going on.
    #[serde(rename = "IncludeStatusDetails")]
    _include_status_details: Option<bool>,
    attributes_to_get: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    table_list: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for GetTables {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetTables";
    const ACTION: &'static str = "glue:GetTables";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::database_arn(cx, &request.database_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException` for the database, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        names::absent("TransactionId", request.transaction_id.as_ref())?;
        names::absent("QueryAsOfTime", request.query_as_of_time.as_ref())?;
        names::absent("AuditContext", request.audit_context.as_ref())?;
        let share = request.resource_share_type.as_deref();
        names::one_of("resourceShareType", share, &["FEDERATED", "ALL"])?;
        let attributes = Attributes::of_table(request.attributes_to_get.as_deref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let page = Page::of(request.next_token.as_deref(), request.max_results, TABLES_PAGE_MAX)?;
        let pattern = request.expression.as_deref().map(pattern).transpose()?;
        let mut tables = glue.tables(cx, &database).await?;
        tables.retain(|_| share != Some("FEDERATED"));
        if let Some(pattern) = pattern {
            tables.retain(|table| pattern.is_match(&table.name()));
        }
        let (found, next_token) = page.cut(tables, Table::name);
        Ok(Response {
            table_list: found.iter().map(|table| attributes.of(table.shape(cx))).collect(),
            next_token,
        })
    }
}

/// Clients also write `heart*` for names that begin so: a `*` that repeats nothing that could stand for several characters is
/// any run of characters.
fn pattern(expression: &str) -> Result<Regex, Error> {
    let mut out = String::from("^(?:");
    let mut before = None;
    for c in expression.chars() {
        if c == '*' && !matches!(before, Some('.' | ']' | ')' | '}' | '\\')) {
            out.push('.');
        }
        out.push(c);
        before = Some(c);
    }
    out.push_str(")$");
    RegexBuilder::new(&out)
        .case_insensitive(true)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| Error::InvalidInput(format!("Invalid expression: {expression}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn names_are_matched_whole() {
        let glue = with_table("iot", "heartrate").await;
        for name in ["heart", "steps_daily", "steps_hourly"] {
            create_table(&glue, "iot", name).await;
        }
        for (expression, expect) in [
            ("heart", vec!["heart"]),
            ("heart*", vec!["heart", "heartrate"]),
            ("heart.*", vec!["heart", "heartrate"]),
            ("*daily", vec!["steps_daily"]),
            ("*_*", vec!["steps_daily", "steps_hourly"]),
            ("steps_(daily|hourly)", vec!["steps_daily", "steps_hourly"]),
            ("heart|steps_[a-d]+ily", vec!["heart", "steps_daily"]),
            ("HEART", vec!["heart"]),
            ("nope", vec![]),
        ] {
            let input = json!({"DatabaseName": "iot", "Expression": expression});
            let names = names_by_page(&glue, "GetTables", input, "TableList").await.concat();
            assert_eq!(names, expect, "{expression}");
        }
        let input = json!({"DatabaseName": "iot", "MaxResults": 2});
        let names = names_by_page(&glue, "GetTables", input, "TableList").await;
        assert_eq!(names, [vec!["heart", "heartrate"], vec!["steps_daily", "steps_hourly"]]);
        for (input, expect) in [
            (
                json!({"DatabaseName": "iot", "Expression": "("}),
                "InvalidInputException: Invalid expression: (",
            ),
            (json!({"DatabaseName": "nope"}), "EntityNotFoundException: Database nope not found."),
        ] {
            assert_eq!(refused(&glue, "GetTables", input).await.to_string(), expect);
        }
    }
}
