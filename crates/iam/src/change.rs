//! Finding and changing what is kept: first in the store, then in the directory, before the operation answers.
//!
//! 1. One change at a time, so that what it read of the directory is so when it commits.
//! 2. A change whose caller went away between commit and directory, or whose commit failed with an unknown outcome, is found by the
//!    next change, which reads everything again first. Nobody was told of it, so nobody can miss it meanwhile.

use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLockReadGuard, RwLockWriteGuard};

use kernel::AccountId;
use store::{Batch, Entity, Table};
use tokio::sync::MutexGuard;

use crate::directory::{Directory, Held, HeldKey, Kept};
use crate::entity::{
    AccessKey, Alias, Group, InstanceProfile, MemberAccount, OidcProvider, Policy, Role, User,
};
use crate::{Error, Iam};

/// The right to change, and whether the last change is in the store but perhaps not in the directory.
#[derive(Default)]
pub(crate) struct InFlight(bool);

/// How sentences name an entity, and how many there may be.
pub(crate) trait Described: Kept {
    /// The sentence of `NoSuchEntity`.
    fn missing(name: &str) -> String;
    /// The sentence of `EntityAlreadyExists`.
    fn exists(name: &str) -> String;
    /// The quota's name and value.
    const QUOTA: (&'static str, usize);
}

macro_rules! described {
    ($($entity:ty: $missing:literal, $exists:literal, $quota:literal $max:ident);* $(;)?) => {$(
        impl Described for $entity {
            const QUOTA: (&'static str, usize) = ($quota, crate::limits::$max);

            fn missing(name: &str) -> String {
                format!($missing, name = name)
            }

            fn exists(name: &str) -> String {
                format!($exists, name = name)
            }
        }
    )*};
}

described! {
    User: "The user with name {name} cannot be found.", "User with name {name} already exists.", "UsersPerAccount" USERS_MAX;
    Group: "The group with name {name} cannot be found.", "Group with name {name} already exists.", "GroupsPerAccount" GROUPS_MAX;
    Role: "The role with name {name} cannot be found.", "Role with name {name} already exists.", "RolesPerAccount" ROLES_MAX;
    Policy: "Policy {name} was not found.", "A policy called {name} already exists. Duplicate names are not allowed.", "PoliciesPerAccount" POLICIES_MAX;
    InstanceProfile: "Instance Profile {name} cannot be found.", "Instance Profile {name} already exists.", "InstanceProfilesPerAccount" INSTANCE_PROFILES_MAX;
}

impl Iam {
    pub(crate) fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().expect("no holder of this lock panics")
    }

    fn directory_mut(&self) -> RwLockWriteGuard<'_, Directory> {
        let directory = self.directory.write().expect("no holder of this lock panics");
        // Under the lock: whoever decides in the new epoch waits for the change.
        self.epoch.fetch_add(1, Ordering::SeqCst);
        directory
    }

    /// # Errors
    /// `NoSuchEntity`.
    pub(crate) fn entity<E: Described>(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Arc<Held<E>>, Error> {
        let found = self.directory().get::<E>(account, name).cloned();
        found.ok_or_else(|| Error::NoSuchEntity(E::missing(name)))
    }

    /// All of a kind, in the order of their names in lower case.
    pub(crate) fn all<E: Kept>(&self, account: &AccountId) -> Vec<Arc<Held<E>>> {
        E::of(self.directory().account(account)).values().cloned().collect()
    }

    /// Waits for the changes before, and makes up for one that was cut off.
    pub(crate) async fn turn(&self) -> Result<MutexGuard<'_, InFlight>, Error> {
        let mut turn = self.changing.lock().await;
        if turn.0 {
            self.load().await?;
            turn.0 = false;
        }
        Ok(turn)
    }

    pub(crate) async fn commit(
        &self,
        turn: &mut InFlight,
        batch: Batch,
        apply: impl FnOnce(&mut Directory),
    ) -> Result<(), Error> {
        turn.0 = true;
        self.meta.commit(batch).await.map_err(store::TableError::from)?;
        apply(&mut self.directory_mut());
        turn.0 = false;
        Ok(())
    }

    /// Keeps a new entity.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, and what `check` finds.
    pub(crate) async fn insert<E: Described>(
        &self,
        account: &AccountId,
        entity: E,
        check: impl FnOnce(&Directory) -> Result<(), Error> + Send,
    ) -> Result<Arc<Held<E>>, Error> {
        let mut turn = self.turn().await?;
        let key = entity.name().to_lowercase();
        {
            let directory = self.directory();
            let all = E::of(directory.account(account));
            if all.contains_key(&key) {
                return Err(Error::EntityAlreadyExists(E::exists(entity.name())));
            }
            let (quota, max) = E::QUOTA;
            if all.len() >= max {
                return Err(Error::quota(quota, max));
            }
            check(&directory)?;
        }
        let batch = put(Batch::default(), account, &entity);
        let held = Arc::new(Held::new(entity));
        let kept = Arc::clone(&held);
        self.commit(&mut turn, batch, |directory| {
            E::of_mut(directory.account_mut(account)).insert(key, kept);
        })
        .await?;
        Ok(held)
    }

