//! A query execution: what is stored of it, and what GetQueryExecution shows.
//!
//! Stored rows of one execution, written and deleted together:
//!
//! ```text
//!  athena_execution  account region id                     the execution
//!  athena_history    account region workgroup newest-first  nothing: the order of ListQueryExecutions
//!  athena_token      account region kind token             the id that a ClientRequestToken began
//!  athena_open       account region id                     nothing: it has not ended; deleted when it has
//! ```

use kernel::{AccountId, Region, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Entity;
use wire::EpochSeconds;

use crate::failure::Failure;
use crate::result_configuration::ResultConfiguration;

/// Where an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl State {
    pub(crate) fn is_last(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// A query execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) workgroup: String,
    pub(crate) sql: String,
    /// `DDL`, `DML` or `UTILITY`.
    pub(crate) statement_type: String,
    pub(crate) substatement_type: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) catalog: Option<String>,
    pub(crate) parameters: Vec<String>,
    /// With the location of the result object itself.
    pub(crate) result_configuration: ResultConfiguration,
    /// The client's own, for the comparison with a request that repeats the token.
    pub(crate) requested_location: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    pub(crate) failure: Option<Failure>,
    pub(crate) submitted_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) planning_ms: u64,
    /// Writing the result.
    pub(crate) publishing_ms: u64,
    pub(crate) scanned_bytes: u64,
}

/// How long the parts of an execution took.
pub(crate) struct Times {
    pub(crate) total_ms: u64,
    pub(crate) queue_ms: u64,
    pub(crate) engine_ms: u64,
    /// Within the engine's time.
    pub(crate) planning_ms: u64,
}

impl Entity for Execution {
    const TABLE: &'static str = "athena_execution";
    const VERSION: u8 = 1;
}

/// A row that says all by its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct History {}

impl Entity for History {
    const TABLE: &'static str = "athena_history";
    const VERSION: u8 = 1;
}

/// An execution that has not ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Open {}

impl Entity for Open {
    const TABLE: &'static str = "athena_open";
    const VERSION: u8 = 1;
}

/// What a ClientRequestToken began.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) id: String,
}

impl Entity for Token {
    const TABLE: &'static str = "athena_token";
    const VERSION: u8 = 1;
}

impl Token {
    /// The kind of token that began an execution.
    pub(crate) const EXECUTION: &'static str = "execution";
    /// The kind of token that created a named query.
    pub(crate) const NAMED_QUERY: &'static str = "named-query";
}

/// The last part of a history key for an instant: a later one comes first.
pub(crate) fn newest_first(at: Timestamp) -> String {
    let ms = u64::try_from(at.as_millis()).unwrap_or(0);
    format!("{:016x}", u64::MAX - ms)
}

impl Execution {
    pub(crate) fn parts(&self) -> [&str; 3] {
        [self.account.as_str(), self.region.as_str(), &self.id]
    }

    /// The last part of the history key; the id follows the instant's sixteen digits and a dash.
    pub(crate) fn history_key(&self) -> String {
        format!("{}-{}", newest_first(self.submitted_at), self.id)
    }

    /// The id in a history key.
    pub(crate) fn id_of(history_key: &str) -> String {
        history_key.split_once('-').map(|(_, id)| id.to_owned()).unwrap_or_default()
    }

    /// `s3://bucket/prefix/id.csv`.
    pub(crate) fn location(&self) -> &str {
        self.result_configuration.output_location.as_deref().unwrap_or_default()
    }

    /// Whether its result is a table with a header rather than lines of text.
    pub(crate) fn is_query(&self) -> bool {
        self.statement_type == "DML"
    }

    /// The same, ended by a stop of the node.
    pub(crate) fn interrupted(mut self, now: Timestamp) -> Self {
        let failure = Failure::interrupted();
        self.state = State::Failed;
        self.reason = Some(failure.error_message.clone());
        self.failure = Some(failure);
        self.completed_at = Some(now);
        self
    }

