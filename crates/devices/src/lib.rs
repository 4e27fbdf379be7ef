//! The heart-beat simulator: recordings of human hearts, replayed as MQTT devices.
//!
//! Each device is a thing of its own with its own certificate, made through the public API, and speaks MQTT 3.1.1 over TLS like any device would. It
//! publishes one message a beat on `/health/<userId>` at QoS 1:
//! `{"heartRate":72,"userId":"Bailey","rateType":"NORMAL","dateTime":"2017-08-26 07:47:12.345"}`, `dateTime` being the moment of the beat, in UTC.
//!
//! 1. A device that loses its connection comes back with growing waits, and sends again what was not acknowledged.
//! 2. Identities are kept in a folder, so that a second run is the same devices; one the node no longer knows is made anew.

mod connection;
mod identity;
mod recording;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use client::Client;
use kernel::{Clock, Entropy, OnCancel, OnError, TaskGroup, TaskKind};

pub use identity::ProvisionError;
pub use recording::{Beat, Recording, recordings};

/// One simulated device, from connect to the end of its recording.
static DEVICE: TaskKind =
    TaskKind { name: "device", on_cancel: OnCancel::Finish, on_error: OnError::Restart };

/// What to simulate, and where.
#[derive(Clone)]
pub struct Config {
    /// The host devices connect to; the server's certificate must name it.
    pub host: String,
    /// The port of MQTT over TLS.
    pub port: u16,
    /// How many devices.
    pub devices: usize,
    /// How many seconds of a recording pass in one second.
    pub speed: f64,
    /// What happens at the end of a recording.
    pub at_end: AtEnd,
    /// Where identities are kept.
    pub identities: PathBuf,
    /// The CA that signed the server's certificate: PEM.
    pub ca_certificate_pem: Arc<str>,
}

/// What happens at the end of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// The device disconnects.
    Stop,
    /// It begins again.
    Repeat,
}

/// What the devices have done so far.
#[derive(Debug, Default)]
pub struct Progress {
    connected: AtomicU64,
    published: AtomicU64,
    acknowledged: AtomicU64,
    finished: AtomicU64,
}

impl Progress {
    /// Devices connected now.
    pub fn connected(&self) -> u64 {
        self.connected.load(Ordering::Relaxed)
    }

    /// Messages sent.
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    /// Messages acknowledged: durable at the node.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Devices whose recording has ended.
    pub fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }
}

/// Names of people whose hearts beat; a device beyond the last gets a name and a number.
const NAMES: &[&str] = &[
    "Bailey", "Beatrice", "Rita", "Marc", "Ingrid", "Tomas", "Amara", "Chen", "Dmitri", "Elif", "Farah",
    "Goran", "Hana", "Ibrahim", "Jonas", "Kiri", "Lucia", "Mehmet", "Noor", "Oskar", "Priya", "Quentin",
    "Rosa", "Sven", "Tariq", "Uma", "Viktor", "Wanda", "Xavier", "Yuki", "Zola",
];

/// The user whose heart the device of this number carries.
pub fn user_of(number: usize) -> String {
    let name = NAMES[number % NAMES.len()];
    match number / NAMES.len() {
        0 => name.to_owned(),
        round => format!("{name}{}", round + 1),
    }
}

/// Gives every device an identity and starts them all in `group`.
///
/// # Errors
/// [`ProvisionError`] when an identity cannot be made; then no device was started.
pub async fn start(
    config: Config,
    api: &Client,
    clock: Arc<dyn Clock>,
    entropy: &Entropy,
    group: &TaskGroup,
) -> Result<Arc<Progress>, ProvisionError> {
    let recordings: Arc<Vec<Recording>> = Arc::new(recordings());
    let progress = Arc::new(Progress::default());
    identity::ensure_policy(api).await?;
    let mut identities = Vec::with_capacity(config.devices);
    for number in 0..config.devices {
        identities.push(identity::ensure(api, &config.identities, &user_of(number)).await?);
    }
    for (number, identity) in identities.into_iter().enumerate() {
        let device = connection::Device {
            config: config.clone(),
            identity: Arc::new(identity),
            recordings: Arc::clone(&recordings),
            number,
            progress: Arc::clone(&progress),
            clock: Arc::clone(&clock),
            entropy: entropy.clone(),
        };
        group.supervise(&DEVICE, entropy.clone(), move |stop| device.clone().live(stop));
    }
    Ok(progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_is_somebody_else() {
        let users: std::collections::HashSet<_> = (0..200).map(user_of).collect();
        assert_eq!(users.len(), 200);
        assert_eq!((user_of(0), user_of(NAMES.len())), ("Bailey".to_owned(), "Bailey2".to_owned()));
    }
}