    /// Changes an entity, but not its name.
    ///
    /// # Errors
    /// `NoSuchEntity`, and what `change` finds.
    pub(crate) async fn update<E: Described>(
        &self,
        account: &AccountId,
        name: &str,
        change: impl FnOnce(&mut E, &Directory) -> Result<(), Error> + Send,
    ) -> Result<Arc<Held<E>>, Error> {
        let mut turn = self.turn().await?;
        let mut entity = self.entity::<E>(account, name)?.entity.clone();
        change(&mut entity, &self.directory())?;
        let batch = put(Batch::default(), account, &entity);
        let held = Arc::new(Held::new(entity));
        let kept = Arc::clone(&held);
        self.commit(&mut turn, batch, |directory| {
            E::of_mut(directory.account_mut(account)).insert(name.to_lowercase(), kept);
        })
        .await?;
        Ok(held)
    }

    /// Forgets an entity.
    ///
    /// # Errors
    /// `NoSuchEntity`, and what `check` finds.
    pub(crate) async fn remove<E: Described>(
        &self,
        account: &AccountId,
        name: &str,
        check: impl FnOnce(&E, &Directory) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let mut turn = self.turn().await?;
        let held = self.entity::<E>(account, name)?;
        check(&held.entity, &self.directory())?;
        let batch = delete::<E>(Batch::default(), account, name);
        self.commit(&mut turn, batch, |directory| {
            E::of_mut(directory.account_mut(account)).remove(&name.to_lowercase());
        })
        .await
    }

    /// Gives a user another name and path. Its access keys follow.
    ///
    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`.
    pub(crate) async fn rename_user(
        &self,
        account: &AccountId,
        name: &str,
        new_name: Option<String>,
        new_path: Option<String>,
    ) -> Result<(), Error> {
        let mut turn = self.turn().await?;
        let mut user = self.entity::<User>(account, name)?.entity.clone();
        user.name = new_name.unwrap_or(user.name);
        user.path = new_path.unwrap_or(user.path);
        let (old_key, new_key) = (name.to_lowercase(), user.name.to_lowercase());
        let (taken, keys) = {
            let directory = self.directory();
            let taken = old_key != new_key && User::of(directory.account(account)).contains_key(&new_key);
            (taken, directory.keys_of(account, name))
        };
        if taken {
            return Err(Error::EntityAlreadyExists(User::exists(&user.name)));
        }
        let mut batch = Batch::default();
        if old_key != new_key {
            batch = delete::<User>(batch, account, name);
        }
        batch = put(batch, account, &user);
        let mut renamed = Vec::new();
        for held in keys {
            let key = AccessKey { user: user.name.clone(), ..held.key.clone() };
            batch = put_at(batch, &[&key.id], &key);
            renamed.push(HeldKey { key, secret: held.secret.clone() });
        }
        let held = Arc::new(Held::new(user));
        self.commit(&mut turn, batch, |directory| {
            let users = User::of_mut(directory.account_mut(account));
            users.remove(&old_key);
            users.insert(new_key, held);
            for key in renamed {
                directory.keys.insert(key.key.id.clone(), Arc::new(key));
            }
        })
        .await
    }

    /// Gives a group another name and path; its users follow.
    ///
    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`.
    pub(crate) async fn rename_group(
        &self,
        account: &AccountId,
        name: &str,
        new_name: Option<String>,
        new_path: Option<String>,
    ) -> Result<(), Error> {
        let mut turn = self.turn().await?;
        let mut group = self.entity::<Group>(account, name)?.entity.clone();
        group.name = new_name.unwrap_or(group.name);
        group.path = new_path.unwrap_or(group.path);
        let (old_key, new_key) = (name.to_lowercase(), group.name.to_lowercase());
        if old_key != new_key && Group::of(self.directory().account(account)).contains_key(&new_key) {
            return Err(Error::EntityAlreadyExists(Group::exists(&group.name)));
        }
        let mut batch = Batch::default();
        if old_key != new_key {
            batch = delete::<Group>(batch, account, name);
        }
        batch = put(batch, account, &group);
        let mut members = Vec::new();
        for held in self.all::<User>(account) {
            let mut user = held.entity.clone();
            if user.groups.remove(name) {
                user.groups.insert(group.name.clone());
                batch = put(batch, account, &user);
                members.push(Arc::new(Held::new(user)));
            }
        }
        let held = Arc::new(Held::new(group));
        self.commit(&mut turn, batch, |directory| {
            let account = directory.account_mut(account);
            account.groups.remove(&old_key);
            account.groups.insert(new_key, held);
            for member in members {
                account.users.insert(member.entity.name.to_lowercase(), member);
            }
        })
        .await
    }

    /// Keeps an access key: a new one, or one that was changed by `change`.
    ///
    /// # Errors
    /// What `change` finds.
    pub(crate) async fn put_key(
        &self,
        change: impl FnOnce(&Directory) -> Result<HeldKey, Error> + Send,
    ) -> Result<Arc<HeldKey>, Error> {
        let mut turn = self.turn().await?;
        let held = Arc::new(change(&self.directory())?);
        let batch = put_at(Batch::default(), &[&held.key.id], &held.key);
        let kept = Arc::clone(&held);
        self.commit(&mut turn, batch, |directory| {
            directory.keys.insert(kept.key.id.clone(), kept);
        })
        .await?;
        Ok(held)
    }

