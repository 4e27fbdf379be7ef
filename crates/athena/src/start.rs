//! How an execution begins: checked, stored, then given to a task.

use std::sync::Arc;

use athena_sql::ddl::Ddl;
use athena_sql::{Statement, StatementType, SyntaxError};
use kernel::Context;
use store::meta::{Batch, Expect};
use store::{TableError, table::Stored};

use crate::execution::{Execution, History, Open, State, Token};
use crate::failure::Failure;
use crate::live::Live;
use crate::result_configuration::{self, ResultConfiguration};
use crate::workgroup::WorkGroup;
use crate::{Error, Inner, limits, parameters, run, scope, tasks};

/// What a client wants run.
#[derive(Clone)]
pub(crate) struct NewExecution {
    pub(crate) sql: String,
    pub(crate) token: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) catalog: Option<String>,
    pub(crate) workgroup: String,
    pub(crate) result_configuration: ResultConfiguration,
    pub(crate) parameters: Vec<String>,
}

/// A statement that is ready to run, or what Athena says of it once it has begun.
pub(crate) type Work = Result<Ready, Failure>;

/// A statement that is ready to run. A query is kept as text: while many wait, their parsed forms would take many times the
/// memory.
pub(crate) enum Ready {
    /// For the catalog.
    Ddl(Ddl),
    /// For the engine, as the client wrote it.
    Query,
    /// For the engine, with values in the places of question marks.
    FilledQuery(String),
}

const TOO_MANY: Error = Error::TooManyRequests(
    "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of \
     concurrent queries submitted by this account. Contact customer support to request a concurrent query limit \
     increase.",
);

