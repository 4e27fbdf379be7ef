//! Hive's types in Arrow, and Arrow's types in Athena's words.
//!
//! Strings are `Utf8`, timestamps are milliseconds without a zone (Athena's `timestamp` is `timestamp(3)`); a
//! timestamp with time zone is milliseconds with a zone.

use std::sync::Arc;

use athena_sql::HiveType;
use datafusion::arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use ports::ResultColumn;

/// Athena's `timestamp`.
pub(crate) const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

/// The zone of all of Athena's sessions, as Arrow writes it without a table of zones.
pub(crate) const UTC: &str = "+00:00";

/// Athena's `timestamp with time zone`.
pub(crate) fn timestamp_utc() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some(Arc::from(UTC)))
}

/// How values of a Hive type are held.
pub(crate) fn arrow_type(ty: &HiveType) -> DataType {
    match ty {
        HiveType::Boolean => DataType::Boolean,
        HiveType::TinyInt => DataType::Int8,
        HiveType::SmallInt => DataType::Int16,
        HiveType::Int => DataType::Int32,
        HiveType::BigInt => DataType::Int64,
        HiveType::Float => DataType::Float32,
        HiveType::Double => DataType::Float64,
        HiveType::Decimal { precision, scale } => {
            DataType::Decimal128(*precision, i8::try_from(*scale).expect("a scale is at most 38"))
        }
        HiveType::String | HiveType::Char(_) | HiveType::Varchar(_) => DataType::Utf8,
        HiveType::Binary => DataType::Binary,
        HiveType::Date => DataType::Date32,
        HiveType::Timestamp => TIMESTAMP,
        HiveType::Array(item) => DataType::List(Arc::new(Field::new_list_field(arrow_type(item), true))),
        HiveType::Map(key, value) => {
            let entries = Fields::from(vec![
                Field::new("key", arrow_type(key), false),
                Field::new("value", arrow_type(value), true),
            ]);
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
        }
        HiveType::Struct(fields) => DataType::Struct(
            fields
                .iter()
                .map(|field| Field::new(field.name.to_lowercase(), arrow_type(&field.ty), true))
                .collect(),
        ),
    }
}

/// A result's column as GetQueryResults describes it.
pub(crate) fn result_column(name: String, ty: &DataType) -> ResultColumn {
    let (type_name, precision, scale) = match ty {
        DataType::Boolean => ("boolean", 0, 0),
        DataType::Int8 => ("tinyint", 3, 0),
        DataType::Int16 | DataType::UInt8 => ("smallint", 5, 0),
        DataType::Int32 | DataType::UInt16 => ("integer", 10, 0),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => ("bigint", 19, 0),
        // What is `real` in the language is `float` in the description of a result.
        DataType::Float16 | DataType::Float32 => ("float", 17, 0),
        DataType::Float64 => ("double", 17, 0),
        DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal32(precision, scale) => {
            ("decimal", u32::from(*precision), u32::try_from(*scale).unwrap_or(0))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ("varchar", 2_147_483_647, 0),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            ("varbinary", 1_073_741_824, 0)
        }
        DataType::Date32 | DataType::Date64 => ("date", 0, 0),
        DataType::Time32(_) | DataType::Time64(_) => ("time", 3, 0),
        DataType::Timestamp(_, None) => ("timestamp", 3, 0),
        DataType::Timestamp(_, Some(_)) => ("timestamp with time zone", 3, 0),
        DataType::Duration(_) | DataType::Interval(_) => (display_name(ty), 0, 0),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => ("array", 0, 0),
        DataType::Map(..) => ("map", 0, 0),
        DataType::Struct(_) => ("row", 0, 0),
        _ => ("unknown", 0, 0),
    };
    ResultColumn { name, type_name: type_name.to_owned(), precision, scale }
}

fn display_name(ty: &DataType) -> &'static str {
    use datafusion::arrow::datatypes::IntervalUnit;
    match ty {
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month",
        _ => "interval day to second",
    }
}

/// A type as Trino writes it in errors and `typeof`: `timestamp(3)`, `array(integer)`.
pub(crate) fn trino_name(ty: &DataType) -> String {
    match ty {
        DataType::Null => "unknown".to_owned(),
        DataType::Float16 | DataType::Float32 => "real".to_owned(),
        DataType::Timestamp(..) => match ty {
            DataType::Timestamp(_, None) => "timestamp(3)".to_owned(),
            _ => "timestamp(3) with time zone".to_owned(),
        },
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("array({})", trino_name(item.data_type()))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                let inner: Vec<String> = fields.iter().map(|field| trino_name(field.data_type())).collect();
                format!("map({})", inner.join(", "))
            }
            _ => "map".to_owned(),
        },
        DataType::Struct(fields) => {
            let inner: Vec<String> = fields
                .iter()
                .map(|field| format!("{} {}", field.name(), trino_name(field.data_type())))
                .collect();
            format!("row({})", inner.join(", "))
        }
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("decimal({precision},{scale})")
        }
        other => result_column(String::new(), other).type_name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_is_described_as_a_float() {
        let column = result_column("x".to_owned(), &DataType::Float32);
        assert_eq!((column.type_name.as_str(), column.precision), ("float", 17));
    }

    #[test]
    fn hive_types_reach_athenas_names() {
        let check = |hive: &str, trino: &str| {
            let ty: HiveType = hive.parse().unwrap();
            assert_eq!(trino_name(&arrow_type(&ty)), trino, "{hive}");
        };
        check("int", "integer");
        check("string", "varchar");
        check("float", "real");
        check("timestamp", "timestamp(3)");
        check("decimal(10,2)", "decimal(10,2)");
        check("array<map<string,bigint>>", "array(map(varchar, bigint))");
        check("struct<A:int,b:array<date>>", "row(a integer, b array(date))");
    }
}
