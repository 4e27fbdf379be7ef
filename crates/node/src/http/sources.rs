//! Where connections come from: how many each address has, and how much of the memory its bodies hold.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use crate::limits::{BODIES_PER_SOURCE_KIB_MAX, CONNECTIONS_PER_SOURCE_MAX};

/// The sources of a port's connections. There are never more than connections.
#[derive(Clone, Default)]
pub(super) struct Sources(Arc<Mutex<HashMap<IpAddr, Entry>>>);

struct Entry {
    connections: usize,
    room: Arc<Semaphore>,
}

/// One connection's part in its source; gives it back when dropped.
pub(super) struct Source {
    of: IpAddr,
    sources: Sources,
    /// Kibibytes of bodies for which the source has room.
    pub(super) room: Arc<Semaphore>,
}

impl Sources {
    /// Counts a further connection; none if the source has too many already.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Source> {
        let of = network(address);
        let mut sources = self.0.lock().expect("no holder of this lock panics");
        let entry = sources.entry(of).or_insert_with(|| Entry {
            connections: 0,
            room: Arc::new(Semaphore::new(BODIES_PER_SOURCE_KIB_MAX as usize)),
        });
        if entry.connections >= CONNECTIONS_PER_SOURCE_MAX {
            return None;
        }
        entry.connections += 1;
        Some(Source { of, sources: self.clone(), room: Arc::clone(&entry.room) })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let mut sources = self.sources.0.lock().expect("no holder of this lock panics");
        if let Some(entry) = sources.get_mut(&self.of) {
            entry.connections -= 1;
            if entry.connections == 0 {
                sources.remove(&self.of);
            }
        }
    }
}

/// An address; of IPv6 the network that one subscriber has, of IPv4 in IPv6 the IPv4 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_so_many_connections_and_no_trace_without_any() {
        let sources = Sources::default();
        let enter = |address: &str| sources.enter(address.parse().unwrap());
        let held: Vec<Source> =
            (0..CONNECTIONS_PER_SOURCE_MAX).map(|n| enter(&format!("2001:db8::{n:x}")).unwrap()).collect();
        assert!(enter("2001:db8::ffff").is_none());
        assert!(enter("2001:db8:0:1::1").is_some() && enter("192.0.2.1").is_some());
        drop(held);
        assert!(enter("2001:db8::ffff").is_some());
        assert!(sources.0.lock().unwrap().is_empty());
    }
}
