//! A Hive table of JSON lines as DataFusion sees it: prune partitions, take a snapshot, read in parallel.
//!
//! ```text
//! partitions ─ filter on partition keys ─ snapshot (buffered first, objects second)
//!            ─ groups balanced by size ─ per group: read ahead ─ lines ─ rows ─ batches of 8,192
//! ```
//!
//! A table that a statement names twice is one provider with one snapshot per partition, so a self-join sees the
//! same rows on both sides. Only wanted columns are decoded; small objects are joined into full batches; what an
//! object yields is kept for the next query ([`crate::cache`]). A scan counts stored bytes whether or not it had to
//! read them again, since that is what Athena reports.

mod group;

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use kernel::Context;
use ports::{Buffered, Objects, QueryStatistics};

use self::group::{Group, ScanShape};
use crate::cache::DecodedCache;
use crate::error::{Carried, QueryError};
use crate::hive_table::HiveTable;
use crate::limits::{PARTITION_BYTES_MIN, PARTITION_OBJECTS_MIN};
use crate::snapshot::{self, Source};

/// What every scan of one statement shares.
pub(crate) struct ScanContext {
    pub(crate) cx: Context,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) buffered: Arc<dyn Buffered>,
    pub(crate) cache: Arc<DecodedCache>,
    pub(crate) progress: Progress,
}

/// What a statement has read so far, and how much it may.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) bytes_scanned_max: Option<u64>,
    bytes_scanned: AtomicU64,
    objects: AtomicU64,
    buffered_records: AtomicU64,
}

impl Progress {
    pub(crate) fn new(bytes_scanned_max: Option<u64>) -> Self {
        Self { bytes_scanned_max, ..Self::default() }
    }

    pub(crate) fn statistics(&self) -> QueryStatistics {
        QueryStatistics {
            bytes_scanned: self.bytes_scanned.load(Ordering::Relaxed),
            objects: self.objects.load(Ordering::Relaxed),
            buffered_records: self.buffered_records.load(Ordering::Relaxed),
        }
    }

    fn opened(&self, source: &Source) {
        match source {
            Source::Object { .. } => self.objects.fetch_add(1, Ordering::Relaxed),
            Source::Buffered { records, .. } => self.buffered_records.fetch_add(*records, Ordering::Relaxed),
        };
    }

    fn scanned(&self, bytes: u64) -> Result<(), QueryError> {
        let total = self.bytes_scanned.fetch_add(bytes, Ordering::Relaxed) + bytes;
        match self.bytes_scanned_max {
            Some(max) if total > max => {
                Err(QueryError::user("BYTES_SCANNED_LIMIT", "Bytes scanned limit was exceeded"))
            }
            _ => Ok(()),
        }
    }
}

/// A table of one statement.
pub(crate) struct TableScan {
    table: Arc<HiveTable>,
    context: Arc<ScanContext>,
    /// What each partition held when it was first asked for; the lock is held while asking.
    snapshot: tokio::sync::Mutex<HashMap<usize, Vec<Source>>>,
}

impl TableScan {
    pub(crate) fn new(table: HiveTable, context: Arc<ScanContext>) -> Self {
        Self { table: Arc::new(table), context, snapshot: tokio::sync::Mutex::default() }
    }

    async fn sources(&self, partitions: &[usize]) -> Result<Vec<(usize, Source)>> {
        let mut snapshot = self.snapshot.lock().await;
        let missing: Vec<usize> =
            partitions.iter().copied().filter(|idx| !snapshot.contains_key(idx)).collect();
        let locations: Vec<_> =
            missing.iter().map(|idx| self.table.partitions[*idx].location.clone()).collect();
        let context = &self.context;
        let taken = snapshot::take(&context.cx, &*context.objects, &*context.buffered, &locations)
            .await
            .map_err(Carried)?;
        snapshot.extend(missing.into_iter().zip(taken));
        let sources = partitions.iter().flat_map(|idx| {
            snapshot.get(idx).into_iter().flatten().map(move |source| (*idx, source.clone()))
        });
        Ok(sources.collect())
    }

    /// Partitions that may hold rows for which all filters are true. The filters name partition keys only.
    fn prune(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<usize>> {
        let partitions = &self.table.partitions;
        if filters.is_empty() || partitions.is_empty() {
            return Ok((0..partitions.len()).collect());
        }
        let columns = (0..self.table.keys)
            .map(|key| {
                ScalarValue::iter_to_array(partitions.iter().map(|partition| partition.values[key].clone()))
            })
            .collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new(Arc::new(self.table.key_schema()), columns)?;
        let schema = DFSchema::try_from(self.table.key_schema())?;
        let mut kept = vec![true; partitions.len()];
        for filter in filters {
            let expr = state.create_physical_expr(filter.clone(), &schema)?;
            let array = expr.evaluate(&batch)?.into_array(partitions.len())?;
            let Some(verdicts) = array.as_any().downcast_ref::<BooleanArray>() else { continue };
            for (kept, verdict) in kept.iter_mut().zip(verdicts) {
                *kept &= verdict == Some(true);
            }
        }
        Ok(kept.into_iter().enumerate().filter_map(|(idx, kept)| kept.then_some(idx)).collect())
    }
}

impl fmt::Debug for TableScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableScan").field("table", &self.table.name).finish_non_exhaustive()
    }
}

