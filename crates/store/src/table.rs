//! A typed table over a [`MetaStore`]: entities of one type under keys made of parts.
//!
//! A key is the table's name and then each part, separated by NUL bytes, which no part may contain; so a scan by leading parts
//! never runs into another resource, and entities order by their parts.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::entity::{self, DecodeError, Entity};
use crate::meta::{Batch, CommitError, Event, Expect, MetaStore, Revision, StoreError};

/// How many entities one scan of the store asks for.
const PAGE: usize = 1000;

/// Entities of type `E`. Clones share the store.
pub struct Table<E> {
    store: Arc<dyn MetaStore>,
    entity: PhantomData<fn() -> E>,
}

impl<E> Clone for Table<E> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), entity: PhantomData }
    }
}

/// An entity and the commit that wrote it: what a later update must find unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<E> {
    /// The entity.
    pub entity: E,
    /// The commit that wrote it.
    pub revision: Revision,
}

/// What happened to a row.
#[derive(Clone, Debug)]
pub enum Change<E> {
    /// It was written.
    Put {
        /// The parts of its key.
        parts: Vec<String>,
        /// The entity now.
        entity: E,
    },
    /// It was deleted.
    Deleted {
        /// The parts of its key.
        parts: Vec<String>,
    },
    /// Changes were missed: list the table again.
    Resync,
}

/// Why a table operation failed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// An entity is there already, is gone, or was changed since it was read.
    #[error("the entity changed underneath")]
    Conflict,
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store holds what no release has written.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl TableError {
    /// Whether a later attempt may succeed without anyone acting.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.transient)
    }
}

impl From<CommitError> for TableError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { .. } => Self::Conflict,
            CommitError::Store(error) => Self::Store(error),
        }
    }
}

impl<E: Entity> Table<E> {
    /// The table of `E` in this store.
    pub fn new(store: Arc<dyn MetaStore>) -> Self {
        Self { store, entity: PhantomData }
    }

    /// The key of the entity with these parts.
    ///
    /// # Panics
    /// If a part contains a NUL byte: callers validate names first.
    pub fn key(parts: &[&str]) -> Vec<u8> {
        let mut key = E::TABLE.as_bytes().to_vec();
        for part in parts {
            assert!(!part.as_bytes().contains(&0), "a key's part contains NUL");
            key.push(0);
            key.extend_from_slice(part.as_bytes());
        }
        key
    }

    fn prefix(parts: &[&str]) -> Vec<u8> {
        let mut prefix = Self::key(parts);
        prefix.push(0);
        prefix
    }

    fn parts(key: &[u8]) -> Vec<String> {
        key.split(|byte| *byte == 0).skip(1).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
    }

    /// The entity with these parts.
    pub async fn get(&self, parts: &[&str]) -> Result<Option<Stored<E>>, TableError> {
        let Some(found) = self.store.get(&Self::key(parts)).await? else { return Ok(None) };
        Ok(Some(Stored { entity: entity::decode(&found.value)?, revision: found.revision }))
    }

