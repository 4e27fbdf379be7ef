//! The traits by which one service reaches another. `node` connects them; services do not know each other.
//!
//! Every port takes the [`Context`] of the caller, so that a call through a port has a principal, an account and
//! a region like a call over HTTP. Ports carry plain data: no wire shapes, no stored entities, no engine types.

use std::error::Error as StdError;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use kernel::{Context, ErrorKind, Timestamp};

/// The future a port returns.
pub type PortFuture<'a, T> = BoxFuture<'a, Result<T, PortError>>;

/// Why a call through a port failed: the other service's own error, without its type.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    /// What the failure means: whether to retry, and how to answer a client.
    pub kind: ErrorKind,
    /// The exception's name at the other service: `ResourceNotFoundException`.
    pub code: String,
    /// The sentence a client may see.
    pub message: String,
    /// The cause, for the log only.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl PortError {
    /// An error with the other service's own code and sentence.
    pub fn new(kind: ErrorKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), source: None }
    }

    /// A failure nobody outside can do anything about; `source` goes to the log.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            kind: ErrorKind::Internal,
            code: "InternalFailure".to_owned(),
            message: "The request failed because of an internal error.".to_owned(),
            source: Some(source.into()),
        }
    }
}

/// Any service error may cross a port.
impl PortError {
    /// The service's own kind, code and sentence, with the error itself as source.
    pub fn from_service(error: impl kernel::ServiceError) -> Self {
        Self {
            kind: error.kind(),
            code: error.code().to_owned(),
            message: error.to_string(),
            source: Some(Box::new(error)),
        }
    }
}

// ── Roles: rules, firehose, and whoever is given a role to act through ─────────────────────────────────────

/// The roles that services act through. Implemented by `iam`, from memory.
pub trait Roles: Send + Sync {
    /// The circumstances of `cx` with a session of `role` as principal, named `session`, for `service`
    /// (`firehose.amazonaws.com`). What the session may is decided when it is used.
    ///
    /// # Errors
    /// `Denied` with the code `AccessDenied` when there is no such role or its trust policy does not name the service.
    fn assume(
        &self,
        cx: &Context,
        role: &kernel::Arn,
        service: &'static str,
        session: &str,
    ) -> Result<Context, PortError>;

    /// Whether the caller may hand `role` to `service`: asked when a resource that names a role is created or changed.
    ///
    /// # Errors
    /// `Denied` with AWS's sentence about `iam:PassRole`.
    fn check_pass_role(&self, cx: &Context, role: &kernel::Arn, service: &str) -> Result<(), PortError>;
}

// ── Messages: gateway, rules, iot ──────────────────────────────────────────────────────────────────────────

/// A message that a device, the HTTPS endpoint or a rule publishes.
#[derive(Clone, Debug)]
pub struct Message {
    /// The topic name: no wildcards, 1–256 bytes.
    pub topic: String,
    /// At most 128 KiB; not necessarily JSON.
    pub payload: Bytes,
    /// 0 or 1.
    pub qos: u8,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// The publisher's MQTT client id; none over HTTPS and for republished messages.
    pub client_id: Option<String>,
    /// When the broker received it.
    pub received_at: Timestamp,
    /// How many rules have republished it: guards against loops.
    pub hops: u8,
    /// MQTT 5 properties that travel with the message.
    pub properties: MessageProperties,
}

/// What MQTT 5 (§3.3.2.3) lets a publisher say about a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageProperties {
    /// Whether the payload is UTF-8 text.
    pub payload_is_utf8: bool,
    /// A MIME type.
    pub content_type: Option<String>,
    /// Where a response is wanted.
    pub response_topic: Option<String>,
    /// Opaque to the broker.
    pub correlation_data: Option<Bytes>,
    /// Seconds until subscribers no longer want it.
    pub message_expiry_s: Option<u32>,
    /// Name and value pairs, in order, names may repeat.
    pub user_properties: Vec<(String, String)>,
}

/// Hands a message to every subscriber and rule. Implemented by `gateway`.
pub trait Publish: Send + Sync {
    /// Resolves when the message's consequences are durable: appended to the queue of every persistent session that
    /// wants it at QoS 1, and taken by the rules ([`OnMessage`]).
    ///
    /// # Errors
    /// `Invalid` for a bad topic or too large a payload, `Unavailable` when a queue is full.
    fn publish<'a>(&'a self, cx: &'a Context, message: Message) -> PortFuture<'a, ()>;
}

/// What happens to a published message besides delivery to subscribers. Implemented by `rules`.
pub trait OnMessage: Send + Sync {
    /// Evaluates every enabled rule whose topic filter matches and starts its actions. Evaluation is done when the
    /// call returns; the future resolves when every action is durable or queued durably. An action that fails is
    /// dealt with by the rule's error action and does not fail the message.
    ///
    /// # Errors
    /// `Unavailable` or `Internal` when an append failed: the publisher must not be acknowledged.
    fn on_message<'a>(&'a self, cx: &'a Context, message: &'a Message) -> PortFuture<'a, ()>;
}

