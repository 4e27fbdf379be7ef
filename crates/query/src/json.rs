//! Lines of JSON to Arrow columns, driven by the table's schema.
//!
//! A line is looked at twice: once to find the values of the wanted columns and to know that the line is JSON at
//! all, once to put those values into columns. Values of other columns are skipped, never built; keys are first
//! compared with those of the line before, since records of one device look alike. An object ends a line: what
//! follows it on the same line is not read, as on AWS, where records delivered without a newline between them
//! show only their first.
//!
//! 1. A line adds a row to every column or to none.
//! 2. No input makes it panic, recurse deeper than [`crate::limits::JSON_DEPTH_MAX`], or allocate more than a few times its size.
//!
//! Keys are compared without case, since Hive's columns are lower case; of a repeated key the first wins; a missing
//! key is NULL. Numbers may be written as strings and strings as numbers.
//! Sources: <https://docs.aws.amazon.com/athena/latest/ug/hive-json-serde.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html>.
//!
//! Differs from AWS: with `ignore.malformed.json` a bad line is left out, where the OpenX SerDe makes it a row of
//! NULLs; a value that does not fit its column's type makes its line bad; blank lines are not rows; control
//! characters may stand unescaped in strings; `case.insensitive` is always true.

mod column;
mod cursor;
mod value;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use athena_sql::HiveType;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;

use self::column::Column;
use self::cursor::{Cursor, unescape};
use crate::limits::BATCH_ROWS;
use crate::types::arrow_type;

/// Bytes of strings in one batch after which it is closed, so that offsets of 32 bits suffice.
const BATCH_BYTES: usize = 64 << 20;

/// Keys of a line that are remembered for the next.
const PREDICTED_MAX: usize = 1_024;

/// A column to read: the JSON key it is found under and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonColumn {
    /// The column's name.
    pub(crate) name: String,
    /// Lower case; the column's name unless the SerDe maps it to another.
    pub(crate) key: String,
    pub(crate) ty: HiveType,
}

/// What to read from each line.
#[derive(Debug)]
pub(crate) struct JsonShape {
    columns: Vec<JsonColumn>,
    by_key: HashMap<String, usize>,
    /// Whether `_` in a column's name stands for `.` in the key (`dots.in.keys`).
    dots: bool,
    schema: SchemaRef,
}

impl JsonShape {
    /// Reads `columns`, in this order.
    pub(crate) fn new(columns: Vec<JsonColumn>, dots: bool) -> Self {
        let by_key = columns.iter().enumerate().map(|(idx, column)| (column.key.clone(), idx)).collect();
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new(&column.name, arrow_type(&column.ty), true)).collect();
        Self { columns, by_key, dots, schema: Arc::new(Schema::new(fields)) }
    }

    fn column_of(&self, key: &str) -> Option<usize> {
        let key = key.to_lowercase();
        let key = if self.dots { key.replace('.', "_") } else { key };
        self.by_key.get(&key).copied()
    }
}

/// Why a line is not a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadLine {
    #[error("{0}")]
    Syntax(&'static str),
    #[error("Error Parsing a column in the table: column '{column}': {reason}")]
    Value { column: String, reason: &'static str },
}

/// Collects rows until a batch is full.
pub(crate) struct Decoder {
    shape: Arc<JsonShape>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
    /// Keys of the line before, in order, and the columns they belong to.
    predicted: Vec<(Vec<u8>, Option<usize>)>,
    /// Where in the present line each column's value stands.
    found: Vec<Option<(usize, usize)>>,
}

impl Decoder {
    pub(crate) fn new(shape: Arc<JsonShape>) -> Self {
        let columns: Vec<Column> = shape.columns.iter().map(|column| Column::new(&column.ty)).collect();
        let found = vec![None; columns.len()];
        Self { shape, columns, rows: 0, bytes: 0, predicted: Vec::new(), found }
    }

    /// Rows collected since the last [`Decoder::finish`].
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the batch should be taken before more lines are added.
    pub(crate) fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// Adds the row of one line without its newline; a blank line adds none.
    pub(crate) fn line(&mut self, line: &[u8]) -> Result<(), BadLine> {
        let mut cursor = Cursor { bytes: line, at: 0 };
        cursor.whitespace();
        if cursor.at == line.len() {
            return Ok(());
        }
        self.locate(&mut cursor).map_err(BadLine::Syntax)?;
        for idx in 0..self.columns.len() {
            let Some(column) = self.columns.get_mut(idx) else { break };
            let appended = match self.found.get(idx).copied().flatten() {
                None => {
                    column.null();
                    Ok(())
                }
                Some((start, end)) => {
                    let mut value = Cursor { bytes: line.get(..end).unwrap_or_default(), at: start };
                    column.append(&mut value)
                }
            };
            if let Err(reason) = appended {
                for column in &mut self.columns {
                    column.truncate(self.rows);
                }
                let column =
                    self.shape.columns.get(idx).map(|column| column.name.clone()).unwrap_or_default();
                return Err(BadLine::Value { column, reason });
            }
        }
        self.rows += 1;
        self.bytes += line.len();
        Ok(())
    }

    /// The rows collected, as a batch.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let fields = self.shape.schema.fields();
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (column, field) in self.columns.iter_mut().zip(fields) {
            arrays.push(column.take().into_array(field.data_type())?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.shape.schema), arrays, &options)
    }

    /// Walks the object once, noting where wanted values stand.
    fn locate(&mut self, cursor: &mut Cursor<'_>) -> Result<(), &'static str> {
        self.found.fill(None);
        if !cursor.eat(b'{') {
            return Err("Row is not a valid JSON Object");
        }
        cursor.whitespace();
        if cursor.eat(b'}') {
            return Ok(());
        }
        for nth in 0.. {
            cursor.whitespace();
            let key = cursor.string()?;
            let column = self.column_of(nth, key);
            cursor.whitespace();
            if !cursor.eat(b':') {
                return Err("Row is not a valid JSON Object: expected ':' after a key");
            }
            cursor.whitespace();
            let start = cursor.at;
            cursor.skip_value(1)?;
            if let Some(found) = column.and_then(|idx| self.found.get_mut(idx)) {
                found.get_or_insert((start, cursor.at));
            }
            cursor.whitespace();
            if cursor.eat(b'}') {
                break;
            }
            if !cursor.eat(b',') {
                return Err("Row is not a valid JSON Object: expected ',' or '}'");
            }
        }
        Ok(())
    }

    fn column_of(&mut self, nth: usize, key: &[u8]) -> Option<usize> {
        if let Some((predicted, column)) = self.predicted.get(nth)
            && predicted == key
        {
            return *column;
        }
        let column = self.shape.column_of(&unescape(key));
        let entry = (key.to_vec(), column);
        if let Some(slot) = self.predicted.get_mut(nth) {
            *slot = entry;
        } else if nth == self.predicted.len() && nth < PREDICTED_MAX {
            self.predicted.push(entry);
        }
        column
    }
}
