//! What was sent and awaits its acknowledgement: packet identifiers, the cap, and the order.
//!
//! 1. An identifier is in flight at most once, and is never 0.
//! 2. There are at most `max` in flight; the caller keeps whatever does not fit.
//! 3. The order is the order of sending, so that what is left can be sent again in it (MQTT-4.6.0-1).
//!
//! A token is the caller's own name for the thing sent: an offset of a session's log, a send time.

use std::collections::VecDeque;

use crate::packet::PacketId;

#[derive(Debug)]
pub(crate) struct Inflight {
    entries: VecDeque<(PacketId, u64)>,
    last: u16,
    max: u16,
}

impl Inflight {
    pub(crate) fn new(max: u16) -> Self {
        Self { entries: VecDeque::new(), last: 0, max }
    }

    pub(crate) fn set_max(&mut self, max: u16) {
        self.max = max;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= self.max.into()
    }

    /// Nothing when full. Identifiers are not reused before all others were, so that a late acknowledgement
    /// does not hit a newer packet.
    pub(crate) fn insert(&mut self, token: u64) -> Option<PacketId> {
        if self.is_full() {
            return None;
        }
        loop {
            self.last = self.last.wrapping_add(1);
            if let Some(packet_id) = PacketId::new(self.last)
                && self.position(packet_id).is_none()
            {
                self.entries.push_back((packet_id, token));
                return Some(packet_id);
            }
        }
    }

    /// The token, or nothing when the identifier is not in flight.
    pub(crate) fn remove(&mut self, packet_id: PacketId) -> Option<u64> {
        let position = self.position(packet_id)?;
        self.entries.remove(position).map(|(_, token)| token)
    }

    /// In the order of sending.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = u64> + '_ {
        self.entries.iter().map(|&(_, token)| token)
    }

    fn position(&self, packet_id: PacketId) -> Option<usize> {
        self.entries.iter().position(|&(other, _)| other == packet_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    #[test]
    fn identifiers_wrap_past_zero_and_past_those_in_flight() {
        let mut inflight = Inflight::new(3);
        assert_eq!(inflight.insert(10), Some(id(1)));
        for _ in 0..65_534 {
            let packet_id = inflight.insert(11).unwrap();
            assert_eq!(inflight.remove(packet_id), Some(11));
        }
        assert_eq!(inflight.insert(12), Some(id(2)));
        assert_eq!(inflight.tokens().collect::<Vec<_>>(), [10, 12]);
    }

    #[test]
    fn beyond_the_maximum_nothing_is_sent_until_an_acknowledgement() {
        let mut inflight = Inflight::new(2);
        assert_eq!(
            (inflight.insert(1), inflight.insert(2), inflight.insert(3)),
            (Some(id(1)), Some(id(2)), None)
        );
        assert_eq!(inflight.remove(id(3)), None);
        assert_eq!(inflight.remove(id(1)), Some(1));
        assert_eq!(inflight.insert(3), Some(id(3)));
        assert_eq!(inflight.tokens().collect::<Vec<_>>(), [2, 3]);
    }
}
