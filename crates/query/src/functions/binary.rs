//! Binary values as text and back.
//!
//! Source: <https://trino.io/docs/current/functions/binary.html>

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use datafusion::arrow::array::{ArrayRef, AsArray, BinaryArray, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::{Call, Function, Kind, always};
use crate::error::QueryError;

const BINARY: &[&[Kind]] = &[&[Kind::Binary]];
const TEXT: &[&[Kind]] = &[&[Kind::Text]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "to_utf8",
        accepts: TEXT,
        returns: always!(DataType::Binary),
        call: |call| from_text(call, |text| Ok(text.as_bytes().to_vec())),
    },
    Function {
        name: "from_utf8",
        accepts: BINARY,
        returns: always!(DataType::Utf8),
        call: |call| to_text(call, |bytes| String::from_utf8_lossy(bytes).into_owned()),
    },
    Function {
        name: "to_hex",
        accepts: BINARY,
        returns: always!(DataType::Utf8),
        call: |call| to_text(call, hex),
    },
    Function {
        name: "from_hex",
        accepts: TEXT,
        returns: always!(DataType::Binary),
        call: |call| from_text(call, unhex),
    },
    Function {
        name: "to_base64",
        accepts: BINARY,
        returns: always!(DataType::Utf8),
        call: |call| to_text(call, |bytes| BASE64.encode(bytes)),
    },
    Function {
        name: "from_base64",
        accepts: TEXT,
        returns: always!(DataType::Binary),
        call: |call| {
            from_text(call, |text| {
                BASE64.decode(text).map_err(|_| QueryError::argument(format!("Invalid base64 value: {text}")))
            })
        },
    },
];

fn to_text(call: &Call<'_>, show: fn(&[u8]) -> String) -> Result<ArrayRef> {
    let values = call.args[0].as_binary::<i32>();
    Ok(Arc::new(call.map::<_, StringArray>(|row| Ok(Some(show(values.value(row)))))?))
}

fn from_text(call: &Call<'_>, read: fn(&str) -> Result<Vec<u8>, QueryError>) -> Result<ArrayRef> {
    let texts = call.args[0].as_string::<i32>();
    Ok(Arc::new(call.map::<_, BinaryArray>(|row| Ok(Some(read(texts.value(row))?)))?))
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(out, "{byte:02X}").expect("writing to a string cannot fail");
    }
    out
}

fn unhex(text: &str) -> Result<Vec<u8>, QueryError> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    bytes.ok_or_else(|| QueryError::argument(format!("Invalid hexadecimal value: {text}")))
}
