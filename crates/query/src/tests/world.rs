//! Fakes: a catalog, a bucket and a delivery stream in memory.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Mutex;

use bytes::Bytes;
use kernel::{Context, ErrorKind, Timestamp};
use ports::{
    Buffered, BufferedRecords, Catalog, Column, Database, Existing, ObjectInfo, Objects, Partition,
    PortError, PortFuture, PutObject, RecordRange, Storage, Table,
};

use super::stream::{Step, Stream};

/// Tables, objects and buffers in one place.
#[derive(Default)]
pub(super) struct World {
    pub(super) tables: Mutex<Vec<Table>>,
    pub(super) partitions: Mutex<BTreeMap<String, Vec<Partition>>>,
    pub(super) objects: Mutex<BTreeMap<String, (ObjectInfo, Bytes)>>,
    pub(super) stream: Mutex<Stream>,
    /// What happens before each of the next calls of a snapshot.
    pub(super) before_calls: Mutex<VecDeque<Vec<Step>>>,
    /// What is put before the next object is read.
    pub(super) before_get: Mutex<Option<(String, String)>>,
    pub(super) gets: Mutex<usize>,
    /// Under which nobody may get an object.
    pub(super) secret_prefix: Mutex<Option<String>>,
    puts: Mutex<i64>,
}

impl World {
    pub(super) fn put(&self, key: &str, body: impl Into<Bytes>, records: Option<RecordRange>) {
        let body = body.into();
        let mut puts = self.puts.lock().unwrap();
        *puts += 1;
        let info = ObjectInfo {
            key: key.to_owned(),
            size: body.len() as u64,
            etag: format!(
                "{:x}",
                body.iter().fold(7u64, |hash, byte| hash.wrapping_mul(31) + u64::from(*byte))
            ),
            last_modified: Timestamp::from_millis(*puts),
            content_encoding: None,
            records,
        };
        self.objects.lock().unwrap().insert(key.to_owned(), (info, body));
    }

    pub(super) fn table(
        &self,
        name: &str,
        columns: &[(&str, &str)],
        serde: &str,
        parameters: &[(&str, &str)],
    ) {
        let columns = columns.iter().map(|(name, ty)| column(name, ty)).collect();
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        self.tables.lock().unwrap().push(Table {
            database: "default".to_owned(),
            name: name.to_owned(),
            table_type: Some("EXTERNAL_TABLE".to_owned()),
            description: None,
            columns,
            partition_keys: Vec::new(),
            storage: Storage {
                location: format!("s3://lake/{name}"),
                serde: Some(serde.to_owned()),
                serde_parameters: pairs(parameters),
                ..Storage::default()
            },
            parameters: Vec::new(),
            created_at: Timestamp::EPOCH,
        });
    }
}

pub(super) fn column(name: &str, ty: &str) -> Column {
    Column { name: name.to_owned(), hive_type: ty.to_owned(), comment: None }
}

fn ready<'a, T: Send + 'a>(value: Result<T, PortError>) -> PortFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

fn missing<'a, T: Send + 'a>(code: &str) -> PortFuture<'a, T> {
    ready(Err(PortError::new(ErrorKind::NotFound, code, "The specified key does not exist.")))
}

fn refused<'a, T: Send + 'a>() -> PortFuture<'a, T> {
    ready(Err(PortError::new(ErrorKind::Denied, "AccessDenied", "Access Denied")))
}

