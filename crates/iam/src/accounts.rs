//! The accounts of a node: the first, whose root owns the node, and those that it has made, each with a root key of its own.
//!
//! 1. Everything of an account is kept under its number; an account is made known here so that its root has a key.
//! 2. A root key is answered once, when it is made, and kept sealed. The first account's is in the operator's hands
//!    ([`crate::root_keys`]), never here.
//! 3. An account is not removed: its number is in ARNs that others have written down.
//!
//! Differs from AWS: an account is the node operator's to make, by a command of the node's own and not by AWS Organizations' operations.

use std::time::Duration;

use kernel::{AccountId, Entropy, Secret, Timestamp};
use store::{Batch, Table};

use crate::entity::{FormerKey, MemberAccount, SealedKey};
use crate::limits::{ACCOUNT_NAME_CHARS_MAX, ACCOUNTS_MAX, ROOT_KEY_OVERLAP_MAX};
use crate::root_key::RootKey;
use crate::{Error, Iam, ids};

/// An account, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    /// Its number.
    pub account: AccountId,
    /// As whoever made it named it.
    pub name: Option<String>,
    /// None for the first account, which is as old as the node.
    pub created_at: Option<Timestamp>,
    /// The id of its root's key.
    pub root_access_key_id: String,
}

/// The key of another account's root, for requests.
#[derive(Clone)]
pub(crate) struct HeldRoot {
    pub(crate) account: AccountId,
    pub(crate) secret: Secret<String>,
    /// When a key that was replaced is over.
    pub(crate) until: Option<Timestamp>,
}

impl Iam {
    /// Makes an account, with a number of chance if none is asked, and the key of its root, which is told this once.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `ValidationError`.
    pub async fn create_account(
        &self,
        asked: Option<AccountId>,
        name: Option<String>,
    ) -> Result<(AccountSummary, RootKey), Error> {
        check_name(name.as_deref())?;
        let mut turn = self.turn().await?;
        let account = {
            let directory = self.directory();
            if directory.members.len() + 1 >= ACCOUNTS_MAX {
                return Err(Error::quota("AccountsPerNode", ACCOUNTS_MAX));
            }
            let taken =
                |account: &AccountId| *account == self.account || directory.members.contains_key(account);
            match asked {
                Some(account) if taken(&account) => {
                    return Err(Error::EntityAlreadyExists(format!("Account {account} already exists.")));
                }
                Some(account) => account,
                None => std::iter::repeat_with(|| number(&self.entropy))
                    .find(|account| !taken(account))
                    .expect("there are more numbers than accounts"),
            }
        };
        let key = self.new_root_key(&account);
        let member = MemberAccount {
            account,
            name,
            created_at: self.clock.now(),
            root: self.sealed_key(&key),
            previous: None,
        };
        let summary = summary(&member);
        let batch = put(&member);
        self.commit(&mut turn, batch, |directory| {
            directory.put_member(member, |id, sealed| self.open_secret(id, sealed))
        })
        .await?;
        tracing::info!(account = summary.account.as_str(), "an account was created");
        Ok((summary, key))
    }

    /// The accounts of the node, the first one first.
    pub fn accounts(&self) -> Vec<AccountSummary> {
        let first = AccountSummary {
            account: self.account.clone(),
            name: None,
            created_at: None,
            root_access_key_id: self.root.current().access_key_id,
        };
        let directory = self.directory();
        let members = directory.members.values().filter(|member| member.account != self.account);
        std::iter::once(first).chain(members.map(summary)).collect()
    }

