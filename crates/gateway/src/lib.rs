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
//! reserved topic; rates are not throttled. The policy variables of a certificate's subject and issuer are not known, and
//! `iot:Connection.Thing.ThingName` only for a thing that the certificate is attached to.

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
mod subscriptions;
mod tasks;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod will;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::{AccountId, Clock, Entropy, Metrics, Region, TaskGroup};
use ports::{Devices, OnMessage};
use store::{CommitLog, MetaStore, Table};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use wire::{Descriptor, Protocol};

use crate::broker::{Broker, QUEUE_KIND, Shared};
pub use crate::error::Error;
use crate::metrics::Cells;
pub use crate::ops::OPERATIONS;
use crate::quiet::Quiet;
use crate::retained::RetainedMessage;

/// IoT data plane: <https://docs.aws.amazon.com/iot/latest/apireference/API_Operations_AWS_IoT_Data_Plane.html>
pub static DESCRIPTOR: Descriptor = Descriptor {
    signing_name: "iotdata",
    protocol: Protocol::RestJson,
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
}

/// Everything a gateway is given.
pub struct Parts {
    /// Who and where it is.
    pub config: Config,
    /// Certificates and their policies.
    pub devices: Arc<dyn Devices>,
    /// What happens to a message besides delivery.
    pub on_message: Arc<dyn OnMessage>,
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
    shared: Arc<Shared>,
    brokers: RwLock<HashMap<(AccountId, Region), Arc<Broker>>>,
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
            cells: Cells::new(&parts.metrics),
            deadline: Notify::new(),
        };
        Self {
            config: parts.config,
            devices: parts.devices,
            on_message: parts.on_message,
            shared: Arc::new(shared),
            brokers: RwLock::default(),
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
        Some((self.broker(&account.parse().ok()?, &region.parse().ok()?), name))
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
        let server = authenticate::ServerCertificate::issue(&*self.devices, &self.config.names).await?;
        if let Some(listener) = listeners.mqtts {
            listen::tls(self, group, listener, server.acceptor(&self.devices, authenticate::MQTT_ALPN)?);
        }
        if let Some(listener) = listeners.https {
            https::serve(self, group, listener, server.acceptor(&self.devices, authenticate::HTTPS_ALPN)?);
        }
        Ok(())
    }

    /// The broker of an account in a region.
    fn broker(&self, account: &AccountId, region: &Region) -> Arc<Broker> {
        let scope = (account.clone(), region.clone());
        if let Some(broker) = self.brokers.read().unwrap_or_else(PoisonError::into_inner).get(&scope) {
            return Arc::clone(broker);
        }
        let mut brokers = self.brokers.write().unwrap_or_else(PoisonError::into_inner);
        let create = || Arc::new(Broker::new(account.clone(), region.clone(), Arc::clone(&self.shared)));
        Arc::clone(brokers.entry(scope).or_insert_with(create))
    }

    fn all_brokers(&self) -> Vec<Arc<Broker>> {
        self.brokers.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
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
