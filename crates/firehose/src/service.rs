//! The service: its parts, how it starts, and how its streams change.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use kernel::{AccountId, Arn, Clock, Context, Entropy, Metrics, Region, TaskGroup};
use ports::{Objects, PortError, Roles};
use store::meta::{Batch, Expect};
use store::table::Stored;
use store::{CommitLog, MetaStore, Revision, Table, TableError};
use tokio::sync::Semaphore;
use wire::Authorize;

use crate::delivery::DeliveryIntent;
use crate::delivery_stream::DeliveryStream;
use crate::error::Error;
use crate::registry::{Registry, Stream};
use crate::{limits, pump, reconcile, tasks};

/// The service's principal, as trust policies and iam:PassedToService name it.
const SERVICE: &str = "firehose.amazonaws.com";

/// How Firehose names its sessions of a role: `assumed-role/ROLE/AWSFirehoseToS3`.
const SESSION: &str = "AWSFirehoseToS3";

/// What the service is given.
pub struct Parts {
    /// Streams, and deliveries under way.
    pub meta: Arc<dyn MetaStore>,
    /// Records that are not delivered yet.
    pub log: Arc<dyn CommitLog>,
    /// Buckets.
    pub objects: Arc<dyn Objects>,
    /// The roles that streams name.
    pub roles: Arc<dyn Roles>,
    /// Who may put records.
    pub authorize: Arc<dyn Authorize>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Entropy,
    /// Where everything is counted.
    pub metrics: Metrics,
}

/// Amazon Data Firehose. Clones share everything.
#[derive(Clone)]
pub struct Firehose {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) streams: Table<DeliveryStream>,
    pub(crate) intents: Table<DeliveryIntent>,
    pub(crate) log: Arc<dyn CommitLog>,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) roles: Arc<dyn Roles>,
    pub(crate) authorize: Arc<dyn Authorize>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    pub(crate) metrics: Metrics,
    pub(crate) registry: Registry,
    /// Bounds the memory of objects being built.
    pub(crate) permits: Semaphore,
    tasks: OnceLock<TaskGroup>,
}

