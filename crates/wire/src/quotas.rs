//! How many requests one may make, so that no tenant slows another: token buckets of accounts and principals, and of failures to
//! authenticate.
//!
//! 1. A bucket is one number, the time at which it will be full again (the generic cell rate algorithm): no lock, no sweep, and a table of
//!    buckets is an array of fixed size.
//! 2. Whoever is counted hashes to two cells and is refused only when both are empty, so that with 16,384 cells a thousand tenants at their
//!    limit leave a stranger's chance of being slowed with them below half a percent. The hash is keyed with chance: nobody can aim.
//! 3. An account may do twice as much as one of its principals: a program that runs wild does not lock out who has to stop it.
//! 4. A source that fails to authenticate with a key again and again is refused before anything is computed, for that key alone: others
//!    behind the same address are not.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::request::Parts;
use kernel::{Clock, Metrics, Principal};

use crate::authorize::Credentials;
use crate::envelope::Fault;
use crate::metrics::{AUTHENTICATION_FAILURES, BLOCKED, THROTTLED};
use crate::sigv4::{self, Verified};

/// Cells of a table; a power of two. 128 KiB each.
const CELLS: usize = 16_384;

/// How long a full bucket lasts one who asks for nothing else: bursts are as good as the rate over two seconds.
const BURST_S: u64 = 2;

/// Failures to authenticate that one source may make in a second with one key: more than any client that retries, and hopeless for guessing.
const FAILURES_PER_SECOND: u32 = 10;

const SECOND_NS: u64 = 1_000_000_000;

/// How many requests one may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaConfig {
    /// Requests per second of one principal, the root of an account among them. Its account may make twice as many.
    pub requests_per_second: u32,
}

impl Default for QuotaConfig {
    /// More than a node of a few cores can serve: a node of one tenant needs no quota, one of many sets its own.
    fn default() -> Self {
        Self { requests_per_second: 100_000 }
    }
}

/// Who may still ask for something, at this moment.
pub struct Quotas {
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    accounts: Buckets,
    principals: Buckets,
    failures: Buckets,
}

/// Who fails to authenticate: a source, and the key it claims.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Attempt<'a> {
    /// The network a request comes from; of IPv6, the part that one subscriber has.
    source: Option<Source>,
    key: &'a str,
}

#[derive(Clone, Copy, Debug, Hash)]
enum Source {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl<'a> Attempt<'a> {
    /// An attempt from this address with this access key; an empty one for no key, or none that is known.
    pub fn new(source_ip: Option<&str>, key: &'a str) -> Self {
        Self { source: source_ip.and_then(source), key }
    }
}

fn source(ip: &str) -> Option<Source> {
    Some(match ip.parse().ok()? {
        IpAddr::V4(ip) => Source::V4(ip.octets()),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => Source::V4(ip.octets()),
            None => {
                let [a, b, c, d, e, f, g, h, ..] = ip.octets();
                Source::V6([a, b, c, d, e, f, g, h])
            }
        },
    })
}

impl Quotas {
    /// Quotas of which nobody has used anything.
    pub fn new(config: QuotaConfig, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        let per_second = config.requests_per_second.max(1);
        Self {
            clock,
            metrics,
            accounts: Buckets::new(per_second.saturating_mul(2)),
            principals: Buckets::new(per_second),
            failures: Buckets::new(FAILURES_PER_SECOND),
        }
    }

    /// Takes one request from what a principal and its account may still make. Who is nobody is counted by where they come from.
    ///
    /// # Errors
    /// `ThrottlingException` when nothing is left.
    pub fn admit(&self, principal: &Principal, source_ip: Option<&str>, region: &str) -> Result<(), Fault> {
        let now = self.now();
        let admitted = match principal.account() {
            Some(account) => {
                self.principals.take(&(account, principal), now) && self.accounts.take(account, now)
            }
            None => self.principals.take(&source_ip.and_then(source), now),
        };
        if admitted {
            return Ok(());
        }
        let account = principal.account().map(kernel::AccountId::as_str).unwrap_or_default();
        self.metrics.counter(&THROTTLED, &[account, region]).add(1);
        Err(throttled())
    }

