//! A statement through Athena, from start to rows, as a client would run it.

use serde_json::{Value, json};

use crate::Sandbox;

/// What became of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// The query execution's id.
    pub id: String,
    /// `SUCCEEDED`, or the state and its reason: `FAILED: SYNTAX_ERROR: …`.
    pub outcome: String,
    /// Every row of the result, the one with the columns' names first where there is one. NULL is `NULL`.
    pub rows: Vec<Vec<String>>,
}

impl Executed {
    /// The rows below the columns' names.
    ///
    /// # Panics
    /// If the statement did not succeed: the test has failed.
    #[track_caller]
    pub fn values(&self) -> Vec<Vec<&str>> {
        assert_eq!(self.outcome, "SUCCEEDED");
        self.rows.iter().skip(1).map(|row| row.iter().map(String::as_str).collect()).collect()
    }

    /// The one value there is.
    ///
    /// # Panics
    /// If there is another number of them, or the statement did not succeed: the test has failed.
    #[track_caller]
    pub fn value(&self) -> &str {
        match self.values()[..] {
            [ref row] if row.len() == 1 => row[0],
            ref values => panic!("one value was expected, not {values:?}"),
        }
    }
}

impl Sandbox {
    /// Runs a statement in the database `default` and waits for its end.
    ///
    /// # Panics
    /// If an operation of Athena fails, which is something else than a statement that does: the test has failed.
    pub async fn sql(&self, statement: &str) -> Executed {
        let context = json!({"Database": "default"});
        self.execute(&json!({"QueryString": statement, "QueryExecutionContext": context})).await
    }

    /// Starts a query execution with this input and waits for its end.
    ///
    /// # Panics
    /// As [`Sandbox::sql`].
    pub async fn execute(&self, input: &Value) -> Executed {
        let api = self.api();
        let call = async |operation: &str, input: &Value| -> Value {
            let answer = api.json("athena", operation, input).await;
            answer.unwrap_or_else(|error| panic!("{operation} {input}: {error}"))
        };
        let started = call("StartQueryExecution", input).await;
        let id = started["QueryExecutionId"].as_str().expect("it has an id").to_owned();
        let outcome = self.outcome(&id).await;
        let mut rows = Vec::new();
        let mut next = (outcome == "SUCCEEDED").then(|| json!({"QueryExecutionId": id}));
        while let Some(mut page) = next.take() {
            let answer = call("GetQueryResults", &page).await;
            let found = answer.pointer("/ResultSet/Rows").and_then(Value::as_array);
            rows.extend(found.into_iter().flatten().map(row));
            if let Some(token) = answer.get("NextToken") {
                page["NextToken"] = token.clone();
                next = Some(page);
            }
        }
        Executed { id, outcome, rows }
    }

    /// Waits for the end of a query execution and says how it ended.
    ///
    /// # Panics
    /// As [`Sandbox::sql`].
    pub async fn outcome(&self, id: &str) -> String {
        let api = self.api();
        let mut outcome = String::new();
        self.until("the query execution ends", async || {
            let answer = api.json("athena", "GetQueryExecution", &json!({"QueryExecutionId": id})).await;
            let answer = answer.unwrap_or_else(|error| panic!("GetQueryExecution {id}: {error}"));
            let status = &answer["QueryExecution"]["Status"];
            let state = status["State"].as_str().unwrap_or_default();
            outcome = match status["StateChangeReason"].as_str() {
                Some(reason) if state != "SUCCEEDED" => format!("{state}: {reason}"),
                _ => state.to_owned(),
            };
            matches!(state, "SUCCEEDED" | "FAILED" | "CANCELLED")
        })
        .await;
        outcome
    }
}

fn row(row: &Value) -> Vec<String> {
    let cells = row["Data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |cell: &Value| cell["VarCharValue"].as_str().unwrap_or("NULL").to_owned();
    cells.iter().map(text).collect()
}
