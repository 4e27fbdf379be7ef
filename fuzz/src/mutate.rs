//! Mutations of a corpus: the same for the same seed, so that a failure is found again.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::INPUT_BYTES_MAX;

/// Numbers at the edges of their types.
const EDGES: &[u64] =
    &[0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, u64::MAX];

/// Makes inputs from others.
pub struct Mutator<'c> {
    corpus: &'c [Vec<u8>],
    words: &'c [&'static str],
    random: StdRng,
}

impl<'c> Mutator<'c> {
    /// A mutator of a corpus that is not empty.
    pub fn new(corpus: &'c [Vec<u8>], words: &'c [&'static str], seed: u64) -> Self {
        Self { corpus, words, random: StdRng::seed_from_u64(seed) }
    }

    /// The next input: one of the corpus after a few changes.
    pub fn input(&mut self) -> Vec<u8> {
        let mut input = self.pick().to_vec();
        for _ in 0..self.random.random_range(1..=4) {
            self.change(&mut input);
        }
        input.truncate(INPUT_BYTES_MAX);
        input
    }

    fn pick(&mut self) -> &'c [u8] {
        let n = self.random.random_range(0..self.corpus.len());
        self.corpus.get(n).map_or(&[], Vec::as_slice)
    }

    /// A range of `input`, of at most `bytes_max`.
    fn range(&mut self, input: &[u8], bytes_max: usize) -> std::ops::Range<usize> {
        let start = self.random.random_range(0..=input.len());
        let length = self.random.random_range(0..=bytes_max.min(input.len() - start));
        start..start + length
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.random.random_range(0..=input.len());
        match self.random.random_range(0..9) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.random.random_range(0..8);
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = self.random.random();
                }
            }
            2 => {
                let gone = self.range(input, 32);
                input.drain(gone);
            }
            3 => {
                let copied = self.range(input, 64);
                let copied = input.get(copied).unwrap_or_default().to_vec();
                input.splice(at..at, copied);
            }
            // The end of another input.
            4 => {
                let other = self.pick();
                let from = self.random.random_range(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(other.get(from..).unwrap_or_default());
            }
            5 => {
                let n = self.random.random_range(0..=self.words.len());
                let word = self.words.get(n).copied().unwrap_or("\0");
                input.splice(at..at, word.bytes());
            }
            6 => {
                let edge = EDGES[self.random.random_range(0..EDGES.len())].to_be_bytes();
                let bytes = self.random.random_range(1..=8);
                let end = (at + bytes).min(input.len());
                input.splice(at..end, edge.into_iter().skip(8 - bytes));
            }
            // Nesting, and long runs of one thing.
            7 => {
                let repeated = self.range(input, 4);
                let repeated = input.get(repeated).unwrap_or_default().to_vec();
                let times = self.random.random_range(1..=600);
                input.splice(at..at, repeated.repeat(times));
            }
            _ => input.truncate(at),
        }
        input.truncate(INPUT_BYTES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_what_is_tried() {
        let corpus = vec![b"hello".to_vec(), b"{\"a\":1}".to_vec()];
        let tried = |seed| {
            let mut mutator = Mutator::new(&corpus, &["null"], seed);
            (0..500).map(|_| mutator.input()).collect::<Vec<_>>()
        };
        assert_eq!(tried(1), tried(1));
        assert_ne!(tried(1), tried(2));
        assert!(tried(1).iter().all(|input| input.len() <= INPUT_BYTES_MAX));
    }
}
