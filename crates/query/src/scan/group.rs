//! One partition of a scan: its sources read one after another, small ones joined into full batches.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::stream::{self, BoxStream, StreamExt};
use kernel::ErrorKind;
use ports::PortError;

use super::ScanContext;
use crate::cache::{CacheKey, Decoded, batch_bytes};
use crate::error::{Carried, QueryError};
use crate::hive_table::HiveTable;
use crate::json::{BadLine, Decoder, JsonColumn, JsonShape};
use crate::limits::{BATCH_ROWS, READ_AHEAD, READ_BYTES};
use crate::lines::{Lines, Next, Unreadable, called_gzip};
use crate::snapshot::Source;

/// Where each column of a scan comes from.
pub(super) struct ScanShape {
    pub(super) schema: SchemaRef,
    columns: Vec<Origin>,
    json: Arc<JsonShape>,
    fingerprint: Arc<str>,
}

enum Origin {
    /// The n-th decoded column.
    Json(usize),
    /// The n-th partition key.
    Key(usize),
}

impl ScanShape {
    pub(super) fn new(table: &HiveTable, wanted: &[usize]) -> Self {
        let mut json: Vec<JsonColumn> = Vec::new();
        let columns = wanted
            .iter()
            .map(|idx| match table.columns.get(*idx) {
                Some(column) => {
                    json.push(column.clone());
                    Origin::Json(json.len() - 1)
                }
                None => Origin::Key(idx - table.columns.len()),
            })
            .collect();
        let fields: Vec<Field> = wanted.iter().map(|idx| table.schema.field(*idx).clone()).collect();
        let fingerprint =
            format!("{json:?} dots={} skip={}", table.dots_in_keys, table.ignore_malformed).into();
        Self {
            schema: Arc::new(Schema::new(fields)),
            columns,
            json: Arc::new(JsonShape::new(json, table.dots_in_keys)),
            fingerprint,
        }
    }
}

/// One partition of a scan.
pub(super) struct Group {
    pub(super) sources: Arc<[(usize, Source)]>,
    pub(super) table: Arc<HiveTable>,
    pub(super) shape: Arc<ScanShape>,
    pub(super) context: Arc<ScanContext>,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}

impl PartitionStream for Group {
    fn schema(&self) -> &SchemaRef {
        &self.shape.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let reader = GroupReader::new(self);
        let batches = stream::try_unfold(reader, |mut reader| async move {
            Ok(reader.next().await?.map(|batch| (batch, reader)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.shape.schema), batches))
    }
}

/// Reads the sources of a group one after another.
struct GroupReader {
    table: Arc<HiveTable>,
    shape: Arc<ScanShape>,
    context: Arc<ScanContext>,
    opened: BoxStream<'static, Result<Opened, PortError>>,
    current: Option<Reading>,
    decoder: Decoder,
    /// Full batches, ready to be given out.
    ready: VecDeque<RecordBatch>,
    /// Batches too small to be given out.
    pending: Vec<RecordBatch>,
    pending_rows: usize,
}

struct Opened {
    partition: usize,
    source: Source,
    content: Content,
}

enum Content {
    Decoded(Decoded),
    First(Bytes),
}

/// An object in the middle of being read.
struct Reading {
    partition: usize,
    source: Source,
    lines: Lines,
    /// Where the next piece begins.
    offset: u64,
    /// What it yielded so far; none when it is not to be cached.
    kept: Option<Vec<RecordBatch>>,
    kept_bytes: usize,
}

impl GroupReader {
    fn new(group: &Group) -> Self {
        let context = Arc::clone(&group.context);
        let fingerprint = Arc::clone(&group.shape.fingerprint);
        let sources = Arc::clone(&group.sources);
        let opened = stream::iter(0..sources.len())
            .map(move |idx| {
                let (partition, source) = sources[idx].clone();
                open(Arc::clone(&context), partition, source, Arc::clone(&fingerprint))
            })
            .buffered(READ_AHEAD)
            .boxed();
        Self {
            table: Arc::clone(&group.table),
            shape: Arc::clone(&group.shape),
            context: Arc::clone(&group.context),
            opened,
            current: None,
            decoder: Decoder::new(Arc::clone(&group.shape.json)),
            ready: VecDeque::new(),
            pending: Vec::new(),
            pending_rows: 0,
        }
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            if let Some(reading) = self.current.take() {
                self.read(reading).await?;
                continue;
            }
            match self.opened.next().await {
                Some(opened) => self.begin(opened.map_err(Carried)?)?,
                None if self.pending_rows > 0 => self.join_pending()?,
                None => return Ok(None),
            }
        }
    }

