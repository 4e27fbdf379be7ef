//! How an execution runs and ends: waits for its turn, works, writes its result, stores its end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use kernel::{Backoff, Context};
use ports::{PutObject, QueryRequest, ResultColumn};
use store::meta::{Batch, Expect};
use store::{Revision, TableError};

use crate::ddl;
use crate::execution::{Execution, State};
use crate::failure::Failure;
use crate::live::Live;
use crate::start::{Ready, Work};
use crate::{Error, Inner, column_metadata, csv, limits, result_configuration};

/// An execution that has been stored and waits for its turn.
pub(crate) struct Job {
    pub(crate) cx: Context,
    pub(crate) live: Arc<Live>,
    pub(crate) work: Work,
    /// The commit that stored it.
    pub(crate) revision: Revision,
    pub(crate) bytes_scanned_max: Option<u64>,
    /// Whether it is counted for its workgroup.
    pub(crate) publish_metrics: bool,
}

/// How an execution ends.
enum Outcome {
    Succeeded,
    Failed(Failure),
    Cancelled(String),
}

/// A result in the form in which it is stored.
struct ResultObject {
    columns: Vec<ResultColumn>,
    body: Vec<u8>,
}

/// What the engine says when it has read as much as it may.
const CUTOFF: &str = "Bytes scanned limit was exceeded";

pub(crate) async fn run(inner: Arc<Inner>, job: Job) {
    let live = Arc::clone(&job.live);
    // A task that is dropped here leaves memory only; the store still says that the execution is open.
    let _released = Released { inner: &inner, live: &live };
    let (revision, publish_metrics) = (job.revision, job.publish_metrics);
    let is_query = live.snapshot().is_query();
    let turns = if is_query { &inner.dml } else { &inner.ddl };
    let turn = tokio::select! {
        biased;
        () = live.cancelled() => None,
        turn = turns.take(&job.cx.account) => turn,
    };
    let outcome = match turn {
        None => cancelled_by_user(),
        Some(_turn) => {
            inner.live.started(&live, inner.clock.now(), &inner.meters);
            let time_max = if is_query { limits::DML_TIME_MAX } else { limits::DDL_TIME_MAX };
            tokio::select! {
                biased;
                () = live.cancelled() => cancelled_by_user(),
                done = AssertUnwindSafe(work(&inner, job).boxed()).catch_unwind() => done.unwrap_or_else(|_| {
                    tracing::error!("a query panicked");
                    Outcome::Failed(Failure::internal())
                }),
                () = inner.clock.sleep(time_max) => Outcome::Failed(Failure::exhausted("Query timeout")),
            }
        }
    };
    let Some(execution) = finish(&inner, &live, revision, outcome).await else { return };
    let times = execution.times(inner.clock.now());
    inner.meters.ended(&execution, &times);
    if publish_metrics {
        inner.meters.ended_in_workgroup(&execution, &times);
    }
}

struct Released<'a> {
    inner: &'a Inner,
    live: &'a Live,
}

impl Drop for Released<'_> {
    fn drop(&mut self) {
        self.inner.live.release(self.live, &self.inner.meters);
    }
}

fn cancelled_by_user() -> Outcome {
    Outcome::Cancelled("Query cancelled by user".to_owned())
}

async fn work(inner: &Inner, job: Job) -> Outcome {
    match try_work(inner, job).await {
        Ok(()) => Outcome::Succeeded,
        Err(failure) if failure.error_message.ends_with(CUTOFF) => Outcome::Cancelled(CUTOFF.to_owned()),
        Err(failure) => Outcome::Failed(failure),
    }
}

async fn try_work(inner: &Inner, job: Job) -> Result<(), Failure> {
    let Job { cx, live, work, bytes_scanned_max, .. } = job;
    let ready = work?;
    let execution = live.snapshot();
    let database = execution.database.as_deref().unwrap_or("default").to_lowercase();
    let sql = match ready {
        Ready::Ddl(statement) => {
            let result = text_result(&ddl::execute(inner, &cx, &database, &statement).await?);
            return publish(inner, &cx, &live, &execution, result).await;
        }
        Ready::Query => execution.sql.clone(),
        Ready::FilledQuery(filled) => filled,
    };
    let request = QueryRequest { sql, database, bytes_scanned_max };
    let result = query_result(inner, &cx, &live, &execution, request).await?;
    publish(inner, &cx, &live, &execution, result).await
}

fn text_result(output: &ddl::Output) -> ResultObject {
    let mut body = Vec::new();
    for line in &output.lines {
        body.extend_from_slice(line.as_bytes());
        body.push(b'\n');
    }
    let text = |name: &&str| ResultColumn {
        name: (*name).to_owned(),
        type_name: "string".to_owned(),
        precision: 0,
        scale: 0,
    };
    ResultObject { columns: output.columns.iter().map(text).collect(), body }
}

