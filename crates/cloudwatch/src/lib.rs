//! Amazon CloudWatch's metrics: the node's own store, which holds the metrics of every service under AWS's names, and the account's own.
//!
//! ```text
//!  kernel::Metrics ─sampler, each minute─► mapping ─┐
//!  PutMetricData ───────────────────────────────────┴─► store ─► GetMetricData · GetMetricStatistics · ListMetrics
//! ```
//!
//! 1. Accounts and regions are kept apart: the first two parts of every key, in memory and on disk.
//! 2. What a service counts and the sampler could not append is in the next minute's difference: nothing is lost, only late.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html>
//!
//! Differs from AWS: alarms, dashboards, metric streams, Contributor Insights and anomaly detection are not there.

mod error;
mod label;
mod limits;
mod mapping;
mod math;
mod names;
mod ops;
mod point;
mod sampler;
mod scalar;
mod series;
mod statistic;
mod store;
mod tasks;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use ::store::{CommitLog, MetaStore};
use kernel::{AccountId, Clock, Entropy, Metrics, Region, TaskGroup};
use tokio::sync::Semaphore;
use wire::{Descriptor, Protocol};

pub use crate::error::Error;
use crate::error::QUERY_CODES;
pub use crate::ops::OPERATIONS;
use crate::sampler::Sampler;
use crate::series::Scope;
use crate::store::Store;
use crate::store::record::Addition;

/// CloudWatch: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html>
pub static DESCRIPTOR: Descriptor = Descriptor {
    signing_name: "monitoring",
    protocols: &[
        Protocol::Query {
            version: "2010-08-01",
            namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
            codes: QUERY_CODES,
        },
        Protocol::Json { version: "1.0", target_prefix: "GraniteServiceVersion20100801" },
        Protocol::RpcV2Cbor { service: "GraniteServiceVersion20100801" },
    ],
    validation_code: "ValidationException",
};

/// What the service is built from.
pub struct Parts {
    /// The account of metrics that belong to no account's resource.
    pub account: AccountId,
    /// Their region.
    pub region: Region,
    /// Where points are kept.
    pub meta: Arc<dyn MetaStore>,
    /// Where they are acknowledged.
    pub log: Arc<dyn CommitLog>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Jitter of restarts.
    pub entropy: Entropy,
    /// What the services count.
    pub metrics: Metrics,
}

/// CloudWatch of every account and region of the node.
pub struct CloudWatch {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    sampler: Sampler,
    /// Turns of requests with expressions.
    pub(crate) evaluations: Semaphore,
    entropy: Entropy,
    tasks: OnceLock<TaskGroup>,
}

impl CloudWatch {
    /// A service on these parts. Nothing is read yet but the counters, of which the first minute's difference is taken from now.
    pub fn new(parts: Parts) -> Self {
        let inner = Inner {
            store: Store::new(&parts.meta, parts.log, Arc::clone(&parts.clock)),
            evaluations: Semaphore::new(limits::EVALUATIONS_MAX),
            sampler: Sampler::new(&parts.account, &parts.region, parts.metrics),
            clock: parts.clock,
            entropy: parts.entropy,
            tasks: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Takes in what the log holds and chunks do not.
    ///
    /// # Errors
    /// When a store cannot be read.
    pub async fn recover(&self) -> Result<(), Error> {
        self.inner.store.recover().await
    }

    /// Starts the applier, the keeper and the sampler, until the group is cancelled.
    pub fn start(&self, group: &TaskGroup) {
        let group = self.inner.tasks.get_or_init(|| group.child("cloudwatch"));
        let entropy = || self.inner.entropy.clone();
        let inner = Arc::clone(&self.inner);
        group.supervise(&tasks::APPLIER, entropy(), move |stop| {
            let inner = Arc::clone(&inner);
            async move { Ok(inner.store.apply(stop).await?) }
        });
        let inner = Arc::clone(&self.inner);
        group.supervise(&tasks::KEEPER, entropy(), move |stop| {
            let inner = Arc::clone(&inner);
            async move { Ok(inner.store.keep(stop).await?) }
        });
        let inner = Arc::clone(&self.inner);
        group.supervise(&tasks::SAMPLER, entropy(), move |stop| {
            let inner = Arc::clone(&inner);
            async move {
                inner.sample(stop).await;
                Ok(())
            }
        });
    }
}

impl Inner {
    /// Adds an account's own points.
    async fn put(&self, scope: Scope, additions: Vec<Addition>) -> Result<(), Error> {
        self.store.admit(&scope, &additions)?;
        self.store.append(&[(scope, additions)], self.tasks.get().map(TaskGroup::stop)).await
    }
}