    fn begin(&mut self, opened: Opened) -> Result<()> {
        let Opened { partition, source, content } = opened;
        self.context.progress.opened(&source);
        match content {
            Content::Decoded(batches) => {
                self.context.progress.scanned(source.bytes())?;
                batches.iter().try_for_each(|batch| self.give(partition, batch))
            }
            Content::First(piece) => {
                self.context.progress.scanned(piece.len() as u64)?;
                let called = match &source {
                    Source::Object { info, .. } => called_gzip(&info.key, info.content_encoding.as_deref()),
                    Source::Buffered { .. } => false,
                };
                let mut lines = Lines::new(called);
                let offset = piece.len() as u64;
                lines.push(piece).map_err(|error| unreadable(&source, error))?;
                let kept = matches!(source, Source::Object { .. }).then(Vec::new);
                self.current = Some(Reading { partition, source, lines, offset, kept, kept_bytes: 0 });
                Ok(())
            }
        }
    }

    /// Reads on until a batch is full, a piece is used up or the object ends.
    async fn read(&mut self, mut reading: Reading) -> Result<()> {
        loop {
            match reading.lines.next().map_err(|error| unreadable(&reading.source, error))? {
                Next::Line(line) => {
                    if let Err(error) = self.decoder.line(line)
                        && !self.table.ignore_malformed
                    {
                        return Err(bad_line(&reading, &error).into());
                    }
                    if self.decoder.is_full() {
                        self.batch(&mut reading)?;
                        self.current = Some(reading);
                        return Ok(());
                    }
                }
                Next::Wanting => {
                    next_piece(&self.context, &mut reading).await?;
                    self.current = Some(reading);
                    return Ok(());
                }
                Next::Ended => {
                    if self.decoder.rows() > 0 {
                        self.batch(&mut reading)?;
                    }
                    self.remember(reading);
                    return Ok(());
                }
            }
        }
    }

    /// Moves the decoder's rows out.
    fn batch(&mut self, reading: &mut Reading) -> Result<()> {
        let batch = self.decoder.finish()?;
        if let Some(kept) = &mut reading.kept {
            reading.kept_bytes += batch_bytes(&batch);
            if reading.kept_bytes > self.context.cache.entry_bytes_max() {
                reading.kept = None;
            } else {
                kept.push(batch.clone());
            }
        }
        self.give(reading.partition, &batch)
    }

    fn remember(&self, reading: Reading) {
        let (Some(kept), Source::Object { bucket, info }) = (reading.kept, reading.source) else { return };
        let key = cache_key(&self.context, &bucket, &info, &self.shape.fingerprint);
        self.context.cache.insert(key, kept.into());
    }

    /// Adds the partition's columns and gives the batch out, alone or joined with others.
    fn give(&mut self, partition: usize, decoded: &RecordBatch) -> Result<()> {
        let rows = decoded.num_rows();
        let columns = self.shape.columns.iter().map(|origin| match origin {
            Origin::Json(idx) => Ok(Arc::clone(decoded.column(*idx))),
            Origin::Key(key) => self.table.partitions[partition].values[*key].to_array_of_size(rows),
        });
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.shape.schema), columns, &options)?;
        if rows >= BATCH_ROWS && self.pending.is_empty() {
            self.ready.push_back(batch);
            return Ok(());
        }
        self.pending.push(batch);
        self.pending_rows += rows;
        if self.pending_rows >= BATCH_ROWS { self.join_pending() } else { Ok(()) }
    }

    fn join_pending(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.pending_rows = 0;
        self.ready.push_back(match pending.as_slice() {
            [batch] => batch.clone(),
            batches => concat_batches(&self.shape.schema, batches)?,
        });
        Ok(())
    }
}

