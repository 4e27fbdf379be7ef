//! `GetQueryResults`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::{Value, json};

use crate::constraint::Violations;
use crate::{Athena, Error, column_metadata, limits};

pub(super) struct GetQueryResults;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    query_execution_id: String,
    next_token: Option<String>,
    max_results: Option<i64>,
    query_result_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    /// Rows that a statement wrote; no statement here writes any.
    update_count: u64,
    result_set: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for GetQueryResults {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetQueryResults";
    const ACTION: &'static str = "athena:GetQueryResults";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.id("queryExecutionId", &request.query_execution_id);
        violations.range("maxResults", request.max_results, (1, limits::RESULTS_PAGE_MAX as i64));
        violations.one_of("queryResultType", request.query_result_type.as_deref(), &["DATA_ROWS"]);
        violations.finish()?;
        let execution = athena.inner.execution(cx, &request.query_execution_id).await?;
        let size = request.max_results.and_then(|size| usize::try_from(size).ok());
        let size = size.unwrap_or(limits::RESULTS_PAGE_MAX);
        let page = athena.inner.results(cx, &execution, request.next_token.as_deref(), size).await?;
        let datum =
            |value: Option<String>| value.map_or_else(|| json!({}), |value| json!({"VarCharValue": value}));
        let row = |row: ports::Row| json!({"Data": row.into_iter().map(datum).collect::<Vec<_>>()});
        let columns: Vec<_> = page.columns.iter().map(column_metadata::shape).collect();
        let rows: Vec<_> = page.rows.into_iter().map(row).collect();
        let result_set = json!({"Rows": rows, "ResultSetMetadata": {"ColumnInfo": columns}});
        Ok(Response { update_count: 0, result_set, next_token: page.next_token })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::*;

    fn values(results: &Value) -> Vec<Vec<Option<&str>>> {
        let mut out = Vec::new();
        for row in results["ResultSet"]["Rows"].as_array().unwrap() {
            out.push(
                row["Data"].as_array().unwrap().iter().map(|datum| datum["VarCharValue"].as_str()).collect(),
            );
        }
        out
    }

    #[tokio::test]
    async fn a_query_has_a_header_and_its_columns_types() {
        let world = World::new();
        let node = world.start().await;
        let id = node.run("select special").await["QueryExecutionId"].clone();
        let node = world.restart(node).await;
        let results = node.ok("GetQueryResults", json!({"QueryExecutionId": id})).await;
        assert_eq!(
            values(&results),
            [
                vec![Some("a"), Some("_col1")],
                vec![Some("say \"hi\", you"), None],
                vec![Some(""), Some("1.50")],
                vec![Some("two\nlines"), Some("é")],
            ]
        );
        assert_eq!((&results["UpdateCount"], results.get("NextToken")), (&json!(0), None));
        let column = |name: &str, ty: &str, precision: u32, scale: u32, case_sensitive: bool| {
            json!({"CatalogName": "hive", "SchemaName": "", "TableName": "", "Name": name, "Label": name, "Type": ty,
                "Precision": precision, "Scale": scale, "Nullable": "UNKNOWN", "CaseSensitive": case_sensitive})
        };
        assert_eq!(
            results["ResultSet"]["ResultSetMetadata"]["ColumnInfo"],
            json!([column("a", "varchar", 2_147_483_647, 0, true), column("_col1", "decimal", 3, 2, false)])
        );
        let id = id.as_str().unwrap();
        let object = node.world.objects.text(BUCKET, &format!("{id}.csv"));
        assert_eq!(
            object,
            "\"a\",\"_col1\"\n\"say \"\"hi\"\", you\",\n\"\",\"1.50\"\n\"two\nlines\",\"é\"\n"
        );
    }

    #[tokio::test]
    async fn pages_hold_every_row_once() {
        let node = node().await;
        let id = node.run("select rows_2500").await["QueryExecutionId"].clone();
        for (size, pages_expected) in [(None, 3), (Some(1000), 3), (Some(7), 358), (Some(41), 61)] {
            let mut input = json!({"QueryExecutionId": id, "MaxResults": size});
            let (mut all, mut pages) = (Vec::new(), 0);
            loop {
                let page = node.ok("GetQueryResults", input.clone()).await;
                all.extend(values(&page).into_iter().map(|row| row[0].unwrap().to_owned()));
                pages += 1;
                match page.get("NextToken") {
                    Some(token) => input["NextToken"] = token.clone(),
                    None => break,
                }
            }
            let expect: Vec<_> =
                std::iter::once("n".to_owned()).chain((0..2500).map(|n| n.to_string())).collect();
            assert!(all == expect, "{size:?}");
            assert_eq!(pages, pages_expected, "{size:?}");
        }
    }

    #[tokio::test]
    async fn a_result_longer_than_one_read_comes_in_bounded_pages() {
        let node = node().await;
        let id = node.run("select wide_40").await["QueryExecutionId"].clone();
        let mut input = json!({"QueryExecutionId": id});
        let mut sizes = Vec::new();
        loop {
            let page = node.ok("GetQueryResults", input.clone()).await;
            sizes.push(values(&page).len());
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => break,
            }
        }
        assert_eq!(sizes.iter().sum::<usize>(), 41);
        assert!(sizes.len() > 1, "40 rows of 512 KiB are more than one page: {sizes:?}");
    }

    #[tokio::test]
    async fn text_has_no_header() {
        let node = node().await;
        let id = node.run("show databases").await["QueryExecutionId"].clone();
        let results = node.ok("GetQueryResults", json!({"QueryExecutionId": id})).await;
        assert_eq!(values(&results), [[Some("default")]]);
        let id = node.run("create database x").await["QueryExecutionId"].clone();
        let results = node.ok("GetQueryResults", json!({"QueryExecutionId": id})).await;
        assert_eq!(results["ResultSet"], json!({"Rows": [], "ResultSetMetadata": {"ColumnInfo": []}}));
        let id = node.run("explain select plan").await["QueryExecutionId"].clone();
        let results = node.ok("GetQueryResults", json!({"QueryExecutionId": id})).await;
        assert_eq!(values(&results), [[Some("Fragment 0")], [Some("  Scan")]]);
    }

    #[tokio::test]
    async fn a_result_over_the_limit_fails_the_query() {
        let node = node().await;
        let execution = node.run("select wide_200").await;
        assert_eq!(
            execution["Status"]["StateChangeReason"],
            "EXCEEDED_RESULT_SIZE: The result is larger than 67108864 bytes. Please select fewer rows or columns."
        );
    }

    #[tokio::test]
    async fn refusals() {
        let node = node().await;
        let running = node.begin("select wait").await;
        node.world.execute.wait_for(1).await;
        let failed = node.run("select nope").await["QueryExecutionId"].clone();
        let done = node.run("select 1").await["QueryExecutionId"].clone();
        let other = node.run("select 1").await["QueryExecutionId"].clone();
        let token = wire::page::token(&format!("{}:0", other.as_str().unwrap()));
        for (input, expect) in [
            (
                json!({"QueryExecutionId": running}),
                "Query has not yet finished. Current state: RUNNING".to_owned(),
            ),
            (
                json!({"QueryExecutionId": failed}),
                "Query did not finish successfully. Final query state: FAILED".to_owned(),
            ),
            (json!({"QueryExecutionId": "nope"}), "QueryExecution nope was not found".to_owned()),
            (json!({"QueryExecutionId": done, "NextToken": token}), "Invalid NextToken.".to_owned()),
            (json!({"QueryExecutionId": done, "NextToken": "?"}), "Invalid NextToken.".to_owned()),
            (
                json!({"QueryExecutionId": done, "MaxResults": 1001}),
                "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have \
                 value less than or equal to 1000"
                    .to_owned(),
            ),
            (
                json!({"QueryExecutionId": done, "QueryResultType": "DATA_MANIFEST"}),
                "1 validation error detected: Value 'DATA_MANIFEST' at 'queryResultType' failed to satisfy constraint: \
                 Member must satisfy enum value set: [DATA_ROWS]"
                    .to_owned(),
            ),
        ] {
            let said = node.said("GetQueryResults", input).await;
            assert_eq!(said, format!("InvalidRequestException: {expect}"));
        }
        let id = done.as_str().unwrap();
        node.world.objects.remove(BUCKET, &format!("{id}.csv"));
        assert_eq!(
            node.said("GetQueryResults", json!({"QueryExecutionId": id})).await,
            format!("InvalidRequestException: Could not find results of QueryExecution {id}")
        );
    }
}
