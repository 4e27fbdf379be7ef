//! How a table's bytes become rows: ROW FORMAT and STORED AS, and the classes they stand for.
//!
//! [`Storage::of`] resolves both the way Hive does, so that a catalog can keep class names:
//!
//! | STORED AS | SerDe unless ROW FORMAT names one |
//! |---|---|
//! | nothing, TEXTFILE, SEQUENCEFILE | LazySimpleSerDe |
//! | PARQUET, ORC, AVRO, RCFILE, ION | the format's own |
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/create-table.html>

use crate::ddl::cursor::Cursor;
use crate::ddl::{CreateTable, Properties};
use crate::error::SyntaxError;

const LAZY_SIMPLE: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";

/// ROW FORMAT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowFormat {
    /// `class` is `None` for a WITH SERDEPROPERTIES that follows STORED AS without a ROW FORMAT.
    SerDe {
        class: Option<String>,
        properties: Properties,
    },
    Delimited(Delimiters),
}

/// ROW FORMAT DELIMITED: what is said of each delimiter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delimiters {
    pub fields: Option<String>,
    pub escape: Option<String>,
    pub collection_items: Option<String>,
    pub map_keys: Option<String>,
    pub lines: Option<String>,
    pub null: Option<String>,
}

/// STORED AS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredAs {
    Format(FileFormat),
    Classes { input: String, output: String },
}

/// A file format by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileFormat {
    TextFile,
    SequenceFile,
    RcFile,
    Orc,
    Parquet,
    Avro,
    Ion,
}

/// The classes and SerDe properties a catalog keeps of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    pub input_format: String,
    pub output_format: String,
    pub serde: String,
    pub serde_properties: Properties,
}

impl FileFormat {
    const ALL: [(&'static str, Self); 8] = [
        ("TEXTFILE", Self::TextFile),
        ("SEQUENCEFILE", Self::SequenceFile),
        ("RCFILE", Self::RcFile),
        ("ORC", Self::Orc),
        ("ORCFILE", Self::Orc),
        ("PARQUET", Self::Parquet),
        ("AVRO", Self::Avro),
        ("ION", Self::Ion),
    ];

    fn classes(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::TextFile => (
                "org.apache.hadoop.mapred.TextInputFormat",
                "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                LAZY_SIMPLE,
            ),
            Self::SequenceFile => (
                "org.apache.hadoop.mapred.SequenceFileInputFormat",
                "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
                LAZY_SIMPLE,
            ),
            Self::RcFile => (
                "org.apache.hadoop.hive.ql.io.RCFileInputFormat",
                "org.apache.hadoop.hive.ql.io.RCFileOutputFormat",
                "org.apache.hadoop.hive.serde2.columnar.LazyBinaryColumnarSerDe",
            ),
            Self::Orc => (
                "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
                "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
                "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
            ),
            Self::Parquet => (
                "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
                "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            ),
            Self::Avro => (
                "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
                "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
                "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
            ),
            Self::Ion => (
                "com.amazon.ionhiveserde.formats.IonInputFormat",
                "com.amazon.ionhiveserde.formats.IonOutputFormat",
                "com.amazon.ionhiveserde.IonHiveSerDe",
            ),
        }
    }
}

impl Storage {
    /// What the statement asks for, with Hive's defaults.
    pub fn of(table: &CreateTable) -> Self {
        let format = match &table.stored_as {
            Some(StoredAs::Format(format)) => *format,
            None | Some(StoredAs::Classes { .. }) => FileFormat::TextFile,
        };
        let (input, output, own_serde) = format.classes();
        let (input_format, output_format) = match &table.stored_as {
            Some(StoredAs::Classes { input, output }) => (input.clone(), output.clone()),
            _ => (input.to_owned(), output.to_owned()),
        };
        let (serde, mut serde_properties) = match &table.row_format {
            Some(RowFormat::SerDe { class, properties }) => {
                (class.clone().unwrap_or_else(|| own_serde.to_owned()), properties.clone())
            }
            Some(RowFormat::Delimited(delimiters)) => (LAZY_SIMPLE.to_owned(), delimiters.properties()),
            None => (own_serde.to_owned(), Properties::new()),
        };
        if !serde_properties.iter().any(|(key, _)| key == "serialization.format") {
            serde_properties.push(("serialization.format".to_owned(), "1".to_owned()));
        }
        Self { input_format, output_format, serde, serde_properties }
    }
}

impl Delimiters {
    /// As LazySimpleSerDe reads them.
    fn properties(&self) -> Properties {
        let named = [
            ("field.delim", &self.fields),
            ("serialization.format", &self.fields),
            ("escape.delim", &self.escape),
            // Spelled so in Hive since its first release.
            ("colelction.delim", &self.collection_items),
            ("mapkey.delim", &self.map_keys),
            ("line.delim", &self.lines),
            ("serialization.null.format", &self.null),
        ];
        named.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))).collect()
    }
}

