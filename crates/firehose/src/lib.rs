//! Amazon Data Firehose: records in, objects out.
//!
//! A record that was acknowledged is in its stream's *intake log* ([`store::CommitLog`]) until it is in an object; nothing is
//! buffered anywhere else. A pump per stream waits until enough bytes or time have gathered, and delivers:
//!
//! ```text
//!   PutRecord ─► intake log ─► [1] write intent ─► [2] put object ─► [3] trim log, forget intent
//!                    └──────────────── hot read ◄──────────────┘
//! ```
//!
//! 1. A record is acknowledged only when it is durable in the log.
//! 2. An intent names the records, the bucket and the key, is durable before the object is put, and is carried out as written
//!    by whoever finds it: so a record is in one object only, whenever the node died and whatever was updated since.
//! 3. A log is trimmed only after the object is durable, or when its delivery has failed for 24 hours.
//! 4. An intent is written only if the stream is still as it was when the intent was decided.
//! 5. An intent whose records are trimmed already is only forgotten.
//! 6. A record that the disk has lost is left out of its object, and counted.
//! 7. A stream acts as the role it names at each attempt: what the role may not, fails and is tried again, and the records stay.
//!
//! What a pump has not delivered is visible to SQL through [`ports::Buffered`].
//!
//! <https://docs.aws.amazon.com/firehose/latest/APIReference/Welcome.html>
//!
//! Differs from AWS: sources other than DirectPut and destinations other than S3 are refused.
//! Differs from AWS: server-side encryption operations are absent.
//! Differs from AWS: throughput is bounded by the node's log, not by quotas; when it is full, "Slow down.".

mod allowed;
mod configuration;
mod constraint;
mod date_pattern;
mod deliver;
mod delivery;
mod delivery_stream;
mod error;
mod hot_read;
mod intake;
mod limits;
mod metrics;
mod object_key;
mod ops;
mod page;
mod prefix;
mod pump;
mod reconcile;
mod registry;
mod service;
mod tagged;
mod tasks;
#[cfg(test)]
mod testing;

pub use error::Error;
pub use ops::{DESCRIPTOR, OPERATIONS};
pub use service::{Firehose, Parts};
