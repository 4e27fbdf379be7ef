//! A catalog's table as something that can be scanned: its columns typed, its SerDe known, its partitions placed.
//!
//! What this engine reads is JSON lines; any other format is refused by name.
//!
//! Differs from AWS: views, Iceberg tables and partition projection are refused.

use std::sync::Arc;

use athena_sql::HiveType;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use ports::{Column, Partition, Table};

use crate::error::QueryError;
use crate::json::JsonColumn;
use crate::snapshot::Location;
use crate::types::arrow_type;

/// The SerDes whose tables can be read.
const JSON_SERDES: [&str; 2] =
    ["org.apache.hive.hcatalog.data.JsonSerDe", "org.openx.data.jsonserde.JsonSerDe"];

/// What Hive writes for a partition key that is NULL.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A table of JSON lines.
pub(crate) struct HiveTable {
    /// `database.table`.
    pub(crate) name: String,
    /// Columns, then partition keys.
    pub(crate) schema: SchemaRef,
    pub(crate) columns: Vec<JsonColumn>,
    /// Number of partition keys.
    pub(crate) keys: usize,
    /// At least one; a table without partition keys is one partition without values.
    pub(crate) partitions: Vec<HivePartition>,
    /// Leave bad lines out instead of failing.
    pub(crate) ignore_malformed: bool,
    /// `_` in a column's name stands for `.` in the key.
    pub(crate) dots_in_keys: bool,
}

/// A partition.
#[derive(Debug)]
pub(crate) struct HivePartition {
    pub(crate) values: Vec<ScalarValue>,
    pub(crate) location: Location,
}

impl HiveTable {
    /// # Errors
    /// `NOT_SUPPORTED` for what is not JSON lines, `HIVE_INVALID_METADATA` for types or locations that do not parse.
    pub(crate) fn new(table: &Table, partitions: &[Partition]) -> Result<Self, QueryError> {
        refuse_unread(table)?;
        let mut mapped: Vec<(String, String)> = Vec::new();
        let mut flags = (false, false);
        for (name, value) in &table.storage.serde_parameters {
            let name = name.to_lowercase();
            let on = value.eq_ignore_ascii_case("true");
            match name.as_str() {
                "ignore.malformed.json" => flags.0 = on,
                "dots.in.keys" => flags.1 = on,
                _ => {
                    if let Some(column) = name.strip_prefix("mapping.") {
                        mapped.push((column.to_owned(), value.to_lowercase()));
                    }
                }
            }
        }
        let mut columns = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            let name = column.name.to_lowercase();
            let key = mapped.iter().find(|(mapped, _)| *mapped == name).map_or(&name, |(_, key)| key).clone();
            columns.push(JsonColumn { ty: hive_type(table, column)?, name, key });
        }
        let mut fields: Vec<Field> =
            columns.iter().map(|column| Field::new(&column.name, arrow_type(&column.ty), true)).collect();
        for key in &table.partition_keys {
            fields.push(Field::new(key.name.to_lowercase(), arrow_type(&hive_type(table, key)?), true));
        }
        let keys = table.partition_keys.len();
        let key_types: Vec<DataType> =
            fields.iter().skip(columns.len()).map(|field| field.data_type().clone()).collect();
        let partitions = if keys == 0 {
            vec![HivePartition { values: Vec::new(), location: Location::parse(&table.storage.location)? }]
        } else {
            partitions
                .iter()
                .map(|partition| HivePartition::new(table, partition, &key_types))
                .collect::<Result<_, _>>()?
        };
        Ok(Self {
            name: format!("{}.{}", table.database, table.name),
            schema: Arc::new(Schema::new(fields)),
            columns,
            keys,
            partitions,
            ignore_malformed: flags.0,
            dots_in_keys: flags.1,
        })
    }

    /// Whether a column is a partition key.
    pub(crate) fn is_key(&self, name: &str) -> bool {
        self.schema.fields().iter().skip(self.columns.len()).any(|field| field.name() == name)
    }

    /// The partition keys alone.
    pub(crate) fn key_schema(&self) -> Schema {
        Schema::new(self.schema.fields().iter().skip(self.columns.len()).cloned().collect::<Vec<_>>())
    }
}

impl HivePartition {
    fn new(table: &Table, partition: &Partition, types: &[DataType]) -> Result<Self, QueryError> {
        if let Some(serde) = &partition.storage.serde {
            check_serde(serde)?;
        }
        let values = types.iter().zip(&partition.values).map(|(ty, text)| {
            if text == NULL_PARTITION {
                return ScalarValue::try_from(ty).ok();
            }
            ScalarValue::try_from_string(text.clone(), ty).ok().filter(|value| !value.is_null())
        });
        match values.collect::<Option<Vec<_>>>() {
            Some(values) if values.len() == types.len() => {
                Ok(Self { values, location: Location::parse(&partition.storage.location)? })
            }
            _ => {
                let sentence =
                    format!("Invalid partition value '{}' for {}", partition.values.join("/"), table.name);
                Err(QueryError::user("HIVE_INVALID_PARTITION_VALUE", sentence))
            }
        }
    }
}

