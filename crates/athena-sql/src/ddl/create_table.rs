//! CREATE EXTERNAL TABLE, from its TABLE on. Clauses come in Hive's order, each at most once.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/create-table.html>

use crate::ddl::cursor::Cursor;
use crate::ddl::storage;
use crate::ddl::storage::RowFormat;
use crate::ddl::{Buckets, Column, CreateTable, Properties};
use crate::error::SyntaxError;
use crate::hive_type::parse_type;

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<CreateTable, SyntaxError> {
    const INSIDE: &str = "create table statement";
    cursor.expect_word("TABLE", INSIDE)?;
    let if_not_exists = cursor.if_not_exists(INSIDE)?;
    let name = cursor.table_name()?;
    let columns = columns(cursor, INSIDE)?;
    let comment = cursor.comment()?;
    let partition_columns = if cursor.eat_word("PARTITIONED") {
        cursor.expect_word("BY", "table partition specification")?;
        self::columns(cursor, "table partition specification")?
    } else {
        Vec::new()
    };
    let buckets = buckets(cursor)?;
    let mut row_format = storage::row_format(cursor)?;
    let stored_as = storage::stored_as(cursor)?;
    serde_properties(cursor, &mut row_format)?;
    let location = cursor.location()?;
    let properties = if cursor.eat_word("TBLPROPERTIES") {
        cursor.properties("table properties")?
    } else {
        Properties::new()
    };
    Ok(CreateTable {
        name,
        if_not_exists,
        columns,
        comment,
        partition_columns,
        buckets,
        row_format,
        stored_as,
        location,
        properties,
    })
}

/// `(name type [COMMENT 'text'], …)`.
pub(super) fn columns(cursor: &mut Cursor<'_>, inside: &str) -> Result<Vec<Column>, SyntaxError> {
    cursor.expect_symbol('(', inside)?;
    let mut columns = Vec::new();
    loop {
        let name = cursor.identifier("column specification")?;
        let ty = parse_type(cursor)?;
        let comment = cursor.comment()?;
        columns.push(Column { name, ty, comment });
        if !cursor.eat_symbol(',') {
            break;
        }
    }
    cursor.expect_symbol(')', inside)?;
    Ok(columns)
}

fn buckets(cursor: &mut Cursor<'_>) -> Result<Option<Buckets>, SyntaxError> {
    const INSIDE: &str = "table bucket specification";
    if !cursor.eat_word("CLUSTERED") {
        return Ok(None);
    }
    cursor.expect_word("BY", INSIDE)?;
    cursor.expect_symbol('(', INSIDE)?;
    let mut columns = vec![cursor.identifier(INSIDE)?];
    while cursor.eat_symbol(',') {
        columns.push(cursor.identifier(INSIDE)?);
    }
    cursor.expect_symbol(')', INSIDE)?;
    cursor.expect_word("INTO", INSIDE)?;
    let count = cursor.number(INSIDE)?;
    cursor.expect_word("BUCKETS", INSIDE)?;
    let count = u32::try_from(count)
        .ok()
        .filter(|&count| count > 0)
        .ok_or_else(|| cursor.semantic("Bucket count must be greater than zero".to_owned()))?;
    Ok(Some(Buckets { columns, count }))
}

/// Athena also takes the SerDe's properties after STORED AS.
fn serde_properties(cursor: &mut Cursor<'_>, row_format: &mut Option<RowFormat>) -> Result<(), SyntaxError> {
    if !matches!(row_format, None | Some(RowFormat::SerDe { .. })) || !cursor.eat_word("WITH") {
        return Ok(());
    }
    cursor.expect_word("SERDEPROPERTIES", "serde properties")?;
    let more = cursor.properties("serde properties")?;
    match row_format {
        Some(RowFormat::SerDe { properties, .. }) => properties.extend(more),
        _ => *row_format = Some(RowFormat::SerDe { class: None, properties: more }),
    }
    Ok(())
}
