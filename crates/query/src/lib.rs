//! The SQL engine behind [`ports::Execute`]: Athena's SQL over objects and buffered records, on DataFusion.
//!
//! ```text
//! text ─ athena_sql ─ rewrite (Trino's meaning) ─ catalog (tables it names) ─ DataFusion ─ rows as Athena's text
//!                                                      │
//!                              scan: snapshot ─ lines ─ json ─ batches (cache)
//! ```
//!
//! 1. A query runs on threads of the engine's own; the node's only wait for it.
//! 2. Dropping [`ports::Running`] stops the query at its next batch; dropping the engine stops all.
//! 3. A panic in a query is an internal error of that query.
//! 4. All queries together use at most [`Config::memory_bytes_max`] and [`Config::cache_bytes_max`] for what they
//!    hold between batches; they write nothing to disk.
//! 5. No other crate names DataFusion or Arrow.
//!
//! Differs from AWS: what is not there is refused by name (views, other formats than JSON lines, partition projection,
//! `information_schema`, `"$path"`, AT TIME ZONE, the type JSON, EXPLAIN ANALYZE). `sum` of bigint wraps where Trino
//! refuses the overflow; `avg` of a decimal has four digits more than the decimal; BETWEEN, IN and CASE compare a
//! varchar with a number where Trino refuses to.

mod cache;
mod catalog;
mod cooperation;
mod error;
mod functions;
mod hive_table;
mod json;
mod limits;
mod lines;
mod planner;
mod rewrite;
mod scan;
mod session;
mod snapshot;
mod temporal;
mod text;
mod types;
mod unnest;

#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use athena_sql::Statement as Parsed;
use datafusion::arrow::datatypes::DataType;
use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::{ExecutionPlan, displayable, execute_stream};
use datafusion::sql::parser::Statement as PlannedStatement;
use futures::FutureExt;
use futures::stream::{self, StreamExt};
use kernel::{Clock, Context, ErrorKind, OnCancel, OnError, TaskGroup, TaskKind};
use ports::{
    Buffered, Catalog, Execute, Objects, PortError, PortFuture, QueryRequest, ResultColumn, Row, Running,
};
use sqlparser::ast::Statement;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{mpsc, oneshot};

use crate::cache::DecodedCache;
use crate::error::{QueryError, placed, to_port};
use crate::limits::RESULT_BATCHES;
use crate::rewrite::Header;
use crate::scan::{Progress, ScanContext};

static QUERY: TaskKind = TaskKind { name: "query", on_cancel: OnCancel::Abort, on_error: OnError::Log };

/// How much of the machine queries may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Threads that run queries, and partitions a query is split into; at least 1.
    pub threads: usize,
    /// Bytes that all running queries may hold in sorts, joins and aggregations.
    pub memory_bytes_max: usize,
    /// Bytes of decoded objects kept for the next query.
    pub cache_bytes_max: usize,
}

impl Default for Config {
    /// One thread per processor, 1 GiB, 256 MiB.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { threads, memory_bytes_max: 1 << 30, cache_bytes_max: 256 << 20 }
    }
}

/// The engine.
pub struct Engine {
    shared: Arc<Shared>,
    tasks: TaskGroup,
    /// None until the first query.
    runtime: Mutex<Option<Runtime>>,
}

struct Shared {
    config: Config,
    runtime_env: Arc<RuntimeEnv>,
    cache: Arc<DecodedCache>,
    catalog: Arc<dyn Catalog>,
    objects: Arc<dyn Objects>,
    buffered: Arc<dyn Buffered>,
    clock: Arc<dyn Clock>,
}

impl Engine {
    /// An engine that starts its threads with its first query.
    pub fn new(
        config: Config,
        catalog: Arc<dyn Catalog>,
        objects: Arc<dyn Objects>,
        buffered: Arc<dyn Buffered>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let config = Config { threads: config.threads.max(1), ..config };
        let runtime_env = session::runtime_env(&config);
        let cache = Arc::new(DecodedCache::new(config.cache_bytes_max));
        let tasks = TaskGroup::root(Arc::clone(&clock));
        let shared = Shared { config, runtime_env, cache, catalog, objects, buffered, clock };
        Self { shared: Arc::new(shared), tasks, runtime: Mutex::default() }
    }

    /// Runs `work` on the engine's threads until it ends or the stopper is dropped.
    fn start(
        &self,
        name: &str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Stopper, PortError> {
        let threads = self.threads().map_err(PortError::internal)?;
        let stopper = Stopper(self.tasks.child(name));
        let _entered = threads.enter();
        stopper.0.spawn(&QUERY, |_| work);
        Ok(stopper)
    }

    fn threads(&self) -> std::io::Result<Handle> {
        let mut runtime = self.runtime.lock().expect("no holder of this lock panics");
        if let Some(runtime) = &*runtime {
            return Ok(runtime.handle().clone());
        }
        let started = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.shared.config.threads)
            .thread_name("query")
            .enable_all()
            .build()?;
        Ok(runtime.insert(started).handle().clone())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.tasks.cancel();
        if let Some(runtime) = self.runtime.get_mut().ok().and_then(Option::take) {
            runtime.shutdown_background();
        }
    }
}

/// Stops a query's task when dropped.
struct Stopper(TaskGroup);

