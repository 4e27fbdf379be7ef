//! A whole gateway on memory stores, and devices that talk to it over real sockets.

mod fakes;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use kernel::metrics::Metric;
use kernel::{AccountId, Entropy, ManualClock, Metrics, Region, TaskGroup, Timestamp};
use mqtt::{
    Client, ClientEvent, Connack, Connect, Message, Publish, Qos, ReasonCode, Retain, SubscriptionOptions,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use store::log::memory::MemoryCommitLog;
use store::meta::memory::MemoryMetaStore;
use store::{CommitLog, MetaStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) use crate::testing::fakes::{
    ALLOW_ALL, CERTIFICATE_LIFE, Durability, FakeDevices, FakeLog, FakeRules, Keys, self_signed,
};
use crate::{Config, Gateway, Listeners, Parts, Quotas};

/// A running gateway. `restart` makes a new one on its stores, as after `kill -9`.
pub(crate) struct Node {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) clock: ManualClock,
    pub(crate) devices: Arc<FakeDevices>,
    pub(crate) rules: Arc<FakeRules>,
    pub(crate) log: Arc<FakeLog>,
    pub(crate) metrics: Metrics,
    pub(crate) group: TaskGroup,
    meta: Arc<dyn MetaStore>,
    mqtt: SocketAddr,
    mqtts: SocketAddr,
    pub(crate) https: SocketAddr,
}

