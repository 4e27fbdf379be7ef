//! `CreateWorkGroup`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateWorkGroup.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use std::collections::BTreeMap;

use store::TableError;

use super::{Empty, Tag};
use crate::constraint::Violations;
use crate::workgroup::{Configuration, ConfigurationInput, PRIMARY, WorkGroup};
use crate::{Athena, Error, limits, scope};

pub(super) struct CreateWorkGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    name: String,
    description: Option<String>,
    configuration: Option<ConfigurationInput>,
    tags: Option<Vec<Tag>>,
}

impl Operation for CreateWorkGroup {
    type Service = Athena;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "CreateWorkGroup";
    const ACTION: &'static str = "athena:CreateWorkGroup";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::workgroup_resource(cx, &request.name)
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.workgroup("name", Some(&request.name));
        violations.text("description", request.description.as_deref(), (0, 1024));
        violations.finish()?;
        let name = request.name;
        let exists = || Error::invalid(format!("WorkGroup {name} is already created"));
        if name == PRIMARY {
            return Err(exists());
        }
        // What the console and the API presume of a new workgroup.
        let presumed = Configuration { enforce: true, publish_metrics: true, ..Configuration::default() };
        let configuration = presumed.with(request.configuration.unwrap_or_default())?;
        let tags = super::with_tags(BTreeMap::new(), &request.tags.unwrap_or_default())?;
        let inner = &athena.inner;
        let max = limits::WORKGROUPS_MAX;
        if inner.workgroup_page(cx, None, max).await?.len() >= max {
            return Err(Error::invalid(format!("You have reached the limit of {max} workgroups.")));
        }
        let [account, region] = scope(cx);
        let workgroup = WorkGroup {
            name: name.clone(),
            description: request.description,
            disabled: false,
            configuration,
            tags,
            created_at: inner.clock.now(),
        };
        match inner.workgroups.insert(&[account, region, &name], &workgroup).await {
            Ok(_) => Ok(Empty {}),
            Err(TableError::Conflict) => Err(exists()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn refusals() {
        let node = node().await;
        node.ok("CreateWorkGroup", json!({"Name": "w"})).await;
        let with = |configuration| json!({"Name": "x", "Configuration": configuration});
        for (input, expect) in [
            (json!({"Name": "w"}), "WorkGroup w is already created"),
            (json!({"Name": "primary"}), "WorkGroup primary is already created"),
            (
                json!({"Name": "a/b"}),
                "1 validation error detected: Value 'a/b' at 'name' failed to satisfy constraint: Member must satisfy \
                 regular expression pattern: [a-zA-Z0-9._-]{1,128}",
            ),
            (with(json!({"ExecutionRole": "arn:aws:iam::1:role/r"})), "ExecutionRole is not supported."),
            (
                with(json!({"ManagedQueryResultsConfiguration": {"Enabled": true}})),
                "ManagedQueryResultsConfiguration is not supported.",
            ),
            (with(json!({"MonitoringConfiguration": {}})), "MonitoringConfiguration is not supported."),
            (
                with(json!({"QueryResultsS3AccessGrantsConfiguration": {"EnableS3AccessGrants": false}})),
                "QueryResultsS3AccessGrantsConfiguration is not supported.",
            ),
            (
                with(json!({"EngineVersion": {"SelectedEngineVersion": "PySpark engine version 3"}})),
                "Engine version PySpark engine version 3 is not supported.",
            ),
            (
                with(json!({"BytesScannedCutoffPerQuery": 1})),
                "1 validation error detected: Value '1' at 'configuration.bytesScannedCutoffPerQuery' failed to satisfy \
                 constraint: Member must have value greater than or equal to 10000000",
            ),
            (
                with(json!({"ResultConfiguration": {"OutputLocation": "x"}})),
                "outputLocation is not a valid S3 path.",
            ),
            (json!({"Name": "x", "Tags": [{"Key": "aws:x"}]}), "A tag's key must not begin with aws:"),
        ] {
            let said = node.said("CreateWorkGroup", input).await;
            assert_eq!(said, format!("InvalidRequestException: {expect}"));
        }
    }
}
