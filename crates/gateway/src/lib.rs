//! The device gateway: MQTT 3.1.1 and 5 over TCP and TLS, publish over HTTPS, and the data plane's API.
//!
//! ```text
//!  listen ─► authenticate ─► connection ─► publish ─► subscribers, retained messages, rules
//!              (TLS)          │     ▲
//!                             ▼     │ mailbox, queue
//!                       authorize  session ─ broker
//! ```
//!
//! `mqtt` says what the protocol is; here is everything it leaves open: who a peer is, what it may do, who gets a message, and
//! what is kept. A connection is one task. It reads while its publishes become durable, and acknowledges each when it has.
//!
//! 1. A peer on the TLS ports is the certificate it proves to own: registered and active, or refused in the handshake. What it
//!    may do is what the certificate's policies allow, and a change of them counts from the next packet on.
//! 2. A peer on the plain port is the root of the node's account. The port serves loopback addresses only.
//! 3. Accounts and regions are apart: each has its own [`broker::Broker`].
//! 4. PUBACK, and the answer to a publish over HTTP, mean that every consequence of the message is durable (A6).
//! 5. Nothing waits for a subscriber.
//!
//! Differs from AWS: SNI is not required; there is no MQTT over WebSocket and no custom authorizer; shadows, jobs, presence
//! events and fleet provisioning are absent, so that a client which uses their topics is disconnected as one that uses any other
//! reserved topic; an account's deliveries and subscribes have no rate. The policy variables of a certificate's subject and issuer
//! are not known, and `iot:Connection.Thing.ThingName` only for a thing that the certificate is attached to. A certificate that
//! expires is refused from its next handshake on; who is connected with it stays so.

mod authenticate;
mod authorize;
mod broker;
mod connection;
mod delivery;
mod error;
mod https;
mod limits;
mod listen;
mod mailbox;
mod message;
mod metrics;
mod ops;
mod publish;
mod quiet;
mod retained;
mod session;
mod shares;
mod subscriptions;
mod tasks;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod throttle;
mod will;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::{AccountId, Clock, Entropy, Metrics, Region, TaskGroup, Timestamp};
use ports::{Devices, OnMessage, tokio_watch};
use store::{CommitLog, MetaStore, Table};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use wire::{Authorize, Descriptor, Protocol};

use crate::broker::{Broker, QUEUE_KIND, Shared};
use crate::error::Chain;
pub use crate::error::Error;
use crate::limits::{
    ACCOUNTS_RESERVE, ADDRESS_SHARE, CONNECTIONS_MAX, HANDSHAKES_MAX, HTTPS_CONNECTIONS_MAX,
    REGIONS_PER_ACCOUNT_MAX, RENEW_RETRY,
};
use crate::metrics::Refusals;
pub use crate::ops::OPERATIONS;
use crate::quiet::Quiet;
use crate::retained::RetainedMessage;
use crate::shares::Shares;
pub use crate::throttle::Quotas;

/// IoT data plane: <https://docs.aws.amazon.com/iot/latest/apireference/API_Operations_AWS_IoT_Data_Plane.html>
pub static DESCRIPTOR: Descriptor = Descriptor {
    signing_name: "iotdata",
    protocols: &[Protocol::RestJson],
    validation_code: "InvalidRequestException",
};

/// Who and where the gateway is.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whose root connects on the plain port.
    pub account: AccountId,
    /// The region of connections on the plain port.
    pub region: Region,
    /// Host names and addresses for the server's certificate.
    pub names: Vec<String>,
    /// How much devices may send.
    pub quotas: Quotas,
}

/// Everything a gateway is given.
pub struct Parts {
    /// Who and where it is.
    pub config: Config,
    /// Certificates and their policies.
    pub devices: Arc<dyn Devices>,
    /// What happens to a message besides delivery.
    pub on_message: Arc<dyn OnMessage>,
    /// Whether a rule's role may publish.
    pub authorize: Arc<dyn Authorize>,
    /// Sessions and retained messages.
    pub meta: Arc<dyn MetaStore>,
    /// Queues of sessions.
    pub log: Arc<dyn CommitLog>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Entropy,
    /// Where everything is counted.
    pub metrics: Metrics,
}

/// The ports to serve, already bound. One that is none is not served.
#[derive(Clone, Default)]
pub struct Listeners {
    /// MQTT in the clear; for loopback only.
    pub mqtt: Option<Arc<TcpListener>>,
    /// MQTT over TLS with client certificates.
    pub mqtts: Option<Arc<TcpListener>>,
    /// HTTPS publish with client certificates.
    pub https: Option<Arc<TcpListener>>,
}

