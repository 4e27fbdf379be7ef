//! Pages of a result, read from its object: a page costs what it holds, wherever it is.
//!
//! A page's token says where in the object it begins, so no page reads what is before it.

use kernel::{Context, ErrorKind};
use ports::{PortError, ResultColumn, Row};

use crate::execution::{Execution, State};
use crate::{Error, Inner, column_metadata, csv, limits, result_configuration};

/// A page of a result.
pub(crate) struct ResultPage {
    pub(crate) columns: Vec<ResultColumn>,
    pub(crate) rows: Vec<Row>,
    pub(crate) next_token: Option<String>,
}

impl Inner {
    /// # Errors
    /// `InvalidRequestException` for an execution without a result and for a token that is not of it.
    pub(crate) async fn results(
        &self,
        cx: &Context,
        execution: &Execution,
        token: Option<&str>,
        rows_max: usize,
    ) -> Result<ResultPage, Error> {
        match execution.state {
            State::Succeeded => {}
            State::Failed | State::Cancelled => {
                return Err(Error::invalid(format!(
                    "Query did not finish successfully. Final query state: {}",
                    execution.state.as_str()
                )));
            }
            state => {
                let state = state.as_str();
                return Err(Error::invalid(format!("Query has not yet finished. Current state: {state}")));
            }
        }
        let start = token.map_or(Ok(0), |token| offset(execution, token))?;
        let (bucket, key) = result_configuration::split(execution.location())?;
        let gone = |error: PortError| match error.kind {
            ErrorKind::NotFound => {
                Error::invalid(format!("Could not find results of QueryExecution {}", execution.id))
            }
            _ => Error::of_objects(error),
        };
        let metadata = self.objects.get(cx, bucket, &format!("{key}.metadata")).await.map_err(gone)?;
        let columns = column_metadata::decode(&metadata).ok_or_else(|| {
            Error::invalid(format!("Could not read results of QueryExecution {}", execution.id))
        })?;
        let mut page = Rows { buffer: Vec::new(), at: 0, rows: Vec::new() };
        let read = if execution.is_query() { csv::read } else { csv::read_line };
        let mut ended = false;
        loop {
            let full = page.take(read, rows_max);
            if full || ended {
                break;
            }
            let from = start.saturating_add(page.buffer.len() as u64);
            // As much again as the row that is not whole yet: so a long row is begun anew a few times only.
            let pending = (page.buffer.len() - page.at) as u64;
            let bytes = limits::RESULTS_READ_BYTES.max(pending);
            let range = from..from.saturating_add(bytes);
            let chunk = self.objects.get_range(cx, bucket, key, range).await.map_err(gone)?;
            ended = (chunk.len() as u64) < bytes;
            page.buffer.extend_from_slice(&chunk);
        }
        let end = start.saturating_add(page.at as u64);
        let more = page.at < page.buffer.len()
            || !ended
                && !self
                    .objects
                    .get_range(cx, bucket, key, end..end.saturating_add(1))
                    .await
                    .map_err(gone)?
                    .is_empty();
        let next_token = (more && !page.rows.is_empty()).then(|| next(execution, end));
        Ok(ResultPage { columns, rows: page.rows, next_token })
    }
}

struct Rows {
    buffer: Vec<u8>,
    /// Where in the buffer the next row begins.
    at: usize,
    rows: Vec<Row>,
}

impl Rows {
    /// Takes the rows that are whole; says whether the page is full.
    fn take(&mut self, read: fn(&[u8]) -> Option<(Row, usize)>, rows_max: usize) -> bool {
        while self.rows.len() < rows_max {
            if self.at as u64 > limits::RESULTS_PAGE_BYTES_MAX {
                return true;
            }
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let Some((row, len)) = read(rest) else { return false };
            self.at += len;
            self.rows.push(row);
        }
        true
    }
}

fn next(execution: &Execution, offset: u64) -> String {
    wire::page::token(&format!("{}:{offset}", execution.id))
}

fn offset(execution: &Execution, token: &str) -> Result<u64, Error> {
    wire::page::position(token)
        .and_then(|position| position.strip_prefix(&execution.id)?.strip_prefix(':')?.parse().ok())
        .ok_or_else(|| Error::invalid("Invalid NextToken."))
}