impl Inner {
    /// Begins an execution, or finds the one that the same token began.
    ///
    /// # Errors
    /// `InvalidRequestException`, `TooManyRequestsException`.
    pub(crate) async fn begin(self: &Arc<Self>, cx: &Context, new: NewExecution) -> Result<String, Error> {
        for _ in 0..limits::UPDATE_ATTEMPTS {
            if let Some(id) = self.begun(cx, &new).await? {
                return Ok(id);
            }
            match self.try_begin(cx, &new).await {
                Err(BeginError::Conflict) => {}
                Err(BeginError::Refused(error)) => return Err(error),
                Ok(id) => return Ok(id),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// The execution that this request's token began.
    ///
    /// # Errors
    /// `InvalidRequestException` when the token began another request.
    async fn begun(&self, cx: &Context, new: &NewExecution) -> Result<Option<String>, Error> {
        let [account, region] = scope(cx);
        let Some(token) = &new.token else { return Ok(None) };
        let Some(found) = self.tokens.get(&[account, region, Token::EXECUTION, token]).await? else {
            return Ok(None);
        };
        let id = found.entity.id;
        let Some(Stored { entity, .. }) = self.executions.get(&[account, region, &id]).await? else {
            return Ok(None);
        };
        let same = entity.sql == new.sql
            && entity.workgroup == new.workgroup
            && entity.database == new.database
            && entity.catalog == new.catalog
            && entity.parameters == new.parameters
            && entity.requested_location == new.result_configuration.output_location;
        if !same {
            return Err(Error::invalid("Idempotent parameters do not match"));
        }
        Ok(Some(id))
    }

    async fn try_begin(self: &Arc<Self>, cx: &Context, new: &NewExecution) -> Result<String, BeginError> {
        let (workgroup, expect) = self.workgroup(cx, &new.workgroup).await?;
        if workgroup.disabled {
            return Err(Error::invalid(format!("WorkGroup {} is disabled.", workgroup.name)).into());
        }
        let (work, statement_type, substatement_type) = prepare(new)?;
        let mut result_configuration = self.destination(cx, new, &workgroup).await?;
        let id = self.entropy.uuid();
        let extension = if statement_type == StatementType::Dml { "csv" } else { "txt" };
        let folder = result_configuration.output_location.take().unwrap_or_default();
        result_configuration.output_location = Some(format!("{folder}{id}.{extension}"));
        let execution = Execution {
            id: id.clone(),
            account: cx.account.clone(),
            region: cx.region.clone(),
            workgroup: workgroup.name.clone(),
            sql: new.sql.clone(),
            statement_type: statement_type.as_str().to_owned(),
            substatement_type: substatement_type.map(str::to_owned),
            database: new.database.clone(),
            catalog: new.catalog.clone(),
            parameters: new.parameters.clone(),
            result_configuration,
            requested_location: new.result_configuration.output_location.clone(),
            token: new.token.clone(),
            state: State::Queued,
            reason: None,
            failure: None,
            submitted_at: self.clock.now(),
            started_at: None,
            completed_at: None,
            planning_ms: 0,
            publishing_ms: 0,
            scanned_bytes: 0,
        };
        let Some(tasks) = self.tasks.get() else { return Err(Error::Unavailable(None).into()) };
        let Some(live) = self.live.admit(execution.clone(), &self.meters) else {
            self.meters.refused(&execution);
            return Err(TOO_MANY.into());
        };
        let admission = Admission { inner: self, live: Some(live) };
        let revision = self.executions.commit(self.first_batch(cx, &execution, expect)).await?;
        let live = admission.keep();
        let cutoff = workgroup.configuration.cutoff_bytes.and_then(|bytes| u64::try_from(bytes).ok());
        let job = run::Job {
            cx: cx.clone(),
            live,
            work,
            revision,
            bytes_scanned_max: cutoff,
            publish_metrics: workgroup.configuration.publish_metrics,
        };
        let inner = Arc::clone(self);
        tasks.spawn(&tasks::QUERY, |_| run::run(inner, job));
        Ok(id)
    }

    fn first_batch(&self, cx: &Context, execution: &Execution, workgroup: Expect) -> Batch {
        let [account, region] = scope(cx);
        let parts = execution.parts();
        let history_key = execution.history_key();
        let mut batch =
            self.workgroups.with_check(Batch::default(), &[account, region, &execution.workgroup], workgroup);
        batch = self.executions.with_put(batch, &parts, execution);
        batch =
            self.history.with_put(batch, &[account, region, &execution.workgroup, &history_key], &History {});
        batch = self.open.with_put(batch, &parts, &Open {});
        if let Some(token) = &execution.token {
            let parts = [account, region, Token::EXECUTION, token];
            batch = self.tokens.with_check(batch, &parts, Expect::Absent);
            batch = self.tokens.with_put(batch, &parts, &Token { id: execution.id.clone() });
        }
        batch
    }

    /// Where the result goes: a folder that is there.
    async fn destination(
        &self,
        cx: &Context,
        new: &NewExecution,
        workgroup: &WorkGroup,
    ) -> Result<ResultConfiguration, Error> {
        let of_workgroup = &workgroup.configuration.result;
        let enforced = workgroup.configuration.enforce && of_workgroup.output_location.is_some();
        let mut chosen = if enforced { of_workgroup.clone() } else { new.result_configuration.clone() };
        if chosen.output_location.is_none() {
            chosen = ResultConfiguration { output_location: of_workgroup.output_location.clone(), ..chosen };
        }
        let Some(location) = &chosen.output_location else {
            let bucket = result_configuration::default_bucket(cx);
            self.objects.ensure_bucket(cx, &bucket).await.map_err(Error::of_objects)?;
            chosen.output_location = Some(format!("s3://{bucket}/"));
            return Ok(chosen);
        };
        let folder = result_configuration::folder(location);
        let (bucket, key) = result_configuration::split(&folder)?;
        match self.objects.get_range(cx, bucket, &format!("{key}-"), 0..0).await {
            Err(error) if error.code == "NoSuchBucket" => {
                return Err(Error::invalid(format!("Unable to verify/create output bucket {bucket}")));
            }
            Err(error) if error.kind == kernel::ErrorKind::NotFound => {}
            done => drop(done.map_err(Error::of_objects)?),
        }
        chosen.output_location = Some(folder);
        Ok(chosen)
    }
}

/// The statement of a request, and what is known of it before it runs. What Athena says of a statement's syntax it says at once;
/// what it says of its meaning makes an execution that fails.
fn prepare(new: &NewExecution) -> Result<(Work, StatementType, Option<&'static str>), Error> {
    let syntax = |error: SyntaxError| Error::invalid(error.to_string());
    // No name contains it, and keys of the store end with it.
    if new.sql.contains('\0') || new.database.as_ref().is_some_and(|database| database.contains('\0')) {
        return Err(Error::invalid("The query and its context must not contain NUL."));
    }
    let statement = match athena_sql::parse(&new.sql) {
        Ok(statement) => statement,
        Err(error @ SyntaxError::HiveSemantic { .. }) => {
            return Ok((Err(Failure::ddl(error.to_string())), StatementType::Ddl, None));
        }
        Err(error) => return Err(syntax(error)),
    };
    let class = statement.class();
    let work = match statement {
        Statement::Ddl(_) if !new.parameters.is_empty() => {
            return Err(Error::invalid("Execution parameters are supported for queries only."));
        }
        Statement::Ddl(statement) => Ok(Ready::Ddl(statement)),
        Statement::Query(_) | Statement::Explain(_) => match parameters::fill(&new.sql, &new.parameters) {
            Ok(_) if new.parameters.is_empty() => Ok(Ready::Query),
            Ok(filled) => {
                athena_sql::parse(&filled).map_err(syntax)?;
                Ok(Ready::FilledQuery(filled))
            }
            Err(failure) => Err(failure),
        },
    };
    Ok((work, class.statement_type, Some(class.substatement_type)))
}

/// Lets an execution go again if its beginning is given up.
struct Admission<'a> {
    inner: &'a Inner,
    live: Option<Arc<Live>>,
}

impl Admission<'_> {
    fn keep(mut self) -> Arc<Live> {
        self.live.take().expect("it is taken here only")
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if let Some(live) = &self.live {
            self.inner.live.release(live, &self.inner.meters);
        }
    }
}

enum BeginError {
    /// The workgroup was changed, or the same token began another execution.
    Conflict,
    Refused(Error),
}

impl From<Error> for BeginError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<TableError> for BeginError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Conflict => Self::Conflict,
            error => Self::Refused(error.into()),
        }
    }
}