/// The gateway of every account and region of a node.
pub struct Gateway {
    config: Config,
    devices: Arc<dyn Devices>,
    on_message: Arc<dyn OnMessage>,
    authorize: Arc<dyn Authorize>,
    shared: Arc<Shared>,
    brokers: RwLock<HashMap<AccountId, HashMap<Region, Arc<Broker>>>>,
    presented: Arc<authenticate::Presented>,
    /// TLS handshakes under way.
    handshakes: Semaphore,
    handshaking: Arc<Shares<IpAddr>>,
    /// Connections on the TLS ports: MQTT, HTTPS.
    certified: [Arc<Shares<AccountId>>; 2],
    refusals: Refusals,
    publish_log: Quiet,
    connection_log: Quiet,
}

impl Gateway {
    /// A gateway over these parts. Call [`Gateway::recover`] before anything else.
    pub fn new(parts: Parts) -> Self {
        let shared = Shared {
            sessions: Table::new(Arc::clone(&parts.meta)),
            wills: Table::new(Arc::clone(&parts.meta)),
            meta: parts.meta,
            log: parts.log,
            clock: parts.clock,
            entropy: parts.entropy,
            metrics: parts.metrics.clone(),
            quotas: parts.config.quotas,
            deadline: Notify::new(),
        };
        Self {
            config: parts.config,
            devices: parts.devices,
            on_message: parts.on_message,
            authorize: parts.authorize,
            shared: Arc::new(shared),
            brokers: RwLock::default(),
            presented: Arc::new(authenticate::Presented::new()),
            handshakes: Semaphore::new(HANDSHAKES_MAX),
            handshaking: Shares::new(HANDSHAKES_MAX / ADDRESS_SHARE),
            certified: [CONNECTIONS_MAX, HTTPS_CONNECTIONS_MAX]
                .map(|max| Shares::new(max - max / ACCOUNTS_RESERVE)),
            refusals: Refusals::new(&parts.metrics),
            publish_log: Quiet::default(),
            connection_log: Quiet::default(),
        }
    }

    /// Takes in sessions, retained messages and wills, and deletes the queues that no session has.
    ///
    /// # Errors
    /// When a store cannot be read or written.
    pub async fn recover(&self) -> Result<(), Error> {
        let mut queues = std::collections::HashSet::new();
        for (parts, stored) in self.shared.sessions.list(&[]).await? {
            let Some((broker, client_id)) = self.owner(&parts) else { continue };
            queues.insert(stored.entity.log.clone());
            broker.recover(client_id, stored.entity).await?;
        }
        for (parts, stored) in Table::<RetainedMessage>::new(Arc::clone(&self.shared.meta)).list(&[]).await? {
            let Some((broker, topic)) = self.owner(&parts) else { continue };
            broker.retained.recover(topic, &stored.entity);
        }
        for (parts, stored) in self.shared.wills.list(&[]).await? {
            let Some((broker, client_id)) = self.owner(&parts) else { continue };
            self.recover_will(&broker, client_id, &stored.entity, stored.revision).await?;
        }
        for log in self.shared.log.logs(&format!("{QUEUE_KIND}/")) {
            if !queues.contains(log.as_str()) {
                self.shared.log.delete(&log).await?;
            }
        }
        Ok(())
    }

