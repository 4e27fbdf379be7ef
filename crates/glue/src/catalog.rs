//! The catalog's reads and changes, which operations and the port share.

use std::collections::HashSet;

use kernel::Context;
use ports::Existing;
use store::TableError;
use store::meta::{Batch, Expect};
use store::table::Stored;

use crate::database::{DEFAULT, Database};
use crate::input::{DatabaseInput, PartitionInput, Raw, TableInput};
use crate::partition::{Partition, check_values, key};
use crate::table::Table;
use crate::{Error, Glue};

const CONCURRENT: Error =
    Error::ConcurrentModification("Update table failed due to concurrent modifications.");

/// How many partitions one scan asks for.
const SCAN: usize = 1000;

fn scope(cx: &Context) -> [&str; 2] {
    [cx.account.as_str(), cx.region.as_str()]
}

impl Glue {
    async fn stored_database(&self, cx: &Context, name: &str) -> Result<(Database, Expect), Error> {
        let [account, region] = scope(cx);
        match self.databases.get(&[account, region, name]).await? {
            Some(stored) => Ok((stored.entity, Expect::At(stored.revision))),
            None if name == DEFAULT => Ok((Database::default_database(), Expect::Absent)),
            None => Err(Error::no_database(name)),
        }
    }

    /// # Errors
    /// `EntityNotFoundException`.
    pub(crate) async fn database(&self, cx: &Context, name: &str) -> Result<Database, Error> {
        Ok(self.stored_database(cx, name).await?.0)
    }

    /// Every database, by name.
    pub(crate) async fn databases(&self, cx: &Context) -> Result<Vec<Database>, Error> {
        let stored = self.databases.list(&scope(cx)).await?;
        let mut found: Vec<Database> = stored.into_iter().map(|(_, stored)| stored.entity).collect();
        if !found.iter().any(|database| database.name() == DEFAULT) {
            found.push(Database::default_database());
        }
        found.sort_by_key(Database::name);
        Ok(found)
    }

