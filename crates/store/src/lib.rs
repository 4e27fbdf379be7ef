//! Where state lives. There are three places and no fourth:
//!
//! - [`MetaStore`]: every control-plane fact, as ordered keys with transactions and watches;
//! - [`CommitLog`]: every byte stream in flight, as one multiplexed write-ahead log;
//! - [`blob`]: every object, through `object_store`.
//!
//! Each has a form in memory and one on a local disk, and one contract suite that both pass ([`conformance`]).
//! What a store has acknowledged survives `kill -9` and power loss; what is in memory elsewhere is a cache.

pub mod blob;
pub mod conformance;
pub mod data_dir;
pub mod entity;
pub mod fault;
pub mod log;
pub mod meta;
pub mod metrics;
pub mod seal;
pub mod space;
pub mod table;

pub use data_dir::{DataDir, DataDirError};
pub use entity::Entity;
pub use log::{CommitLog, LogError, LogId, Offset, Record};
pub use meta::{Batch, CommitError, Event, Expect, MetaStore, Revision, StoreError, Versioned, Watch};
pub use seal::{MasterKey, SealError, Sealer};
pub use table::{Table, TableError};
