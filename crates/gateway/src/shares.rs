//! How many connections each has, of those that there may be: a source address, an account. So nobody can hold all of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard};

/// See the file's header.
#[derive(Debug)]
pub(crate) struct Shares<K: Eq + Hash> {
    max: usize,
    counts: Mutex<HashMap<K, usize>>,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Counted<K: Eq + Hash> {
    /// None for one that is not counted.
    by: Option<(Arc<Shares<K>>, K)>,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// At most `max` of each.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, counts: Mutex::default() })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.counts.lock().expect("no holder of this lock panics")
    }

    /// Counts a connection; none if whoever it is has as many as it may. Nobody's is not counted.
    pub(crate) fn enter(self: &Arc<Self>, who: Option<K>) -> Option<Counted<K>> {
        let Some(who) = who else { return Some(Counted { by: None }) };
        let mut counts = self.counts();
        let count = counts.entry(who.clone()).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Counted { by: Some((Arc::clone(self), who)) })
    }
}

impl<K: Eq + Hash> Drop for Counted<K> {
    fn drop(&mut self) {
        let Some((shares, who)) = self.by.take() else { return };
        let mut counts = shares.counts.lock().expect("no holder of this lock panics");
        if let Some(count) = counts.get_mut(&who) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&who);
            }
        }
    }
}

/// What counts as one source address. An IPv6 peer has a whole /64 to itself; loopback addresses do not count: there is a proxy on
/// this machine, or its owner.
pub(crate) fn source(address: IpAddr) -> Option<IpAddr> {
    let address = address.to_canonical();
    if address.is_loopback() {
        return None;
    }
    Some(match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_and_gives_it_back() {
        let shares = Shares::new(2);
        let enter = |text: &str| shares.enter(source(text.parse().unwrap()));
        let first = enter("192.0.2.1").unwrap();
        let second = enter("::ffff:192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none());
        let other = enter("192.0.2.2").unwrap();
        drop(first);
        let third = enter("192.0.2.1").unwrap();
        drop((second, third, other));
        assert!(shares.counts().is_empty());
    }

    #[test]
    fn a_network_of_ipv6_is_one_and_loopback_none() {
        let shares = Shares::new(1);
        let enter = |text: &str| shares.enter(source(text.parse().unwrap()));
        let held = [enter("2001:db8::1"), enter("::1"), enter("::1"), enter("127.0.0.1"), enter("127.0.0.1")];
        assert!(held.iter().all(Option::is_some));
        assert!(enter("2001:db8::2").is_none());
        assert!(enter("2001:db8:0:1::1").is_some());
    }
}