    /// GetQueryExecution's `QueryExecution`.
    pub(crate) fn shape(&self, now: Timestamp) -> Value {
        let mut status = json!({
            "State": self.state.as_str(),
            "SubmissionDateTime": EpochSeconds(self.submitted_at),
        });
        if let Some(at) = self.completed_at {
            status["CompletionDateTime"] = json!(EpochSeconds(at));
        }
        if let Some(reason) = &self.reason {
            status["StateChangeReason"] = reason.as_str().into();
        }
        if let Some(failure) = &self.failure {
            status["AthenaError"] = json!(failure);
        }
        let mut context = json!({});
        for (member, value) in [("Database", &self.database), ("Catalog", &self.catalog)] {
            if let Some(value) = value {
                context[member] = value.as_str().into();
            }
        }
        let mut shape = json!({
            "QueryExecutionId": self.id,
            "Query": self.sql,
            "StatementType": self.statement_type,
            "ResultConfiguration": self.result_configuration,
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": false}},
            "QueryExecutionContext": context,
            "Status": status,
            "Statistics": self.statistics(now),
            "WorkGroup": self.workgroup,
            "EngineVersion": crate::workgroup::engine_version("AUTO"),
        });
        if let Some(substatement_type) = &self.substatement_type {
            shape["SubstatementType"] = substatement_type.as_str().into();
        }
        if !self.parameters.is_empty() {
            shape["ExecutionParameters"] = json!(self.parameters);
        }
        shape
    }

    /// How long each part of it took, up to now if it has not ended.
    pub(crate) fn times(&self, now: Timestamp) -> Times {
        let ms =
            |from: Timestamp, to: Timestamp| u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX);
        let end = self.completed_at.unwrap_or(now);
        let started = self.started_at.unwrap_or(end);
        let engine_ms = ms(started, end).saturating_sub(self.publishing_ms);
        Times {
            total_ms: ms(self.submitted_at, end),
            queue_ms: ms(self.submitted_at, started),
            engine_ms,
            planning_ms: self.planning_ms.min(engine_ms),
        }
    }

    fn statistics(&self, now: Timestamp) -> Value {
        let times = self.times(now);
        json!({
            "EngineExecutionTimeInMillis": times.engine_ms,
            "DataScannedInBytes": self.scanned_bytes,
            "TotalExecutionTimeInMillis": times.total_ms,
            "QueryQueueTimeInMillis": times.queue_ms,
            "ServicePreProcessingTimeInMillis": 0,
            "QueryPlanningTimeInMillis": times.planning_ms,
            "ServiceProcessingTimeInMillis": self.publishing_ms,
            "ResultReuseInformation": {"ReusedPreviousResult": false},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_instant_comes_first() {
        let at = |ms| newest_first(Timestamp::from_millis(ms));
        assert!(at(2) < at(1));
        assert!(at(1_503_733_632_345) < at(99));
        assert_eq!(Execution::id_of(&format!("{}-a-b", at(7))), "a-b");
    }

    /// A sample of version 1 reads, and is written again member by member.
    fn reads<E: Entity>(json: &str) {
        let stored = [b"\x01".as_slice(), json.as_bytes()].concat();
        let entity: E = store::entity::decode(&stored).unwrap();
        let sample: Value = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_value(&entity).unwrap(), sample);
    }

    #[test]
    fn version_1_reads() {
        reads::<Execution>(include_str!("../entities/athena_execution/v1.json"));
        reads::<History>(include_str!("../entities/athena_history/v1.json"));
        reads::<Open>(include_str!("../entities/athena_open/v1.json"));
        reads::<Token>(include_str!("../entities/athena_token/v1.json"));
        reads::<crate::named_query::NamedQuery>(include_str!("../entities/athena_named_query/v1.json"));
        reads::<crate::workgroup::WorkGroup>(include_str!("../entities/athena_workgroup/v1.json"));
    }
}