impl Firehose {
    /// It knows no streams before [`Firehose::recover`].
    pub fn new(parts: Parts) -> Self {
        let Parts { meta, log, objects, roles, authorize, clock, entropy, metrics } = parts;
        let inner = Inner {
            streams: Table::new(Arc::clone(&meta)),
            intents: Table::new(meta),
            log,
            objects,
            roles,
            authorize,
            clock,
            entropy,
            metrics,
            registry: Registry::default(),
            permits: Semaphore::new(limits::DELIVERIES_AT_ONCE),
            tasks: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Reads the streams and the deliveries under way, and deletes logs that no stream has.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recover(&self) -> Result<(), Error> {
        for (_, stored) in self.inner.streams.list(&[]).await? {
            self.inner.publish(stored)?;
        }
        for (parts, intent) in self.inner.intents.list(&[]).await? {
            match self.inner.owner(&parts) {
                Some(stream) => stream.set_delivering(Some(Arc::new(intent.entity))),
                None => {
                    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                    self.inner.intents.delete(&parts).await?;
                }
            }
        }
        self.inner.delete_orphaned_logs().await;
        Ok(())
    }

    /// Starts the pumps of all streams, those created later too. Stopping the group stops them between steps; what is not
    /// delivered stays in the log.
    pub fn start(&self, group: &TaskGroup) {
        let inner = &self.inner;
        let group = inner.tasks.get_or_init(|| group.child("firehose"));
        for stream in inner.registry.all() {
            pump::start(inner, &stream, group);
        }
        reconcile::start(inner, group);
        let metered = Arc::clone(inner);
        group.spawn(&tasks::METER, |_| async move {
            loop {
                crate::metrics::measure(&metered.registry, &*metered.log, metered.clock.now());
                metered.clock.sleep(limits::METER_PERIOD).await;
            }
        });
    }
}

impl Inner {
    /// The stream of the caller's account and region.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub(crate) fn stream(&self, cx: &Context, name: &str) -> Result<Arc<Stream>, Error> {
        self.registry
            .get(&cx.account, &cx.region, name)
            .ok_or_else(|| Error::NotFound { name: name.to_owned(), account: cx.account.to_string() })
    }

    /// The circumstances in which `stream` acts as `role`, at this moment.
    ///
    /// # Errors
    /// `Denied` when there is no such role or it does not trust Firehose with the stream.
    pub(crate) fn acting_as(&self, stream: &DeliveryStream, role: &Arn) -> Result<Context, PortError> {
        let cx = Context::service(stream.account.clone(), stream.region.clone(), SERVICE);
        self.roles.assume(&cx, role, SERVICE, SESSION, &stream.arn())
    }

    /// Whether the caller may give `stream` this role, and the stream act as it.
    ///
    /// # Errors
    /// `AccessDeniedException`, `InvalidArgumentException`.
    pub(crate) fn check_role(&self, cx: &Context, stream: &DeliveryStream) -> Result<(), Error> {
        let role = &stream.destination.role_arn;
        self.roles.check_pass_role(cx, role, SERVICE).map_err(|error| Error::AccessDenied(error.message))?;
        self.acting_as(stream, role).map(drop).map_err(|_| {
            Error::invalid(format!(
                "Firehose is unable to assume role {role}. Please check the role provided."
            ))
        })
    }

    /// The registered stream behind the key parts of an intent.
    fn owner(&self, parts: &[String]) -> Option<Arc<Stream>> {
        let [account, region, name, generation] = parts else { return None };
        let stream = self.registry.get(&account.parse().ok()?, &region.parse().ok()?, name)?;
        (stream.generation == *generation).then_some(stream)
    }

    fn publish(self: &Arc<Self>, stored: Stored<DeliveryStream>) -> Result<Arc<Stream>, Error> {
        let stream = self.registry.publish(stored, &self.metrics)?;
        if let Some(group) = self.tasks.get() {
            pump::start(self, &stream, group);
        }
        Ok(stream)
    }

    /// Makes the registry's entry equal to the store's, and starts its pump if it is new. Reads until what was published is
    /// what the store still holds: whoever deletes the stream after that finds the entry.
    pub(crate) async fn refresh(
        self: &Arc<Self>,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<Option<Arc<Stream>>, Error> {
        let mut published: Option<(Revision, Arc<Stream>)> = None;
        loop {
            let seen_at = self.streams.revision();
            let Some(stored) = self.streams.get(&[account.as_str(), region.as_str(), name]).await? else {
                self.registry.remove((account, region, name), seen_at, &self.metrics);
                return Ok(None);
            };
            match published {
                Some((revision, stream)) if revision == stored.revision => return Ok(Some(stream)),
                _ => published = Some((stored.revision, self.publish(stored)?)),
            }
        }
    }

    /// Makes the whole registry equal to the store.
    pub(crate) async fn refresh_all(self: &Arc<Self>) -> Result<(), Error> {
        let known = self.registry.all();
        let stored = self.streams.list(&[]).await?;
        let stored_keys = stored.iter().map(|(_, stored)| &stored.entity);
        let states: Vec<_> = known.iter().map(|stream| stream.state()).collect();
        let known_keys = states.iter().map(|state| &state.stored.entity);
        let keys: BTreeSet<_> =
            stored_keys.chain(known_keys).map(|e| (&e.account, &e.region, &e.name)).collect();
        for (account, region, name) in keys {
            self.refresh(account, region, name).await?;
        }
        Ok(())
    }

    /// Deletes logs of streams that are gone. The logs are listed before the streams are asked: a log exists only after its
    /// stream is registered.
    pub(crate) async fn delete_orphaned_logs(&self) {
        let logs = self.log.logs("firehose/");
        let living: HashSet<_> = self.registry.all().iter().map(|stream| stream.log.clone()).collect();
        for log in logs.iter().filter(|log| !living.contains(log)) {
            if let Err(error) = self.log.delete(log).await {
                tracing::warn!(%log, %error, "the log of a deleted stream stays for now");
            }
        }
    }

    /// Stores a new stream.
    ///
    /// # Errors
    /// `ResourceInUseException`, `LimitExceededException`.
    pub(crate) async fn create(self: &Arc<Self>, entity: &DeliveryStream) -> Result<(), Error> {
        let DeliveryStream { account, region, name, .. } = entity;
        if self.registry.count(account, region) >= limits::STREAMS_MAX {
            let quota = limits::STREAMS_MAX;
            let sentence = format!("You have already consumed your firehose quota of {quota} hoses.");
            return Err(Error::LimitExceeded(sentence));
        }
        let inserted = self.streams.insert(&entity.parts(), entity).await;
        if let Err(error @ (TableError::Store(_) | TableError::Decode(_))) = inserted {
            return Err(error.into());
        }
        self.refresh(account, region, name).await?;
        inserted.map(drop).map_err(|_| Error::InUse { name: name.clone(), account: account.to_string() })
    }

    /// A generation that no stream has had: revisions are never reused, and a stream of one name is created anew only after
    /// the revision at which it was stored before.
    pub(crate) fn new_generation(&self) -> String {
        format!("{:x}-{:08x}", self.streams.revision().0, self.entropy.below(1 << 32))
    }

    /// Changes a stream: `change` sees it as it is and may refuse; it is asked again when another change came between.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, and what `change` says.
    pub(crate) async fn update(
        self: &Arc<Self>,
        cx: &Context,
        name: &str,
        mut change: impl FnMut(&mut DeliveryStream) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let parts = [cx.account.as_str(), cx.region.as_str(), name];
        for _ in 0..limits::UPDATE_ATTEMPTS {
            let Some(Stored { mut entity, revision }) = self.streams.get(&parts).await? else {
                self.refresh(&cx.account, &cx.region, name).await?;
                return Err(Error::NotFound { name: name.to_owned(), account: cx.account.to_string() });
            };
            change(&mut entity)?;
            match self.streams.update(&parts, &entity, revision).await {
                Ok(_) => return self.refresh(&cx.account, &cx.region, name).await.map(drop),
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::ServiceUnavailable)
    }

    /// Deletes a stream with its intent and its log.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub(crate) async fn delete(self: &Arc<Self>, cx: &Context, name: &str) -> Result<(), Error> {
        let parts = [cx.account.as_str(), cx.region.as_str(), name];
        for _ in 0..limits::UPDATE_ATTEMPTS {
            let Some(Stored { entity, revision }) = self.streams.get(&parts).await? else {
                self.refresh(&cx.account, &cx.region, name).await?;
                return Err(Error::NotFound { name: name.to_owned(), account: cx.account.to_string() });
            };
            let batch = self.streams.with_check(Batch::default(), &parts, Expect::At(revision));
            let batch = self.streams.with_delete(batch, &parts);
            let batch = self.intents.with_delete(batch, &entity.intent_parts());
            match self.streams.commit(batch).await {
                Ok(_) => {
                    self.forget(&entity, revision).await;
                    return Ok(());
                }
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::ServiceUnavailable)
    }

    async fn forget(&self, entity: &DeliveryStream, seen_at: Revision) {
        self.registry.remove((&entity.account, &entity.region, &entity.name), seen_at, &self.metrics);
        let log = entity.log();
        if let Err(error) = self.log.delete(&log).await {
            // The stream is gone all the same; the reconciler tries again.
            tracing::warn!(%log, %error, "the log of a deleted stream stays for now");
        }
    }

    /// Whether a pump may start: true once for each stream.
    pub(crate) fn claim_pump(stream: &Stream) -> bool {
        !stream.pumped.swap(true, Ordering::SeqCst)
    }
}
