//! What the path of a message needs of the control plane, in memory.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use kernel::{AccountId, Region};
use ports::{DeviceIdentity, ScopedRule, tokio_watch};

use crate::authority::Authorities;
use crate::{Error, Iot, scope, x509};

/// Certificates by id, rules as a list, and the CAs.
pub(crate) struct Registry {
    identities: RwLock<HashMap<String, Arc<DeviceIdentity>>>,
    epoch: tokio_watch::Sender<u64>,
    rules: tokio_watch::Sender<Arc<Vec<ScopedRule>>>,
    authorities: RwLock<Option<Authorities>>,
    ca_epoch: tokio_watch::Sender<u64>,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            identities: RwLock::default(),
            epoch: tokio_watch::Sender::new(0),
            rules: tokio_watch::Sender::new(Arc::default()),
            authorities: RwLock::default(),
            ca_epoch: tokio_watch::Sender::new(0),
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

    pub(crate) fn ca_epoch(&self) -> tokio_watch::Receiver<u64> {
        self.ca_epoch.subscribe()
    }

    pub(crate) fn set_authorities(&self, authorities: Authorities) {
        *self.authorities.write().expect("no holder of this lock panics") = Some(authorities);
        self.ca_epoch.send_modify(|epoch| *epoch += 1);
    }

    pub(crate) fn authorities(&self) -> Authorities {
        let authorities = self.authorities.read().expect("no holder of this lock panics");
        authorities.clone().expect("recover sets the CA before anything is served")
    }

    fn set_identity(&self, identity: DeviceIdentity) {
        let mut identities = self.identities.write().expect("no holder of this lock panics");
        identities.insert(identity.certificate_id.clone(), Arc::new(identity));
        drop(identities);
        self.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// Forgets a certificate of this account and region; another's of the same id stays.
    fn forget_identity(&self, account: &AccountId, region: &Region, certificate_id: &str) {
        let mut identities = self.identities.write().expect("no holder of this lock panics");
        let found = identities.get(certificate_id);
        if found.is_some_and(|found| (&found.account, &found.region) == (account, region)) {
            identities.remove(certificate_id);
            drop(identities);
            self.epoch.send_modify(|epoch| *epoch += 1);
        }
    }
}

impl Iot {
    /// Reads one certificate with its policies and things again. Callers hold the turn, or are the only ones yet.
    pub(crate) async fn refresh_certificate(
        &self,
        account: &AccountId,
        region: &Region,
        certificate_id: &str,
    ) -> Result<(), Error> {
        let [account_part, region_part] = scope(account, region);
        let Some(stored) = self.certificates.get(&[account_part, region_part, certificate_id]).await? else {
            self.registry.forget_identity(account, region, certificate_id);
            return Ok(());
        };
        let Some(parsed) = x509::parse(&stored.entity.certificate_pem) else {
            return Err(Error::internal(format!("the certificate {certificate_id} does not parse")));
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
            not_before: *parsed.validity.start(),
            not_after: *parsed.validity.end(),
            policies,
            things: things.into_iter().filter_map(|(parts, _)| parts.last().cloned()).collect(),
        };
        self.registry.set_identity(identity);
        Ok(())
    }

    /// Reads every rule again. Callers hold the turn, or are the only ones yet.
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