    /// Gives an account's root another key; the one of now is good for `overlap` more. Of the first account it is in its file and
    /// nowhere else; of another it is told this once.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput` for a key that the operator chose, `ValidationError` for too long an overlap.
    pub async fn rotate_root_key(
        &self,
        account: &AccountId,
        overlap: Duration,
    ) -> Result<Option<RootKey>, Error> {
        if overlap > ROOT_KEY_OVERLAP_MAX {
            let said = format!("The overlap is at most {} hours.", ROOT_KEY_OVERLAP_MAX.as_secs() / 3600);
            return Err(Error::Validation(said));
        }
        let until = (!overlap.is_zero()).then(|| self.clock.now() + overlap);
        let key = self.new_root_key(account);
        let told = if *account == self.account {
            let chosen = || {
                Error::InvalidInput(
                    "The root's key was chosen by the environment: change it there.".to_owned(),
                )
            };
            self.root.rotate(key, until).await.ok_or_else(chosen)?.map_err(Error::KeyFile)?;
            None
        } else {
            self.rotate_member(account, &key, until).await?;
            Some(key)
        };
        tracing::info!(account = account.as_str(), "a root key was rotated");
        Ok(told)
    }

    async fn rotate_member(
        &self,
        account: &AccountId,
        key: &RootKey,
        until: Option<Timestamp>,
    ) -> Result<(), Error> {
        let mut turn = self.turn().await?;
        let found = self.directory().members.get(account).cloned();
        let mut member =
            found.ok_or_else(|| Error::NoSuchEntity(format!("Account {account} cannot be found.")))?;
        let replaced = std::mem::replace(&mut member.root, self.sealed_key(key));
        member.previous = until.map(|until| FormerKey { key: replaced, until });
        let batch = put(&member);
        self.commit(&mut turn, batch, |directory| {
            directory.put_member(member, |id, sealed| self.open_secret(id, sealed))
        })
        .await
    }

    fn new_root_key(&self, account: &AccountId) -> RootKey {
        let taken = |id: &String| self.directory().keys.contains_key(id);
        let mut id = ids::access_key(&self.entropy, "AKIA", account);
        // 39 bits of chance: draw again in the rare case that two agree.
        while taken(&id) {
            id = ids::access_key(&self.entropy, "AKIA", account);
        }
        RootKey { access_key_id: id, secret_access_key: ids::secret(&self.entropy) }
    }

    fn sealed_key(&self, key: &RootKey) -> SealedKey {
        let id = key.access_key_id.clone();
        SealedKey { sealed_secret: self.sealer.seal(&id, key.secret_access_key.expose().as_bytes()), id }
    }

    /// The secret and account of a root's key that is good now.
    pub(crate) fn find_root(&self, access_key_id: &str) -> Option<(AccountId, Secret<String>)> {
        let now = self.clock.now();
        if let Some(secret) = self.root.find(access_key_id, now) {
            return Some((self.account.clone(), secret));
        }
        let directory = self.directory();
        let held = directory.roots.get(access_key_id)?;
        held.until.is_none_or(|until| now < until).then(|| (held.account.clone(), held.secret.clone()))
    }
}

fn summary(member: &MemberAccount) -> AccountSummary {
    AccountSummary {
        account: member.account.clone(),
        name: member.name.clone(),
        created_at: Some(member.created_at),
        root_access_key_id: member.root.id.clone(),
    }
}

fn put(member: &MemberAccount) -> Batch {
    Batch::default()
        .put(Table::<MemberAccount>::key(&[member.account.as_str()]), store::entity::encode(member))
}

/// Twelve digits, the first of them none.
fn number(entropy: &Entropy) -> AccountId {
    let number = 100_000_000_000 + entropy.below(900_000_000_000);
    number.to_string().parse().expect("it has twelve digits")
}

/// # Errors
/// `ValidationError`: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html>
fn check_name(name: Option<&str>) -> Result<(), Error> {
    let Some(name) = name else { return Ok(()) };
    let shaped = (1..=ACCOUNT_NAME_CHARS_MAX).contains(&name.chars().count())
        && name.chars().all(|c| (' '..='~').contains(&c));
    if shaped {
        return Ok(());
    }
    let said = format!("A name has 1 to {ACCOUNT_NAME_CHARS_MAX} printable ASCII characters.");
    Err(Error::Validation(said))
}