    fn owner<'p>(&self, parts: &'p [String]) -> Option<(Arc<Broker>, &'p str)> {
        let [account, region, name] = parts else { return None };
        Some((self.recovered_broker(&account.parse().ok()?, &region.parse().ok()?), name))
    }

    /// Serves the listeners until the group is cancelled.
    ///
    /// # Errors
    /// When there is no server certificate for the TLS ports.
    pub async fn start(self: &Arc<Self>, group: &TaskGroup, listeners: Listeners) -> Result<(), Error> {
        let gateway = Arc::clone(self);
        group.supervise(&tasks::REAPER, self.shared.entropy.clone(), move |_| {
            let gateway = Arc::clone(&gateway);
            async move { gateway.reap().await }
        });
        let gateway = Arc::clone(self);
        group.supervise(&tasks::CERTIFICATES, self.shared.entropy.clone(), move |_| {
            let gateway = Arc::clone(&gateway);
            async move { gateway.watch_certificates().await }
        });
        if let Some(listener) = listeners.mqtt {
            listen::plain(self, group, listener);
        }
        if listeners.mqtts.is_none() && listeners.https.is_none() {
            return Ok(());
        }
        let mut ca_epoch = self.devices.ca_epoch();
        ca_epoch.borrow_and_update();
        let renew_at = self.presented.renew(&*self.devices, &self.config.names).await?;
        let gateway = Arc::clone(self);
        group.supervise(&tasks::SERVER_CERTIFICATE, self.shared.entropy.clone(), move |_| {
            let gateway = Arc::clone(&gateway);
            let ca_epoch = ca_epoch.clone();
            async move { gateway.keep_server_certificate(ca_epoch, renew_at).await }
        });
        let (devices, clock) = (&self.devices, &self.shared.clock);
        if let Some(listener) = listeners.mqtts {
            let acceptor = self.presented.acceptor(devices, clock, authenticate::MQTT_ALPN)?;
            listen::tls(self, group, listener, acceptor);
        }
        if let Some(listener) = listeners.https {
            let acceptor = self.presented.acceptor(devices, clock, authenticate::HTTPS_ALPN)?;
            https::serve(self, group, listener, acceptor);
        }
        Ok(())
    }

    /// The broker of an account in a region, if anything was there yet.
    fn known_broker(&self, account: &AccountId, region: &Region) -> Option<Arc<Broker>> {
        let brokers = self.brokers.read().unwrap_or_else(PoisonError::into_inner);
        brokers.get(account)?.get(region).cloned()
    }

    /// The broker of an account in a region.
    ///
    /// # Errors
    /// `ThrottlingException` when the account has them in as many regions as it may.
    fn broker(&self, account: &AccountId, region: &Region) -> Result<Arc<Broker>, Error> {
        if let Some(broker) = self.known_broker(account, region) {
            return Ok(broker);
        }
        let regions =
            self.brokers.read().unwrap_or_else(PoisonError::into_inner).get(account).map(HashMap::len);
        if regions.unwrap_or_default() >= REGIONS_PER_ACCOUNT_MAX {
            return Err(Error::Throttling(format!(
                "The account has messages in {REGIONS_PER_ACCOUNT_MAX} regions already."
            )));
        }
        Ok(self.recovered_broker(account, region))
    }

    fn recovered_broker(&self, account: &AccountId, region: &Region) -> Arc<Broker> {
        let mut brokers = self.brokers.write().unwrap_or_else(PoisonError::into_inner);
        let create = || Arc::new(Broker::new(account.clone(), region.clone(), Arc::clone(&self.shared)));
        let regions = brokers.entry(account.clone()).or_default();
        Arc::clone(regions.entry(region.clone()).or_insert_with(create))
    }

    fn all_brokers(&self) -> Vec<Arc<Broker>> {
        let brokers = self.brokers.read().unwrap_or_else(PoisonError::into_inner);
        brokers.values().flat_map(HashMap::values).cloned().collect()
    }

    /// Renews what the TLS ports present: in time, and when another CA signs.
    async fn keep_server_certificate(
        &self,
        mut ca_epoch: tokio_watch::Receiver<u64>,
        mut renew_at: Timestamp,
    ) -> Result<(), kernel::tasks::TaskError> {
        loop {
            tokio::select! {
                changed = ca_epoch.changed() => if changed.is_err() {
                    return Ok(());
                },
                () = self.shared.clock.sleep_until(renew_at) => {}
            }
            renew_at = match self.presented.renew(&*self.devices, &self.config.names).await {
                Ok(renew_at) => renew_at,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "the server certificate was not renewed");
                    self.shared.clock.now() + RENEW_RETRY
                }
            };
        }
    }

    /// Ends sessions whose time has come and publishes the wills that waited for it.
    async fn reap(&self) -> Result<(), kernel::tasks::TaskError> {
        loop {
            let brokers = self.all_brokers();
            for broker in &brokers {
                for will in broker.due().await {
                    self.publish_will(broker, will).await;
                }
            }
            let next = brokers.iter().filter_map(|broker| broker.next_deadline()).min();
            let next = futures::future::OptionFuture::from(next.map(|at| self.shared.clock.sleep_until(at)));
            tokio::select! {
                Some(()) = next => {}
                () = self.shared.deadline.notified() => {}
            }
        }
    }

    /// Tells connections whose certificate is not what it was.
    async fn watch_certificates(&self) -> Result<(), kernel::tasks::TaskError> {
        let mut epoch = self.devices.epoch();
        loop {
            for broker in self.all_brokers() {
                for (mailbox, identity) in broker.certified() {
                    let now = self.devices.identity(&identity.certificate_id);
                    if !now.is_some_and(|now| Arc::ptr_eq(&now, &identity)) {
                        mailbox.recheck();
                    }
                }
            }
            if epoch.changed().await.is_err() {
                return Ok(());
            }
        }
    }
}