    /// Forgets an access key that `check` approves of.
    ///
    /// # Errors
    /// What `check` finds.
    pub(crate) async fn remove_key(
        &self,
        id: &str,
        check: impl FnOnce(&Directory) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let mut turn = self.turn().await?;
        check(&self.directory())?;
        let batch = Batch::default().delete(Table::<AccessKey>::key(&[id]));
        self.commit(&mut turn, batch, |directory| {
            directory.keys.remove(id);
        })
        .await
    }

    /// Gives an account an alias in place of the one it had.
    ///
    /// # Errors
    /// `EntityAlreadyExists`.
    pub(crate) async fn put_alias(&self, alias: Alias) -> Result<(), Error> {
        let mut turn = self.turn().await?;
        let (taken, old) = {
            let directory = self.directory();
            let owner = directory.aliases.get(&alias.alias);
            (
                owner.is_some_and(|owner| *owner != alias.account),
                directory.account(&alias.account).alias.clone(),
            )
        };
        if taken {
            let said = format!("The account alias {} already exists.", alias.alias);
            return Err(Error::EntityAlreadyExists(said));
        }
        let mut batch = Batch::default();
        if let Some(old) = old.as_ref().filter(|old| **old != alias.alias) {
            batch = batch.delete(Table::<Alias>::key(&[old]));
        }
        batch = put_at(batch, &[&alias.alias], &alias);
        self.commit(&mut turn, batch, |directory| {
            if let Some(old) = old {
                directory.aliases.remove(&old);
            }
            directory.put_alias(&alias);
        })
        .await
    }

    /// Takes an account's alias away.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub(crate) async fn remove_alias(&self, alias: Alias) -> Result<(), Error> {
        let mut turn = self.turn().await?;
        if self.directory().aliases.get(&alias.alias) != Some(&alias.account) {
            let said = format!("The account alias with name {} cannot be found.", alias.alias);
            return Err(Error::NoSuchEntity(said));
        }
        let batch = Batch::default().delete(Table::<Alias>::key(&[&alias.alias]));
        self.commit(&mut turn, batch, |directory| directory.remove_alias(&alias)).await
    }

    /// Reads everything from the store.
    pub(crate) async fn load(&self) -> Result<(), Error> {
        let mut directory = Directory::new(Arc::clone(&self.aws_managed));
        self.load_all::<User>(&mut directory).await?;
        self.load_all::<Group>(&mut directory).await?;
        self.load_all::<Role>(&mut directory).await?;
        self.load_all::<Policy>(&mut directory).await?;
        self.load_all::<InstanceProfile>(&mut directory).await?;
        self.load_all::<OidcProvider>(&mut directory).await?;
        for (_, stored) in Table::<Alias>::new(Arc::clone(&self.meta)).list(&[]).await? {
            directory.put_alias(&stored.entity);
        }
        for (_, stored) in Table::<MemberAccount>::new(Arc::clone(&self.meta)).list(&[]).await? {
            directory.put_member(stored.entity, |id, sealed| self.open_secret(id, sealed));
        }
        for (_, stored) in Table::<AccessKey>::new(Arc::clone(&self.meta)).list(&[]).await? {
            let key = stored.entity;
            match self.open_secret(&key.id, &key.sealed_secret) {
                Some(secret) => {
                    directory.keys.insert(key.id.clone(), Arc::new(HeldKey { key, secret }));
                }
                None => {
                    tracing::error!(id = key.id, "an access key's secret does not open; the key is of no use")
                }
            }
        }
        *self.directory_mut() = directory;
        Ok(())
    }

    async fn load_all<E: Kept>(&self, directory: &mut Directory) -> Result<(), Error> {
        for (parts, stored) in Table::<E>::new(Arc::clone(&self.meta)).list(&[]).await? {
            let [account, name] = parts.as_slice() else { continue };
            if let Ok(account) = account.parse() {
                let held = Arc::new(Held::new(stored.entity));
                E::of_mut(directory.account_mut(&account)).insert(name.clone(), held);
            }
        }
        Ok(())
    }
}

fn put<E: Kept>(batch: Batch, account: &AccountId, entity: &E) -> Batch {
    put_at(batch, &[account.as_str(), &entity.name().to_lowercase()], entity)
}

fn put_at<E: Entity>(batch: Batch, parts: &[&str], entity: &E) -> Batch {
    batch.put(Table::<E>::key(parts), store::entity::encode(entity))
}

fn delete<E: Kept>(batch: Batch, account: &AccountId, name: &str) -> Batch {
    batch.delete(Table::<E>::key(&[account.as_str(), &name.to_lowercase()]))
}

/// # Errors
/// `UnmodifiableEntity` for a role that belongs to a service.
pub(crate) fn modifiable(role: &Role) -> Result<(), Error> {
    if role.is_service_linked() { Err(Error::Unmodifiable(role.name.clone())) } else { Ok(()) }
}
