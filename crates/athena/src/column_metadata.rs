//! The `.metadata` object beside a result: its columns, as protobuf.
//!
//! ```text
//!  1: execution id
//!  4: one per column { 1 catalog, 2 schema, 3 table, 4 name, 5 label, 6 type, 7 precision, 8 scale, 9 nullable, 10 case sensitive }
//! ```
//!
//! AWS documents no format; this one is read from objects that Athena wrote. Encoding:
//! <https://protobuf.dev/programming-guides/encoding/>

use ports::ResultColumn;
use serde_json::{Value, json};

const CATALOG: &str = "hive";

/// Nullability is not known.
const UNKNOWN: u64 = 3;

const VARINT: u64 = 0;
const BYTES: u64 = 2;

/// The object's content.
pub(crate) fn encode(execution_id: &str, columns: &[ResultColumn]) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, execution_id.as_bytes());
    for column in columns {
        let mut one = Vec::new();
        let texts = [CATALOG, "", "", &column.name, &column.name, &column.type_name];
        for (field, text) in (1..).zip(texts) {
            bytes(&mut one, field, text.as_bytes());
        }
        let case_sensitive = u64::from(is_case_sensitive(&column.type_name));
        let numbers = [u64::from(column.precision), u64::from(column.scale), UNKNOWN, case_sensitive];
        for (field, number) in (7..).zip(numbers) {
            varint(&mut one, field << 3 | VARINT);
            varint(&mut one, number);
        }
        bytes(&mut out, 4, &one);
    }
    out
}

/// The columns in an object's content; none if it is not of this format.
pub(crate) fn decode(content: &[u8]) -> Option<Vec<ResultColumn>> {
    let mut columns = Vec::new();
    for field in fields(content) {
        let (number, value) = field?;
        if let (4, Field::Bytes(column)) = (number, value) {
            columns.push(decode_column(column)?);
        }
    }
    Some(columns)
}

/// ColumnInfo.
pub(crate) fn shape(column: &ResultColumn) -> Value {
    json!({
        "CatalogName": CATALOG,
        "SchemaName": "",
        "TableName": "",
        "Name": column.name,
        "Label": column.name,
        "Type": column.type_name,
        "Precision": column.precision,
        "Scale": column.scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": is_case_sensitive(&column.type_name),
    })
}

fn is_case_sensitive(type_name: &str) -> bool {
    matches!(type_name, "varchar" | "char")
}

fn decode_column(content: &[u8]) -> Option<ResultColumn> {
    let mut column = ResultColumn { name: String::new(), type_name: String::new(), precision: 0, scale: 0 };
    for field in fields(content) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match field? {
            (4, Field::Bytes(name)) => column.name = text(name),
            (6, Field::Bytes(type_name)) => column.type_name = text(type_name),
            (7, Field::Number(precision)) => column.precision = u32::try_from(precision).ok()?,
            (8, Field::Number(scale)) => column.scale = u32::try_from(scale).ok()?,
            _ => {}
        }
    }
    Some(column)
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn bytes(out: &mut Vec<u8>, field: u64, content: &[u8]) {
    varint(out, field << 3 | BYTES);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Field numbers and values; a none says that the content is broken, and is the last.
fn fields(content: &[u8]) -> impl Iterator<Item = Option<(u64, Field<'_>)>> {
    let mut rest = content;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = take_field(&mut rest);
        if field.is_none() {
            rest = &[];
        }
        Some(field)
    })
}

fn take_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let key = take_varint(rest)?;
    let field = match key & 7 {
        VARINT => Field::Number(take_varint(rest)?),
        BYTES => {
            let len = usize::try_from(take_varint(rest)?).ok()?;
            let (content, after) = rest.split_at_checked(len)?;
            *rest = after;
            Field::Bytes(content)
        }
        _ => return None,
    };
    Some((key >> 3, field))
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, type_name: &str, precision: u32, scale: u32) -> ResultColumn {
        ResultColumn { name: name.to_owned(), type_name: type_name.to_owned(), precision, scale }
    }

    #[test]
    fn columns_survive_the_object_and_a_broken_one_is_refused() {
        let columns = vec![column("_col0", "varchar", 2_147_483_647, 0), column("é", "decimal", 38, 3)];
        let content = encode("id", &columns);
        assert_eq!(decode(&content).unwrap(), columns);
        assert!(decode(&content[..content.len() - 1]).is_none());
        assert!(decode(&[0xff; 11]).is_none());
        assert!(decode(&[]).unwrap().is_empty());
    }

    #[test]
    fn the_bytes_are_those_athena_writes() {
        let expect = b"\x0a\x01x\"\x29\x0a\x04hive\x12\x00\x1a\x00\"\x05_col0*\x05_col02\x07integer8\x0a@\x00H\x03P\x00";
        assert_eq!(encode("x", &[column("_col0", "integer", 10, 0)]), expect);
    }
}