/// A topic rule, as the engine needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicRule {
    /// 1–128 of `[a-zA-Z0-9_]`.
    pub name: String,
    /// The rule's ARN.
    pub arn: String,
    /// The statement's text; it parsed when the rule was created.
    pub sql: String,
    /// `2015-10-08`, `2016-03-23` or `beta`.
    pub sql_version: String,
    /// A disabled rule matches nothing.
    pub enabled: bool,
    /// Each has exactly one member, named after the action, as in the API: `{"firehose": {…}}`. Validated when the rule
    /// was created.
    pub actions: Vec<serde_json::Value>,
    /// The same form, run once per message of which an action failed.
    pub error_action: Option<serde_json::Value>,
}

/// The rules of every account and region. Implemented by `iot`.
pub trait TopicRules: Send + Sync {
    /// The rules now, and a signal for each later change. Level-triggered: a receiver that sees the newest revision has
    /// missed nothing.
    fn rules(&self) -> tokio_watch::Receiver<Arc<Vec<ScopedRule>>>;
}

/// A rule and where it belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopedRule {
    /// The rule's account and region, with the service `iot.amazonaws.com` as principal.
    pub account: kernel::AccountId,
    /// The region in which messages reach the rule.
    pub region: kernel::Region,
    /// The rule.
    pub rule: TopicRule,
}

/// Tokio's watch channel under a name that says what it is here for.
pub use tokio::sync::watch as tokio_watch;

/// Checks a rule before it is stored. Implemented by `rules`, which alone knows what each action takes.
pub trait CheckRule: Send + Sync {
    /// The statement parses and every action and the error action is one we run, with parameters it accepts.
    ///
    /// # Errors
    /// `Invalid` with the code `SqlParseException` or `InvalidRequestException`.
    fn check(&self, rule: &TopicRule) -> Result<(), PortError>;
}

/// A registered device certificate, as the gateway needs it.
#[derive(Clone, Debug)]
pub struct DeviceIdentity {
    /// SHA-256 of the DER form, 64 hex digits.
    pub certificate_id: String,
    /// The account that registered it.
    pub account: kernel::AccountId,
    /// The region that registered it.
    pub region: kernel::Region,
    /// Whether it may connect.
    pub active: bool,
    /// The texts of the policies attached to the certificate.
    pub policies: Vec<Arc<str>>,
    /// Names of the things the certificate is attached to.
    pub things: Vec<String>,
}

/// The certificates devices present. Implemented by `iot`.
pub trait Devices: Send + Sync {
    /// The identity behind a certificate's SHA-256, from memory; none if it is not registered.
    fn identity(&self, certificate_id: &str) -> Option<Arc<DeviceIdentity>>;

    /// Changes whenever any certificate, policy or attachment does: the gateway's decisions are cached by it.
    fn epoch(&self) -> tokio_watch::Receiver<u64>;

    /// The CA certificate that signs device and server certificates: PEM.
    fn ca_certificate_pem(&self) -> Arc<str>;

    /// A server certificate for these names (DNS or IP), newly signed by the CA: certificate chain PEM and key PEM.
    fn server_certificate<'a>(&'a self, names: &'a [String]) -> PortFuture<'a, (String, String)>;
}

// ── Records: rules, firehose ───────────────────────────────────────────────────────────────────────────────

/// Puts records into a delivery stream. Implemented by `firehose`.
pub trait PutRecords: Send + Sync {
    /// Resolves when every record is durable. All or none.
    ///
    /// # Errors
    /// `NotFound` when there is no such delivery stream, `Invalid` for a record over 1,000 KiB, `Throttled` or `Unavailable` when
    /// the intake is full.
    fn put_records<'a>(
        &'a self,
        cx: &'a Context,
        delivery_stream: &'a str,
        records: Vec<Bytes>,
    ) -> PortFuture<'a, ()>;
}

/// A run of consecutive records of one intake log: `first..next`.
///
/// An object that a delivery wrote carries the range it holds, and so does what is still buffered. A reader that takes
/// the buffered records *first* and lists objects *second* sees each record exactly once: a record is either not yet
/// trimmed at the first moment, or in an object that is there at the second; where it is both, the ranges say so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct RecordRange {
    /// The intake log: unique over all streams and never reused.
    pub log: String,
    /// Offset of the first record.
    pub first: u64,
    /// Offset after the last record.
    pub next: u64,
}

/// Records that were acknowledged and are not yet in an object.
#[derive(Clone, Debug)]
pub struct BufferedRecords {
    /// Which records these are; `records[i]` has the offset `range.first + i`.
    pub range: RecordRange,
    /// The records, each as it will stand in the object: the object is their concatenation.
    pub records: Vec<Bytes>,
    /// The key the next object would have, were it delivered now.
    pub key: String,
}