/// `[ROW FORMAT …]`.
pub(super) fn row_format(cursor: &mut Cursor<'_>) -> Result<Option<RowFormat>, SyntaxError> {
    const INSIDE: &str = "row format specification";
    if !cursor.eat_word("ROW") {
        return Ok(None);
    }
    cursor.expect_word("FORMAT", INSIDE)?;
    if cursor.eat_word("SERDE") {
        let class = Some(cursor.string("serde format specification")?);
        let properties = if cursor.eat_word("WITH") {
            cursor.expect_word("SERDEPROPERTIES", "serde properties")?;
            cursor.properties("serde properties")?
        } else {
            Properties::new()
        };
        return Ok(Some(RowFormat::SerDe { class, properties }));
    }
    if !cursor.eat_word("DELIMITED") {
        return Err(cursor.no_viable(INSIDE));
    }
    delimiters(cursor).map(|delimiters| Some(RowFormat::Delimited(delimiters)))
}

fn delimiters(cursor: &mut Cursor<'_>) -> Result<Delimiters, SyntaxError> {
    let mut delimiters = Delimiters::default();
    if cursor.eat_word("FIELDS") {
        delimiters.fields = Some(terminated_by(cursor, "table row format's field separator")?);
        if cursor.eat_word("ESCAPED") {
            cursor.expect_word("BY", "table row format's field separator")?;
            delimiters.escape = Some(cursor.string("table row format's field separator")?);
        }
    }
    if cursor.eat_words(&["COLLECTION", "ITEMS"]) {
        delimiters.collection_items = Some(terminated_by(cursor, "table row format's column separator")?);
    }
    if cursor.eat_words(&["MAP", "KEYS"]) {
        delimiters.map_keys = Some(terminated_by(cursor, "table row format's map key separator")?);
    }
    if cursor.eat_word("LINES") {
        delimiters.lines = Some(terminated_by(cursor, "table row format's line separator")?);
    }
    if cursor.eat_word("NULL") {
        cursor.expect_word("DEFINED", "table row format's null specification")?;
        cursor.expect_word("AS", "table row format's null specification")?;
        delimiters.null = Some(cursor.string("table row format's null specification")?);
    }
    Ok(delimiters)
}

fn terminated_by(cursor: &mut Cursor<'_>, inside: &str) -> Result<String, SyntaxError> {
    cursor.expect_word("TERMINATED", inside)?;
    cursor.expect_word("BY", inside)?;
    cursor.string(inside)
}

/// `[STORED AS …]`.
pub(super) fn stored_as(cursor: &mut Cursor<'_>) -> Result<Option<StoredAs>, SyntaxError> {
    const INSIDE: &str = "table file format specification";
    if !cursor.eat_word("STORED") {
        return Ok(None);
    }
    cursor.expect_word("AS", INSIDE)?;
    if cursor.eat_word("INPUTFORMAT") {
        let input = cursor.string(INSIDE)?;
        cursor.expect_word("OUTPUTFORMAT", INSIDE)?;
        let output = cursor.string(INSIDE)?;
        return Ok(Some(StoredAs::Classes { input, output }));
    }
    let Some(name) = cursor.peek_word() else {
        return Err(cursor.no_viable(INSIDE));
    };
    let Some(&(_, format)) = FileFormat::ALL.iter().find(|(known, _)| *known == name) else {
        return Err(cursor.semantic(format!("Unrecognized file format in STORED AS clause: '{name}'")));
    };
    cursor.advance();
    Ok(Some(StoredAs::Format(format)))
}
