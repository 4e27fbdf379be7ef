//! The catalog as Athena and the query engine see it.

use kernel::Context;
use ports::{Catalog, Existing, PortError, PortFuture};

use crate::database::Database;
use crate::partition::Partition;
use crate::table::Table;
use crate::{Error, Glue, names};

impl Catalog for Glue {
    fn database<'a>(&'a self, cx: &'a Context, name: &'a str) -> PortFuture<'a, ports::Database> {
        port(async move { Ok(Self::database(self, cx, &name.to_lowercase()).await?.to_port()) })
    }

    fn databases<'a>(&'a self, cx: &'a Context) -> PortFuture<'a, Vec<ports::Database>> {
        port(async move { Ok(Self::databases(self, cx).await?.iter().map(Database::to_port).collect()) })
    }

    fn create_database<'a>(&'a self, cx: &'a Context, database: ports::Database) -> PortFuture<'a, ()> {
        port(async move {
            names::name(&database.name, "databaseInput.name")?;
            self.insert_database(cx, &Database::from_port(&database, self.clock.now())).await
        })
    }

    fn drop_database<'a>(&'a self, cx: &'a Context, name: &'a str) -> PortFuture<'a, ()> {
        port(async move { self.remove_database(cx, &name.to_lowercase()).await })
    }

    fn table<'a>(
        &'a self,
        cx: &'a Context,
        database: &'a str,
        name: &'a str,
    ) -> PortFuture<'a, ports::Table> {
        port(async move {
            let stored = self.stored_table(cx, &database.to_lowercase(), &name.to_lowercase()).await?;
            Ok(stored.entity.to_port())
        })
    }

    fn tables<'a>(&'a self, cx: &'a Context, database: &'a str) -> PortFuture<'a, Vec<ports::Table>> {
        port(async move {
            let tables = Self::tables(self, cx, &database.to_lowercase()).await?;
            Ok(tables.iter().map(Table::to_port).collect())
        })
    }

    fn create_table<'a>(&'a self, cx: &'a Context, table: ports::Table) -> PortFuture<'a, ()> {
        port(async move {
            names::name(&table.name, "tableInput.name")?;
            self.insert_table(cx, &table.database.to_lowercase(), Table::input_of(None, &table)).await
        })
    }

    fn update_table<'a>(&'a self, cx: &'a Context, table: ports::Table) -> PortFuture<'a, ()> {
        port(async move {
            let (database, name) = (table.database.to_lowercase(), table.name.to_lowercase());
            let change = |base: &Table| Table::input_of(Some(base), &table);
            self.change_table(cx, (&database, &name), None, change).await
        })
    }

    fn drop_table<'a>(&'a self, cx: &'a Context, database: &'a str, name: &'a str) -> PortFuture<'a, ()> {
        port(async move { self.remove_table(cx, &database.to_lowercase(), &name.to_lowercase()).await })
    }

    fn partitions<'a>(
        &'a self,
        cx: &'a Context,
        database: &'a str,
        table: &'a str,
    ) -> PortFuture<'a, Vec<ports::Partition>> {
        port(async move {
            let table = self.stored_table(cx, &database.to_lowercase(), &table.to_lowercase()).await?.entity;
            let (found, _) = Self::partitions(self, cx, &table, None, usize::MAX, |_, _| true).await?;
            Ok(found.iter().map(Partition::to_port).collect())
        })
    }

    fn add_partitions<'a>(
        &'a self,
        cx: &'a Context,
        database: &'a str,
        table: &'a str,
        partitions: Vec<ports::Partition>,
        existing: Existing,
    ) -> PortFuture<'a, ()> {
        port(async move {
            let (database, name) = (database.to_lowercase(), table.to_lowercase());
            let inputs = |table: &Table| {
                partitions.iter().map(|partition| Partition::input_of(table, partition)).collect()
            };
            self.insert_partitions(cx, (&database, &name), inputs, existing).await
        })
    }

    fn drop_partition<'a>(
        &'a self,
        cx: &'a Context,
        database: &'a str,
        table: &'a str,
        values: &'a [String],
    ) -> PortFuture<'a, ()> {
        port(async move {
            let (database, table) = (database.to_lowercase(), table.to_lowercase());
            self.remove_partition(cx, (&database, &table), values).await
        })
    }
}

