//! Hive's types as Glue stores them: `array<struct<a:int,b:varchar(10)>>` to a tree and back.
//!
//! `Display` prints the canonical form: lower case, no spaces, `int` for `integer`. Names of struct fields keep
//! their case, as the catalog does; who compares them ignores it.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/data-types.html>

use std::fmt;
use std::str::FromStr;

use crate::ddl::cursor::Cursor;
use crate::error::SyntaxError;
use crate::limits::TYPE_DEPTH_MAX;
use crate::quote::hive_identifier;

/// A column's type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HiveType {
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    /// `precision` 1–38, `scale` 0–precision.
    Decimal {
        precision: u8,
        scale: u8,
    },
    String,
    /// 1–255 characters, padded with spaces.
    Char(u32),
    /// 1–65535 characters.
    Varchar(u32),
    Binary,
    Date,
    Timestamp,
    Array(Box<HiveType>),
    Map(Box<HiveType>, Box<HiveType>),
    Struct(Vec<Field>),
}

/// One field of a struct.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    pub name: String,
    pub ty: HiveType,
    pub comment: Option<String>,
}

impl FromStr for HiveType {
    type Err = SyntaxError;

    /// Reads the type of a catalog's column.
    ///
    /// # Errors
    /// [`SyntaxError::Hive`] with a place inside `text`.
    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::new(text)?;
        let ty = parse_type(&mut cursor)?;
        cursor.end()?;
        Ok(ty)
    }
}

/// Reads a type where a column definition has one.
pub(crate) fn parse_type(cursor: &mut Cursor<'_>) -> Result<HiveType, SyntaxError> {
    parse_nested(cursor, 0)
}

fn parse_nested(cursor: &mut Cursor<'_>, depth: usize) -> Result<HiveType, SyntaxError> {
    if depth >= TYPE_DEPTH_MAX {
        return Err(cursor.semantic(format!("types are nested deeper than {TYPE_DEPTH_MAX} levels")));
    }
    let Some(name) = cursor.peek_word() else {
        return Err(cursor.no_viable("column type"));
    };
    let simple = match name.as_str() {
        "BOOLEAN" => HiveType::Boolean,
        "TINYINT" => HiveType::TinyInt,
        "SMALLINT" => HiveType::SmallInt,
        "INT" | "INTEGER" => HiveType::Int,
        "BIGINT" => HiveType::BigInt,
        "FLOAT" => HiveType::Float,
        "DOUBLE" => {
            cursor.advance();
            cursor.eat_word("PRECISION");
            return Ok(HiveType::Double);
        }
        "STRING" => HiveType::String,
        "BINARY" => HiveType::Binary,
        "DATE" => HiveType::Date,
        "TIMESTAMP" => HiveType::Timestamp,
        "DECIMAL" | "DEC" | "NUMERIC" => return decimal(cursor),
        "CHAR" => return Ok(HiveType::Char(length(cursor, "char", 255)?)),
        "VARCHAR" => return Ok(HiveType::Varchar(length(cursor, "varchar", 65_535)?)),
        "ARRAY" => {
            cursor.advance();
            cursor.expect_symbol('<', "list type")?;
            let item = parse_nested(cursor, depth + 1)?;
            cursor.expect_symbol('>', "list type")?;
            return Ok(HiveType::Array(Box::new(item)));
        }
        "MAP" => {
            cursor.advance();
            cursor.expect_symbol('<', "map type")?;
            let key = parse_nested(cursor, depth + 1)?;
            cursor.expect_symbol(',', "map type")?;
            let value = parse_nested(cursor, depth + 1)?;
            cursor.expect_symbol('>', "map type")?;
            return Ok(HiveType::Map(Box::new(key), Box::new(value)));
        }
        "STRUCT" => return structure(cursor, depth),
        _ => return Err(cursor.no_viable("column type")),
    };
    cursor.advance();
    Ok(simple)
}

fn structure(cursor: &mut Cursor<'_>, depth: usize) -> Result<HiveType, SyntaxError> {
    cursor.advance();
    cursor.expect_symbol('<', "struct type")?;
    let mut fields = Vec::new();
    loop {
        let name = cursor.field_name()?;
        cursor.expect_symbol(':', "struct type")?;
        let ty = parse_nested(cursor, depth + 1)?;
        let comment = cursor.comment()?;
        fields.push(Field { name, ty, comment });
        if !cursor.eat_symbol(',') {
            break;
        }
    }
    cursor.expect_symbol('>', "struct type")?;
    Ok(HiveType::Struct(fields))
}

/// `decimal`, `decimal(10)`, `decimal(10,2)`; Hive's defaults are precision 10 and scale 0.
fn decimal(cursor: &mut Cursor<'_>) -> Result<HiveType, SyntaxError> {
    cursor.advance();
    if !cursor.eat_symbol('(') {
        return Ok(HiveType::Decimal { precision: 10, scale: 0 });
    }
    let precision = cursor.number("primitive type specification")?;
    let scale = if cursor.eat_symbol(',') { cursor.number("primitive type specification")? } else { 0 };
    cursor.expect_symbol(')', "primitive type specification")?;
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => {
            Ok(HiveType::Decimal { precision, scale })
        }
        (Ok(1..=38), _) => {
            Err(cursor.semantic("Decimal scale must be less than or equal to precision".to_owned()))
        }
        _ => Err(cursor.semantic("Decimal precision out of allowed range [1,38]".to_owned())),
    }
}

