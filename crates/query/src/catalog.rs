//! The tables a statement names, fetched before it is planned and given to DataFusion as a catalog of their own.
//!
//! A name is `[awsdatacatalog.][database.]table`; the catalog sees nothing the statement does not name.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider, SchemaProvider,
};
use datafusion::common::TableReference;
use datafusion::sql::parser::Statement as PlannedStatement;
use datafusion::sql::resolve::resolve_table_references;
use kernel::ErrorKind;
use ports::{Catalog, PortError};
use sqlparser::ast::{ObjectName, Spanned, Statement, visit_relations};

use crate::error::{Place, QueryError, to_port};
use crate::hive_table::HiveTable;
use crate::scan::{ScanContext, TableScan};

/// The only catalog: Athena's name of Glue's.
pub(crate) const CATALOG: &str = "awsdatacatalog";

/// Fetches every table a statement names.
///
/// # Errors
/// `CATALOG_NOT_FOUND`, `SCHEMA_NOT_FOUND`, `TABLE_NOT_FOUND` at the name's place; what [`HiveTable::new`] refuses.
pub(crate) async fn fetch(
    catalog: &dyn Catalog,
    statement: &Statement,
    default_database: &str,
    context: &Arc<ScanContext>,
) -> Result<Arc<dyn CatalogProviderList>, PortError> {
    let places = places(statement);
    let planned = PlannedStatement::Statement(Box::new(statement.clone()));
    let (references, _) = resolve_table_references(&planned, true).map_err(to_port)?;
    let provider = MemoryCatalogProvider::new();
    provider.register_schema(default_database, Arc::new(MemorySchemaProvider::new())).map_err(to_port)?;
    for reference in references {
        let place = places.get(&reference.to_string()).copied();
        let (database, name) = match &reference {
            TableReference::Bare { table } => (default_database, table),
            TableReference::Partial { schema, table } => (schema.as_ref(), table),
            TableReference::Full { catalog, schema, table } if catalog.as_ref() == CATALOG => {
                (schema.as_ref(), table)
            }
            TableReference::Full { catalog, .. } => {
                let sentence = format!("Catalog '{catalog}' not found");
                return Err(QueryError::user("CATALOG_NOT_FOUND", sentence).at(place).into());
            }
        };
        let table = table(catalog, context, database, name, place).await?;
        let schema: Arc<dyn SchemaProvider> = match provider.schema(database) {
            Some(schema) => schema,
            None => {
                let schema = Arc::new(MemorySchemaProvider::new());
                provider.register_schema(database, Arc::clone(&schema) as _).map_err(to_port)?;
                schema
            }
        };
        if !schema.table_exist(name) {
            let scan = TableScan::new(table, Arc::clone(context));
            schema.register_table(name.to_string(), Arc::new(scan)).map_err(to_port)?;
        }
    }
    let list = MemoryCatalogProviderList::new();
    list.register_catalog(CATALOG.to_owned(), Arc::new(provider));
    Ok(Arc::new(list))
}

async fn table(
    catalog: &dyn Catalog,
    context: &ScanContext,
    database: &str,
    name: &str,
    place: Option<Place>,
) -> Result<HiveTable, PortError> {
    let cx = &context.cx;
    let table = match catalog.table(cx, database, name).await {
        Ok(table) => table,
        Err(error) if error.kind == ErrorKind::NotFound => {
            return Err(match catalog.database(cx, database).await {
                Err(error) if error.kind == ErrorKind::NotFound => {
                    let sentence = format!("Schema '{database}' does not exist");
                    QueryError::user("SCHEMA_NOT_FOUND", sentence).at(place).into()
                }
                Err(error) => error,
                Ok(_) => {
                    let sentence = format!("Table '{CATALOG}.{database}.{name}' does not exist");
                    QueryError::user("TABLE_NOT_FOUND", sentence).at(place).into()
                }
            });
        }
        Err(error) => return Err(error),
    };
    let partitions = if table.partition_keys.is_empty() {
        Vec::new()
    } else {
        catalog.partitions(cx, database, name).await?
    };
    Ok(HiveTable::new(&table, &partitions)?)
}

/// Where each relation is first named.
fn places(statement: &Statement) -> HashMap<String, Place> {
    let mut places = HashMap::new();
    let flow = visit_relations(statement, |relation: &ObjectName| {
        let name: Vec<&str> =
            relation.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.as_str()).collect();
        if let Some(place) = Place::of(relation.span()) {
            places.entry(name.join(".")).or_insert(place);
        }
        ControlFlow::<()>::Continue(())
    });
    debug_assert!(flow.is_continue());
    places
}