impl Node {
    pub(crate) async fn start() -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
        let log = Arc::new(MemoryCommitLog::new(Arc::new(clock.clone())));
        Self::start_on(clock, log).await
    }

    /// A node that keeps its queues in this log.
    pub(crate) async fn start_on(clock: ManualClock, log: Arc<dyn CommitLog>) -> Self {
        let meta = Arc::new(MemoryMetaStore::new());
        Self::on(clock, meta, Arc::new(FakeLog::new(log)), Arc::new(FakeDevices::new()), Quotas::UNBOUNDED)
            .await
    }

    /// A node whose devices may send so much.
    pub(crate) async fn start_within(quotas: Quotas) -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
        let log = Arc::new(FakeLog::new(Arc::new(MemoryCommitLog::new(Arc::new(clock.clone())))));
        Self::on(clock, Arc::new(MemoryMetaStore::new()), log, Arc::new(FakeDevices::new()), quotas).await
    }

    async fn on(
        clock: ManualClock,
        meta: Arc<dyn MetaStore>,
        log: Arc<FakeLog>,
        devices: Arc<FakeDevices>,
        quotas: Quotas,
    ) -> Self {
        let rules = Arc::new(FakeRules::new());
        let metrics = Metrics::default();
        let gateway = Arc::new(Gateway::new(Parts {
            config: Config {
                account: AccountId::default_account(),
                region: Region::default_region(),
                names: vec!["localhost".to_owned()],
                quotas,
            },
            devices: Arc::clone(&devices) as _,
            on_message: Arc::clone(&rules) as _,
            authorize: Arc::new(wire::testing::AllowAll),
            meta: Arc::clone(&meta),
            log: Arc::clone(&log) as _,
            clock: Arc::new(clock.clone()),
            entropy: Entropy::from_os(),
            metrics: metrics.clone(),
        }));
        gateway.recover().await.unwrap();
        let (mqtt, mqtts, https) = (bind().await, bind().await, bind().await);
        let address = |listener: &Arc<TcpListener>| listener.local_addr().unwrap();
        let addresses = (address(&mqtt), address(&mqtts), address(&https));
        let group = TaskGroup::root(Arc::new(clock.clone()));
        let listeners = Listeners { mqtt: Some(mqtt), mqtts: Some(mqtts), https: Some(https) };
        gateway.start(&group, listeners).await.unwrap();
        Self {
            gateway,
            clock,
            devices,
            rules,
            log,
            metrics,
            group,
            meta,
            mqtt: addresses.0,
            mqtts: addresses.1,
            https: addresses.2,
        }
    }

    /// A new node on the same stores. This one is told nothing.
    pub(crate) async fn restart(&self) -> Self {
        let (log, devices) = (Arc::clone(&self.log), Arc::clone(&self.devices));
        Self::on(self.clock.clone(), Arc::clone(&self.meta), log, devices, Quotas::UNBOUNDED).await
    }

    /// The same with what is left of its log.
    pub(crate) async fn restart_on(&self, log: Arc<dyn CommitLog>) -> Self {
        let log = Arc::new(FakeLog::new(log));
        let devices = Arc::clone(&self.devices);
        Self::on(self.clock.clone(), Arc::clone(&self.meta), log, devices, Quotas::UNBOUNDED).await
    }

    /// A device on the plain port, accepted.
    pub(crate) async fn connect(&self, connect: Connect) -> Device {
        let (device, connack) = self.open(connect).await;
        assert_eq!(connack.expect("an answer").reason, ReasonCode::Success);
        device
    }

    /// A device on the plain port, and the answer to its CONNECT; none if there was none.
    pub(crate) async fn open(&self, connect: Connect) -> (Device, Option<Connack>) {
        Device::open(Box::new(self.tcp().await), connect).await
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.mqtt).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// A device on the TLS port. An error is a failed handshake.
    pub(crate) async fn open_tls(
        &self,
        keys: &Keys,
        connect: Connect,
    ) -> std::io::Result<(Device, Option<Connack>)> {
        let stream = self.tls(self.mqtts, Some(keys), &[b"x-amzn-mqtt-ca"]).await?;
        Ok(Device::open(Box::new(stream), connect).await)
    }

    pub(crate) async fn connect_tls(&self, keys: &Keys, connect: Connect) -> Device {
        let (device, connack) = self.open_tls(keys, connect).await.unwrap();
        assert_eq!(connack.expect("an answer").reason, ReasonCode::Success);
        device
    }

    pub(crate) async fn tls(
        &self,
        address: SocketAddr,
        keys: Option<&Keys>,
        alpn: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots
            .add(
                CertificateDer::from_pem_slice(ports::Devices::ca_certificate_pem(&*self.devices).as_bytes())
                    .unwrap(),
            )
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match keys {
            Some(keys) => builder.with_client_auth_cert(keys.chain.clone(), keys.key.clone_key()).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }

    pub(crate) fn tls_address(&self) -> SocketAddr {
        self.mqtts
    }

    /// A counter of the node's account in its region, by the labels that follow.
    pub(crate) fn counter(&self, metric: &'static Metric, labels: &[&str]) -> u64 {
        self.metrics.counter(metric, &[&["000000000000", "us-east-1"], labels].concat()).value()
    }

    pub(crate) fn gauge(&self, metric: &'static Metric) -> i64 {
        self.metrics.gauge(metric, &["000000000000", "us-east-1"]).value()
    }

    /// Lets every task run until it waits: for what is not to happen.
    pub(crate) async fn settle(&self) {
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
    }
}

async fn bind() -> Arc<TcpListener> {
    Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap())
}

/// A transport.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// A client of the gateway.
pub(crate) struct Device {
    pub(crate) client: Client,
    stream: Box<dyn Transport>,
    input: BytesMut,
    messages: VecDeque<Publish>,
    next_token: u64,
}

/// What MQTT 5 says when a device is disconnected; none if nothing is said.
pub(crate) type Goodbye = Option<ReasonCode>;

impl Device {
    pub(crate) async fn open(stream: Box<dyn Transport>, connect: Connect) -> (Self, Option<Connack>) {
        let mut device = Self {
            client: Client::connect(connect).unwrap(),
            stream,
            input: BytesMut::new(),
            messages: VecDeque::new(),
            next_token: 1,
        };
        let connack = match device.event().await {
            Some(ClientEvent::Connack(connack)) => Some(*connack),
            None => None,
            other => panic!("{other:?}"),
        };
        (device, connack)
    }

    pub(crate) async fn flush(&mut self) {
        let output = self.client.output.split();
        // A gateway that has closed the connection is found out by reading.
        self.stream.write_all(&output).await.ok();
        self.stream.flush().await.ok();
    }