fn length(cursor: &mut Cursor<'_>, name: &str, max: u32) -> Result<u32, SyntaxError> {
    cursor.advance();
    cursor.expect_symbol('(', "primitive type specification")?;
    let length = cursor.number("primitive type specification")?;
    cursor.expect_symbol(')', "primitive type specification")?;
    u32::try_from(length)
        .ok()
        .filter(|length| (1..=max).contains(length))
        .ok_or_else(|| cursor.semantic(format!("{name} length {length} out of allowed range [1, {max}]")))
}

impl fmt::Display for HiveType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::Varchar(length) => write!(f, "varchar({length})"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Array(item) => write!(f, "array<{item}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{}", FieldName(&field.name), field.ty)?;
                }
                f.write_str(">")
            }
        }
    }
}

/// A field's name, quoted only where [`Cursor::field_name`] would not read it back: catalogs hold
/// `struct<a:int>` and even `struct<_id:string>`.
struct FieldName<'a>(&'a str);

impl fmt::Display for FieldName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.$".contains(c);
        let is_comment = self.0.contains("--");
        if !self.0.is_empty() && self.0.chars().all(plain) && !is_comment {
            f.write_str(self.0)
        } else {
            f.write_str(&hive_identifier(self.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn canonical_form() {
        for (text, expect) in [
            ("INT", "int"),
            ("integer", "int"),
            ("Double Precision", "double"),
            ("decimal", "decimal(10,0)"),
            ("DECIMAL( 38 , 9 )", "decimal(38,9)"),
            ("dec(5)", "decimal(5,0)"),
            ("varchar(65535)", "varchar(65535)"),
            ("char(1)", "char(1)"),
            ("array< map<string , array<int>>>", "array<map<string,array<int>>>"),
            ("struct<userId:string, `in`:int COMMENT 'x'>", "struct<userId:string,in:int>"),
            (
                "struct<`a b`:int,_id:int,x-y.z:int,$oid:string>",
                "struct<`a b`:int,_id:int,x-y.z:int,$oid:string>",
            ),
            ("struct<timestamp:timestamp,2b:date>", "struct<timestamp:timestamp,2b:date>"),
        ] {
            let shown = text.parse::<HiveType>().map_or_else(|err| err.to_string(), |ty| ty.to_string());
            assert_eq!(shown, expect, "{text}");
        }
    }

    #[test]
    fn refusals_say_where() {
        for (text, expect) in [
            (
                "strin",
                "FAILED: ParseException line 1:0 cannot recognize input near 'strin' '<EOF>' '<EOF>' in column type",
            ),
            (
                "map",
                "FAILED: ParseException line 1:3 mismatched input '<EOF>' expecting < near 'map' in map type",
            ),
            (
                "array<int",
                "FAILED: ParseException line 1:9 mismatched input '<EOF>' expecting > near 'int' in list type",
            ),
            (
                "struct<a int>",
                "FAILED: ParseException line 1:9 mismatched input 'int' expecting : near 'a' in struct type",
            ),
            ("int int", "FAILED: ParseException line 1:4 extraneous input 'int' expecting EOF near '<EOF>'"),
            ("varchar(0)", "FAILED: SemanticException varchar length 0 out of allowed range [1, 65535]"),
            ("char(256)", "FAILED: SemanticException char length 256 out of allowed range [1, 255]"),
            ("decimal(39,0)", "FAILED: SemanticException Decimal precision out of allowed range [1,38]"),
            (
                "decimal(3,4)",
                "FAILED: SemanticException Decimal scale must be less than or equal to precision",
            ),
        ] {
            assert_eq!(text.parse::<HiveType>().unwrap_err().to_string(), expect, "{text}");
        }
        let deep = "array<".repeat(100_000);
        assert!(deep.parse::<HiveType>().unwrap_err().to_string().contains("nested deeper"));
    }

    fn any_type() -> impl Strategy<Value = HiveType> {
        let leaf = prop_oneof![
            Just(HiveType::Int),
            Just(HiveType::String),
            Just(HiveType::Timestamp),
            (1u8..=38)
                .prop_flat_map(|p| (Just(p), 0..=p))
                .prop_map(|(precision, scale)| HiveType::Decimal { precision, scale }),
            (1u32..=255).prop_map(HiveType::Char),
            (1u32..=65_535).prop_map(HiveType::Varchar),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|ty| HiveType::Array(Box::new(ty))),
                (inner.clone(), inner.clone()).prop_map(|(k, v)| HiveType::Map(Box::new(k), Box::new(v))),
                prop::collection::vec(("[ -~]{1,8}", inner), 1..4).prop_map(|fields| HiveType::Struct(
                    fields.into_iter().map(|(name, ty)| Field { name, ty, comment: None }).collect()
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(ty in any_type()) {
            prop_assert_eq!(ty.to_string().parse::<HiveType>().unwrap(), ty);
        }
    }
}
