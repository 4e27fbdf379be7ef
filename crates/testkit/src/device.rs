//! An MQTT client for tests: says one thing, waits for its answer, keeps what else arrives for later.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use mqtt::{
    Client, ClientEvent, Connack, Connect, Message, Publish, Qos, ReasonCode, Retain, SubscriptionOptions,
};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long an answer may take, in real time, before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a device is not connected, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// CONNACK or an MQTT 5 DISCONNECT gave this reason.
    Reason(ReasonCode),
    /// The socket was closed without a word.
    Silently,
    /// The TLS handshake failed.
    Handshake(String),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection of a device.
pub struct Device {
    stream: Box<dyn Stream>,
    mqtt: Client,
    input: BytesMut,
    arrived: VecDeque<ClientEvent>,
    next_token: u64,
    /// What the node said to the CONNECT; none only while it is awaited.
    connack: Option<Box<Connack>>,
}

impl Device {
    pub(crate) async fn connect_plain(address: SocketAddr, connect: Connect) -> Result<Self, Closed> {
        let stream = TcpStream::connect(address).await.expect("the node listens");
        Self::begin(Box::new(stream), connect).await
    }

    pub(crate) async fn connect_tls(
        address: SocketAddr,
        config: Arc<rustls::ClientConfig>,
        connect: Connect,
    ) -> Result<Self, Closed> {
        let stream = TcpStream::connect(address).await.expect("the node listens");
        let name = ServerName::try_from("localhost").expect("localhost is a name");
        let stream = TlsConnector::from(config).connect(name, stream).await;
        let stream = stream.map_err(|error| Closed::Handshake(error.to_string()))?;
        Self::begin(Box::new(stream), connect).await
    }

    async fn begin(stream: Box<dyn Stream>, connect: Connect) -> Result<Self, Closed> {
        let mqtt = Client::connect(connect).expect("a test's CONNECT can be written");
        let input = BytesMut::with_capacity(4096);
        let arrived = VecDeque::new();
        let mut device = Self { stream, mqtt, input, arrived, next_token: 1, connack: None };
        let connack = device.wait(|event| matches!(event, ClientEvent::Connack(_))).await?;
        let ClientEvent::Connack(connack) = connack else { unreachable!("it was chosen") };
        if connack.reason != ReasonCode::Success {
            return Err(Closed::Reason(connack.reason));
        }
        device.connack = Some(connack);
        Ok(device)
    }

    /// What the node said to the CONNECT.
    pub fn connack(&self) -> &Connack {
        self.connack.as_ref().expect("a device is connected when it is given out")
    }

    /// Publishes at QoS 1 and waits for the acknowledgement.
    ///
    /// # Panics
    /// If it does not come, or is a refusal: the test has failed.
    pub async fn publish(&mut self, topic: &str, payload: impl Into<bytes::Bytes>) {
        let reason = self.try_publish(topic, payload).await;
        assert_eq!(reason, Ok(ReasonCode::Success), "publish to {topic}");
    }

    /// Publishes at QoS 1 and waits for the answer.
    ///
    /// # Errors
    /// How the connection ended instead.
    pub async fn try_publish(
        &mut self,
        topic: &str,
        payload: impl Into<bytes::Bytes>,
    ) -> Result<ReasonCode, Closed> {
        let token = self.request(topic, payload, Qos::AtLeastOnce, Retain::No);
        self.published(token).await
    }

    /// Publishes a retained message at QoS 1 and waits for the acknowledgement.
    ///
    /// # Panics
    /// If it does not come, or is a refusal: the test has failed.
    pub async fn retain(&mut self, topic: &str, payload: impl Into<bytes::Bytes>) {
        let token = self.request(topic, payload, Qos::AtLeastOnce, Retain::Yes);
        assert_eq!(self.published(token).await, Ok(ReasonCode::Success), "retain on {topic}");
    }

    /// Writes a publish without waiting; the token goes to [`Device::published`].
    pub fn request(
        &mut self,
        topic: &str,
        payload: impl Into<bytes::Bytes>,
        qos: Qos,
        retain: Retain,
    ) -> u64 {
        self.request_message(Message::new(topic, payload), qos, retain)
    }

    /// As [`Device::request`], with MQTT 5's properties.
    pub fn request_message(&mut self, message: Message, qos: Qos, retain: Retain) -> u64 {
        let token = self.token();
        let topic = Arc::clone(&message.topic);
        let written = self.mqtt.publish(message, qos, retain, token);
        written.unwrap_or_else(|error| panic!("publish to {topic}: {error}"));
        token
    }

    /// Waits for the answer to [`Device::request`].
    ///
    /// # Errors
    /// How the connection ended instead.
    pub async fn published(&mut self, wanted: u64) -> Result<ReasonCode, Closed> {
        let event = self
            .wait(|event| matches!(event, ClientEvent::Published { token, .. } if *token == wanted))
            .await?;
        match event {
            ClientEvent::Published { reason, .. } => Ok(reason),
            other => unreachable!("{other:?} was not chosen"),
        }
    }

    /// Publishes at QoS 0.
    pub async fn send(&mut self, topic: &str, payload: impl Into<bytes::Bytes>) {
        self.request(topic, payload, Qos::AtMostOnce, Retain::No);
        // A connection that has ended is seen by whoever next waits for something.
        self.flush().await.ok();
    }