/// The hot read: what a bucket's prefix will hold once buffers are delivered. Implemented by `firehose`.
pub trait Buffered: Send + Sync {
    /// Every buffered run whose object would be under `prefix` in `bucket`, oldest first.
    fn buffered<'a>(
        &'a self,
        cx: &'a Context,
        bucket: &'a str,
        prefix: &'a str,
    ) -> PortFuture<'a, Vec<BufferedRecords>>;
}

// ── Objects: rules, firehose, athena, query ────────────────────────────────────────────────────────────────

/// An object to store.
#[derive(Clone, Debug, Default)]
pub struct PutObject {
    /// The bucket's name.
    pub bucket: String,
    /// 1–1,024 bytes.
    pub key: String,
    /// The content.
    pub body: Bytes,
    /// MIME type; `binary/octet-stream` when none.
    pub content_type: Option<String>,
    /// `gzip` for a compressed body.
    pub content_encoding: Option<String>,
    /// The records the body holds, when a delivery stream wrote it.
    pub records: Option<RecordRange>,
}

/// What a listing tells of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The key.
    pub key: String,
    /// Bytes of the content.
    pub size: u64,
    /// Changes whenever the content does; without quotation marks.
    pub etag: String,
    /// When it was stored.
    pub last_modified: Timestamp,
    /// `gzip` for a compressed body.
    pub content_encoding: Option<String>,
    /// The records it holds, when a delivery stream wrote it.
    pub records: Option<RecordRange>,
}

/// Objects in buckets, without HTTP. Implemented by `s3`.
pub trait Objects: Send + Sync {
    /// Stores an object, replacing what was there; resolves when it is durable.
    ///
    /// # Errors
    /// `NotFound` (`NoSuchBucket`), `Unavailable` when the disk is full.
    fn put<'a>(&'a self, cx: &'a Context, object: PutObject) -> PortFuture<'a, ObjectInfo>;

    /// The content of an object.
    ///
    /// # Errors
    /// `NotFound` (`NoSuchBucket`, `NoSuchKey`).
    fn get<'a>(&'a self, cx: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, Bytes>;

    /// The bytes `start..end` of an object; `end` beyond the content means its end.
    ///
    /// # Errors
    /// As [`Objects::get`].
    fn get_range<'a>(
        &'a self,
        cx: &'a Context,
        bucket: &'a str,
        key: &'a str,
        range: std::ops::Range<u64>,
    ) -> PortFuture<'a, Bytes>;

    /// Every object under `prefix`, ordered by key, as they are at one moment.
    ///
    /// # Errors
    /// `NotFound` (`NoSuchBucket`).
    fn list<'a>(
        &'a self,
        cx: &'a Context,
        bucket: &'a str,
        prefix: &'a str,
    ) -> PortFuture<'a, Vec<ObjectInfo>>;

    /// Removes an object; silent if there is none.
    ///
    /// # Errors
    /// `NotFound` (`NoSuchBucket`).
    fn delete<'a>(&'a self, cx: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, ()>;

    /// Creates a bucket if the account does not have it yet.
    ///
    /// # Errors
    /// `Invalid` for a bad name, `Conflict` when another account has it.
    fn ensure_bucket<'a>(&'a self, cx: &'a Context, bucket: &'a str) -> PortFuture<'a, ()>;
}

// ── Tables: glue, athena, query ────────────────────────────────────────────────────────────────────────────

/// A database of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Lower case.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Where tables without a location would go.
    pub location: Option<String>,
    /// Key and value pairs.
    pub parameters: Vec<(String, String)>,
}

/// A column: name in lower case, Hive type text (`int`, `array<string>`), comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Lower case.
    pub name: String,
    /// Hive type text.
    pub hive_type: String,
    /// Free text.
    pub comment: Option<String>,
}

/// How and where rows are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// `s3://bucket/prefix/`.
    pub location: String,
    /// Java class of the input format.
    pub input_format: Option<String>,
    /// Java class of the output format.
    pub output_format: Option<String>,
    /// Java class of the SerDe: `org.apache.hive.hcatalog.data.JsonSerDe`.
    pub serde: Option<String>,
    /// The SerDe's properties: `ignore.malformed.json`.
    pub serde_parameters: Vec<(String, String)>,
}

/// A table of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Database name, lower case.
    pub database: String,
    /// Lower case.
    pub name: String,
    /// `EXTERNAL_TABLE` or `VIRTUAL_VIEW`.
    pub table_type: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Columns in order, without partition keys.
    pub columns: Vec<Column>,
    /// Partition keys in order.
    pub partition_keys: Vec<Column>,
    /// How and where rows are stored.
    pub storage: Storage,
    /// Key and value pairs: TBLPROPERTIES.
    pub parameters: Vec<(String, String)>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A partition of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// One value per partition key, in order.
    pub values: Vec<String>,
    /// How and where its rows are stored.
    pub storage: Storage,
}