type ScanFuture<'a> = Pin<Box<dyn Future<Output = Result<Arc<dyn ExecutionPlan>>> + Send + 'a>>;

impl TableProvider for TableScan {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.table.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let decides = |filter: &&Expr| {
            let on_keys = filter.column_refs().iter().all(|column| self.table.is_key(&column.name));
            if on_keys && !filter.is_volatile() && !filter.column_refs().is_empty() {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        };
        Ok(filters.iter().map(decides).collect())
    }

    fn scan<'life0, 'life1, 'life2, 'life3, 'async_trait>(
        &'life0 self,
        state: &'life1 dyn Session,
        projection: Option<&'life2 Vec<usize>>,
        filters: &'life3 [Expr],
        limit: Option<usize>,
    ) -> ScanFuture<'async_trait>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        'life3: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let partitions = self.prune(state, filters)?;
            let sources = self.sources(&partitions).await?;
            let wanted: Vec<usize> =
                projection.cloned().unwrap_or_else(|| (0..self.table.schema.fields().len()).collect());
            let shape = Arc::new(ScanShape::new(&self.table, &wanted));
            let groups = balance(sources, state.config().target_partitions());
            let streams = groups.into_iter().map(|sources| {
                let group = Group {
                    sources: sources.into(),
                    table: Arc::clone(&self.table),
                    shape: Arc::clone(&shape),
                    context: Arc::clone(&self.context),
                };
                Arc::new(group) as Arc<dyn PartitionStream>
            });
            let schema = Arc::clone(&shape.schema);
            let plan = StreamingTableExec::try_new(schema, streams.collect(), None, [], false, limit)?;
            Ok(Arc::new(plan) as Arc<dyn ExecutionPlan>)
        })
    }
}

/// Spreads sources over at most `max` groups of about the same size, fewer when there is little to read.
fn balance(mut sources: Vec<(usize, Source)>, max: usize) -> Vec<Vec<(usize, Source)>> {
    let bytes: u64 = sources.iter().map(|(_, source)| source.bytes()).sum();
    let by_bytes = usize::try_from(bytes / PARTITION_BYTES_MIN).unwrap_or(max);
    let by_objects = sources.len() / PARTITION_OBJECTS_MIN;
    let count = by_bytes.max(by_objects).clamp(1, max.max(1)).min(sources.len().max(1));
    let mut groups: Vec<(u64, Vec<(usize, Source)>)> = (0..count).map(|_| (0, Vec::new())).collect();
    if count > 1 {
        sources.sort_by_key(|(_, source)| std::cmp::Reverse(source.bytes()));
    }
    for (partition, source) in sources {
        let lightest =
            groups.iter_mut().min_by_key(|(weight, _)| *weight).expect("there is at least one group");
        // An object costs something even when it is tiny.
        lightest.0 += source.bytes() + PARTITION_BYTES_MIN / PARTITION_OBJECTS_MIN as u64;
        lightest.1.push((partition, source));
    }
    groups.into_iter().map(|(_, sources)| sources).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn source(bytes: usize) -> (usize, Source) {
        let body = Bytes::from(vec![0; bytes]);
        (0, Source::Buffered { bucket: String::new(), key: String::new(), records: 1, body })
    }

    #[test]
    fn groups_are_balanced_by_size_and_few_when_there_is_little() {
        assert_eq!(balance(vec![], 4).len(), 1);
        assert_eq!(balance(vec![source(10), source(20)], 4).len(), 1);
        let many: Vec<_> = [8, 1, 1, 2, 4, 8].map(|mib| source(mib << 20)).into();
        let groups = balance(many, 3);
        let weights: Vec<u64> =
            groups.iter().map(|group| group.iter().map(|(_, source)| source.bytes()).sum()).collect();
        assert_eq!(weights, [8 << 20, 8 << 20, 8 << 20]);
        assert_eq!(balance((0..1_000).map(|_| source(10)).collect(), 2).len(), 2);
    }

    #[test]
    fn the_scan_limit_is_a_limit() {
        let progress = Progress::new(Some(10));
        assert!(progress.scanned(10).is_ok());
        let error = progress.scanned(1).unwrap_err();
        assert_eq!(error.sentence, "Bytes scanned limit was exceeded");
    }
}
