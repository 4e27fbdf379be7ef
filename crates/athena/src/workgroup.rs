//! Workgroups: how the queries in them run. `primary` is always there.
//!
//! Differs from AWS: the creation time of `primary` is 1970-01-01, since nobody created it.
//! Differs from AWS: workgroups of Spark, managed query results and identity-based ones are refused.
//! Differs from AWS: RequesterPaysEnabled and EnableMinimumEncryptionConfiguration are stored and answered, and change nothing: there
//! are no requester-pays buckets, and nothing is encrypted here.

use std::collections::BTreeMap;

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::meta::{Batch, Expect};
use store::{Entity, TableError};
use wire::EpochSeconds;

use crate::constraint::Violations;
use crate::result_configuration::ResultConfiguration;
use crate::{Error, Inner, limits, scope};

/// The workgroup that is always there.
pub(crate) const PRIMARY: &str = "primary";

const EFFECTIVE_ENGINE: &str = "Athena engine version 3";

/// A workgroup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WorkGroup {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) disabled: bool,
    pub(crate) configuration: Configuration,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created_at: Timestamp,
}

impl Entity for WorkGroup {
    const TABLE: &'static str = "athena_workgroup";
    const VERSION: u8 = 1;
}

/// What is kept of a WorkGroupConfiguration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Configuration {
    pub(crate) result: ResultConfiguration,
    pub(crate) enforce: bool,
    pub(crate) publish_metrics: bool,
    pub(crate) cutoff_bytes: Option<i64>,
    pub(crate) requester_pays: bool,
    pub(crate) minimum_encryption: bool,
    /// The selected engine version; `AUTO` when none.
    pub(crate) engine: Option<String>,
}