    /// Whether somebody may try to authenticate.
    ///
    /// # Errors
    /// `ThrottlingException` after too many failures.
    pub fn attempt(&self, attempt: Attempt<'_>) -> Result<(), Fault> {
        if self.failures.has(&attempt, self.now()) {
            return Ok(());
        }
        self.metrics.counter(&BLOCKED, &[]).add(1);
        Err(throttled())
    }

    /// Notes that an attempt failed, with the exception's name.
    pub fn failed(&self, attempt: Attempt<'_>, reason: &str) {
        self.failures.take(&attempt, self.now());
        self.metrics.counter(&AUTHENTICATION_FAILURES, &[reason]).add(1);
    }

    /// The principal behind a request, if whoever sends it may try.
    ///
    /// # Errors
    /// Those of [`sigv4::verify`], and of [`Quotas::attempt`].
    pub fn verify(
        &self,
        (parts, body): (&Parts, &Bytes),
        source_ip: Option<&str>,
        credentials: &dyn Credentials,
        clock: &dyn Clock,
    ) -> Result<Verified, Fault> {
        let claimed = sigv4::claimed_scope(parts).map(|scope| scope.access_key_id).unwrap_or_default();
        let attempt = Attempt::new(source_ip, &claimed);
        self.attempt(attempt)?;
        sigv4::verify(parts, body, credentials, clock).inspect_err(|fault| match fault.code.as_str() {
            // Keys that are not there share one bucket: there is no end of them.
            "UnrecognizedClientException" => self.failed(Attempt::new(source_ip, ""), &fault.code),
            code => self.failed(attempt, code),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_millis()).unwrap_or(0).saturating_mul(SECOND_NS / 1000)
    }
}

fn throttled() -> Fault {
    Fault::new(400, "ThrottlingException", "Rate exceeded")
}

/// Buckets that all have the same size and are filled at the same rate.
struct Buckets {
    /// When each bucket will be full again, in nanoseconds since the epoch.
    cells: Box<[AtomicU64]>,
    hasher: RandomState,
    /// How long the bucket takes to gain one.
    gain_ns: u64,
    /// How long it takes to fill.
    fill_ns: u64,
}

impl Buckets {
    fn new(per_second: u32) -> Self {
        Self {
            cells: (0..CELLS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            gain_ns: SECOND_NS / u64::from(per_second),
            fill_ns: BURST_S * SECOND_NS,
        }
    }

    /// The two cells of somebody.
    fn cells(&self, whose: &impl Hash) -> [&AtomicU64; 2] {
        let hash = self.hasher.hash_one(whose);
        // Halves of a hash are as good as two hashes.
        [hash, hash >> 32].map(|hash| &self.cells[hash as usize % CELLS])
    }

    /// Takes one from each cell that has one; false if neither has.
    fn take(&self, whose: &(impl Hash + ?Sized), now: u64) -> bool {
        let [first, second] = self.cells(&whose);
        let mut taken = self.take_from(first, now);
        if !std::ptr::eq(first, second) {
            taken |= self.take_from(second, now);
        }
        taken
    }

    fn take_from(&self, cell: &AtomicU64, now: u64) -> bool {
        let next = |full_at: u64| {
            let full_at = self.sane(full_at, now).max(now);
            (full_at - now + self.gain_ns <= self.fill_ns).then(|| full_at + self.gain_ns)
        };
        cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    fn has(&self, whose: &impl Hash, now: u64) -> bool {
        self.cells(&whose).iter().any(|cell| {
            let full_at = self.sane(cell.load(Ordering::Relaxed), now).max(now);
            full_at - now + self.gain_ns <= self.fill_ns
        })
    }

    /// What lies further ahead than an empty bucket was written before the clock was set back.
    fn sane(&self, full_at: u64, now: u64) -> u64 {
        if full_at > now.saturating_add(self.fill_ns) { now } else { full_at }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{AccountId, ManualClock, Timestamp};

    use super::*;

    fn quotas(requests_per_second: u32) -> (Quotas, ManualClock) {
        let clock = ManualClock::new(Timestamp::from_millis(1_500_000_000_000));
        let config = QuotaConfig { requests_per_second };
        (Quotas::new(config, Arc::new(clock.clone()), Metrics::default()), clock)
    }

    fn root(account: &str) -> Principal {
        Principal::Root { account: account.parse().unwrap() }
    }

    fn user(account: &str, name: &str) -> Principal {
        let account: AccountId = account.parse().unwrap();
        let user = kernel::Arn::new("iam", "", account.as_str(), &format!("user/{name}"));
        Principal::Role { account, role: user, session: name.to_owned() }
    }

    /// How many requests are admitted before one is not.
    fn burst(quotas: &Quotas, principal: &Principal) -> usize {
        (0..1_000_000).take_while(|_| quotas.admit(principal, None, "us-east-1").is_ok()).count()
    }

    #[test]
    fn a_bucket_empties_and_fills() {
        let (quotas, clock) = quotas(100);
        let principal = root("000000000001");
        assert_eq!(burst(&quotas, &principal), 200);
        clock.advance(Duration::from_millis(10));
        assert_eq!(burst(&quotas, &principal), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(burst(&quotas, &principal), 100);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(burst(&quotas, &principal), 200);
        let fault = quotas.admit(&principal, None, "us-east-1").unwrap_err();
        assert_eq!(fault.to_string(), "ThrottlingException: Rate exceeded");
        let refused: i64 = quotas.metrics.counters().iter().map(|sample| sample.value).sum();
        assert_eq!(refused, 5);
    }

    #[test]
    fn one_tenant_at_its_limit_slows_no_other() {
        let (quotas, _) = quotas(100);
        for noisy in 0..20 {
            burst(&quotas, &root(&format!("{noisy:012}")));
        }
        assert_eq!(burst(&quotas, &root("999999999999")), 200);
    }

    #[test]
    fn a_principal_at_its_limit_leaves_half_of_its_accounts() {
        let (quotas, _) = quotas(100);
        assert_eq!(burst(&quotas, &user("000000000001", "wild")), 200);
        assert_eq!(burst(&quotas, &user("000000000001", "admin")), 200);
        // Now the account's is used up as well.
        assert_eq!(burst(&quotas, &user("000000000001", "third")), 0);
    }

    #[test]
    fn nobody_is_counted_by_where_they_come_from() {
        let (quotas, _) = quotas(100);
        let burst = |ip: &str| {
            let admit = |_: &usize| quotas.admit(&Principal::Anonymous, Some(ip), "us-east-1").is_ok();
            (0..1000).take_while(admit).count()
        };
        assert_eq!((burst("192.0.2.1"), burst("192.0.2.1"), burst("192.0.2.2")), (200, 0, 200));
        // One subscriber of IPv6 has a whole network of addresses; IPv4 in IPv6 is IPv4.
        assert_eq!((burst("2001:db8::1"), burst("2001:db8::2"), burst("2001:db8:1::1")), (200, 0, 200));
        assert_eq!(burst("::ffff:192.0.2.1"), 0);
    }

    #[test]
    fn failures_block_a_source_with_the_key_it_claims() {
        let (quotas, clock) = quotas(100);
        let guess = Attempt::new(Some("192.0.2.1"), "AKIDVICTIM");
        for _ in 0..20 {
            quotas.attempt(guess).unwrap();
            quotas.failed(guess, "InvalidSignatureException");
        }
        assert_eq!(quotas.attempt(guess).unwrap_err().code, "ThrottlingException");
        quotas.attempt(Attempt::new(Some("192.0.2.1"), "AKIDOTHER")).unwrap();
        quotas.attempt(Attempt::new(Some("192.0.2.2"), "AKIDVICTIM")).unwrap();
        clock.advance(Duration::from_millis(100));
        quotas.attempt(guess).unwrap();
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (quotas, clock) = quotas(100);
        let principal = root("000000000001");
        clock.advance(Duration::from_secs(3600));
        burst(&quotas, &principal);
        let earlier = u64::try_from(clock.now().as_millis()).unwrap() * 1_000_000 - 3600 * SECOND_NS;
        let account: AccountId = "000000000001".parse().unwrap();
        assert!(quotas.principals.take(&(&account, &principal), earlier));
    }
}
