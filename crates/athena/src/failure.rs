//! Why an execution failed: GetQueryExecution's `StateChangeReason` and `AthenaError`.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/error-reference.html>

use kernel::ErrorKind;
use ports::PortError;
use serde::{Deserialize, Serialize};

/// AthenaError, as stored and as answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Failure {
    /// 1: the system's; 2: the user's; 3: another.
    error_category: u8,
    /// A number of the error catalog.
    error_type: u16,
    /// Whether the same query may succeed later.
    retryable: bool,
    pub(crate) error_message: String,
}

const SYSTEM: u8 = 1;
const USER: u8 = 2;

/// Query exhausted resources.
const EXHAUSTED: u16 = 0;
/// Internal service error.
const INTERNAL_ERROR: u16 = 100;
/// User error.
const USER_ERROR: u16 = 1000;
/// DDL task failed.
const DDL_FAILED: u16 = 1003;
/// Syntax error: names that do not resolve are among these.
const SYNTAX: u16 = 1006;
/// Throttling.
const THROTTLED: u16 = 1400;
/// Amazon S3 permission error.
const S3_DENIED: u16 = 1501;

/// What an execution says that a stop of the node ended. It is not run again: a statement that changes the catalog may have
/// done so already.
pub(crate) const INTERRUPTED: &str =
    "INTERNAL_ERROR: The query was interrupted because the node stopped. Please run it again.";

const INTERNAL: &str = "[INTERNAL_ERROR_QUERY_ENGINE] Amazon Athena experienced an internal error while executing this \
                        query. Please try submitting the query again.";

impl Failure {
    fn new(error_category: u8, error_type: u16, retryable: Retry, error_message: String) -> Self {
        let retryable = retryable == Retry::MayHelp;
        Self { error_category, error_type, retryable, error_message }
    }

    /// The query is wrong.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self::new(USER, USER_ERROR, Retry::IsFutile, message.into())
    }

    /// What Hive says of a statement: its sentence begins with `FAILED: `.
    pub(crate) fn ddl(message: impl Into<String>) -> Self {
        Self::new(USER, DDL_FAILED, Retry::IsFutile, message.into())
    }

    /// Hive's `DDLTask` refused.
    pub(crate) fn ddl_task(message: &str) -> Self {
        Self::ddl(format!(
            "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {message}"
        ))
    }

    /// More than this node gives to one query.
    pub(crate) fn exhausted(message: impl Into<String>) -> Self {
        Self::new(USER, EXHAUSTED, Retry::IsFutile, message.into())
    }

    /// The node stopped.
    pub(crate) fn interrupted() -> Self {
        Self::new(SYSTEM, INTERNAL_ERROR, Retry::MayHelp, INTERRUPTED.to_owned())
    }

    /// A bug.
    pub(crate) fn internal() -> Self {
        Self::new(SYSTEM, INTERNAL_ERROR, Retry::MayHelp, INTERNAL.to_owned())
    }

    /// What another service or the engine said. What must not be shown is logged here, once.
    pub(crate) fn of_port(error: &PortError) -> Self {
        match error.kind {
            ErrorKind::Internal => {
                let source = error.source.as_ref().map(ToString::to_string).unwrap_or_default();
                tracing::error!(code = error.code, error = error.message, source, "query failed");
                Self::internal()
            }
            ErrorKind::Unavailable => {
                Self::new(SYSTEM, INTERNAL_ERROR, Retry::MayHelp, error.message.clone())
            }
            ErrorKind::Throttled => Self::new(USER, THROTTLED, Retry::MayHelp, error.message.clone()),
            ErrorKind::TooLarge => Self::exhausted(error.message.clone()),
            ErrorKind::Denied => Self::new(USER, S3_DENIED, Retry::IsFutile, error.message.clone()),
            ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Conflict => {
                let syntax = ["SYNTAX_ERROR", "COLUMN_NOT_FOUND", "TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"]
                    .iter()
                    .any(|code| error.message.starts_with(code));
                let error_type = if syntax { SYNTAX } else { USER_ERROR };
                Self::new(USER, error_type, Retry::IsFutile, error.message.clone())
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    MayHelp,
    IsFutile,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failure_says_whose_it_is_and_whether_a_retry_helps() {
        for (kind, message, expect) in [
            (ErrorKind::Invalid, "COLUMN_NOT_FOUND: line 1:8: …", (2, 1006, false)),
            (ErrorKind::Invalid, "DIVISION_BY_ZERO: Division by zero", (2, 1000, false)),
            (ErrorKind::NotFound, "The specified bucket does not exist", (2, 1000, false)),
            (ErrorKind::Denied, "Access Denied", (2, 1501, false)),
            (ErrorKind::TooLarge, "too large", (2, 0, false)),
            (ErrorKind::Throttled, "slow down", (2, 1400, true)),
            (ErrorKind::Unavailable, "disk full", (1, 100, true)),
        ] {
            let failure = Failure::of_port(&PortError::new(kind, "Code", message));
            let expect = json!({"ErrorCategory": expect.0, "ErrorType": expect.1, "Retryable": expect.2,
                "ErrorMessage": message});
            assert_eq!(serde_json::to_value(&failure).unwrap(), expect);
        }
    }

    #[test]
    fn an_internal_cause_is_not_shown() {
        let failure = Failure::of_port(&PortError::internal("secret path"));
        assert_eq!(failure.error_message, INTERNAL);
    }
}
