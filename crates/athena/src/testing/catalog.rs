//! A catalog in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kernel::{Context, ErrorKind};
use ports::{Catalog, Database, Existing, Partition, PortError, PortFuture, Table};

use super::port;

/// The database `default` is there.
pub(crate) struct FakeCatalog {
    content: Mutex<Content>,
}

/// By their values.
type Partitions = BTreeMap<Vec<String>, Partition>;

#[derive(Default)]
struct Content {
    databases: BTreeMap<String, Database>,
    tables: BTreeMap<(String, String), (Table, Partitions)>,
}

impl Default for FakeCatalog {
    fn default() -> Self {
        let default = Database {
            name: "default".to_owned(),
            description: None,
            location: None,
            parameters: Vec::new(),
        };
        let mut content = Content::default();
        content.databases.insert("default".to_owned(), default);
        Self { content: Mutex::new(content) }
    }
}

fn missing(what: &str, name: &str) -> PortError {
    PortError::new(ErrorKind::NotFound, "EntityNotFoundException", format!("{what} {name} not found."))
}

fn there(what: &str) -> PortError {
    PortError::new(ErrorKind::Conflict, "AlreadyExistsException", format!("{what} already exists."))
}

impl FakeCatalog {
    fn with_table<T>(
        &self,
        database: &str,
        name: &str,
        work: impl FnOnce(&mut Table, &mut Partitions) -> Result<T, PortError>,
    ) -> Result<T, PortError> {
        let mut content = self.content.lock().unwrap();
        let found = content.tables.get_mut(&(database.to_owned(), name.to_owned()));
        let (table, partitions) = found.ok_or_else(|| missing("Table", name))?;
        work(table, partitions)
    }

    /// Puts a table in as another client would.
    pub(crate) fn insert(&self, table: Table) {
        let key = (table.database.clone(), table.name.clone());
        self.content.lock().unwrap().tables.insert(key, (table, Partitions::new()));
    }

    pub(crate) fn find(&self, database: &str, name: &str) -> Table {
        self.with_table(database, name, |table, _| Ok(table.clone())).unwrap()
    }

    pub(crate) fn locations(&self, database: &str, name: &str) -> Vec<String> {
        let locations = |partitions: &Partitions| {
            partitions.values().map(|partition| partition.storage.location.clone()).collect()
        };
        self.with_table(database, name, |_, partitions| Ok(locations(partitions))).unwrap()
    }
}

impl Catalog for FakeCatalog {
    fn database<'a>(&'a self, _: &'a Context, name: &'a str) -> PortFuture<'a, Database> {
        let content = self.content.lock().unwrap();
        port(content.databases.get(name).cloned().ok_or_else(|| missing("Database", name)))
    }

    fn databases<'a>(&'a self, _: &'a Context) -> PortFuture<'a, Vec<Database>> {
        port(Ok(self.content.lock().unwrap().databases.values().cloned().collect()))
    }

    fn create_database<'a>(&'a self, _: &'a Context, database: Database) -> PortFuture<'a, ()> {
        let mut content = self.content.lock().unwrap();
        if content.databases.contains_key(&database.name) {
            return port(Err(there("Database")));
        }
        content.databases.insert(database.name.clone(), database);
        port(Ok(()))
    }

    fn drop_database<'a>(&'a self, _: &'a Context, name: &'a str) -> PortFuture<'a, ()> {
        let mut content = self.content.lock().unwrap();
        content.tables.retain(|(database, _), _| database != name);
        port(content.databases.remove(name).map(drop).ok_or_else(|| missing("Database", name)))
    }

    fn table<'a>(&'a self, _: &'a Context, database: &'a str, name: &'a str) -> PortFuture<'a, Table> {
        port(self.with_table(database, name, |table, _| Ok(table.clone())))
    }

    fn tables<'a>(&'a self, _: &'a Context, database: &'a str) -> PortFuture<'a, Vec<Table>> {
        let content = self.content.lock().unwrap();
        if !content.databases.contains_key(database) {
            return port(Err(missing("Database", database)));
        }
        let own = content.tables.values().filter(|(table, _)| table.database == database);
        port(Ok(own.map(|(table, _)| table.clone()).collect()))
    }

    fn create_table<'a>(&'a self, _: &'a Context, table: Table) -> PortFuture<'a, ()> {
        self.insert(table);
        port(Ok(()))
    }

    fn update_table<'a>(&'a self, _: &'a Context, table: Table) -> PortFuture<'a, ()> {
        let (database, name) = (table.database.clone(), table.name.clone());
        port(self.with_table(&database, &name, |found, _| {
            *found = table;
            Ok(())
        }))
    }

    fn drop_table<'a>(&'a self, _: &'a Context, database: &'a str, name: &'a str) -> PortFuture<'a, ()> {
        let removed = self.content.lock().unwrap().tables.remove(&(database.to_owned(), name.to_owned()));
        port(removed.map(drop).ok_or_else(|| missing("Table", name)))
    }

    fn partitions<'a>(
        &'a self,
        _: &'a Context,
        database: &'a str,
        table: &'a str,
    ) -> PortFuture<'a, Vec<Partition>> {
        port(self.with_table(database, table, |_, partitions| Ok(partitions.values().cloned().collect())))
    }

    fn add_partitions<'a>(
        &'a self,
        _: &'a Context,
        database: &'a str,
        table: &'a str,
        new: Vec<Partition>,
        existing: Existing,
    ) -> PortFuture<'a, ()> {
        port(self.with_table(database, table, |_, partitions| {
            for partition in new {
                if existing == Existing::Refuse && partitions.contains_key(&partition.values) {
                    return Err(there("Partition"));
                }
                partitions.entry(partition.values.clone()).or_insert(partition);
            }
            Ok(())
        }))
    }

    fn drop_partition<'a>(
        &'a self,
        _: &'a Context,
        database: &'a str,
        table: &'a str,
        values: &'a [String],
    ) -> PortFuture<'a, ()> {
        port(self.with_table(database, table, |_, partitions| {
            partitions.remove(values).map(drop).ok_or_else(|| missing("Partition", &values.join(",")))
        }))
    }
}