/// The Data Catalog. Implemented by `glue`.
pub trait Catalog: Send + Sync {
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn database<'a>(&'a self, cx: &'a Context, name: &'a str) -> PortFuture<'a, Database>;

    /// Every database, ordered by name.
    fn databases<'a>(&'a self, cx: &'a Context) -> PortFuture<'a, Vec<Database>>;

    /// # Errors
    /// `Conflict` (`AlreadyExistsException`), `Invalid`.
    fn create_database<'a>(&'a self, cx: &'a Context, database: Database) -> PortFuture<'a, ()>;

    /// Removes a database with everything in it.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn drop_database<'a>(&'a self, cx: &'a Context, name: &'a str) -> PortFuture<'a, ()>;

    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn table<'a>(&'a self, cx: &'a Context, database: &'a str, name: &'a str) -> PortFuture<'a, Table>;

    /// Every table of a database, ordered by name.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`) when there is no such database.
    fn tables<'a>(&'a self, cx: &'a Context, database: &'a str) -> PortFuture<'a, Vec<Table>>;

    /// # Errors
    /// `Conflict` (`AlreadyExistsException`), `NotFound` (no such database), `Invalid`.
    fn create_table<'a>(&'a self, cx: &'a Context, table: Table) -> PortFuture<'a, ()>;

    /// Replaces a table's description, columns, storage and parameters.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn update_table<'a>(&'a self, cx: &'a Context, table: Table) -> PortFuture<'a, ()>;

    /// Removes a table and its partitions; the objects stay.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn drop_table<'a>(&'a self, cx: &'a Context, database: &'a str, name: &'a str) -> PortFuture<'a, ()>;

    /// Every partition of a table, ordered by values.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn partitions<'a>(
        &'a self,
        cx: &'a Context,
        database: &'a str,
        table: &'a str,
    ) -> PortFuture<'a, Vec<Partition>>;

    /// Adds partitions; those that exist are skipped if `if_not_exists`, an error otherwise.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` (`AlreadyExistsException`).
    fn add_partitions<'a>(
        &'a self,
        cx: &'a Context,
        database: &'a str,
        table: &'a str,
        partitions: Vec<Partition>,
        existing: Existing,
    ) -> PortFuture<'a, ()>;

    /// Removes one partition.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn drop_partition<'a>(
        &'a self,
        cx: &'a Context,
        database: &'a str,
        table: &'a str,
        values: &'a [String],
    ) -> PortFuture<'a, ()>;
}

/// What to do about a thing that exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is an error.
    Refuse,
    /// It stays as it is.
    Keep,
}

// ── SQL: athena, console → query ───────────────────────────────────────────────────────────────────────────

/// A query to run: one SELECT, WITH, VALUES or EXPLAIN.
#[derive(Clone, Debug)]
pub struct QueryRequest {
    /// The text, as the client wrote it: positions in errors refer to it.
    pub sql: String,
    /// The database of unqualified table names.
    pub database: String,
    /// The scan may not read more than this many bytes.
    pub bytes_scanned_max: Option<u64>,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultColumn {
    /// As Athena names it: `_col0` for an expression without alias.
    pub name: String,
    /// Athena's type name: `integer`, `bigint`, `double`, `varchar`, `timestamp`, …
    pub type_name: String,
    /// Digits or characters, as ColumnInfo reports it.
    pub precision: u32,
    /// Digits after the point.
    pub scale: u32,
}

/// What a query has read so far; complete when its rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryStatistics {
    /// Bytes as stored: compressed bytes of objects, plus buffered records.
    pub bytes_scanned: u64,
    /// Objects read.
    pub objects: u64,
    /// Records read from buffers of delivery streams.
    pub buffered_records: u64,
}

/// A row: Athena's text of each value, none for NULL.
pub type Row = Vec<Option<String>>;

/// A running query. Dropping it stops it.
pub struct Running {
    /// The result's columns.
    pub columns: Vec<ResultColumn>,
    /// The rows, in batches.
    pub rows: BoxStream<'static, Result<Vec<Row>, PortError>>,
    /// What has been read so far.
    pub statistics: Arc<dyn Fn() -> QueryStatistics + Send + Sync>,
}

/// The SQL engine. Implemented by `query`.
pub trait Execute: Send + Sync {
    /// Plans a query and starts it.
    ///
    /// # Errors
    /// `Invalid` with Athena's sentence: `COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved …`.
    fn execute<'a>(&'a self, cx: &'a Context, request: QueryRequest) -> PortFuture<'a, Running>;
}