    /// Every entity whose key begins with these parts, in key order.
    pub async fn list(&self, parts: &[&str]) -> Result<Vec<(Vec<String>, Stored<E>)>, TableError> {
        let mut out = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.page(parts, "", after.as_deref(), PAGE).await?;
            let full = page.len() == PAGE;
            after = page.last().map(|(found, _)| found.get(parts.len()..).unwrap_or_default().join("\0"));
            out.extend(page);
            if !full {
                return Ok(out);
            }
        }
    }

    /// Up to `limit` entities whose key begins with these parts, whose next part begins with `starts_with` and is
    /// greater than `after`, in key order.
    pub async fn page(
        &self,
        parts: &[&str],
        starts_with: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Vec<String>, Stored<E>)>, TableError> {
        let base = Self::prefix(parts);
        let prefix = [&base, starts_with.as_bytes()].concat();
        let after = after.map(|after| [&base, after.as_bytes()].concat());
        let page = self.store.scan(&prefix, after.as_deref(), limit).await?;
        page.into_iter()
            .map(|(key, found)| {
                let entity = entity::decode(&found.value)?;
                Ok((Self::parts(&key), Stored { entity, revision: found.revision }))
            })
            .collect()
    }

    /// Writes an entity that must not be there yet.
    ///
    /// # Errors
    /// [`TableError::Conflict`] if it is.
    pub async fn insert(&self, parts: &[&str], entity: &E) -> Result<Revision, TableError> {
        let key = Self::key(parts);
        let batch = Batch::default().check(key.clone(), Expect::Absent).put(key, entity::encode(entity));
        Ok(self.store.commit(batch).await?)
    }

    /// Replaces an entity that must still be as it was read.
    ///
    /// # Errors
    /// [`TableError::Conflict`] if it is not.
    pub async fn update(
        &self,
        parts: &[&str],
        entity: &E,
        read_at: Revision,
    ) -> Result<Revision, TableError> {
        let key = Self::key(parts);
        let batch = Batch::default().check(key.clone(), Expect::At(read_at)).put(key, entity::encode(entity));
        Ok(self.store.commit(batch).await?)
    }

    /// Writes an entity, whatever was there.
    pub async fn put(&self, parts: &[&str], entity: &E) -> Result<Revision, TableError> {
        Ok(self.store.commit(self.with_put(Batch::default(), parts, entity)).await?)
    }

    /// Deletes an entity; silent if there is none.
    pub async fn delete(&self, parts: &[&str]) -> Result<Revision, TableError> {
        Ok(self.store.commit(Batch::default().delete(Self::key(parts))).await?)
    }

    /// Deletes an entity that must still be as it was read.
    ///
    /// # Errors
    /// [`TableError::Conflict`] if it is not.
    pub async fn delete_at(&self, parts: &[&str], read_at: Revision) -> Result<Revision, TableError> {
        let key = Self::key(parts);
        Ok(self.store.commit(Batch::default().check(key.clone(), Expect::At(read_at)).delete(key)).await?)
    }

    /// Adds a write of this table to a batch that spans tables; commit it with [`Table::commit`].
    #[must_use]
    pub fn with_put(&self, batch: Batch, parts: &[&str], entity: &E) -> Batch {
        batch.put(Self::key(parts), entity::encode(entity))
    }

    /// Adds a deletion of this table to a batch that spans tables.
    #[must_use]
    pub fn with_delete(&self, batch: Batch, parts: &[&str]) -> Batch {
        batch.delete(Self::key(parts))
    }

    /// Adds a precondition of this table to a batch that spans tables.
    #[must_use]
    pub fn with_check(&self, batch: Batch, parts: &[&str], expect: Expect) -> Batch {
        batch.check(Self::key(parts), expect)
    }

    /// Commits a batch that spans tables.
    ///
    /// # Errors
    /// [`TableError::Conflict`] when a precondition does not hold.
    pub async fn commit(&self, batch: Batch) -> Result<Revision, TableError> {
        Ok(self.store.commit(batch).await?)
    }

    /// The changes under these parts after a revision.
    pub fn watch(&self, parts: &[&str], after: Revision) -> futures::stream::BoxStream<'static, Change<E>> {
        use futures::StreamExt;
        let events = self.store.watch(&Self::prefix(parts), after);
        events
            .map(|event| match event {
                Event::Changed { key, value: Some(value), .. } => match entity::decode(&value) {
                    Ok(entity) => Change::Put { parts: Self::parts(&key), entity },
                    Err(error) => {
                        tracing::error!(table = E::TABLE, %error, "a written entity does not decode");
                        Change::Resync
                    }
                },
                Event::Changed { key, value: None, .. } => Change::Deleted { parts: Self::parts(&key) },
                Event::Resync => Change::Resync,
            })
            .boxed()
    }

    /// The store's last commit: take it before [`Table::list`], then [`Table::watch`] from it.
    pub fn revision(&self) -> Revision {
        self.store.revision()
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::meta::memory::MemoryMetaStore;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Dog {
        name: String,
        legs: u8,
    }

    impl Entity for Dog {
        const TABLE: &'static str = "dog";
        const VERSION: u8 = 2;

        fn upgrade(version: u8, mut old: serde_json::Value) -> Result<serde_json::Value, DecodeError> {
            assert_eq!(version, 1);
            old["legs"] = 4.into();
            Ok(old)
        }
    }

    fn dog(name: &str) -> Dog {
        Dog { name: name.to_owned(), legs: 4 }
    }

    fn table() -> Table<Dog> {
        Table::new(Arc::new(MemoryMetaStore::new()))
    }

    #[tokio::test]
    async fn insert_refuses_what_is_there_and_update_what_changed() {
        let dogs = table();
        let first = dogs.insert(&["a", "rex"], &dog("rex")).await.unwrap();
        assert!(matches!(dogs.insert(&["a", "rex"], &dog("rex")).await, Err(TableError::Conflict)));
        dogs.update(&["a", "rex"], &dog("rex2"), first).await.unwrap();
        assert!(matches!(dogs.update(&["a", "rex"], &dog("rex3"), first).await, Err(TableError::Conflict)));
        assert_eq!(dogs.get(&["a", "rex"]).await.unwrap().unwrap().entity, dog("rex2"));
    }

    #[tokio::test]
    async fn a_list_of_leading_parts_does_not_run_into_a_neighbour() {
        let dogs = table();
        for parts in [["a", "x"], ["a", "y"], ["ab", "z"]] {
            dogs.put(&parts, &dog(parts[1])).await.unwrap();
        }
        let found: Vec<_> = dogs.list(&["a"]).await.unwrap().into_iter().map(|(parts, _)| parts).collect();
        assert_eq!(found, [["a", "x"], ["a", "y"]]);
    }

    #[tokio::test]
    async fn a_list_longer_than_a_page_is_whole() {
        let dogs = table();
        for n in 0..PAGE * 2 + 1 {
            dogs.put(&["a", &format!("{n:05}")], &dog("x")).await.unwrap();
        }
        assert_eq!(dogs.list(&["a"]).await.unwrap().len(), PAGE * 2 + 1);
    }

    #[tokio::test]
    async fn an_older_version_is_upgraded_and_a_newer_one_refused() {
        assert_eq!(entity::decode::<Dog>(b"\x01{\"name\":\"rex\"}").unwrap(), dog("rex"));
        assert!(matches!(
            entity::decode::<Dog>(b"\x03{}"),
            Err(DecodeError::UnknownVersion { version: 3, .. })
        ));
    }

    #[tokio::test]
    async fn a_watch_sees_what_follows_the_list() {
        let dogs = table();
        dogs.put(&["a", "x"], &dog("x")).await.unwrap();
        let revision = dogs.revision();
        dogs.put(&["a", "y"], &dog("y")).await.unwrap();
        let mut watch = dogs.watch(&["a"], revision);
        dogs.delete(&["a", "x"]).await.unwrap();
        assert!(matches!(watch.next().await, Some(Change::Put { parts, .. }) if parts == ["a", "y"]));
        assert!(matches!(watch.next().await, Some(Change::Deleted { parts }) if parts == ["a", "x"]));
    }
}