/// WorkGroupConfiguration of CreateWorkGroup and, with the members that remove, ConfigurationUpdates of UpdateWorkGroup.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConfigurationInput {
    #[serde(alias = "ResultConfigurationUpdates")]
    result_configuration: Option<ResultConfigurationInput>,
    enforce_work_group_configuration: Option<bool>,
    publish_cloud_watch_metrics_enabled: Option<bool>,
    bytes_scanned_cutoff_per_query: Option<i64>,
    remove_bytes_scanned_cutoff_per_query: Option<bool>,
    requester_pays_enabled: Option<bool>,
    enable_minimum_encryption_configuration: Option<bool>,
    engine_version: Option<EngineVersionInput>,
    #[serde(alias = "ManagedQueryResultsConfigurationUpdates")]
    managed_query_results_configuration: Option<EnabledInput>,
    execution_role: Option<Value>,
    additional_configuration: Option<Value>,
    customer_content_encryption_configuration: Option<Value>,
    identity_center_configuration: Option<Value>,
    monitoring_configuration: Option<Value>,
    engine_configuration: Option<Value>,
    #[serde(rename = "QueryResultsS3AccessGrantsConfiguration")]
    s3_access_grants: Option<Value>,
    system_table_statuses: Option<Value>,
    /// There is never one to remove.
    #[serde(rename = "RemoveCustomerContentEncryptionConfiguration")]
    _remove_customer_content_encryption_configuration: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResultConfigurationInput {
    #[serde(flatten)]
    set: ResultConfiguration,
    #[serde(default)]
    remove_output_location: bool,
    #[serde(default)]
    remove_encryption_configuration: bool,
    #[serde(default)]
    remove_expected_bucket_owner: bool,
    #[serde(default)]
    remove_acl_configuration: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EngineVersionInput {
    selected_engine_version: Option<String>,
    /// Told by the service, not by the client.
    #[serde(rename = "EffectiveEngineVersion")]
    _effective_engine_version: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EnabledInput {
    #[serde(default)]
    enabled: bool,
}

/// EngineVersion.
pub(crate) fn engine_version(selected: &str) -> Value {
    json!({"SelectedEngineVersion": selected, "EffectiveEngineVersion": EFFECTIVE_ENGINE})
}

impl Configuration {
    /// The same, changed as the input says.
    ///
    /// # Errors
    /// `InvalidRequestException`.
    pub(crate) fn with(mut self, input: ConfigurationInput) -> Result<Self, Error> {
        let refused = [
            ("ExecutionRole", input.execution_role.is_some()),
            ("AdditionalConfiguration", input.additional_configuration.is_some()),
            (
                "CustomerContentEncryptionConfiguration",
                input.customer_content_encryption_configuration.is_some(),
            ),
            ("IdentityCenterConfiguration", input.identity_center_configuration.is_some()),
            ("MonitoringConfiguration", input.monitoring_configuration.is_some()),
            ("EngineConfiguration", input.engine_configuration.is_some()),
            ("QueryResultsS3AccessGrantsConfiguration", input.s3_access_grants.is_some()),
            ("SystemTableStatuses", input.system_table_statuses.is_some()),
            (
                "ManagedQueryResultsConfiguration",
                input.managed_query_results_configuration.is_some_and(|managed| managed.enabled),
            ),
        ];
        if let Some((member, _)) = refused.iter().find(|(_, given)| *given) {
            return Err(Error::invalid(format!("{member} is not supported.")));
        }
        if let Some(result) = input.result_configuration {
            self.result = result.over(self.result);
            self.result.check()?;
        }
        let mut violations = Violations::default();
        violations.range(
            "configuration.bytesScannedCutoffPerQuery",
            input.bytes_scanned_cutoff_per_query,
            (limits::CUTOFF_BYTES_MIN, i64::MAX),
        );
        violations.finish()?;
        if let Some(selected) = input.engine_version.and_then(|version| version.selected_engine_version) {
            if !["AUTO", EFFECTIVE_ENGINE].contains(&selected.as_str()) {
                return Err(Error::invalid(format!("Engine version {selected} is not supported.")));
            }
            self.engine = Some(selected);
        }
        if input.remove_bytes_scanned_cutoff_per_query == Some(true) {
            self.cutoff_bytes = None;
        }
        self.cutoff_bytes = input.bytes_scanned_cutoff_per_query.or(self.cutoff_bytes);
        self.enforce = input.enforce_work_group_configuration.unwrap_or(self.enforce);
        self.publish_metrics = input.publish_cloud_watch_metrics_enabled.unwrap_or(self.publish_metrics);
        self.requester_pays = input.requester_pays_enabled.unwrap_or(self.requester_pays);
        self.minimum_encryption =
            input.enable_minimum_encryption_configuration.unwrap_or(self.minimum_encryption);
        Ok(self)
    }

    fn shape(&self) -> Value {
        let mut shape = json!({
            "ResultConfiguration": self.result,
            "EnforceWorkGroupConfiguration": self.enforce,
            "PublishCloudWatchMetricsEnabled": self.publish_metrics,
            "RequesterPaysEnabled": self.requester_pays,
            "EngineVersion": engine_version(self.engine.as_deref().unwrap_or("AUTO")),
            "EnableMinimumEncryptionConfiguration": self.minimum_encryption,
            "ManagedQueryResultsConfiguration": {"Enabled": false},
        });
        if let Some(bytes) = self.cutoff_bytes {
            shape["BytesScannedCutoffPerQuery"] = bytes.into();
        }
        shape
    }
}

impl ResultConfigurationInput {
    fn over(self, mut base: ResultConfiguration) -> ResultConfiguration {
        if self.remove_output_location {
            base.output_location = None;
        }
        if self.remove_encryption_configuration {
            base.encryption_configuration = None;
        }
        if self.remove_expected_bucket_owner {
            base.expected_bucket_owner = None;
        }
        if self.remove_acl_configuration {
            base.acl_configuration = None;
        }
        ResultConfiguration {
            output_location: self.set.output_location.or(base.output_location),
            encryption_configuration: self.set.encryption_configuration.or(base.encryption_configuration),
            expected_bucket_owner: self.set.expected_bucket_owner.or(base.expected_bucket_owner),
            acl_configuration: self.set.acl_configuration.or(base.acl_configuration),
        }
    }
}

impl WorkGroup {
    fn primary() -> Self {
        Self {
            name: PRIMARY.to_owned(),
            description: None,
            disabled: false,
            configuration: Configuration::default(),
            tags: BTreeMap::new(),
            created_at: Timestamp::EPOCH,
        }
    }

    fn state(&self) -> &'static str {
        if self.disabled { "DISABLED" } else { "ENABLED" }
    }

    /// WorkGroupSummary.
    pub(crate) fn summary(&self) -> Value {
        let mut shape = json!({
            "Name": self.name,
            "State": self.state(),
            "CreationTime": EpochSeconds(self.created_at),
            "EngineVersion": engine_version(self.configuration.engine.as_deref().unwrap_or("AUTO")),
        });
        if let Some(description) = &self.description {
            shape["Description"] = description.as_str().into();
        }
        shape
    }

    /// WorkGroup.
    pub(crate) fn shape(&self) -> Value {
        let mut shape = self.summary();
        if let Some(members) = shape.as_object_mut() {
            members.remove("EngineVersion");
        }
        shape["Configuration"] = self.configuration.shape();
        shape
    }
}

/// The sentence for a workgroup that is not there.
pub(crate) fn not_found(name: &str) -> Error {
    Error::InvalidRequest(format!("WorkGroup {name} is not found."))
}

impl Inner {
    /// A workgroup, and what a commit that relies on it checks.
    ///
    /// # Errors
    /// `InvalidRequestException` when there is none.
    pub(crate) async fn workgroup(&self, cx: &Context, name: &str) -> Result<(WorkGroup, Expect), Error> {
        let [account, region] = scope(cx);
        match self.workgroups.get(&[account, region, name]).await? {
            Some(stored) => Ok((stored.entity, Expect::At(stored.revision))),
            None if name == PRIMARY => Ok((WorkGroup::primary(), Expect::Absent)),
            None => Err(not_found(name)),
        }
    }

    /// Up to `limit` workgroups with names after `after`, by name.
    pub(crate) async fn workgroup_page(
        &self,
        cx: &Context,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<WorkGroup>, Error> {
        let page = self.workgroups.page(&scope(cx), "", after, limit).await?;
        let mut found: Vec<WorkGroup> = page.into_iter().map(|(_, stored)| stored.entity).collect();
        let (primary, expect) = self.workgroup(cx, PRIMARY).await?;
        if expect == Expect::Absent && after.is_none_or(|after| after < PRIMARY) {
            let at = found.partition_point(|workgroup| workgroup.name.as_str() < PRIMARY);
            found.insert(at, primary);
            found.truncate(limit);
        }
        Ok(found)
    }

    /// Changes a workgroup: `change` sees it as it is and may refuse; it is asked again when another change came between.
    ///
    /// # Errors
    /// `InvalidRequestException` when there is none, and what `change` says.
    pub(crate) async fn change_workgroup(
        &self,
        cx: &Context,
        name: &str,
        mut change: impl FnMut(WorkGroup) -> Result<WorkGroup, Error> + Send,
    ) -> Result<(), Error> {
        let [account, region] = scope(cx);
        let parts = [account, region, name];
        for _ in 0..limits::UPDATE_ATTEMPTS {
            let (workgroup, expect) = self.workgroup(cx, name).await?;
            let changed = change(workgroup)?;
            let batch = self.workgroups.with_check(Batch::default(), &parts, expect);
            match self.workgroups.commit(self.workgroups.with_put(batch, &parts, &changed)).await {
                Ok(_) => return Ok(()),
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }
}
