//! A catalog on a memory store, and calls through its table.

use std::sync::Arc;

use kernel::{ManualClock, Timestamp};
use serde_json::{Value, json};
use store::MetaStore;
use store::meta::memory::MemoryMetaStore;
use wire::{Fault, Service};

use crate::{DESCRIPTOR, Glue, OPERATIONS};

/// When everything in these tests happens.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_503_733_632_345);

pub(crate) struct Tested {
    pub(crate) glue: Arc<Glue>,
    service: Arc<dyn Service>,
}

pub(crate) fn glue() -> Tested {
    let meta: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::new());
    let glue = Arc::new(Glue::new(&meta, Arc::new(ManualClock::new(NOW))));
    Tested { service: wire::service(&DESCRIPTOR, OPERATIONS, Arc::clone(&glue)), glue }
}

pub(crate) async fn call(tested: &Tested, operation: &str, input: Value) -> Value {
    wire::testing::call(&*tested.service, operation, input).await.unwrap()
}

pub(crate) async fn refused(tested: &Tested, operation: &str, input: Value) -> Fault {
    wire::testing::call(&*tested.service, operation, input).await.unwrap_err()
}

/// A table with the partition keys `year string, month int`.
pub(crate) async fn create_table(tested: &Tested, database: &str, name: &str) {
    let keys = json!([{"Name": "year", "Type": "string"}, {"Name": "month", "Type": "int"}]);
    let table = json!({"Name": name, "PartitionKeys": keys, "StorageDescriptor": {"Location": "s3://b/t/"}});
    call(tested, "CreateTable", json!({"DatabaseName": database, "TableInput": table})).await;
}

/// A catalog with one database and one table.
pub(crate) async fn with_table(database: &str, name: &str) -> Tested {
    let tested = glue();
    call(&tested, "CreateDatabase", json!({"DatabaseInput": {"Name": database}})).await;
    create_table(&tested, database, name).await;
    tested
}

pub(crate) async fn add_partition(tested: &Tested, database: &str, table: &str, values: &[&str]) {
    let input = json!({"DatabaseName": database, "TableName": table, "PartitionInput": {"Values": values}});
    call(tested, "CreatePartition", input).await;
}

/// The items of every page of a listing, each as `shown` shows it.
pub(crate) async fn pages(
    tested: &Tested,
    operation: &str,
    mut input: Value,
    list: &str,
    shown: impl Fn(&Value) -> String,
) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let page = call(tested, operation, input.clone()).await;
        pages.push(page[list].as_array().unwrap().iter().map(&shown).collect());
        match page.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => return pages,
        }
    }
}

pub(crate) async fn names_by_page(
    tested: &Tested,
    operation: &str,
    input: Value,
    list: &str,
) -> Vec<Vec<String>> {
    pages(tested, operation, input, list, |item| item["Name"].as_str().unwrap().to_owned()).await
}
