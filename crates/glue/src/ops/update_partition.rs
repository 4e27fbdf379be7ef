//! `UpdatePartition`: <https://docs.aws.amazon.com/glue/latest/webapi/API_UpdatePartition.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::input::{PartitionInput, Raw};
use crate::{Error, Glue, names};

pub(super) struct UpdatePartition;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    partition_value_list: Vec<String>,
    partition_input: Raw<PartitionInput>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for UpdatePartition {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "UpdatePartition";
    const ACTION: &'static str = "glue:UpdatePartition";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`, `AlreadyExistsException` when the new values are another's.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let table = names::name(&request.table_name, "tableName")?;
        let values = request.partition_value_list;
        glue.replace_partition(cx, (&database, &table), &values, request.partition_input).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_partition_can_change_its_values() {
        let glue = with_table("iot", "t").await;
        add_partition(&glue, "iot", "t", &["2017", "8"]).await;
        add_partition(&glue, "iot", "t", &["2017", "9"]).await;
        let update = |old, input| json!({"DatabaseName": "iot", "TableName": "t", "PartitionValueList": old, "PartitionInput": input});
        call(&glue, "UpdatePartition", update(json!(["2017", "8"]), json!({"Parameters": {"k": "v"}}))).await;
        call(&glue, "UpdatePartition", update(json!(["2017", "8"]), json!({"Values": ["2017", "7"]}))).await;
        let found = call(&glue, "GetPartitions", json!({"DatabaseName": "iot", "TableName": "t"})).await;
        let values: Vec<_> =
            found["Partitions"].as_array().unwrap().iter().map(|found| found["Values"].clone()).collect();
        assert_eq!(values, [json!(["2017", "7"]), json!(["2017", "9"])]);
        for (old, input, expect) in [
            (json!(["2017", "8"]), json!({}), "EntityNotFoundException: Cannot find partition."),
            (
                json!(["2017", "7"]),
                json!({"Values": ["2017", "9"]}),
                "AlreadyExistsException: Partition already exists.",
            ),
        ] {
            assert_eq!(refused(&glue, "UpdatePartition", update(old, input)).await.to_string(), expect);
        }
    }
}