/// Runs a query and gathers its rows.
async fn query_result(
    inner: &Inner,
    cx: &Context,
    live: &Live,
    execution: &Execution,
    request: QueryRequest,
) -> Result<ResultObject, Failure> {
    let began = inner.clock.now();
    let mut running = inner.execute.execute(cx, request).await.map_err(|error| Failure::of_port(&error))?;
    live.set_statistics(Arc::clone(&running.statistics));
    let planning = inner.clock.now().since(began);
    live.change(|execution| execution.planning_ms = millis(planning));
    let mut body = Vec::new();
    if execution.is_query() {
        csv::write(&mut body, running.columns.iter().map(|column| Some(column.name.as_str())));
    }
    while let Some(batch) = running.rows.next().await {
        for row in batch.map_err(|error| Failure::of_port(&error))? {
            if execution.is_query() {
                csv::write(&mut body, row.iter().map(Option::as_deref));
            } else {
                // The plan of an EXPLAIN: text.
                let values: Vec<_> = row.iter().map(|value| value.as_deref().unwrap_or_default()).collect();
                body.extend_from_slice(values.join("\t").trim_end_matches('\n').as_bytes());
                body.push(b'\n');
            }
            if body.len() > limits::RESULT_BYTES_MAX {
                return Err(Failure::exhausted(format!(
                    "EXCEEDED_RESULT_SIZE: The result is larger than {} bytes. Please select fewer rows or columns.",
                    limits::RESULT_BYTES_MAX
                )));
            }
        }
    }
    Ok(ResultObject { columns: running.columns, body })
}

/// Writes the result, and beside it what its columns are.
async fn publish(
    inner: &Inner,
    cx: &Context,
    live: &Live,
    execution: &Execution,
    result: ResultObject,
) -> Result<(), Failure> {
    let began = inner.clock.now();
    let (bucket, key) = result_configuration::split(execution.location())
        .map_err(|error| Failure::user(error.to_string()))?;
    let metadata = column_metadata::encode(&execution.id, &result.columns);
    let bytes = metadata.len() + result.body.len();
    for (key, body) in [(format!("{key}.metadata"), metadata), (key.to_owned(), result.body)] {
        let object = PutObject {
            bucket: bucket.to_owned(),
            key,
            body: body.into(),
            content_type: Some("application/octet-stream".to_owned()),
            ..PutObject::default()
        };
        inner.objects.put(cx, object).await.map_err(|error| Failure::of_port(&error))?;
    }
    inner.meters.wrote_result(execution, bytes as u64);
    let publishing = inner.clock.now().since(began);
    live.change(|execution| execution.publishing_ms = millis(publishing));
    Ok(())
}

/// Stores the end and answers what was stored. When the store cannot for long, the execution stays open there, which means interrupted.
async fn finish(inner: &Inner, live: &Live, revision: Revision, outcome: Outcome) -> Option<Execution> {
    let mut execution = live.snapshot();
    execution.completed_at = Some(inner.clock.now());
    (execution.state, execution.reason, execution.failure) = match outcome {
        Outcome::Succeeded => (State::Succeeded, None, None),
        Outcome::Failed(failure) => (State::Failed, Some(failure.error_message.clone()), Some(failure)),
        Outcome::Cancelled(reason) => (State::Cancelled, Some(reason), None),
    };
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
    for attempt in 1..=limits::FINISH_ATTEMPTS {
        match inner.store_end(&execution, revision).await {
            Ok(()) => break,
            Err(error) if attempt < limits::FINISH_ATTEMPTS => {
                tracing::warn!(id = execution.id, %error, "the end of a query is stored again");
                inner.clock.sleep(backoff.next_wait(&inner.entropy)).await;
            }
            Err(error) => {
                tracing::error!(id = execution.id, %error, "the end of a query is lost");
                return None;
            }
        }
    }
    Some(execution)
}

impl Inner {
    /// Writes the end of an execution that is still as its beginning was stored; of one that was deleted meanwhile, only that it
    /// has ended.
    async fn store_end(&self, execution: &Execution, revision: Revision) -> Result<(), TableError> {
        let parts = execution.parts();
        let batch = self.executions.with_check(Batch::default(), &parts, Expect::At(revision));
        let batch = self.executions.with_put(batch, &parts, execution);
        match self.executions.commit(self.open.with_delete(batch, &parts)).await {
            Err(TableError::Conflict) => self.open.delete(&parts).await.map(drop),
            done => done.map(drop),
        }
    }

    /// Ends what a stop of the node interrupted.
    pub(crate) async fn end_interrupted(&self) -> Result<(), Error> {
        for (key, _) in self.open.list(&[]).await? {
            let parts: Vec<&str> = key.iter().map(String::as_str).collect();
            match self.executions.get(&parts).await? {
                Some(found) if !found.entity.state.is_last() => {
                    let ended = found.entity.interrupted(self.clock.now());
                    self.store_end(&ended, found.revision).await?;
                }
                _ => drop(self.open.delete(&parts).await?),
            }
        }
        Ok(())
    }

    /// Ends an execution by its user's wish; resolves when its end is stored. One that has ended stays as it ended.
    ///
    /// # Errors
    /// `InvalidRequestException` when there is none.
    pub(crate) async fn stop(&self, cx: &Context, id: &str) -> Result<(), Error> {
        let (Some(live), Some(tasks)) = (self.live.get(cx, id), self.tasks.get()) else {
            return self.execution(cx, id).await.map(drop);
        };
        live.cancel();
        let mut stop = tasks.stop();
        tokio::select! {
            () = live.ended() => Ok(()),
            () = stop.stopped() => Err(Error::Unavailable(None)),
        }
    }

    /// The caller's execution as it is now.
    pub(crate) async fn execution(&self, cx: &Context, id: &str) -> Result<Execution, Error> {
        if let Some(live) = self.live.get(cx, id) {
            return Ok(live.snapshot());
        }
        let [account, region] = crate::scope(cx);
        match self.executions.get(&[account, region, id]).await? {
            None => Err(Error::invalid(format!("QueryExecution {id} was not found"))),
            Some(found) if found.entity.state.is_last() => Ok(found.entity),
            Some(found) => Ok(found.entity.interrupted(self.clock.now())),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