pub(crate) fn port<'a, T: 'a>(work: impl Future<Output = Result<T, Error>> + Send + 'a) -> PortFuture<'a, T> {
    Box::pin(async move { work.await.map_err(PortError::from_service) })
}

#[cfg(test)]
mod tests {
    use kernel::ErrorKind;
    use ports::{Column, Storage};
    use serde_json::json;

    use super::*;
    use crate::ops::testing;

    fn table() -> ports::Table {
        let column =
            |name: &str| Column { name: name.to_owned(), hive_type: "string".to_owned(), comment: None };
        ports::Table {
            database: "iot".to_owned(),
            name: "t".to_owned(),
            table_type: Some("EXTERNAL_TABLE".to_owned()),
            description: None,
            columns: vec![column("a")],
            partition_keys: vec![column("year")],
            storage: Storage {
                location: "s3://b/t/".to_owned(),
                serde: Some("x.Y".to_owned()),
                ..Storage::default()
            },
            parameters: vec![("EXTERNAL".to_owned(), "TRUE".to_owned())],
            created_at: testing::NOW,
        }
    }

    #[tokio::test]
    async fn what_the_port_writes_the_port_and_the_operations_read() {
        let glue = testing::glue();
        let (catalog, cx) = (&*glue.glue as &dyn Catalog, wire::testing::context());
        let iot = ports::Database {
            name: "IOT".to_owned(),
            description: Some("d".to_owned()),
            location: None,
            parameters: vec![("k".to_owned(), "v".to_owned())],
        };
        catalog.create_database(&cx, iot.clone()).await.unwrap();
        let read = catalog.database(&cx, "Iot").await.unwrap();
        assert_eq!(read, ports::Database { name: "iot".to_owned(), ..iot });
        let names: Vec<_> =
            catalog.databases(&cx).await.unwrap().into_iter().map(|found| found.name).collect();
        assert_eq!(names, ["default", "iot"]);

        catalog.create_table(&cx, table()).await.unwrap();
        assert_eq!(catalog.table(&cx, "iot", "T").await.unwrap(), table());
        assert_eq!(catalog.tables(&cx, "iot").await.unwrap(), [table()]);
        let mut changed = table();
        changed.columns.push(Column {
            name: "b".to_owned(),
            hive_type: "int".to_owned(),
            comment: Some("c".to_owned()),
        });
        catalog.update_table(&cx, changed.clone()).await.unwrap();
        assert_eq!(catalog.table(&cx, "iot", "t").await.unwrap(), changed);
        let shown = testing::call(&glue, "GetTable", json!({"DatabaseName": "iot", "Name": "t"})).await;
        assert_eq!(
            shown["Table"]["StorageDescriptor"]["Columns"][1],
            json!({"Name": "b", "Type": "int", "Comment": "c"})
        );
        assert_eq!(shown["Table"]["VersionId"], "1");

        let partition = |year: &str| ports::Partition {
            values: vec![year.to_owned()],
            storage: Storage {
                location: format!("s3://b/t/{year}/"),
                serde: Some("x.Y".to_owned()),
                ..Storage::default()
            },
        };
        let both = || vec![partition("2018"), partition("2017")];
        catalog.add_partitions(&cx, "iot", "t", both(), Existing::Refuse).await.unwrap();
        assert_eq!(
            catalog.partitions(&cx, "iot", "t").await.unwrap(),
            [partition("2017"), partition("2018")]
        );
        let again = catalog.add_partitions(&cx, "iot", "t", both(), Existing::Refuse).await.unwrap_err();
        assert_eq!((again.kind, again.code.as_str()), (ErrorKind::Conflict, "AlreadyExistsException"));
        let half = vec![partition("2019"), partition("2017")];
        catalog.add_partitions(&cx, "iot", "t", half, Existing::Refuse).await.unwrap_err();
        assert_eq!(catalog.partitions(&cx, "iot", "t").await.unwrap().len(), 2, "all or none");
        catalog.add_partitions(&cx, "iot", "t", both(), Existing::Keep).await.unwrap();
        catalog.drop_partition(&cx, "iot", "t", &["2017".to_owned()]).await.unwrap();
        assert_eq!(catalog.partitions(&cx, "iot", "t").await.unwrap(), [partition("2018")]);

        catalog.drop_table(&cx, "iot", "t").await.unwrap();
        let gone = catalog.table(&cx, "iot", "t").await.unwrap_err();
        assert_eq!((gone.kind, gone.message.as_str()), (ErrorKind::NotFound, "Table t not found."));
        catalog.create_table(&cx, table()).await.unwrap();
        assert!(
            catalog.partitions(&cx, "iot", "t").await.unwrap().is_empty(),
            "partitions go with their table"
        );
        catalog.drop_database(&cx, "iot").await.unwrap();
        assert_eq!(catalog.tables(&cx, "iot").await.unwrap_err().message, "Database iot not found.");
    }
}
