//! In how many regions an account may have something: a request names its region itself, and services keep caches, series and brokers for
//! each, so that without a bound one tenant could fill the node by counting.
//!
//! Counted are those that an account has named since the node started: what is stored in others stays, and is reached again when fewer are
//! asked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::RwLock;

use kernel::{AccountId, Region};

use crate::envelope::Fault;
use crate::limits::REGIONS_PER_ACCOUNT_MAX;

/// The regions that each account has named.
#[derive(Default)]
pub(crate) struct Regions(RwLock<HashMap<AccountId, BTreeSet<Region>>>);

impl Regions {
    /// Notes that an account asks for something in a region.
    ///
    /// # Errors
    /// What AWS says of a region that is none, when the account has named as many as it may.
    pub(crate) fn admit(&self, account: &AccountId, region: &Region) -> Result<(), Fault> {
        let named = self.0.read().expect("no holder of this lock panics");
        if named.get(account).is_some_and(|regions| regions.contains(region)) {
            return Ok(());
        }
        drop(named);
        let mut named = self.0.write().expect("no holder of this lock panics");
        let regions = named.entry(account.clone()).or_default();
        if regions.len() >= REGIONS_PER_ACCOUNT_MAX && !regions.contains(region) {
            return Err(invalid());
        }
        regions.insert(region.clone());
        Ok(())
    }
}

/// The refusal of a request whose region is none.
pub(crate) fn invalid() -> Fault {
    Fault::new(403, "InvalidSignatureException", "Credential should be scoped to a valid region.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_names_so_many_regions_and_no_more() {
        let regions = Regions::default();
        let [one, other]: [AccountId; 2] = ["000000000001", "000000000002"].map(|id| id.parse().unwrap());
        let region = |n: usize| format!("xx-made-{n}").parse::<Region>().unwrap();
        for n in 0..REGIONS_PER_ACCOUNT_MAX {
            regions.admit(&one, &region(n)).unwrap();
        }
        let refused = regions.admit(&one, &region(REGIONS_PER_ACCOUNT_MAX)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "InvalidSignatureException: Credential should be scoped to a valid region."
        );
        regions.admit(&one, &region(0)).unwrap();
        regions.admit(&other, &region(REGIONS_PER_ACCOUNT_MAX)).unwrap();
    }
}
