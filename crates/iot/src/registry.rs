//! What the path of a message needs of the control plane, in memory.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use kernel::{AccountId, Region};
use ports::{DeviceIdentity, ScopedRule, tokio_watch};

use crate::authority::Authority;
use crate::{Error, Iot, scope};

/// Certificates by id, rules as a list, and the CA.
pub(crate) struct Registry {
    identities: RwLock<HashMap<String, Arc<DeviceIdentity>>>,
    epoch: tokio_watch::Sender<u64>,
    rules: tokio_watch::Sender<Arc<Vec<ScopedRule>>>,
    authority: RwLock<Option<Authority>>,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            identities: RwLock::default(),
            epoch: tokio_watch::Sender::new(0),
            rules: tokio_watch::Sender::new(Arc::default()),
            authority: RwLock::default(),
        }
    }
}

impl Registry {
    pub(crate) fn identity(&self, certificate_id: &str) -> Option<Arc<DeviceIdentity>> {
        self.identities.read().expect("no holder of this lock panics").get(certificate_id).cloned()
    }

    pub(crate) fn epoch(&self) -> tokio_watch::Receiver<u64> {
        self.epoch.subscribe()
    }

    pub(crate) fn rules(&self) -> tokio_watch::Receiver<Arc<Vec<ScopedRule>>> {
        self.rules.subscribe()
    }

    pub(crate) fn set_authority(&self, authority: Authority) {
        *self.authority.write().expect("no holder of this lock panics") = Some(authority);
    }

    pub(crate) fn authority(&self) -> Authority {
        let authority = self.authority.read().expect("no holder of this lock panics");
        authority.clone().expect("recover sets the CA before anything is served")
    }

    fn set_identity(&self, certificate_id: &str, identity: Option<DeviceIdentity>) {
        let mut identities = self.identities.write().expect("no holder of this lock panics");
        match identity {
            Some(identity) => identities.insert(certificate_id.to_owned(), Arc::new(identity)),
            None => identities.remove(certificate_id),
        };
        drop(identities);
        self.epoch.send_modify(|epoch| *epoch += 1);
    }
}

impl Iot {
    /// Reads one certificate with its policies and things again. Callers hold `changing`, or are the only ones yet.
    pub(crate) async fn refresh_certificate(
        &self,
        account: &AccountId,
        region: &Region,
        certificate_id: &str,
    ) -> Result<(), Error> {
        let [account_part, region_part] = scope(account, region);
        let Some(stored) = self.certificates.get(&[account_part, region_part, certificate_id]).await? else {
            self.registry.set_identity(certificate_id, None);
            return Ok(());
        };
        let mut policies = Vec::new();
        for (parts, _) in self.attachments.list(&[account_part, region_part, certificate_id]).await? {
            let Some(policy_name) = parts.last() else { continue };
            if let Some(policy) = self.policies.get(&[account_part, region_part, policy_name]).await? {
                policies.push(Arc::from(policy.entity.document()));
            }
        }
        let things = self.thing_principals.list(&[account_part, region_part, certificate_id]).await?;
        let identity = DeviceIdentity {
            certificate_id: certificate_id.to_owned(),
            account: account.clone(),
            region: region.clone(),
            active: stored.entity.is_active(),
            policies,
            things: things.into_iter().filter_map(|(parts, _)| parts.last().cloned()).collect(),
        };
        self.registry.set_identity(certificate_id, Some(identity));
        Ok(())
    }

    /// Reads every rule again. Callers hold `changing`, or are the only ones yet.
    pub(crate) async fn refresh_rules(&self) -> Result<(), Error> {
        let mut rules = Vec::new();
        for (parts, stored) in self.rules.list(&[]).await? {
            let [account, region, _] = parts.as_slice() else { continue };
            if let (Ok(account), Ok(region)) = (account.parse(), region.parse()) {
                let rule = stored.entity.to_port(&account, &region);
                rules.push(ScopedRule { account, region, rule });
            }
        }
        self.registry.rules.send_replace(Arc::new(rules));
        Ok(())
    }
}