impl Drop for Stopper {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What a query's task sends after its columns.
enum Sent {
    Rows(Vec<Row>),
    End,
}

type RowSender = mpsc::Sender<Result<Sent, PortError>>;

impl Execute for Engine {
    fn execute<'a>(&'a self, cx: &'a Context, request: QueryRequest) -> PortFuture<'a, Running> {
        Box::pin(async move {
            let progress = Progress::new(request.bytes_scanned_max);
            let context = Arc::new(ScanContext {
                cx: cx.clone(),
                objects: Arc::clone(&self.shared.objects),
                buffered: Arc::clone(&self.shared.buffered),
                cache: Arc::clone(&self.shared.cache),
                progress,
            });
            let (columns_sender, columns) = oneshot::channel();
            let (rows_sender, rows) = mpsc::channel(RESULT_BATCHES);
            let work =
                run(Arc::clone(&self.shared), Arc::clone(&context), request, columns_sender, rows_sender);
            let stopper = self.start(&cx.request_id, work)?;
            let columns = columns.await.map_err(|_| stopped())??;
            let rows = stream::unfold(Some((rows, stopper)), |state| async move {
                let (mut rows, stopper) = state?;
                match rows.recv().await {
                    Some(Ok(Sent::Rows(batch))) => Some((Ok(batch), Some((rows, stopper)))),
                    Some(Ok(Sent::End)) => None,
                    Some(Err(error)) => Some((Err(error), None)),
                    None => Some((Err(stopped()), None)),
                }
            });
            let statistics = Arc::new(move || context.progress.statistics());
            Ok(Running { columns, rows: rows.boxed(), statistics })
        })
    }
}

fn stopped() -> PortError {
    PortError::new(ErrorKind::Unavailable, "QUERY_STOPPED", "The query was stopped before it finished.")
}

/// A query's whole life on the engine's threads.
async fn run(
    shared: Arc<Shared>,
    context: Arc<ScanContext>,
    request: QueryRequest,
    columns: oneshot::Sender<Result<Vec<ResultColumn>, PortError>>,
    rows: RowSender,
) {
    let planned = contain(Box::pin(plan(&shared, &context, &request))).await;
    // A reader that is gone has dropped the stopper as well; nothing is lost by not telling it.
    let (described, answer) = match planned {
        Ok((described, answer)) => (described, answer),
        Err(error) => {
            drop(columns.send(Err(error)));
            return;
        }
    };
    if columns.send(Ok(described)).is_err() {
        return;
    }
    let end = match contain(answer_rows(answer, &rows)).await {
        Ok(()) => Ok(Sent::End),
        Err(error) => Err(error),
    };
    drop(rows.send(end).await);
}

/// A panic is an error.
async fn contain<T>(work: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            tracing::error!(error = text, "query panicked");
            Err(PortError::internal(format!("panic: {text}")))
        }
    }
}

/// Where the rows come from.
enum Answer {
    Plan(Box<SessionState>, Arc<dyn ExecutionPlan>),
    Lines(Vec<Row>),
}

async fn plan(
    shared: &Shared,
    context: &Arc<ScanContext>,
    request: &QueryRequest,
) -> Result<(Vec<ResultColumn>, Answer), PortError> {
    let parsed = athena_sql::parse(&request.sql)
        .map_err(|error| PortError::new(ErrorKind::Invalid, "SYNTAX_ERROR", error.to_string()))?;
    match parsed {
        Parsed::Query(statement) => {
            let (state, plan, header) = plan_query(shared, context, *statement, &request.database).await?;
            let fields = plan.schema();
            let columns =
                fields.fields().iter().enumerate().map(|(idx, field)| {
                    types::result_column(header.name(field.name(), idx), field.data_type())
                });
            Ok((columns.collect(), Answer::Plan(Box::new(state), plan)))
        }
        Parsed::Explain(statement) => {
            let Statement::Explain { statement, analyze: false, .. } = *statement else {
                return Err(QueryError::not_supported("EXPLAIN ANALYZE is not supported").into());
            };
            let (_, plan, _) = plan_query(shared, context, *statement, &request.database).await?;
            let text = displayable(plan.as_ref()).indent(false).to_string();
            let lines = text.lines().map(|line| vec![Some(line.to_owned())]).collect();
            let column = types::result_column("Query Plan".to_owned(), &DataType::Utf8);
            Ok((vec![column], Answer::Lines(lines)))
        }
        Parsed::Ddl(_) => Err(QueryError::not_supported("The engine runs queries only").into()),
    }
}

async fn plan_query(
    shared: &Shared,
    context: &Arc<ScanContext>,
    mut statement: Statement,
    database: &str,
) -> Result<(SessionState, Arc<dyn ExecutionPlan>, Header), PortError> {
    let database = database.to_lowercase();
    let header = rewrite::rewrite(&mut statement, shared.clock.now())?;
    let tables = catalog::fetch(&*shared.catalog, &statement, &database, context).await?;
    let state = session::session_builder(&shared.config, Arc::clone(&shared.runtime_env), &database)
        .with_catalog_list(tables)
        .build();
    let planned = PlannedStatement::Statement(Box::new(statement));
    let explain = |error| {
        let error = to_port(error);
        let place = header.place(&error);
        placed(error, place)
    };
    let logical = state.statement_to_plan(planned).await.map_err(explain)?;
    let plan = state.create_physical_plan(&logical).await.map_err(explain)?;
    Ok((state, plan, header))
}

async fn answer_rows(answer: Answer, sender: &RowSender) -> Result<(), PortError> {
    let (state, plan) = match answer {
        Answer::Plan(state, plan) => (state, plan),
        Answer::Lines(lines) => {
            drop(sender.send(Ok(Sent::Rows(lines))).await);
            return Ok(());
        }
    };
    let mut batches = execute_stream(plan, state.task_ctx()).map_err(to_port)?;
    while let Some(batch) = batches.next().await {
        let rows = text::rows(&batch.map_err(to_port)?).map_err(|error| to_port(error.into()))?;
        if !rows.is_empty() && sender.send(Ok(Sent::Rows(rows))).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
