//! One device: connects, publishes each beat when its time comes, and comes back when it loses the connection.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use kernel::tasks::TaskError;
use kernel::{Backoff, Clock, Entropy, Stop, Timestamp};
use mqtt::{Client, ClientEvent, Connect, Message, Qos, ReasonCode, Retain, Version};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::identity::Identity;
use crate::recording::{Recording, rate_type};
use crate::{AtEnd, Config, Progress};

/// How often a silent device says that it is there; half of its keep-alive.
const PING_EVERY: Duration = Duration::from_secs(30);

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a device waits at first before it comes back, and at most.
const RECONNECT_WAIT_MIN: Duration = Duration::from_millis(200);
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(30);

/// A device and what it replays.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) config: Config,
    pub(crate) identity: Arc<Identity>,
    pub(crate) recordings: Arc<Vec<Recording>>,
    /// Which device this is: decides on the recording and where in it to begin.
    pub(crate) number: usize,
    pub(crate) progress: Arc<Progress>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
}

/// What a device measures.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Measurement<'a> {
    heart_rate: u16,
    user_id: &'a str,
    rate_type: &'static str,
    date_time: String,
}

/// `2017-08-26 07:47:12.345`: a timestamp as Hive reads it, in UTC.
fn date_time(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// Counts a device as connected for as long as it is kept.
struct Connected(Arc<Progress>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Device {
    /// Runs until the recording ends or the group stops, and comes back after a wait when it loses its connection: to a node that
    /// stops, or to another device with the same client identifier.
    pub(crate) async fn live(self, mut stop: Stop) -> Result<(), TaskError> {
        let mut backoff = Backoff::new(RECONNECT_WAIT_MIN, RECONNECT_WAIT_MAX);
        loop {
            let Err(error) = self.clone().run(stop.clone()).await else { return Ok(()) };
            let client_id = &self.identity.user;
            tracing::warn!(client_id, error, "a device lost its connection and comes back");
            tokio::select! {
                () = self.clock.sleep(backoff.next_wait(&self.entropy)) => {}
                () = stop.stopped() => return Ok(()),
            }
        }
    }

    /// Runs until the recording ends or the group stops. An error is a lost connection.
    async fn run(self, mut stop: Stop) -> Result<(), TaskError> {
        // Devices do not all begin at the same moment.
        let jitter = Duration::from_millis(self.entropy.below(1000));
        tokio::select! {
            () = self.clock.sleep(jitter) => {}
            () = stop.stopped() => return Ok(()),
        }
        let timeout = self.clock.sleep(CONNECT_TIMEOUT);
        let stream = tokio::select! {
            connected = self.connect() => connected?,
            () = timeout => return Err("connecting took too long".into()),
            () = stop.stopped() => return Ok(()),
        };
        self.replay(stream, stop).await
    }

    async fn connect(&self) -> Result<tokio_rustls::client::TlsStream<TcpStream>, TaskError> {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.config.ca_certificate_pem.as_bytes()) {
            roots.add(certificate?)?;
        }
        let chain = CertificateDer::pem_slice_iter(self.identity.certificate_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(self.identity.private_key_pem.expose().as_bytes())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        let stream = TcpStream::connect((self.config.host.as_str(), self.config.port)).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(self.config.host.clone())?;
        Ok(TlsConnector::from(Arc::new(tls)).connect(name, stream).await?)
    }

    async fn replay(
        self,
        mut stream: tokio_rustls::client::TlsStream<TcpStream>,
        mut stop: Stop,
    ) -> Result<(), TaskError> {
        let mut mqtt = Client::connect(Connect::new(Version::V311, self.identity.user.as_str()))?;
        let mut input = BytesMut::with_capacity(4096);
        let mut beats = Beats::new(&self);
        let mut connected: Option<Connected> = None;
        let mut ping_at = self.clock.now() + PING_EVERY;
        let mut token = 0;
        loop {
            while let Some(event) = mqtt.receive(&mut input)? {
                match event {
                    ClientEvent::Connack(connack) if connack.reason == ReasonCode::Success => {
                        self.progress.connected.fetch_add(1, Ordering::Relaxed);
                        connected = Some(Connected(Arc::clone(&self.progress)));
                        beats.start(self.clock.now());
                    }
                    ClientEvent::Connack(connack) => {
                        return Err(
                            format!("the node refused {}: {:?}", self.identity.user, connack.reason).into()
                        );
                    }
                    ClientEvent::Published { .. } => {
                        self.progress.acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    ClientEvent::Disconnected(_) => return Err("the node ended the connection".into()),
                    _ => {}
                }
            }
            if connected.is_some() {
                while let Some(heart_rate) = beats.due(self.clock.now()) {
                    token += 1;
                    self.publish(&mut mqtt, heart_rate, token);
                }
            }
            if !mqtt.output.is_empty() {
                stream.write_all(&mqtt.output.split()).await?;
                stream.flush().await?;
            }
            let finished = beats.finished() && mqtt.unacked().next().is_none();
            if finished {
                self.progress.finished.fetch_add(1, Ordering::Relaxed);
                return self.leave(mqtt, stream).await;
            }
            let next = beats.next_at().unwrap_or(ping_at).min(ping_at);
            tokio::select! {
                read = stream.read_buf(&mut input) => {
                    if read? == 0 {
                        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                    }
                }
                () = self.clock.sleep_until(next) => {
                    if self.clock.now() >= ping_at {
                        mqtt.ping();
                        ping_at = self.clock.now() + PING_EVERY;
                    }
                }
                () = stop.stopped() => return self.leave(mqtt, stream).await,
            }
        }
    }

    async fn leave(
        &self,
        mut mqtt: Client,
        mut stream: tokio_rustls::client::TlsStream<TcpStream>,
    ) -> Result<(), TaskError> {
        mqtt.disconnect(ReasonCode::Success);
        // The node may have gone first.
        stream.write_all(&mqtt.output).await.ok();
        stream.shutdown().await.ok();
        Ok(())
    }

    fn publish(&self, mqtt: &mut Client, heart_rate: u16, token: u64) {
        let user = self.identity.user.as_str();
        let measurement = Measurement {
            heart_rate,
            user_id: user,
            rate_type: rate_type(heart_rate),
            date_time: date_time(self.clock.now()),
        };
        let payload = serde_json::to_vec(&measurement).expect("a measurement has string keys");
        let message = Message::new(format!("/health/{user}"), payload);
        // A node that does not keep up is sent less: a beat that finds a hundred unacknowledged before it is lost, as on a device
        // without memory.
        if mqtt.publish(message, Qos::AtLeastOnce, Retain::No, token).is_ok() {
            self.progress.published.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The beats of a recording on the clock.
struct Beats<'a> {
    recording: &'a Recording,
    speed: f64,
    at_end: AtEnd,
    next: usize,
    /// The instant at which the recording's time is zero; none before the device is connected.
    zero: Option<Timestamp>,
    /// Where in the recording the device begins.
    begin: usize,
}

impl<'a> Beats<'a> {
    fn new(device: &'a Device) -> Self {
        let recording = &device.recordings[device.number % device.recordings.len()];
        // Devices of the same recording begin at different places, so that no two hearts beat alike.
        let round = device.number / device.recordings.len();
        let begin = match device.config.at_end {
            AtEnd::Stop => 0,
            AtEnd::Repeat => round * 271 % recording.beats.len(),
        };
        Self {
            recording,
            speed: device.config.speed,
            at_end: device.config.at_end,
            next: begin,
            zero: None,
            begin,
        }
    }

    fn start(&mut self, now: Timestamp) {
        let ahead = self.recording.beats[self.begin].at.div_f64(self.speed);
        let ahead_ms = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        self.next = self.begin;
        self.zero = Some(Timestamp::from_millis(now.as_millis() - ahead_ms));
    }

    fn next_at(&self) -> Option<Timestamp> {
        let beat = self.recording.beats.get(self.next)?;
        Some(self.zero? + beat.at.div_f64(self.speed))
    }

    /// The rate of the next beat, if its time has come.
    fn due(&mut self, now: Timestamp) -> Option<u16> {
        let at = self.next_at()?;
        if at > now {
            return None;
        }
        let rate = self.recording.beats[self.next].heart_rate;
        self.next += 1;
        if self.next == self.recording.beats.len() && self.at_end == AtEnd::Repeat {
            self.next = 0;
            self.zero = Some(at);
        }
        Some(rate)
    }

    fn finished(&self) -> bool {
        self.zero.is_some() && self.next == self.recording.beats.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Beat;

    fn beats(recording: &Recording, at_end: AtEnd, begin: usize) -> Beats<'_> {
        Beats { recording, speed: 2.0, at_end, next: begin, zero: None, begin }
    }

    fn recording() -> Recording {
        let beat = |s, heart_rate| Beat { at: Duration::from_secs(s), heart_rate };
        Recording { name: "r".to_owned(), beats: vec![beat(2, 60), beat(4, 61), beat(6, 62)] }
    }

    #[test]
    fn beats_come_at_their_time_divided_by_the_speed_and_end() {
        let recording = recording();
        let mut beats = beats(&recording, AtEnd::Stop, 0);
        assert_eq!(beats.due(Timestamp::from_millis(0)), None);
        beats.start(Timestamp::from_millis(10_000));
        assert_eq!(beats.due(Timestamp::from_millis(10_000)), Some(60));
        assert_eq!(beats.due(Timestamp::from_millis(10_999)), None);
        assert_eq!(beats.due(Timestamp::from_millis(11_000)), Some(61));
        assert!(!beats.finished());
        assert_eq!(beats.due(Timestamp::from_millis(12_000)), Some(62));
        assert!(beats.finished());
    }

    #[test]
    fn a_repeated_recording_goes_on_from_where_it_began() {
        let recording = recording();
        let mut beats = beats(&recording, AtEnd::Repeat, 2);
        beats.start(Timestamp::from_millis(0));
        assert_eq!(beats.due(Timestamp::from_millis(0)), Some(62));
        assert_eq!(beats.due(Timestamp::from_millis(500)), None);
        assert_eq!(beats.due(Timestamp::from_millis(1_000)), Some(60));
        assert!(!beats.finished());
    }

    #[test]
    fn a_measurement_is_written_as_the_devices_write_it() {
        let measurement = Measurement {
            heart_rate: 72,
            user_id: "Bailey",
            rate_type: rate_type(72),
            date_time: date_time(Timestamp::from_millis(1_503_733_632_345)),
        };
        assert_eq!(
            serde_json::to_string(&measurement).unwrap(),
            r#"{"heartRate":72,"userId":"Bailey","rateType":"NORMAL","dateTime":"2017-08-26 07:47:12.345"}"#
        );
    }
}
