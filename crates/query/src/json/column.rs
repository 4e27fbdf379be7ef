//! A column being filled from JSON values: Arrow's layout in vectors, which unlike Arrow's builders can be cut back
//! to an earlier length.

use std::collections::HashSet;
use std::sync::Arc;

use athena_sql::HiveType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use datafusion::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, ListArray, MapArray, PrimitiveArray, StringArray,
    StructArray,
};
use datafusion::arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMillisecondType,
};
use datafusion::arrow::error::ArrowError;

use super::cursor::{Cursor, Scalar, unescape};
use super::value::{boolean, date, decimal, float, integer, timestamp};

/// A column being filled.
#[derive(Debug)]
pub(super) struct Column {
    valid: Vec<bool>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Bool(Vec<bool>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Decimal { values: Vec<i128>, precision: u8, scale: u8 },
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    Text { ends: Vec<i32>, bytes: Vec<u8>, chars_max: usize },
    Binary { ends: Vec<i32>, bytes: Vec<u8> },
    List { ends: Vec<i32>, item: Box<Column> },
    Map { ends: Vec<i32>, key: Box<Column>, value: Box<Column> },
    Struct { names: Vec<String>, fields: Vec<Column>, found: Vec<bool> },
}

fn last(ends: &[i32]) -> usize {
    ends.last().map_or(0, |end| usize::try_from(*end).expect("lengths are not negative"))
}

fn end_at(len: usize) -> Result<i32, &'static str> {
    i32::try_from(len).map_err(|_| "the values of a batch exceed 2 GiB")
}

impl Column {
    pub(super) fn new(ty: &HiveType) -> Self {
        let values = match ty {
            HiveType::Boolean => Values::Bool(Vec::new()),
            HiveType::TinyInt => Values::I8(Vec::new()),
            HiveType::SmallInt => Values::I16(Vec::new()),
            HiveType::Int => Values::I32(Vec::new()),
            HiveType::BigInt => Values::I64(Vec::new()),
            HiveType::Float => Values::F32(Vec::new()),
            HiveType::Double => Values::F64(Vec::new()),
            HiveType::Decimal { precision, scale } => {
                Values::Decimal { values: Vec::new(), precision: *precision, scale: *scale }
            }
            HiveType::String => text(usize::MAX),
            HiveType::Char(chars) | HiveType::Varchar(chars) => {
                text(usize::try_from(*chars).unwrap_or(usize::MAX))
            }
            HiveType::Binary => Values::Binary { ends: Vec::new(), bytes: Vec::new() },
            HiveType::Date => Values::Date(Vec::new()),
            HiveType::Timestamp => Values::Timestamp(Vec::new()),
            HiveType::Array(item) => Values::List { ends: Vec::new(), item: Box::new(Self::new(item)) },
            HiveType::Map(key, value) => Values::Map {
                ends: Vec::new(),
                key: Box::new(Self::new(key)),
                value: Box::new(Self::new(value)),
            },
            HiveType::Struct(fields) => Values::Struct {
                names: fields.iter().map(|field| field.name.to_lowercase()).collect(),
                fields: fields.iter().map(|field| Self::new(&field.ty)).collect(),
                found: vec![false; fields.len()],
            },
        };
        Self { valid: Vec::new(), values }
    }

