//! `POST /console/sql`: Athena's engine without an execution record or a result object, for dashboards.
//!
//! Authorised as `athena:StartQueryExecution` in the workgroup `primary`: who may not start a query may not look at
//! a dashboard. An answer is bounded in rows and bytes and says when it was cut; so is the number of queries at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::StreamExt;
use kernel::Context;
use ports::{PortError, QueryRequest, Row, Running};
use serde::{Deserialize, Serialize};
use wire::{Fault, Resource};

use crate::limits::{SQL_BYTES_MAX, SQL_CONCURRENT_MAX, SQL_ROWS_MAX};
use crate::{Console, metrics};

#[derive(Deserialize)]
struct Question {
    sql: String,
    #[serde(default = "default_database")]
    database: String,
}

fn default_database() -> String {
    "default".to_owned()
}

/// What was found.
#[derive(Serialize)]
pub(crate) struct Answer {
    columns: Vec<Column>,
    /// Athena's text of each value, null for NULL.
    rows: Vec<Row>,
    /// Whether there were more rows than are here.
    truncated: bool,
    statistics: Statistics,
}

#[derive(Serialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    type_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    elapsed_ms: u64,
    bytes_scanned: u64,
    objects: u64,
    buffered_records: u64,
}

/// # Errors
/// `AccessDeniedException`, `TooManyRequestsException` while [`SQL_CONCURRENT_MAX`] queries run, and the engine's own sentence
/// about the text or the data.
pub(crate) async fn answer(console: &Console, cx: &Context, body: &Bytes) -> Result<Answer, Fault> {
    let question: Question = serde_json::from_slice(body)
        .map_err(|error| Fault::new(400, "SerializationException", error.to_string()))?;
    let workgroup = Resource::Arn(cx.arn("athena", "workgroup/primary"));
    console
        .parts
        .authorize
        .authorize(cx, "athena:StartQueryExecution", &workgroup)
        .map_err(|denied| Fault::new(403, "AccessDeniedException", denied.to_string()))?;
    let _slot = Slot::take(&console.queries).ok_or_else(|| {
        Fault::new(429, "TooManyRequestsException", "Too many dashboards ask at once. Ask again shortly.")
    })?;
    let outcome = run(console, cx, question).await;
    let result = if outcome.is_ok() { "succeeded" } else { "failed" };
    let labels = [cx.account.as_str(), cx.region.as_str(), result];
    console.parts.metrics.counter(&metrics::QUERIES, &labels).add(1);
    outcome.map_err(|error| Fault::from_service(&PortFault(error)))
}

async fn run(console: &Console, cx: &Context, question: Question) -> Result<Answer, PortError> {
    let started = console.parts.clock.now();
    let request = QueryRequest { sql: question.sql, database: question.database, bytes_scanned_max: None };
    let Running { columns, rows, statistics } = console.parts.execute.execute(cx, request).await?;
    let (rows, truncated) = gather(rows).await?;
    let read = statistics();
    let elapsed = console.parts.clock.now().since(started);
    Ok(Answer {
        columns: columns
            .into_iter()
            .map(|column| Column { name: column.name, type_name: column.type_name })
            .collect(),
        rows,
        truncated,
        statistics: Statistics {
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            bytes_scanned: read.bytes_scanned,
            objects: read.objects,
            buffered_records: read.buffered_records,
        },
    })
}

/// Rows up to the bounds, and whether there were more. Dropping the stream stops the query.
async fn gather(
    mut batches: futures::stream::BoxStream<'static, Result<Vec<Row>, PortError>>,
) -> Result<(Vec<Row>, bool), PortError> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    while let Some(batch) = batches.next().await {
        for row in batch? {
            bytes += row.iter().flatten().map(String::len).sum::<usize>();
            if rows.len() == SQL_ROWS_MAX || bytes > SQL_BYTES_MAX {
                return Ok((rows, true));
            }
            rows.push(row);
        }
    }
    Ok((rows, false))
}

/// A query's place among those that run.
struct Slot<'a>(&'a AtomicUsize);

impl<'a> Slot<'a> {
    fn take(running: &'a AtomicUsize) -> Option<Self> {
        running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < SQL_CONCURRENT_MAX).then_some(n + 1))
            .ok()
            .map(|_| Self(running))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A port's error on its way to the browser.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(crate) struct PortFault(#[source] pub(crate) PortError);

impl kernel::ServiceError for PortFault {
    fn kind(&self) -> kernel::ErrorKind {
        self.0.kind
    }

    fn code(&self) -> &str {
        &self.0.code
    }
}
