//! Through the border that clients see: operations by name, and the decisions on other services' requests.

mod accounts;
mod decisions;
mod identities;
mod policies;
mod sessions;
mod web_identity;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::{AccountId, Context, Entropy, ManualClock, Principal, Timestamp};
use serde_json::{Value, json};
use store::MetaStore;
use store::meta::memory::MemoryMetaStore;
use wire::{Authorize, Credentials, Fault, Resource, Service};

use crate::{IAM, IAM_OPERATIONS, Iam, Mode, Parts, RootKey, RootKeys, STS, STS_OPERATIONS};

/// A node's identities, and a caller.
struct Bench {
    iam: Arc<Iam>,
    services: [Arc<dyn Service>; 2],
    clock: ManualClock,
    meta: Arc<dyn MetaStore>,
    /// What identity providers publish.
    idp: Arc<web_identity::Idp>,
    caller: Context,
}

/// Each node draws its own ids and keys.
static SEED: AtomicU64 = AtomicU64::new(1);

const NOW_MS: i64 = 1_503_733_632_000;

impl Bench {
    async fn new(mode: Mode) -> Self {
        Self::over(Arc::new(MemoryMetaStore::new()), mode).await
    }

    async fn over(meta: Arc<dyn MetaStore>, mode: Mode) -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(NOW_MS));
        let idp = Arc::new(web_identity::Idp::default());
        let entropy = Entropy::seeded(SEED.fetch_add(1, Ordering::Relaxed));
        let master = store::MasterKey::generate(&Entropy::seeded(0));
        let sealer = store::seal::open(&meta, &master, &entropy).await.unwrap();
        let iam = Arc::new(Iam::new(Parts {
            account: AccountId::default_account(),
            root_keys: RootKeys::chosen(RootKey::new("AKIDROOT", "root secret")),
            sealer,
            fetch: Arc::clone(&idp) as _,
            mode,
            meta: Arc::clone(&meta),
            clock: Arc::new(clock.clone()),
            entropy,
        }));
        iam.recover().await.unwrap();
        let services = [
            wire::service(&IAM, IAM_OPERATIONS, Arc::clone(&iam)),
            wire::service(&STS, STS_OPERATIONS, Arc::clone(&iam)),
        ];
        Self { iam, services, clock, meta, idp, caller: wire::testing::context() }
    }

    /// The same node after `kill -9`.
    async fn restarted(&self) -> Self {
        Self::over(Arc::clone(&self.meta), self.iam.mode()).await
    }

    /// The same node with another caller.
    fn as_principal(&self, principal: Principal) -> Self {
        let account = principal.account().cloned().unwrap_or_else(AccountId::default_account);
        Self {
            iam: Arc::clone(&self.iam),
            services: self.services.clone(),
            clock: self.clock.clone(),
            meta: Arc::clone(&self.meta),
            idp: Arc::clone(&self.idp),
            caller: Context { principal, account, ..self.caller.clone() },
        }
    }

    /// A new user, calling with a key of its own.
    async fn user(&self, name: &str) -> Self {
        self.ok("CreateUser", json!({"UserName": name})).await;
        let key = self.ok("CreateAccessKey", json!({"UserName": name})).await;
        let id = key["AccessKey"]["AccessKeyId"].as_str().unwrap();
        self.as_principal(self.iam.find(id).unwrap().principal)
    }

    /// Whom credentials of an answer are for.
    fn holder_of(&self, answer: &Value) -> Result<Principal, wire::Unusable> {
        let text = |member: &str| answer["Credentials"][member].as_str().unwrap().to_owned();
        let found = self.iam.find_temporary(&text("AccessKeyId"), &text("SessionToken"))?;
        assert_eq!(*found.secret.expose(), text("SecretAccessKey"));
        Ok(found.principal)
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        for service in &self.services {
            let input = wire::operation::Input::Members(input.clone());
            if let Some(call) = service.call(&self.caller, operation, input, &*self.iam) {
                return call.await.map(|output| serde_json::from_slice(&output).unwrap());
            }
        }
        panic!("no operation {operation}")
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        match self.call(operation, input.clone()).await {
            Ok(output) => output,
            Err(fault) => panic!("{operation} {input}: {fault}"),
        }
    }

    /// `Code: sentence`.
    async fn refused(&self, operation: &str, input: Value) -> String {
        match self.call(operation, input.clone()).await {
            Ok(output) => panic!("{operation} {input}: {output}"),
            Err(fault) => fault.to_string(),
        }
    }

    fn may(&self, action: &str, resource: &str) -> bool {
        let resource = if resource == "*" { Resource::Any } else { Resource::Arn(resource.parse().unwrap()) };
        self.iam.authorize(&self.caller, action, &resource).is_ok()
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn allow(action: &str, resource: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}).to_string()
}

fn trusts(principal: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}).to_string()
}