    /// Subscribes and returns what was granted.
    ///
    /// # Errors
    /// How the connection ended instead.
    pub async fn subscribe(&mut self, filter: &str, qos: Qos) -> Result<ReasonCode, Closed> {
        self.subscribe_with(&[filter], SubscriptionOptions::new(qos)).await.map(|codes| codes[0])
    }

    /// Subscribes to several filters at once and returns what was granted for each.
    ///
    /// # Errors
    /// How the connection ended instead.
    pub async fn subscribe_with(
        &mut self,
        filters: &[&str],
        options: SubscriptionOptions,
    ) -> Result<Vec<ReasonCode>, Closed> {
        let wanted = self.token();
        let written = self.mqtt.subscribe(filters, options, wanted);
        written.unwrap_or_else(|error| panic!("subscribe to {filters:?}: {error}"));
        let event = self
            .wait(|event| matches!(event, ClientEvent::Subscribed { token, .. } if *token == wanted))
            .await?;
        match event {
            ClientEvent::Subscribed { codes, .. } => Ok(codes),
            other => unreachable!("{other:?} was not chosen"),
        }
    }

    /// Unsubscribes and waits for the answer.
    ///
    /// # Errors
    /// How the connection ended instead.
    pub async fn unsubscribe(&mut self, filter: &str) -> Result<(), Closed> {
        let wanted = self.token();
        let written = self.mqtt.unsubscribe(&[filter], wanted);
        written.unwrap_or_else(|error| panic!("unsubscribe from {filter}: {error}"));
        self.wait(|event| matches!(event, ClientEvent::Unsubscribed { token, .. } if *token == wanted))
            .await?;
        Ok(())
    }

    /// The next message; one at QoS 1 is acknowledged.
    ///
    /// # Errors
    /// How the connection ended instead.
    pub async fn message(&mut self) -> Result<Publish, Closed> {
        let message = self.unacknowledged_message().await?;
        if let mqtt::Delivery::AtLeastOnce(packet_id) = message.delivery {
            self.acknowledge(packet_id).await;
        }
        Ok(message)
    }

    /// The next message, which is not acknowledged.
    ///
    /// # Errors
    /// How the connection ended instead.
    pub async fn unacknowledged_message(&mut self) -> Result<Publish, Closed> {
        match self.wait(|event| matches!(event, ClientEvent::Message(_))).await? {
            ClientEvent::Message(message) => Ok(message),
            other => unreachable!("{other:?} was not chosen"),
        }
    }

    /// Acknowledges a message at QoS 1.
    pub async fn acknowledge(&mut self, packet_id: mqtt::PacketId) {
        self.mqtt.ack(packet_id);
        // A connection that has ended is seen by whoever next waits for something.
        self.flush().await.ok();
    }

    /// Asks whether the node is there. Whatever was for this device before has arrived when this returns.
    ///
    /// # Errors
    /// How the connection ended instead.
    pub async fn ping(&mut self) -> Result<(), Closed> {
        // The first answer may be written ahead of messages that wait in the node; the second is behind them.
        for _ in 0..2 {
            self.mqtt.ping();
            self.wait(|event| matches!(event, ClientEvent::Pong)).await?;
        }
        Ok(())
    }

    /// Messages that have arrived and were not asked for yet.
    pub fn waiting(&self) -> usize {
        self.arrived.iter().filter(|event| matches!(event, ClientEvent::Message(_))).count()
    }

    /// Waits until the node closes the connection, and says how it did.
    pub async fn closed(&mut self) -> Closed {
        match self.wait(|_| false).await {
            Err(closed) => closed,
            Ok(event) => unreachable!("{event:?} was not chosen"),
        }
    }

    /// Says goodbye.
    pub async fn disconnect(mut self) {
        self.mqtt.disconnect(ReasonCode::Success);
        // The node may have closed first.
        self.flush().await.ok();
        self.stream.shutdown().await.ok();
    }

    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        if !self.mqtt.output.is_empty() {
            let output = self.mqtt.output.split();
            self.stream.write_all(&output).await?;
        }
        self.stream.flush().await
    }

    /// Sends what is to be sent and waits for an event of this kind; others are kept in their order.
    async fn wait(&mut self, wanted: impl Fn(&ClientEvent) -> bool) -> Result<ClientEvent, Closed> {
        let waited = tokio::time::timeout(PATIENCE, self.wait_for(wanted)).await;
        waited.unwrap_or_else(|_| panic!("no answer within {PATIENCE:?}"))
    }

    async fn wait_for(&mut self, wanted: impl Fn(&ClientEvent) -> bool) -> Result<ClientEvent, Closed> {
        if let Some(found) = self.arrived.iter().position(&wanted) {
            return Ok(self.arrived.remove(found).expect("it was found"));
        }
        // A node that has closed may have said why before: that is still to be read.
        self.flush().await.ok();
        loop {
            while let Some(event) = self.mqtt.receive(&mut self.input).expect("the node keeps the protocol") {
                match event {
                    ClientEvent::Disconnected(disconnect) => return Err(Closed::Reason(disconnect.reason)),
                    event if wanted(&event) => return Ok(event),
                    event => self.arrived.push_back(event),
                }
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) => return Err(Closed::Silently),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                    return Err(Closed::Handshake(error.to_string()));
                }
                Err(_) => return Err(Closed::Silently),
            }
        }
    }
}