fn cache_key(
    context: &ScanContext,
    bucket: &str,
    info: &ports::ObjectInfo,
    fingerprint: &Arc<str>,
) -> CacheKey {
    CacheKey {
        account: context.cx.account.clone(),
        bucket: bucket.to_owned(),
        key: info.key.clone(),
        etag: info.etag.clone(),
        last_modified: info.last_modified,
        shape: Arc::clone(fingerprint),
    }
}

/// Finds an object in the cache or reads its first piece. What is in a buffer or in the cache is not got from the bucket, and is
/// for nobody who may not get it there.
async fn open(
    context: Arc<ScanContext>,
    partition: usize,
    source: Source,
    fingerprint: Arc<str>,
) -> Result<Opened, PortError> {
    let content = match &source {
        Source::Buffered { bucket, key, body, .. } => {
            context.objects.check_get(&context.cx, bucket, key).await?;
            Content::First(body.clone())
        }
        Source::Object { bucket, info } => {
            let key = cache_key(&context, bucket, info, &fingerprint);
            match context.cache.get(&key) {
                Some(decoded) => {
                    context.objects.check_get(&context.cx, bucket, &info.key).await?;
                    Content::Decoded(decoded)
                }
                None => {
                    let range = 0..info.size.min(READ_BYTES);
                    let piece = context.objects.get_range(&context.cx, bucket, &info.key, range).await;
                    Content::First(piece.map_err(|error| cannot_open(&source, error))?)
                }
            }
        }
    };
    Ok(Opened { partition, source, content })
}

/// Reads on where the last piece ended.
async fn next_piece(context: &ScanContext, reading: &mut Reading) -> Result<()> {
    let (bucket, info) = match &reading.source {
        Source::Object { bucket, info } if reading.offset < info.size => (bucket, info),
        _ => {
            reading.lines.end();
            return Ok(());
        }
    };
    let range = reading.offset..(reading.offset + READ_BYTES).min(info.size);
    let piece = context
        .objects
        .get_range(&context.cx, bucket, &info.key, range)
        .await
        .map_err(|error| Carried(cannot_open(&reading.source, error)))?;
    if piece.is_empty() {
        reading.lines.end();
        return Ok(());
    }
    context.progress.scanned(piece.len() as u64)?;
    reading.offset += piece.len() as u64;
    reading.lines.push(piece).map_err(|error| unreadable(&reading.source, error))?;
    Ok(())
}

/// An object that was listed and is gone, or cannot be read.
fn cannot_open(source: &Source, error: PortError) -> PortError {
    if error.kind != ErrorKind::NotFound {
        return error;
    }
    let sentence = format!("Error opening Hive split {}: {}", source.url(), error.message);
    let mut gone: PortError = QueryError::user("HIVE_CANNOT_OPEN_SPLIT", sentence).into();
    gone.source = Some(Box::new(error));
    gone
}

fn unreadable(source: &Source, error: Unreadable) -> DataFusionError {
    QueryError::user("HIVE_CURSOR_ERROR", format!("{error}: {}", source.url())).into()
}

fn bad_line(reading: &Reading, error: &BadLine) -> QueryError {
    let code = match error {
        BadLine::Syntax(_) => "HIVE_CURSOR_ERROR",
        BadLine::Value { .. } => "HIVE_BAD_DATA",
    };
    QueryError::user(code, format!("{error}: {}, line {}", reading.source.url(), reading.lines.number()))
}