    /// # Errors
    /// `AlreadyExistsException`.
    pub(crate) async fn insert_database(&self, cx: &Context, database: &Database) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let (name, [account, region]) = (database.name(), scope(cx));
        if name == DEFAULT {
            return Err(Error::AlreadyExists("Database already exists."));
        }
        match self.databases.insert(&[account, region, &name], database).await {
            Err(TableError::Conflict) => Err(Error::AlreadyExists("Database already exists.")),
            done => Ok(done.map(drop)?),
        }
    }

    /// Changes a database that is there.
    ///
    /// # Errors
    /// `EntityNotFoundException`, and what `change` says.
    pub(crate) async fn change_database(
        &self,
        cx: &Context,
        name: &str,
        change: impl FnOnce(&mut Database) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let (mut database, expect) = self.stored_database(cx, name).await?;
        change(&mut database)?;
        let [account, region] = scope(cx);
        let parts = [account, region, name];
        let batch = self.databases.with_check(Batch::default(), &parts, expect);
        self.databases.commit(self.databases.with_put(batch, &parts, &database)).await?;
        Ok(())
    }

    /// Replaces what a client said of a database.
    ///
    /// # Errors
    /// `EntityNotFoundException`.
    pub(crate) async fn replace_database(
        &self,
        cx: &Context,
        name: &str,
        input: Raw<DatabaseInput>,
    ) -> Result<(), Error> {
        let replace = |database: &mut Database| {
            database.input = input;
            Ok(())
        };
        self.change_database(cx, name, replace).await
    }

    /// Removes a database with its tables and their partitions.
    ///
    /// # Errors
    /// `EntityNotFoundException`.
    pub(crate) async fn remove_database(&self, cx: &Context, name: &str) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let (_, expect) = self.stored_database(cx, name).await?;
        let [account, region] = scope(cx);
        let mut batch = self.databases.with_check(Batch::default(), &[account, region, name], expect);
        batch = self.databases.with_delete(batch, &[account, region, name]);
        for (parts, _) in self.tables.list(&[account, region, name]).await? {
            batch = self.tables.with_delete(batch, &refs(&parts));
        }
        for (parts, _) in self.partitions.list(&[account, region, name]).await? {
            batch = self.partitions.with_delete(batch, &refs(&parts));
        }
        self.databases.commit(batch).await?;
        Ok(())
    }

    /// A table and the commit that wrote it.
    ///
    /// # Errors
    /// `EntityNotFoundException` for the database or the table.
    pub(crate) async fn stored_table(
        &self,
        cx: &Context,
        database: &str,
        name: &str,
    ) -> Result<Stored<Table>, Error> {
        let [account, region] = scope(cx);
        if let Some(stored) = self.tables.get(&[account, region, database, name]).await? {
            return Ok(stored);
        }
        self.database(cx, database).await?;
        Err(Error::no_table(name))
    }

    /// Every table of a database, by name.
    ///
    /// # Errors
    /// `EntityNotFoundException` for the database.
    pub(crate) async fn tables(&self, cx: &Context, database: &str) -> Result<Vec<Table>, Error> {
        self.database(cx, database).await?;
        let [account, region] = scope(cx);
        let stored = self.tables.list(&[account, region, database]).await?;
        Ok(stored.into_iter().map(|(_, stored)| stored.entity).collect())
    }

    /// # Errors
    /// `EntityNotFoundException` for the database, `AlreadyExistsException`.
    pub(crate) async fn insert_table(
        &self,
        cx: &Context,
        database: &str,
        input: Raw<TableInput>,
    ) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let (_, expect) = self.stored_database(cx, database).await?;
        let now = self.clock.now();
        let table = Table {
            database: database.to_owned(),
            input,
            version: 0,
            created_by: cx.principal.arn(),
            created_at: now,
            updated_at: now,
        };
        let (name, [account, region]) = (table.name(), scope(cx));
        let parts = [account, region, database, &name];
        let batch = self.databases.with_check(Batch::default(), &[account, region, database], expect);
        let batch = self.tables.with_check(batch, &parts, Expect::Absent);
        match self.tables.commit(self.tables.with_put(batch, &parts, &table)).await {
            Err(TableError::Conflict) => Err(Error::AlreadyExists("Table already exists.")),
            done => Ok(done.map(drop)?),
        }
    }

    /// Changes what is said of a table, which must have this version if one is given.
    ///
    /// # Errors
    /// `EntityNotFoundException`, `ConcurrentModificationException`.
    pub(crate) async fn change_table(
        &self,
        cx: &Context,
        (database, name): (&str, &str),
        version: Option<&str>,
        change: impl FnOnce(&Table) -> Raw<TableInput> + Send,
    ) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let Stored { entity: mut table, revision } = self.stored_table(cx, database, name).await?;
        if version.is_some_and(|version| version != table.version.to_string()) {
            return Err(CONCURRENT);
        }
        table.input = change(&table);
        table.version += 1;
        table.updated_at = self.clock.now();
        let [account, region] = scope(cx);
        match self.tables.update(&[account, region, database, name], &table, revision).await {
            Err(TableError::Conflict) => Err(CONCURRENT),
            done => Ok(done.map(drop)?),
        }
    }

    /// Removes a table with its partitions.
    ///
    /// # Errors
    /// `EntityNotFoundException`.
    pub(crate) async fn remove_table(&self, cx: &Context, database: &str, name: &str) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let revision = self.stored_table(cx, database, name).await?.revision;
        let [account, region] = scope(cx);
        let parts = [account, region, database, name];
        let batch = self.tables.with_check(Batch::default(), &parts, Expect::At(revision));
        let mut batch = self.tables.with_delete(batch, &parts);
        for (parts, _) in self.partitions.list(&parts).await? {
            batch = self.partitions.with_delete(batch, &refs(&parts));
        }
        self.tables.commit(batch).await?;
        Ok(())
    }

    /// # Errors
    /// `EntityNotFoundException` for the database, the table or the partition; `InvalidInputException` for another number of
    /// values than the table has keys.
    pub(crate) async fn partition(
        &self,
        cx: &Context,
        table: &Table,
        values: &[String],
    ) -> Result<Stored<Partition>, Error> {
        check_values(table, values)?;
        let [account, region] = scope(cx);
        let parts = [account, region, &table.database, &table.name(), &key(values)];
        self.partitions.get(&parts).await?.ok_or_else(Error::no_partition)
    }

    /// Partitions of a table after a key, as many as `wanted` takes until `limit` are found, and the key of the last one if
    /// there may be more.
    pub(crate) async fn partitions(
        &self,
        cx: &Context,
        table: &Table,
        mut after: Option<String>,
        limit: usize,
        wanted: impl Fn(&str, &Partition) -> bool + Send,
    ) -> Result<(Vec<Partition>, Option<String>), Error> {
        let [account, region] = scope(cx);
        let parts = [account, region, &table.database, &table.name()];
        let mut found = Vec::new();
        loop {
            let page = self.partitions.page(&parts, "", after.as_deref(), SCAN).await?;
            let full = page.len() == SCAN;
            for (mut parts, stored) in page {
                let key = parts.pop().expect("a partition's key has five parts");
                if wanted(&key, &stored.entity) {
                    found.push(stored.entity);
                }
                after = Some(key);
                if found.len() == limit {
                    return Ok((found, after));
                }
            }
            if !full {
                return Ok((found, None));
            }
        }
    }

    /// Adds a partition.
    ///
    /// # Errors
    /// `EntityNotFoundException`, `AlreadyExistsException`, `InvalidInputException`.
    pub(crate) async fn insert_partition(
        &self,
        cx: &Context,
        table: (&str, &str),
        input: Raw<PartitionInput>,
    ) -> Result<(), Error> {
        self.insert_partitions(cx, table, |_| vec![input], Existing::Refuse).await
    }

    /// Adds partitions in one commit, all or none.
    ///
    /// # Errors
    /// As [`Glue::insert_partition`].
    pub(crate) async fn insert_partitions(
        &self,
        cx: &Context,
        (database, table): (&str, &str),
        inputs: impl FnOnce(&Table) -> Vec<Raw<PartitionInput>> + Send,
        existing: Existing,
    ) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let Stored { entity: table, revision } = self.stored_table(cx, database, table).await?;
        let (table_name, now, [account, region]) = (table.name(), self.clock.now(), scope(cx));
        let table_parts = [account, region, table.database.as_str(), table_name.as_str()];
        let mut batch = self.tables.with_check(Batch::default(), &table_parts, Expect::At(revision));
        let mut added = HashSet::new();
        for input in inputs(&table) {
            let partition = Partition::new(&table, input, now)?;
            let key = key(&partition.values);
            let parts = [account, region, table.database.as_str(), table_name.as_str(), key.as_str()];
            let is_there = added.contains(&key) || self.partitions.get(&parts).await?.is_some();
            match existing {
                Existing::Keep if is_there => continue,
                Existing::Refuse if is_there => {
                    return Err(Error::AlreadyExists("Partition already exists."));
                }
                _ => {}
            }
            batch = self.partitions.with_check(batch, &parts, Expect::Absent);
            batch = self.partitions.with_put(batch, &parts, &partition);
            added.insert(key);
        }
        if !added.is_empty() {
            self.partitions.commit(batch).await?;
        }
        Ok(())
    }

    /// Replaces a partition, possibly under other values.
    ///
    /// # Errors
    /// As [`Glue::insert_partition`].
    pub(crate) async fn replace_partition(
        &self,
        cx: &Context,
        (database, table): (&str, &str),
        values: &[String],
        input: Raw<PartitionInput>,
    ) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let Stored { entity: table, revision } = self.stored_table(cx, database, table).await?;
        let old = self.partition(cx, &table, values).await?;
        let input = if input.read().values.is_some() { input } else { input.with("Values", values.to_vec()) };
        let partition = Partition::new(&table, input, old.entity.created_at)?;
        let (table_name, new_key, [account, region]) = (table.name(), key(&partition.values), scope(cx));
        let table_parts = [account, region, table.database.as_str(), table_name.as_str()];
        let parts = |key| [account, region, table.database.as_str(), table_name.as_str(), key];
        let mut batch = self.tables.with_check(Batch::default(), &table_parts, Expect::At(revision));
        let old_key = key(&old.entity.values);
        batch = self.partitions.with_check(batch, &parts(&old_key), Expect::At(old.revision));
        if old_key != new_key {
            batch = self.partitions.with_check(batch, &parts(&new_key), Expect::Absent);
            batch = self.partitions.with_delete(batch, &parts(&old_key));
        }
        match self.partitions.commit(self.partitions.with_put(batch, &parts(&new_key), &partition)).await {
            Err(TableError::Conflict) => Err(Error::AlreadyExists("Partition already exists.")),
            done => Ok(done.map(drop)?),
        }
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    pub(crate) async fn remove_partition(
        &self,
        cx: &Context,
        (database, table): (&str, &str),
        values: &[String],
    ) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let table = self.stored_table(cx, database, table).await?.entity;
        let revision = self.partition(cx, &table, values).await?.revision;
        let [account, region] = scope(cx);
        let parts = [account, region, &table.database, &table.name(), &key(values)];
        match self.partitions.delete_at(&parts, revision).await {
            Err(TableError::Conflict) => Err(Error::no_partition()),
            done => Ok(done.map(drop)?),
        }
    }
}

fn refs(parts: &[String]) -> Vec<&str> {
    parts.iter().map(String::as_str).collect()
}
