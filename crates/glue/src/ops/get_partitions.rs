//! `GetPartitions`: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use super::listing::Page;
use crate::expression;
use crate::limits::{PARTITIONS_PAGE_MAX, SEGMENTS_MAX};
use crate::partition::Partition;
use crate::{Error, Glue, names};

pub(super) struct GetPartitions;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    expression: Option<String>,
    next_token: Option<String>,
    segment: Option<Segment>,
    max_results: Option<usize>,
    /// Leaves the columns out.
    #[serde(default)]
    exclude_column_schema: bool,
    transaction_id: Option<Value>,
    query_as_of_time: Option<Value>,
    audit_context: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    partitions: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for GetPartitions {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetPartitions";
    const ACTION: &'static str = "glue:GetPartitions";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        names::absent("TransactionId", request.transaction_id.as_ref())?;
        names::absent("QueryAsOfTime", request.query_as_of_time.as_ref())?;
        names::absent("AuditContext", request.audit_context.as_ref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let table = names::name(&request.table_name, "tableName")?;
        let page = Page::of(request.next_token.as_deref(), request.max_results, PARTITIONS_PAGE_MAX)?;
        let segment = request.segment.map(Segment::checked).transpose()?;
        let table = glue.stored_table(cx, &database, &table).await?.entity;
        let filter = match request.expression.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(expression::parse(text, &table.partition_keys())?),
        };
        let wanted = |key: &str, partition: &Partition| {
            segment.as_ref().is_none_or(|segment| segment.has(key))
                && filter.as_ref().is_none_or(|filter| filter.holds(&partition.values))
        };
        let (found, last) = glue.partitions(cx, &table, page.after, page.size, wanted).await?;
        let mut partitions: Vec<Value> = found.iter().map(|partition| partition.shape(cx)).collect();
        if request.exclude_column_schema {
            let descriptors =
                partitions.iter_mut().filter_map(|partition| partition.get_mut("StorageDescriptor"));
            descriptors
                .filter_map(Value::as_object_mut)
                .for_each(|descriptor| drop(descriptor.remove("Columns")));
        }
        Ok(Response { partitions, next_token: last.map(|key| wire::page::token(&key)) })
    }
}

/// One of several disjoint parts of a listing, which together are the whole.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Segment {
    segment_number: u64,
    total_segments: u64,
}

impl Segment {
    fn checked(self) -> Result<Self, Error> {
        if (1..=SEGMENTS_MAX).contains(&self.total_segments) && self.segment_number < self.total_segments {
            return Ok(self);
        }
        Err(Error::InvalidInput(format!(
            "Segment number must be less than the total number of segments, which is at most {SEGMENTS_MAX}."
        )))
    }

    /// FNV-1a: the same on every node and in every release.
    fn has(&self, key: &str) -> bool {
        let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        key.bytes().fold(0xcbf2_9ce4_8422_2325, step) % self.total_segments == self.segment_number
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    async fn months(glue: &Tested, mut input: serde_json::Value) -> Vec<Vec<String>> {
        input["DatabaseName"] = "iot".into();
        input["TableName"] = "t".into();
        pages(glue, "GetPartitions", input, "Partitions", |partition| {
            format!(
                "{}-{}",
                partition["Values"][0].as_str().unwrap(),
                partition["Values"][1].as_str().unwrap()
            )
        })
        .await
    }

    async fn three_years() -> Tested {
        let glue = with_table("iot", "t").await;
        for year in ["2016", "2017", "2018"] {
            for month in 1..=12 {
                add_partition(&glue, "iot", "t", &[year, &month.to_string()]).await;
            }
        }
        glue
    }

    #[tokio::test]
    async fn an_expression_compares_each_key_by_its_type() {
        let glue = three_years().await;
        for (expression, expect) in [
            ("year = '2017' AND month > 10", vec!["2017-11", "2017-12"]),
            ("month between 2 and 3 and year like '%8'", vec!["2018-2", "2018-3"]),
            ("year > '2017' and (month = 1 or month in (11,12))", vec!["2018-1", "2018-11", "2018-12"]),
            ("year = '1999'", vec![]),
        ] {
            assert_eq!(
                months(&glue, json!({"Expression": expression})).await.concat(),
                expect,
                "{expression}"
            );
        }
        assert_eq!(months(&glue, json!({"Expression": " "})).await.concat().len(), 36);
        let input = json!({"DatabaseName": "iot", "TableName": "t", "Expression": "day = 1"});
        assert_eq!(
            refused(&glue, "GetPartitions", input).await.to_string(),
            "InvalidInputException: Unknown column 'day'"
        );
    }

    #[tokio::test]
    async fn pages_and_segments_are_disjoint_and_whole() {
        let glue = three_years().await;
        let paged = months(&glue, json!({"MaxResults": 10, "Expression": "month < 12"})).await;
        assert_eq!(paged.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10, 3]);
        let mut all = Vec::new();
        for number in 0..3 {
            let part = months(&glue, json!({"Segment": {"SegmentNumber": number, "TotalSegments": 3}}))
                .await
                .concat();
            assert!((4..=20).contains(&part.len()), "segments are of like size: {}", part.len());
            all.extend(part);
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 36);
        for segment in [
            json!({"SegmentNumber": 3, "TotalSegments": 3}),
            json!({"SegmentNumber": 0, "TotalSegments": 11}),
        ] {
            let input = json!({"DatabaseName": "iot", "TableName": "t", "Segment": segment});
            assert_eq!(refused(&glue, "GetPartitions", input).await.code, "InvalidInputException");
        }
        for input in [json!({"MaxResults": 1001}), json!({"NextToken": "?"})] {
            let mut input = input;
            input["DatabaseName"] = "iot".into();
            input["TableName"] = "t".into();
            assert_eq!(refused(&glue, "GetPartitions", input).await.code, "InvalidInputException");
        }
    }

    #[tokio::test]
    async fn columns_can_be_left_out() {
        let glue = with_table("iot", "t").await;
        let descriptor = json!({"Columns": [{"Name": "a", "Type": "int"}], "Location": "s3://b/"});
        let input = json!({"Values": ["2017", "8"], "StorageDescriptor": descriptor});
        call(
            &glue,
            "CreatePartition",
            json!({"DatabaseName": "iot", "TableName": "t", "PartitionInput": input}),
        )
        .await;
        for (exclude, expect) in [(false, descriptor), (true, json!({"Location": "s3://b/"}))] {
            let input = json!({"DatabaseName": "iot", "TableName": "t", "ExcludeColumnSchema": exclude});
            let found = call(&glue, "GetPartitions", input).await;
            assert_eq!(found["Partitions"][0]["StorageDescriptor"], expect);
        }
    }
}
