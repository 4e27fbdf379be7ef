//! Chance: ids, keys, jitter, all drawn from one generator, so that a simulation replays from its seed.

use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// A source of randomness shared by its clones. [`Entropy::from_os`] is fit for keys and session ids (ChaCha
/// seeded by the operating system); [`Entropy::seeded`] is for tests and simulations only.
#[derive(Clone)]
pub struct Entropy {
    rng: Arc<Mutex<StdRng>>,
}

impl Entropy {
    /// Seeded by the operating system.
    pub fn from_os() -> Self {
        Self { rng: Arc::new(Mutex::new(rand::make_rng())) }
    }

    /// Deterministic: the same seed draws the same values in the same order.
    pub fn seeded(seed: u64) -> Self {
        Self { rng: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))) }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.rng.lock().expect("the generator does not panic").fill_bytes(&mut out);
        out
    }

    /// A uniform 64-bit value.
    pub fn next_u64(&self) -> u64 {
        self.rng.lock().expect("the generator does not panic").next_u64()
    }

    /// A uniform value in `0..bound`; zero when `bound` is zero.
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        self.rng.lock().expect("the generator does not panic").random_range(0..bound)
    }

    /// A random (version 4) UUID in its 36-character lower-case form.
    pub fn uuid(&self) -> String {
        let mut bytes = self.bytes::<16>();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let mut out = String::with_capacity(36);
        for (i, byte) in bytes.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                out.push('-');
            }
            out.push(char::from_digit(u32::from(byte >> 4), 16).expect("a nibble is a hex digit"));
            out.push(char::from_digit(u32::from(byte & 15), 16).expect("a nibble is a hex digit"));
        }
        out
    }

    /// `len` characters drawn uniformly from `alphabet`, which must not be empty.
    pub fn text(&self, alphabet: &[u8], len: usize) -> String {
        let mut rng = self.rng.lock().expect("the generator does not panic");
        (0..len).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays() {
        assert_eq!(Entropy::seeded(7).uuid(), Entropy::seeded(7).uuid());
        assert_ne!(Entropy::seeded(7).uuid(), Entropy::seeded(8).uuid());
    }

    #[test]
    fn a_uuid_is_version_four() {
        let uuid = Entropy::seeded(1).uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
