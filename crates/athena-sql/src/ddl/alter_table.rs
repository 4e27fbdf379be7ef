//! ALTER TABLE, from behind the table's name.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/alter-table-add-partition.html> and its neighbours.

use crate::ddl::create_table::columns;
use crate::ddl::cursor::Cursor;
use crate::ddl::{NewPartition, PartitionSpec, TableChange};
use crate::error::SyntaxError;

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<TableChange, SyntaxError> {
    const INSIDE: &str = "alter table statement";
    if cursor.eat_words(&["ADD", "COLUMNS"]) {
        return columns(cursor, "add column statement").map(TableChange::AddColumns);
    }
    if cursor.eat_words(&["REPLACE", "COLUMNS"]) {
        return columns(cursor, "replace column statement").map(TableChange::ReplaceColumns);
    }
    if cursor.eat_word("ADD") {
        return add_partitions(cursor);
    }
    if cursor.eat_word("DROP") {
        return drop_partitions(cursor);
    }
    if cursor.eat_words(&["SET", "TBLPROPERTIES"]) {
        return cursor.properties("table properties").map(TableChange::SetProperties);
    }
    let partition = if cursor.eat_word("PARTITION") { Some(partition_spec(cursor)?) } else { None };
    if !cursor.eat_words(&["SET", "LOCATION"]) {
        return Err(cursor.no_viable(INSIDE));
    }
    let location = cursor.string("table location specification")?;
    Ok(TableChange::SetLocation { partition, location })
}

fn add_partitions(cursor: &mut Cursor<'_>) -> Result<TableChange, SyntaxError> {
    const INSIDE: &str = "add partition statement";
    let if_not_exists = cursor.if_not_exists(INSIDE)?;
    let mut partitions = Vec::new();
    cursor.expect_word("PARTITION", INSIDE)?;
    loop {
        let spec = partition_spec(cursor)?;
        let location = cursor.location()?;
        partitions.push(NewPartition { spec, location });
        if !cursor.eat_word("PARTITION") {
            return Ok(TableChange::AddPartitions { if_not_exists, partitions });
        }
    }
}

fn drop_partitions(cursor: &mut Cursor<'_>) -> Result<TableChange, SyntaxError> {
    const INSIDE: &str = "drop partition statement";
    let if_exists = cursor.if_exists(INSIDE)?;
    let mut partitions = Vec::new();
    loop {
        cursor.expect_word("PARTITION", INSIDE)?;
        partitions.push(partition_spec(cursor)?);
        if !cursor.eat_symbol(',') {
            return Ok(TableChange::DropPartitions { if_exists, partitions });
        }
    }
}

/// `(key = value, …)`.
fn partition_spec(cursor: &mut Cursor<'_>) -> Result<PartitionSpec, SyntaxError> {
    const INSIDE: &str = "partition specification";
    cursor.expect_symbol('(', INSIDE)?;
    let mut spec = PartitionSpec::new();
    loop {
        let key = cursor.identifier(INSIDE)?;
        cursor.expect_symbol('=', INSIDE)?;
        spec.push((key, cursor.constant(INSIDE)?));
        if !cursor.eat_symbol(',') {
            break;
        }
    }
    cursor.expect_symbol(')', INSIDE)?;
    Ok(spec)
}