    /// Adds the JSON value at the cursor. On an error the column may have grown; the caller cuts it back.
    pub(super) fn append(&mut self, cursor: &mut Cursor<'_>) -> Result<(), &'static str> {
        if cursor.peek() == Some(b'n') {
            cursor.literal(b"null")?;
            self.null();
            return Ok(());
        }
        match &mut self.values {
            Values::Text { ends, bytes, chars_max } => {
                let start = cursor.at;
                match cursor.peek() {
                    Some(b'"') => push_text(bytes, &unescape(cursor.string()?), *chars_max),
                    _ => {
                        cursor.skip_value(1)?;
                        let raw = cursor.bytes.get(start..cursor.at).unwrap_or_default();
                        push_text(bytes, &String::from_utf8_lossy(raw), *chars_max);
                    }
                }
                ends.push(end_at(bytes.len())?);
            }
            Values::List { ends, item } => {
                cursor.elements(|cursor| item.append(cursor))?;
                ends.push(end_at(item.valid.len())?);
            }
            Values::Map { ends, key, value } => {
                let mut seen = HashSet::new();
                cursor.members(|cursor, name| {
                    if !seen.insert(name) {
                        return cursor.skip_value(1);
                    }
                    key.append_scalar(&Scalar::Text(name))?;
                    value.append(cursor)
                })?;
                ends.push(end_at(key.valid.len())?);
            }
            Values::Struct { names, fields, found } => {
                found.fill(false);
                cursor.members(|cursor, name| {
                    let name = unescape(name);
                    let idx = names.iter().position(|field| {
                        field.len() == name.len() && name.eq_ignore_ascii_case(field)
                            || *field == name.to_lowercase()
                    });
                    match idx {
                        Some(idx) if !found.get(idx).copied().unwrap_or(true) => {
                            found[idx] = true;
                            fields[idx].append(cursor)
                        }
                        _ => cursor.skip_value(1),
                    }
                })?;
                for (field, found) in fields.iter_mut().zip(found.iter()) {
                    if !found {
                        field.null();
                    }
                }
            }
            _ => return self.append_scalar(&cursor.scalar()?),
        }
        self.valid.push(true);
        Ok(())
    }

    fn append_scalar(&mut self, scalar: &Scalar<'_>) -> Result<(), &'static str> {
        let valid = match &mut self.values {
            Values::Bool(values) => push(values, boolean(scalar)?),
            Values::I8(values) => push(values, integer(scalar)?),
            Values::I16(values) => push(values, integer(scalar)?),
            Values::I32(values) => push(values, integer(scalar)?),
            Values::I64(values) => push(values, integer(scalar)?),
            Values::F32(values) => push(values, float(scalar)?),
            Values::F64(values) => push(values, float(scalar)?),
            Values::Decimal { values, precision, scale } => {
                push(values, decimal(scalar, *precision, *scale)?)
            }
            Values::Date(values) => push(values, date(scalar)?),
            Values::Timestamp(values) => push(values, timestamp(scalar)?),
            Values::Text { ends, bytes, chars_max } => {
                match scalar {
                    Scalar::Text(raw) => push_text(bytes, &unescape(raw), *chars_max),
                    Scalar::Number(raw) => push_text(bytes, &String::from_utf8_lossy(raw), *chars_max),
                    Scalar::Bool(value) => {
                        push_text(bytes, if *value { "true" } else { "false" }, *chars_max)
                    }
                }
                ends.push(end_at(bytes.len())?);
                true
            }
            Values::Binary { ends, bytes } => {
                let Scalar::Text(raw) = scalar else { return Err("expected a string in base64") };
                BASE64
                    .decode_vec(unescape(raw).as_bytes(), bytes)
                    .map_err(|_| "expected a string in base64")?;
                ends.push(end_at(bytes.len())?);
                true
            }
            Values::List { .. } | Values::Map { .. } | Values::Struct { .. } => {
                return Err("expected an object or an array");
            }
        };
        self.valid.push(valid);
        Ok(())
    }

    pub(super) fn null(&mut self) {
        self.valid.push(false);
        match &mut self.values {
            Values::Bool(values) => values.push(false),
            Values::I8(values) => values.push(0),
            Values::I16(values) => values.push(0),
            Values::I32(values) | Values::Date(values) => values.push(0),
            Values::I64(values) | Values::Timestamp(values) => values.push(0),
            Values::F32(values) => values.push(0.0),
            Values::F64(values) => values.push(0.0),
            Values::Decimal { values, .. } => values.push(0),
            Values::Text { ends, .. }
            | Values::Binary { ends, .. }
            | Values::List { ends, .. }
            | Values::Map { ends, .. } => ends.push(ends.last().copied().unwrap_or(0)),
            Values::Struct { fields, .. } => fields.iter_mut().for_each(Column::null),
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.valid.truncate(rows);
        match &mut self.values {
            Values::Bool(values) => values.truncate(rows),
            Values::I8(values) => values.truncate(rows),
            Values::I16(values) => values.truncate(rows),
            Values::I32(values) | Values::Date(values) => values.truncate(rows),
            Values::I64(values) | Values::Timestamp(values) => values.truncate(rows),
            Values::F32(values) => values.truncate(rows),
            Values::F64(values) => values.truncate(rows),
            Values::Decimal { values, .. } => values.truncate(rows),
            Values::Text { ends, bytes, .. } | Values::Binary { ends, bytes } => {
                ends.truncate(rows);
                bytes.truncate(last(ends));
            }
            Values::List { ends, item } => {
                ends.truncate(rows);
                item.truncate(last(ends));
            }
            Values::Map { ends, key, value } => {
                ends.truncate(rows);
                key.truncate(last(ends));
                value.truncate(last(ends));
            }
            Values::Struct { fields, .. } => fields.iter_mut().for_each(|field| field.truncate(rows)),
        }
    }

    /// The column's content; an empty column of the same type stays.
    pub(super) fn take(&mut self) -> Self {
        let values = match &mut self.values {
            Values::Bool(values) => Values::Bool(std::mem::take(values)),
            Values::I8(values) => Values::I8(std::mem::take(values)),
            Values::I16(values) => Values::I16(std::mem::take(values)),
            Values::I32(values) => Values::I32(std::mem::take(values)),
            Values::I64(values) => Values::I64(std::mem::take(values)),
            Values::F32(values) => Values::F32(std::mem::take(values)),
            Values::F64(values) => Values::F64(std::mem::take(values)),
            Values::Decimal { values, precision, scale } => {
                Values::Decimal { values: std::mem::take(values), precision: *precision, scale: *scale }
            }
            Values::Date(values) => Values::Date(std::mem::take(values)),
            Values::Timestamp(values) => Values::Timestamp(std::mem::take(values)),
            Values::Text { ends, bytes, chars_max } => Values::Text {
                ends: std::mem::take(ends),
                bytes: std::mem::take(bytes),
                chars_max: *chars_max,
            },
            Values::Binary { ends, bytes } => {
                Values::Binary { ends: std::mem::take(ends), bytes: std::mem::take(bytes) }
            }
            Values::List { ends, item } => {
                Values::List { ends: std::mem::take(ends), item: Box::new(item.take()) }
            }
            Values::Map { ends, key, value } => Values::Map {
                ends: std::mem::take(ends),
                key: Box::new(key.take()),
                value: Box::new(value.take()),
            },
            Values::Struct { names, fields, found } => Values::Struct {
                names: names.clone(),
                fields: fields.iter_mut().map(Self::take).collect(),
                found: found.clone(),
            },
        };
        Self { valid: std::mem::take(&mut self.valid), values }
    }

    pub(super) fn into_array(self, ty: &DataType) -> Result<ArrayRef, ArrowError> {
        let rows = self.valid.len();
        let nulls = Some(NullBuffer::from(self.valid)).filter(|nulls| nulls.null_count() > 0);
        Ok(match self.values {
            Values::Bool(values) => Arc::new(BooleanArray::new(values.into(), nulls)),
            Values::I8(values) => Arc::new(PrimitiveArray::<Int8Type>::new(values.into(), nulls)),
            Values::I16(values) => Arc::new(PrimitiveArray::<Int16Type>::new(values.into(), nulls)),
            Values::I32(values) => Arc::new(PrimitiveArray::<Int32Type>::new(values.into(), nulls)),
            Values::I64(values) => Arc::new(PrimitiveArray::<Int64Type>::new(values.into(), nulls)),
            Values::F32(values) => Arc::new(PrimitiveArray::<Float32Type>::new(values.into(), nulls)),
            Values::F64(values) => Arc::new(PrimitiveArray::<Float64Type>::new(values.into(), nulls)),
            Values::Date(values) => Arc::new(PrimitiveArray::<Date32Type>::new(values.into(), nulls)),
            Values::Timestamp(values) => {
                Arc::new(PrimitiveArray::<TimestampMillisecondType>::new(values.into(), nulls))
            }
            Values::Decimal { values, precision, scale } => {
                let scale = i8::try_from(scale).expect("a scale is at most 38");
                Arc::new(
                    Decimal128Array::new(values.into(), nulls).with_precision_and_scale(precision, scale)?,
                )
            }
            Values::Text { ends, bytes, .. } => {
                Arc::new(StringArray::try_new(offsets(ends, rows), Buffer::from_vec(bytes), nulls)?)
            }
            Values::Binary { ends, bytes } => {
                Arc::new(BinaryArray::try_new(offsets(ends, rows), Buffer::from_vec(bytes), nulls)?)
            }
            Values::List { ends, item } => {
                let DataType::List(field) = ty else { return Err(mismatch(ty)) };
                let item = item.into_array(field.data_type())?;
                Arc::new(ListArray::try_new(Arc::clone(field), offsets(ends, rows), item, nulls)?)
            }
            Values::Map { ends, key, value } => {
                let DataType::Map(field, ordered) = ty else { return Err(mismatch(ty)) };
                let DataType::Struct(fields) = field.data_type() else { return Err(mismatch(ty)) };
                let [key_field, value_field] = fields.as_ref() else { return Err(mismatch(ty)) };
                let key = key.into_array(key_field.data_type())?;
                let value = value.into_array(value_field.data_type())?;
                let entries = StructArray::try_new(fields.clone(), vec![key, value], None)?;
                Arc::new(MapArray::try_new(Arc::clone(field), offsets(ends, rows), entries, nulls, *ordered)?)
            }
            Values::Struct { fields: columns, .. } => {
                let DataType::Struct(fields) = ty else { return Err(mismatch(ty)) };
                let arrays = columns
                    .into_iter()
                    .zip(fields)
                    .map(|(column, field)| column.into_array(field.data_type()))
                    .collect::<Result<Vec<_>, _>>()?;
                Arc::new(StructArray::try_new_with_length(fields.clone(), arrays, nulls, rows)?)
            }
        })
    }
}

fn text(chars_max: usize) -> Values {
    Values::Text { ends: Vec::new(), bytes: Vec::new(), chars_max }
}

fn mismatch(ty: &DataType) -> ArrowError {
    ArrowError::SchemaError(format!("a column was filled for another type than {ty}"))
}

fn offsets(ends: Vec<i32>, rows: usize) -> OffsetBuffer<i32> {
    let mut offsets = Vec::with_capacity(rows + 1);
    offsets.push(0);
    offsets.extend(ends);
    OffsetBuffer::new(ScalarBuffer::from(offsets))
}

fn push<T>(values: &mut Vec<T>, value: T) -> bool {
    values.push(value);
    true
}

fn push_text(bytes: &mut Vec<u8>, text: &str, chars_max: usize) {
    let text = match text.char_indices().nth(chars_max) {
        Some((end, _)) if chars_max < usize::MAX => text.split_at(end).0,
        _ => text,
    };
    bytes.extend_from_slice(text.as_bytes());
}
