//! `UpdateWorkGroup`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_UpdateWorkGroup.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use super::Empty;
use crate::constraint::Violations;
use crate::workgroup::{ConfigurationInput, WorkGroup};
use crate::{Athena, Error};

pub(super) struct UpdateWorkGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    work_group: String,
    description: Option<String>,
    configuration_updates: Option<ConfigurationInput>,
    state: Option<String>,
}

impl Operation for UpdateWorkGroup {
    type Service = Athena;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "UpdateWorkGroup";
    const ACTION: &'static str = "athena:UpdateWorkGroup";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::workgroup_resource(cx, &request.work_group)
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.workgroup("workGroup", Some(&request.work_group));
        violations.text("description", request.description.as_deref(), (0, 1024));
        violations.one_of("state", request.state.as_deref(), &["ENABLED", "DISABLED"]);
        violations.finish()?;
        let updates = request.configuration_updates.unwrap_or_default();
        let change = |mut workgroup: WorkGroup| {
            workgroup.configuration = workgroup.configuration.with(updates.clone())?;
            workgroup.description = request.description.clone().or(workgroup.description);
            if let Some(state) = &request.state {
                workgroup.disabled = state == "DISABLED";
            }
            Ok(workgroup)
        };
        athena.inner.change_workgroup(cx, &request.work_group, change).await?;
        Ok(Empty {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn what_is_said_changes_and_the_rest_stays() {
        let node = node().await;
        let result = json!({"OutputLocation": "s3://b/x/", "ExpectedBucketOwner": "000000000000"});
        let configuration = json!({"ResultConfiguration": result, "BytesScannedCutoffPerQuery": 10_000_000});
        node.ok("CreateWorkGroup", json!({"Name": "w", "Description": "d", "Configuration": configuration}))
            .await;
        let updates = json!({"ResultConfigurationUpdates": {"OutputLocation": "s3://c/",
            "RemoveExpectedBucketOwner": true}, "RemoveBytesScannedCutoffPerQuery": true,
            "EnforceWorkGroupConfiguration": false});
        let input = json!({"WorkGroup": "w", "State": "DISABLED", "ConfigurationUpdates": updates});
        assert_eq!(node.ok("UpdateWorkGroup", input).await, json!({}));
        let got = node.ok("GetWorkGroup", json!({"WorkGroup": "w"})).await["WorkGroup"].clone();
        assert_eq!((&got["State"], &got["Description"]), (&json!("DISABLED"), &json!("d")));
        let got = &got["Configuration"];
        assert_eq!(got["ResultConfiguration"], json!({"OutputLocation": "s3://c/"}));
        assert_eq!(got.get("BytesScannedCutoffPerQuery"), None);
        assert_eq!(got["EnforceWorkGroupConfiguration"], false);
        assert_eq!(got["PublishCloudWatchMetricsEnabled"], true);
        let updates = json!({"ResultConfigurationUpdates": {"RemoveOutputLocation": true,
            "RemoveEncryptionConfiguration": true, "RemoveAclConfiguration": true}});
        node.ok(
            "UpdateWorkGroup",
            json!({"WorkGroup": "w", "State": "ENABLED", "ConfigurationUpdates": updates}),
        )
        .await;
        let got = node.ok("GetWorkGroup", json!({"WorkGroup": "w"})).await["WorkGroup"].clone();
        assert_eq!(
            (&got["State"], &got["Configuration"]["ResultConfiguration"]),
            (&json!("ENABLED"), &json!({}))
        );
    }

    #[tokio::test]
    async fn refusals() {
        let node = node().await;
        for (input, expect) in [
            (json!({"WorkGroup": "gone"}), "WorkGroup gone is not found."),
            (
                json!({"WorkGroup": "primary", "State": "ON"}),
                "1 validation error detected: Value 'ON' at 'state' failed to satisfy constraint: Member must satisfy enum \
                 value set: [ENABLED, DISABLED]",
            ),
            (
                json!({"WorkGroup": "primary", "ConfigurationUpdates": {"BytesScannedCutoffPerQuery": 5}}),
                "1 validation error detected: Value '5' at 'configuration.bytesScannedCutoffPerQuery' failed to satisfy \
                 constraint: Member must have value greater than or equal to 10000000",
            ),
        ] {
            let said = node.said("UpdateWorkGroup", input).await;
            assert_eq!(said, format!("InvalidRequestException: {expect}"));
        }
    }
}
