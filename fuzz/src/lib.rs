//! Every decoder that a stranger or a hostile tenant reaches, fed with broken input.
//!
//! A [`Target`] takes bytes and asserts what must hold of any: that nothing panics, that what is refused is refused in the protocol's
//! way, that what was decoded is encoded to the same. [`feed`] asserts besides that the bytes cause no more memory than [`Memory`] says
//! and that they are done with in [`PATIENCE`].
//!
//! Two engines feed the same targets:
//!
//! - `tests/replay.rs`, in every run of the tests: each file of `corpus/<target>/`, and mutations of them from a fixed seed ([`mutate`]);
//! - libFuzzer, guided by coverage, for as long as one likes: `cargo xtask fuzz --minutes 60 mqtt_packet`.
//!
//! What either finds becomes a file of the corpus, named after the symptom. `fuzz seeds` writes the first files anew, from our own
//! encoders and examples.

pub mod mutate;
pub mod targets;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The longest input that is tried. What needs more has a test of its own.
pub const INPUT_BYTES_MAX: usize = 4096;

/// How long one input may take, in an unoptimised build on a busy machine. Inputs are short: what takes a second is a bug.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How much memory one input may hold at a time.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Whatever the input.
    pub bytes: u64,
    /// For each of its bytes.
    pub per_byte: u64,
}

/// What takes inputs, one after the other, and panics when one of them breaks a property.
pub type Body = Box<dyn FnMut(&[u8])>;

/// A decoder under attack.
pub struct Target {
    /// As `cargo xtask fuzz` calls it, and the folder of its corpus.
    pub name: &'static str,
    /// What it is fed with.
    pub about: &'static str,
    /// Words of its language, for mutations.
    pub words: &'static [&'static str],
    /// What one input may cost.
    pub memory: Memory,
    /// How many mutations a run of the tests tries.
    pub mutations: u32,
    /// Makes what takes the inputs.
    pub start: fn() -> Body,
    /// The first inputs: one of every form.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        targets::ALL.iter().copied().find(|target| target.name == name)
    }

    /// Where its corpus is.
    pub fn corpus(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(self.name)
    }
}

/// Feeds one input.
///
/// # Panics
/// When a property does not hold: that is what a fuzzer looks for.
pub fn feed(target: &Target, body: &mut dyn FnMut(&[u8]), input: &[u8]) {
    let started = Instant::now();
    let spent = allocation_counter::measure(|| body(input));
    let taken = started.elapsed();
    assert!(taken < PATIENCE, "{}: {} bytes took {taken:?}", target.name, input.len());
    let allowed = target.memory.bytes + target.memory.per_byte * input.len() as u64;
    assert!(
        spent.bytes_max <= allowed,
        "{}: {} bytes of input held {} bytes of memory, and {allowed} are allowed",
        target.name,
        input.len(),
        spent.bytes_max
    );
}