fn hive_type(table: &Table, column: &Column) -> Result<HiveType, QueryError> {
    column.hive_type.parse().map_err(|_| {
        let sentence = format!(
            "Error: : expected a type but '{}' found, of column {} of {}.{}",
            column.hive_type, column.name, table.database, table.name
        );
        QueryError::user("HIVE_INVALID_METADATA", sentence)
    })
}

fn refuse_unread(table: &Table) -> Result<(), QueryError> {
    let parameter = |name: &str| {
        table
            .parameters
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let name = format!("{}.{}", table.database, table.name);
    if table.table_type.as_deref().is_some_and(|ty| ty.eq_ignore_ascii_case("VIRTUAL_VIEW")) {
        return Err(QueryError::not_supported(format!("Views are not supported: {name}")));
    }
    if parameter("table_type").is_some_and(|ty| ty.eq_ignore_ascii_case("ICEBERG")) {
        return Err(QueryError::not_supported(format!("Iceberg tables are not supported: {name}")));
    }
    if parameter("projection.enabled").is_some_and(|on| on.eq_ignore_ascii_case("true")) {
        return Err(QueryError::not_supported(format!("Partition projection is not supported: {name}")));
    }
    match &table.storage.serde {
        Some(serde) => check_serde(serde),
        None => {
            Err(QueryError::user("HIVE_UNSUPPORTED_FORMAT", format!("Unable to create input format: {name}")))
        }
    }
}

fn check_serde(serde: &str) -> Result<(), QueryError> {
    if JSON_SERDES.contains(&serde) {
        return Ok(());
    }
    Err(QueryError::not_supported(format!("SerDe is not supported: {serde}")))
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;
    use ports::Storage;

    use super::*;

    fn table(serde: Option<&str>) -> Table {
        Table {
            database: "db".to_owned(),
            name: "t".to_owned(),
            table_type: Some("EXTERNAL_TABLE".to_owned()),
            description: None,
            columns: vec![column("a", "int")],
            partition_keys: vec![],
            storage: Storage {
                location: "s3://b/t/".to_owned(),
                serde: serde.map(str::to_owned),
                ..Storage::default()
            },
            parameters: vec![],
            created_at: Timestamp::EPOCH,
        }
    }

    fn column(name: &str, ty: &str) -> Column {
        Column { name: name.to_owned(), hive_type: ty.to_owned(), comment: None }
    }

    fn refusal(table: &Table, partitions: &[Partition]) -> String {
        HiveTable::new(table, partitions).err().expect("is refused").to_string()
    }

    #[test]
    fn what_is_not_json_lines_is_refused_by_name() {
        let orc = table(Some("org.apache.hadoop.hive.ql.io.orc.OrcSerde"));
        assert_eq!(
            refusal(&orc, &[]),
            "NOT_SUPPORTED: SerDe is not supported: org.apache.hadoop.hive.ql.io.orc.OrcSerde"
        );
        assert!(refusal(&table(None), &[]).starts_with("HIVE_UNSUPPORTED_FORMAT"));
        let mut view = table(Some(JSON_SERDES[0]));
        view.table_type = Some("VIRTUAL_VIEW".to_owned());
        assert_eq!(refusal(&view, &[]), "NOT_SUPPORTED: Views are not supported: db.t");
        for (name, value) in [("table_type", "ICEBERG"), ("projection.enabled", "true")] {
            let mut table = table(Some(JSON_SERDES[0]));
            table.parameters = vec![(name.to_owned(), value.to_owned())];
            assert!(refusal(&table, &[]).starts_with("NOT_SUPPORTED"), "{name}");
        }
        let mut bad_type = table(Some(JSON_SERDES[1]));
        bad_type.columns = vec![column("a", "integre")];
        assert!(refusal(&bad_type, &[]).starts_with("HIVE_INVALID_METADATA"));
    }

    #[test]
    fn partition_values_have_the_types_of_their_keys() {
        let mut table = table(Some(JSON_SERDES[1]));
        table.partition_keys = vec![column("day", "date"), column("n", "int")];
        let partition = |day: &str, n: &str| Partition {
            values: vec![day.to_owned(), n.to_owned()],
            storage: Storage { location: "s3://b/t/x".to_owned(), ..Storage::default() },
        };
        let read =
            HiveTable::new(&table, &[partition("2017-08-26", "7"), partition(NULL_PARTITION, "8")]).unwrap();
        assert_eq!(
            read.partitions[0].values,
            [ScalarValue::Date32(Some(17_404)), ScalarValue::Int32(Some(7))]
        );
        assert_eq!(read.partitions[1].values[0], ScalarValue::Date32(None));
        assert!(read.is_key("day") && !read.is_key("a"));
        assert!(
            refusal(&table, &[partition("2017-08-26", "seven")]).starts_with("HIVE_INVALID_PARTITION_VALUE")
        );
    }
}
