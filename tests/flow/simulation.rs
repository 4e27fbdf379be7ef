//! Chance publishes, puts, lets time pass, asks, and kills the node wherever it stands. What was acknowledged is there once.
//!
//! A failure names its seed; [`run`] with that seed alone repeats what was drawn (threads still race).

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::{Either, select};
use kernel::Entropy;
use mqtt::{Connect, Qos, ReasonCode, Retain, Version};
use serde_json::json;
use testkit::{Device, Halt, Sandbox, Setup};

use crate::lake::{self, deliver, numbered, seen, stored};

/// Steps of one run.
const STEPS: usize = 30;

struct Simulation {
    seed: u64,
    entropy: Entropy,
    halt: Halt,
    sandbox: Sandbox,
    device: Option<Device>,
    next: u64,
    /// Must be there once.
    acknowledged: BTreeSet<u64>,
    /// May be there once.
    unknown: BTreeSet<u64>,
}

impl Simulation {
    async fn new(seed: u64) -> Self {
        let halt = Halt::default();
        let usual = lake::setup();
        let stores = halt.stores(usual.stores.clone());
        let sandbox = Sandbox::with(Setup { stores, seed, ..usual }).await;
        lake::build(&sandbox).await;
        let (acknowledged, unknown) = Default::default();
        let entropy = Entropy::seeded(seed);
        Self { seed, entropy, halt, sandbox, device: None, next: 0, acknowledged, unknown }
    }

    fn numbers(&mut self, most: u64) -> Vec<u64> {
        let first = self.next;
        self.next += 1 + self.entropy.below(most);
        (first..self.next).collect()
    }

    async fn step(&mut self) {
        match self.entropy.below(10) {
            0..=3 => self.publish().await,
            4..=5 => self.put().await,
            6..=7 => self.sandbox.advance(Duration::from_secs(1 + self.entropy.below(90))),
            8 => self.check("in between").await,
            // Somewhere in what comes next.
            _ => self.halt.at(self.entropy.below(12)),
        }
        if self.halt.halted() {
            self.crash().await;
            self.check("after a crash").await;
        }
    }

    async fn publish(&mut self) {
        let numbers = self.numbers(20);
        let mut device = match self.device.take() {
            Some(device) => device,
            None => {
                // Its CONNECT may be where time ends.
                // Half an hour may pass without a word.
                let connect = Connect { keep_alive_seconds: 0, ..Connect::new(Version::V311, "d") };
                let connecting = std::pin::pin!(self.sandbox.connect(connect));
                match select(connecting, std::pin::pin!(self.halt.reached())).await {
                    Either::Left((device, _)) => device.expect("it connects"),
                    Either::Right(_) => return,
                }
            }
        };
        let tokens: Vec<(u64, u64)> = numbers
            .iter()
            .map(|n| (*n, device.request("in/a", numbered(*n), Qos::AtLeastOnce, Retain::No)))
            .collect();
        for (n, token) in tokens {
            self.unknown.insert(n);
            if self.halt.halted() {
                continue;
            }
            let published = std::pin::pin!(device.published(token));
            let reached = std::pin::pin!(self.halt.reached());
            if let Either::Left((answer, _)) = select(published, reached).await {
                assert_eq!(answer, Ok(ReasonCode::Success), "seed {}: {n}", self.seed);
                self.unknown.remove(&n);
                self.acknowledged.insert(n);
            }
        }
        self.device = Some(device);
    }

    async fn put(&mut self) {
        let numbers = self.numbers(20);
        let records: Vec<_> =
            numbers.iter().map(|n| json!({"Data": STANDARD.encode(numbered(*n) + "\n")})).collect();
        let input = json!({"DeliveryStreamName": "numbers", "Records": records});
        self.unknown.extend(&numbers);
        let api = self.sandbox.api();
        let call = std::pin::pin!(api.json("firehose", "PutRecordBatch", &input));
        let reached = std::pin::pin!(self.halt.reached());
        if let Either::Left((answer, _)) = select(call, reached).await {
            let answer = answer.unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
            assert_eq!(answer["FailedPutCount"], 0, "seed {}: {answer}", self.seed);
            self.unknown.retain(|n| !numbers.contains(n));
            self.acknowledged.extend(&numbers);
        }
    }

    async fn crash(&mut self) {
        self.device = None;
        self.sandbox.kill().await;
        self.halt.lift();
        self.sandbox.start().await;
    }

    async fn check(&mut self, when: &str) {
        let (seed, halt) = (self.seed, self.halt.clone());
        // A query writes as well, so time may end in it.
        let looking = std::pin::pin!(seen(&self.sandbox));
        let Either::Left((visible, _)) = select(looking, std::pin::pin!(halt.reached())).await else {
            return;
        };
        self.compare(&visible, when);
        // What is visible once stays so.
        let known: Vec<u64> = visible.keys().copied().filter(|n| self.unknown.contains(n)).collect();
        for n in known {
            self.unknown.remove(&n);
            assert!(self.acknowledged.insert(n), "seed {seed}, {when}: {n}");
        }
    }

    fn compare(&self, visible: &std::collections::BTreeMap<u64, usize>, when: &str) {
        let seed = self.seed;
        let lost: Vec<_> = self.acknowledged.iter().filter(|n| !visible.contains_key(n)).collect();
        let doubled: Vec<_> = visible.iter().filter(|(_, times)| **times > 1).collect();
        let made_up: Vec<_> =
            visible.keys().filter(|n| !self.acknowledged.contains(n) && !self.unknown.contains(n)).collect();
        assert!(
            lost.is_empty() && doubled.is_empty() && made_up.is_empty(),
            "seed {seed}, {when}: lost {lost:?}, doubled {doubled:?}, made up {made_up:?}"
        );
    }
}

async fn run(seed: u64) {
    let mut simulation = Simulation::new(seed).await;
    for _ in 0..STEPS {
        simulation.step().await;
    }
    simulation.crash().await;
    simulation.check("at the end").await;
    deliver(&simulation.sandbox).await;
    simulation.check("when all is delivered").await;
    let objects = stored(&simulation.sandbox).await;
    simulation.compare(&objects, "in the objects");
    assert!(simulation.acknowledged.len() > 20, "seed {seed}: too little was published");
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_or_doubled_0() {
    for seed in 0..5 {
        run(seed).await;
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_or_doubled_1() {
    for seed in 5..10 {
        run(seed).await;
    }
}
