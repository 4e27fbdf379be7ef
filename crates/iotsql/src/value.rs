//! The values of the language.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-data-types.html>
//!
//! Differs from AWS: a Decimal is a double, not 34 significant digits. Payloads with fractions go through
//! doubles on AWS as well; only a computation that needs more than 15 digits can tell the difference.

use crate::{SqlVersion, json};
use bytes::Bytes;

/// A value. Equality here is that of Rust; the `=` of the language is in `operators`.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Absent: left out of objects, and nothing at all when it stands alone.
    #[default]
    Undefined,
    Null,
    Bool(bool),
    /// At most 34 digits; [`Value::int`] keeps to it.
    Int(i128),
    /// Finite; [`Value::decimal`] keeps to it.
    Decimal(f64),
    String(String),
    Array(Vec<Value>),
    Object(Object),
    /// A payload that is not JSON.
    Bytes(Bytes),
}

/// Members in their order, each key once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object(Vec<(String, Value)>);

pub(crate) static UNDEFINED: Value = Value::Undefined;

const INT_MAX: i128 = 10_i128.pow(34) - 1;

impl Value {
    /// The value of a JSON text, or `None` if it is not JSON.
    pub fn from_json(text: &[u8]) -> Option<Value> {
        json::parse(text).map(|document| document.value)
    }

    /// The value as minified JSON; nothing for Undefined, the bytes themselves for bytes.
    pub fn to_json(&self, version: SqlVersion) -> Vec<u8> {
        let mut out = Vec::new();
        json::write(self, version, &mut out);
        out
    }

    /// An Int, or the nearest Decimal if it has too many digits.
    pub(crate) fn int(value: i128) -> Value {
        if value.abs() <= INT_MAX { Value::Int(value) } else { Value::decimal(value as f64) }
    }

    /// A Decimal; Undefined if it is infinite or not a number.
    pub(crate) fn decimal(value: f64) -> Value {
        if value.is_finite() { Value::Decimal(value) } else { Value::Undefined }
    }

    /// The Int of a whole double; a Decimal if it has too many digits.
    pub(crate) fn whole(value: f64) -> Value {
        if value.abs() <= INT_MAX as f64 { Value::int(value as i128) } else { Value::decimal(value) }
    }

    pub(crate) fn text(value: impl Into<String>) -> Value {
        Value::String(value.into())
    }

    /// The text, or Undefined for none.
    pub(crate) fn text_or_undefined(value: Option<&str>) -> Value {
        value.map_or(Value::Undefined, Value::text)
    }

    /// The member `key` of an object; Undefined for everything else.
    pub(crate) fn member(&self, key: &str) -> &Value {
        match self {
            Value::Object(object) => object.get(key).unwrap_or(&UNDEFINED),
            _ => &UNDEFINED,
        }
    }

    pub(crate) fn into_member(self, key: &str) -> Value {
        match self {
            Value::Object(mut object) => object.remove(key).unwrap_or_default(),
            _ => Value::Undefined,
        }
    }

    /// About how many bytes the value occupies.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Value::String(text) => 8 + text.len(),
            Value::Array(elements) => 8 + elements.iter().map(Value::weight).sum::<usize>(),
            Value::Object(object) => {
                8 + object.iter().map(|(key, value)| key.len() + value.weight()).sum::<usize>()
            }
            Value::Bytes(bytes) => 8 + bytes.len(),
            Value::Undefined | Value::Null | Value::Bool(_) | Value::Int(_) | Value::Decimal(_) => 8,
        }
    }
}

impl Object {
    /// A key that comes twice keeps its first place and its last value; the second result says whether one did.
    pub(crate) fn from_members(members: Vec<(String, Value)>) -> (Object, bool) {
        if !has_duplicate_key(&members) {
            return (Object(members), false);
        }
        let mut places = std::collections::HashMap::new();
        let mut unique: Vec<(String, Value)> = Vec::with_capacity(members.len());
        for (key, value) in members {
            match places.get(&key) {
                Some(&place) => {
                    let (_, old): &mut (String, Value) = &mut unique[place];
                    *old = value;
                }
                None => {
                    places.insert(key.clone(), unique.len());
                    unique.push((key, value));
                }
            }
        }
        (Object(unique), true)
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Sets `key`, in its place if it has one.
    pub fn insert(&mut self, key: String, value: Value) {
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(place).1)
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Compares each with each while that is quick, and sorts when it is not.
fn has_duplicate_key(members: &[(String, Value)]) -> bool {
    if members.len() <= 16 {
        return members
            .iter()
            .enumerate()
            .any(|(n, (key, _))| members.iter().take(n).any(|(other, _)| other == key));
    }
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair.first() == pair.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_their_range_change_type() {
        assert_eq!(Value::int(INT_MAX), Value::Int(INT_MAX));
        assert_eq!(Value::int(INT_MAX + 1), Value::Decimal(1e34));
        assert_eq!(Value::decimal(f64::NAN), Value::Undefined);
        assert_eq!(Value::whole(1e300), Value::Decimal(1e300));
    }

    #[test]
    fn the_last_of_equal_keys_wins_in_small_and_large_objects() {
        for n in [2, 40] {
            let members = (0..n).map(|i| (format!("k{}", i % (n - 1)), Value::Int(i))).collect();
            let (object, duplicate) = Object::from_members(members);
            assert!(duplicate);
            assert_eq!(object.len() as i128, n - 1);
            assert_eq!(object.iter().next(), Some(("k0", &Value::Int(n - 1))));
        }
    }
}