impl Catalog for World {
    fn database<'a>(&'a self, _: &'a Context, name: &'a str) -> PortFuture<'a, Database> {
        match name {
            "default" => ready(Ok(Database {
                name: name.to_owned(),
                description: None,
                location: None,
                parameters: Vec::new(),
            })),
            _ => missing("EntityNotFoundException"),
        }
    }

    fn table<'a>(&'a self, _: &'a Context, database: &'a str, name: &'a str) -> PortFuture<'a, Table> {
        let tables = self.tables.lock().unwrap();
        match tables.iter().find(|table| table.database == database && table.name == name) {
            Some(table) => ready(Ok(table.clone())),
            None => missing("EntityNotFoundException"),
        }
    }

    fn partitions<'a>(&'a self, _: &'a Context, _: &'a str, name: &'a str) -> PortFuture<'a, Vec<Partition>> {
        ready(Ok(self.partitions.lock().unwrap().get(name).cloned().unwrap_or_default()))
    }

    fn databases<'a>(&'a self, _: &'a Context) -> PortFuture<'a, Vec<Database>> {
        refused()
    }

    fn create_database<'a>(&'a self, _: &'a Context, _: Database) -> PortFuture<'a, ()> {
        refused()
    }

    fn drop_database<'a>(&'a self, _: &'a Context, _: &'a str) -> PortFuture<'a, ()> {
        refused()
    }

    fn tables<'a>(&'a self, _: &'a Context, _: &'a str) -> PortFuture<'a, Vec<Table>> {
        refused()
    }

    fn create_table<'a>(&'a self, _: &'a Context, _: Table) -> PortFuture<'a, ()> {
        refused()
    }

    fn update_table<'a>(&'a self, _: &'a Context, _: Table) -> PortFuture<'a, ()> {
        refused()
    }

    fn drop_table<'a>(&'a self, _: &'a Context, _: &'a str, _: &'a str) -> PortFuture<'a, ()> {
        refused()
    }

    fn add_partitions<'a>(
        &'a self,
        _: &'a Context,
        _: &'a str,
        _: &'a str,
        _: Vec<Partition>,
        _: Existing,
    ) -> PortFuture<'a, ()> {
        refused()
    }

    fn drop_partition<'a>(
        &'a self,
        _: &'a Context,
        _: &'a str,
        _: &'a str,
        _: &'a [String],
    ) -> PortFuture<'a, ()> {
        refused()
    }
}

impl Objects for World {
    fn put<'a>(&'a self, _: &'a Context, _: PutObject) -> PortFuture<'a, ObjectInfo> {
        refused()
    }

    fn get<'a>(&'a self, _: &'a Context, _: &'a str, _: &'a str) -> PortFuture<'a, Bytes> {
        refused()
    }

    fn check_get<'a>(&'a self, _: &'a Context, _: &'a str, key: &'a str) -> PortFuture<'a, ()> {
        match self.secret_prefix.lock().unwrap().as_deref() {
            Some(prefix) if key.starts_with(prefix) => refused(),
            _ => ready(Ok(())),
        }
    }

    fn get_range<'a>(
        &'a self,
        _: &'a Context,
        _: &'a str,
        key: &'a str,
        range: Range<u64>,
    ) -> PortFuture<'a, Bytes> {
        *self.gets.lock().unwrap() += 1;
        if let Some((key, body)) = self.before_get.lock().unwrap().take() {
            self.put(&key, body, None);
        }
        let objects = self.objects.lock().unwrap();
        let Some((_, body)) = objects.get(key) else { return missing("NoSuchKey") };
        let at = |offset: u64| usize::try_from(offset).unwrap().min(body.len());
        ready(Ok(body.slice(at(range.start)..at(range.end))))
    }

    fn list<'a>(
        &'a self,
        _: &'a Context,
        bucket: &'a str,
        prefix: &'a str,
    ) -> PortFuture<'a, Vec<ObjectInfo>> {
        if bucket != "lake" {
            return missing("NoSuchBucket");
        }
        self.before_call();
        let objects = self.objects.lock().unwrap();
        let infos = objects.values().map(|(info, _)| info.clone());
        ready(Ok(infos.filter(|info| info.key.starts_with(prefix)).collect()))
    }

    fn delete<'a>(&'a self, _: &'a Context, _: &'a str, _: &'a str) -> PortFuture<'a, ()> {
        refused()
    }

    fn ensure_bucket<'a>(&'a self, _: &'a Context, _: &'a str) -> PortFuture<'a, ()> {
        refused()
    }
}

impl Buffered for World {
    fn buffered<'a>(
        &'a self,
        _: &'a Context,
        _: &'a str,
        prefix: &'a str,
    ) -> PortFuture<'a, Vec<BufferedRecords>> {
        self.before_call();
        ready(Ok(self.stream.lock().unwrap().buffered(prefix)))
    }
}

impl World {
    fn before_call(&self) {
        let steps = self.before_calls.lock().unwrap().pop_front().unwrap_or_default();
        self.steps(&steps);
    }

    pub(super) fn steps(&self, steps: &[Step]) {
        steps.iter().for_each(|step| self.step(*step));
    }

    /// The object is there before the stream goes on.
    pub(super) fn step(&self, step: Step) {
        let mut stream = self.stream.lock().unwrap();
        if let Some((key, body, range)) = stream.step(step) {
            self.put(&key, body, Some(range));
        }
    }
}
