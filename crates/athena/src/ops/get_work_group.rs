//! `GetWorkGroup`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetWorkGroup.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::Value;

use crate::constraint::Violations;
use crate::{Athena, Error};

pub(super) struct GetWorkGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    work_group: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    work_group: Value,
}

impl Operation for GetWorkGroup {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetWorkGroup";
    const ACTION: &'static str = "athena:GetWorkGroup";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::workgroup_resource(cx, &request.work_group)
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.workgroup("workGroup", Some(&request.work_group));
        violations.finish()?;
        let (workgroup, _) = athena.inner.workgroup(cx, &request.work_group).await?;
        Ok(Response { work_group: workgroup.shape() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn primary_is_always_there() {
        let node = node().await;
        let got = node.ok("GetWorkGroup", json!({"WorkGroup": "primary"})).await;
        let engine =
            json!({"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"});
        let configuration = json!({"ResultConfiguration": {}, "EnforceWorkGroupConfiguration": false,
            "PublishCloudWatchMetricsEnabled": false, "RequesterPaysEnabled": false, "EngineVersion": engine,
            "EnableMinimumEncryptionConfiguration": false, "ManagedQueryResultsConfiguration": {"Enabled": false}});
        let expect = json!({"Name": "primary", "State": "ENABLED", "CreationTime": 0.0, "Configuration": configuration});
        assert_eq!(got["WorkGroup"], expect);
    }

    #[tokio::test]
    async fn what_was_created_is_there_after_a_restart() {
        let world = World::new();
        let node = world.start().await;
        let result = json!({"OutputLocation": "s3://b/x/", "ExpectedBucketOwner": "000000000000",
            "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": "k"},
            "AclConfiguration": {"S3AclOption": "BUCKET_OWNER_FULL_CONTROL"}});
        let configuration = json!({"ResultConfiguration": result, "BytesScannedCutoffPerQuery": 10_000_000,
            "RequesterPaysEnabled": true, "PublishCloudWatchMetricsEnabled": false,
            "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"}});
        let input = json!({"Name": "w", "Description": "about", "Configuration": configuration});
        assert_eq!(node.ok("CreateWorkGroup", input).await, json!({}));
        let node = world.restart(node).await;
        let got = node.ok("GetWorkGroup", json!({"WorkGroup": "w"})).await["WorkGroup"].clone();
        assert_eq!((&got["Description"], &got["CreationTime"]), (&json!("about"), &json!(1_503_733_632.345)));
        let got = &got["Configuration"];
        assert_eq!(got["ResultConfiguration"], result);
        assert_eq!(got["EnforceWorkGroupConfiguration"], true, "presumed");
        assert_eq!(got["PublishCloudWatchMetricsEnabled"], false);
        assert_eq!(got["RequesterPaysEnabled"], true);
        assert_eq!(got["BytesScannedCutoffPerQuery"], 10_000_000);
        assert_eq!(got["EngineVersion"]["SelectedEngineVersion"], "Athena engine version 3");
        assert_eq!(
            node.said("GetWorkGroup", json!({"WorkGroup": "gone"})).await,
            "InvalidRequestException: WorkGroup gone is not found."
        );
    }
}
