//! The API over a record of access that says what it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use kernel::{Context, Entropy, ErrorKind, ManualClock, Principal, Timestamp};
use ports::{
    AccessAudit, AccessMode, DeniedQuery, DeniedRequests, GeneratedPolicy, PortError, UsedPrincipal,
};
use serde_json::{Value, json};
use store::MetaStore;
use store::meta::memory::MemoryMetaStore;
use wire::Service;
use wire::operation::Input;
use wire::testing::AllowAll;

use crate::{AccessAnalyzer, DESCRIPTOR, OPERATIONS};

/// The principal that has used something.
pub(crate) const BOB: &str = "arn:aws:iam::000000000000:user/bob";

pub(crate) struct Bench {
    service: Arc<dyn Service>,
    clock: ManualClock,
    record: Arc<Record>,
    cx: Context,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(1_503_733_632_000));
        let record = Arc::new(Record { uses: AtomicUsize::new(1), denies: AtomicBool::new(false) });
        let meta: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::new());
        let analyzer =
            AccessAnalyzer::new(Arc::clone(&record) as _, &meta, Arc::new(clock.clone()), Entropy::seeded(1));
        let service = wire::service(&DESCRIPTOR, OPERATIONS, Arc::new(analyzer));
        Self { service, clock, record, cx: wire::testing::context() }
    }

    /// The same node asked by the root of another account.
    pub(crate) fn in_account(&self, account: &str) -> Self {
        let account: kernel::AccountId = account.parse().unwrap();
        let principal = Principal::Root { account: account.clone() };
        self.with(Context { principal, account, ..self.cx.clone() })
    }

    /// The same node asked in another region.
    pub(crate) fn in_region(&self, region: &str) -> Self {
        self.with(Context { region: region.parse().unwrap(), ..self.cx.clone() })
    }

    fn with(&self, cx: Context) -> Self {
        let (service, record) = (Arc::clone(&self.service), Arc::clone(&self.record));
        Self { service, clock: self.clock.clone(), record, cx }
    }

    /// Bob does something he never did.
    pub(crate) fn use_more(&self) {
        self.record.uses.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on the record is read by nobody.
    pub(crate) fn deny(&self) {
        self.record.denies.store(true, Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The id of a new generation.
    pub(crate) async fn start(&self, principal: &str) -> String {
        let input = json!({"policyGenerationDetails": {"principalArn": principal}});
        self.ok("StartPolicyGeneration", input).await["jobId"].as_str().unwrap().to_owned()
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value, wire::Fault> {
        let input = Input::Members(input);
        let call = self.service.call(&self.cx, operation, input, &AllowAll).expect("there is the operation");
        Ok(serde_json::from_slice(&call.await?).unwrap())
    }

    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        match self.call(operation, input.clone()).await {
            Ok(output) => output,
            Err(fault) => panic!("{operation} {input}: {fault}"),
        }
    }

    pub(crate) async fn refused(&self, operation: &str, input: Value) -> String {
        match self.call(operation, input.clone()).await {
            Ok(output) => panic!("{operation} {input}: {output}"),
            Err(fault) => fault.to_string(),
        }
    }
}

struct Record {
    uses: AtomicUsize,
    denies: AtomicBool,
}

impl AccessAudit for Record {
    fn mode(&self) -> AccessMode {
        AccessMode::Enforce
    }

    fn denied(&self, _: &Context, _: &DeniedQuery) -> Result<DeniedRequests, PortError> {
        unreachable!("no operation asks for it")
    }

    fn principals(&self, _: &Context) -> Result<Vec<UsedPrincipal>, PortError> {
        unreachable!("no operation asks for it")
    }

    fn least_privilege(&self, cx: &Context, principal: &str) -> Result<Option<GeneratedPolicy>, PortError> {
        assert!(matches!(cx.principal, Principal::Service { .. }), "the record is read by the service");
        if self.denies.load(Ordering::Relaxed) {
            return Err(PortError::new(ErrorKind::Denied, "AccessDeniedException", "no"));
        }
        let actions: Vec<String> =
            (1..=self.uses.load(Ordering::Relaxed)).map(|n| format!("s3:Use{n}")).collect();
        let (first_at, last_at) = (Timestamp::EPOCH, Timestamp::EPOCH);
        let used = UsedPrincipal { arn: principal.to_owned(), actions: actions.len(), first_at, last_at };
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Action": actions}]});
        Ok((principal == BOB).then_some(GeneratedPolicy { used, policy }))
    }
}