    /// The next event; none when the gateway has closed the connection.
    pub(crate) async fn event(&mut self) -> Option<ClientEvent> {
        self.flush().await;
        loop {
            if let Some(event) = self.client.receive(&mut self.input).unwrap() {
                return Some(event);
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next event that is no message; messages are kept for later.
    async fn answer(&mut self) -> Option<ClientEvent> {
        loop {
            match self.event().await {
                Some(ClientEvent::Message(message)) => self.messages.push_back(message),
                other => return other,
            }
        }
    }

    pub(crate) async fn subscribe(&mut self, filter: &str, qos: Qos) -> ReasonCode {
        self.subscribe_with(filter, SubscriptionOptions::new(qos)).await
    }

    pub(crate) async fn subscribe_with(&mut self, filter: &str, options: SubscriptionOptions) -> ReasonCode {
        self.client.subscribe(&[filter], options, 0).unwrap();
        match self.answer().await {
            Some(ClientEvent::Subscribed { codes, .. }) => codes[0],
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn unsubscribe(&mut self, filter: &str) -> Vec<ReasonCode> {
        self.client.unsubscribe(&[filter], 0).unwrap();
        match self.answer().await {
            Some(ClientEvent::Unsubscribed { codes, .. }) => codes,
            other => panic!("{other:?}"),
        }
    }

    /// Publishes at QoS 1 and waits for the answer.
    pub(crate) async fn publish(&mut self, topic: &str, payload: &str) -> ReasonCode {
        self.publish_with(Message::new(topic, payload.to_owned()), Retain::No).await
    }

    pub(crate) async fn publish_with(&mut self, message: Message, retain: Retain) -> ReasonCode {
        let token = self.next_token;
        self.next_token += 1;
        self.client.publish(message, Qos::AtLeastOnce, retain, token).unwrap();
        match self.answer().await {
            Some(ClientEvent::Published { reason, token: answered }) => {
                assert_eq!(answered, token);
                reason
            }
            other => panic!("{other:?}"),
        }
    }

    /// Publishes at QoS 0.
    pub(crate) async fn send(&mut self, topic: &str, payload: &str) {
        let message = Message::new(topic, payload.to_owned());
        self.client.publish(message, Qos::AtMostOnce, Retain::No, 0).unwrap();
        self.flush().await;
    }

    /// The next message, acknowledged.
    pub(crate) async fn message(&mut self) -> Publish {
        let publish = self.message_unacked().await;
        if let Some(packet_id) = publish.delivery.packet_id() {
            self.client.ack(packet_id);
            self.flush().await;
        }
        publish
    }

    pub(crate) async fn message_unacked(&mut self) -> Publish {
        if let Some(message) = self.messages.pop_front() {
            return message;
        }
        match self.event().await {
            Some(ClientEvent::Message(publish)) => publish,
            other => panic!("{other:?}"),
        }
    }

    /// The next message's payload as text.
    pub(crate) async fn text(&mut self) -> String {
        String::from_utf8(self.message().await.message.payload.to_vec()).unwrap()
    }

    /// Asserts that no message is on its way: a ping is answered first.
    pub(crate) async fn nothing(&mut self) {
        self.client.ping();
        match self.event().await {
            Some(ClientEvent::Pong) => assert!(self.messages.is_empty(), "{:?}", self.messages),
            other => panic!("{other:?}"),
        }
    }

    /// Says goodbye and waits until the gateway has let go.
    pub(crate) async fn disconnect(mut self) {
        self.client.disconnect(ReasonCode::Success);
        assert_eq!(self.closed().await, None);
    }

    /// Waits until the gateway closes the connection.
    pub(crate) async fn closed(&mut self) -> Goodbye {
        let mut goodbye = None;
        while let Some(event) = self.event().await {
            match event {
                ClientEvent::Disconnected(disconnect) => goodbye = Some(disconnect.reason),
                ClientEvent::Message(_) | ClientEvent::Published { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        goodbye
    }
}
