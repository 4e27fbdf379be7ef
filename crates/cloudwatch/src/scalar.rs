//! Doubles as the protocols write them: numbers in JSON and CBOR, text in forms, and text for what JSON has no number for.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A double. `NaN` and the infinities are read, so that each operation can say what it thinks of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Double(pub(crate) f64);

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Number).map(Self)
    }
}

struct Number;

impl Visitor<'_> for Number {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        match text {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => text.trim().parse().map_err(|_| E::custom(format!("{text} is not a number"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn doubles_are_read_from_what_each_protocol_writes() {
        let double = |value| serde_json::from_value::<Double>(value).map(|double| double.0);
        assert_eq!(double(json!(1)).unwrap(), 1.0);
        assert_eq!(double(json!("-1.5e3")).unwrap(), -1500.0);
        assert!(double(json!("NaN")).unwrap().is_nan());
        assert_eq!(double(json!("-Infinity")).unwrap(), f64::NEG_INFINITY);
        assert!(double(json!("x")).is_err() && double(json!([])).is_err());
    }
}
