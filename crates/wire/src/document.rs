//! A value apart from any protocol: what CBOR and forms are read into, and what CBOR and XML are written from.
//!
//! JSON has no need of it: `serde_json` reads operations' inputs from the text and writes their outputs into it. Smithy calls the same thing
//! a document. A member's type decides how its value is read: a form knows only text, so that [`Document::Form`] becomes a number where the
//! operation asks for one.
//!
//! Types with a wire form of their own ([`crate::Blob`], [`crate::EpochSeconds`]) find out here that they are not in JSON: a document is not
//! human readable in serde's sense.

mod deserialize;
mod serialize;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kernel::Timestamp;
use serde_json::Value;

pub(crate) use serialize::to_document;

/// The name under which [`crate::EpochSeconds`] hands an instant to a document.
pub(crate) const INSTANT: &str = "$wire::EpochSeconds";

/// The name under which [`crate::Entries`] hands a map to a document.
pub(crate) const ENTRIES: &str = "$wire::Entries";

/// A value apart from any protocol.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Document {
    /// Nothing.
    Null,
    /// A flag.
    Bool(bool),
    /// A whole number of CBOR's range: -2^64 to 2^64 - 1.
    Int(i128),
    /// Any other number, NaN and the infinities among them.
    Float(f64),
    /// An instant: seconds since the epoch.
    Instant(f64),
    /// Text.
    Text(String),
    /// Text of a form: whatever the operation's type takes it for.
    Form(String),
    /// Bytes.
    Bytes(Bytes),
    /// A list.
    List(Vec<Self>),
    /// Members or entries, in the order they came in; names are distinct.
    Map(Vec<(String, Self)>),
    /// Entries of an answer's map, where XML writes them in another way than members.
    Entries(Vec<(String, Self)>),
}

impl Document {
    /// The same without the members that are null, which is how some clients say that there is none.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Members of a form, of which every leaf is text.
    pub(crate) fn from_form(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Form(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from_form).collect()),
            Value::Object(members) => {
                Self::Map(members.into_iter().map(|(name, value)| (name, Self::from_form(value))).collect())
            }
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(flag),
            Value::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
        }
    }
}

/// Seconds since the epoch of what a form writes: `2024-01-31T00:00:00Z`, or a number.
fn instant(text: &str) -> Option<f64> {
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp::from_millis(at.timestamp_millis()).as_epoch_seconds());
    }
    text.parse().ok().filter(|seconds: &f64| seconds.is_finite())
}

/// The text of a scalar in XML. Lists and maps have none.
pub(crate) fn scalar_text(document: &Document) -> Option<String> {
    Some(match document {
        Document::Bool(flag) => flag.to_string(),
        Document::Int(number) => number.to_string(),
        Document::Float(number) if number.is_nan() => "NaN".to_owned(),
        Document::Float(number) if number.is_infinite() => {
            if *number > 0.0 {
                "Infinity".to_owned()
            } else {
                "-Infinity".to_owned()
            }
        }
        // With a point in it, so that a reader sees that it may have had a fraction.
        Document::Float(number) => format!("{number:?}"),
        Document::Instant(seconds) => {
            let text = Timestamp::from_millis((seconds * 1000.0).round() as i64).to_iso8601();
            text.strip_suffix(".000Z").map_or(text.clone(), |whole| format!("{whole}Z"))
        }
        Document::Text(text) | Document::Form(text) => text.clone(),
        Document::Bytes(bytes) => STANDARD.encode(bytes),
        Document::Null | Document::List(_) | Document::Map(_) | Document::Entries(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::{Blob, EpochSeconds};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Thing {
        name: String,
        count: Option<u32>,
        ratio: Option<f64>,
        on: Option<bool>,
        at: Option<EpochSeconds>,
        data: Option<Blob>,
        kind: Option<Kind>,
        #[serde(default)]
        items: Vec<i64>,
        #[serde(default)]
        tags: BTreeMap<String, String>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    enum Kind {
        Small,
    }

    fn form(value: Value) -> Result<Thing, String> {
        Thing::deserialize(Document::from_form(value)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_forms_text_becomes_what_the_operation_asks_for() {
        let thing = form(json!({
            "Name": "5", "Count": "7", "Ratio": "-1.5e3", "On": "true", "At": "2024-01-31T00:00:00Z", "Data": "YWJj",
            "Kind": "SMALL", "Items": ["1", "2"],
        }));
        let thing = thing.unwrap();
        assert_eq!((thing.name.as_str(), thing.count, thing.ratio), ("5", Some(7), Some(-1500.0)));
        assert_eq!((thing.on, thing.kind, thing.items), (Some(true), Some(Kind::Small), vec![1, 2]));
        assert_eq!(thing.at, Some(EpochSeconds(Timestamp::from_millis(1_706_659_200_000))));
        assert_eq!(thing.data, Some(Blob(Bytes::from_static(b"abc"))));
        assert_eq!(form(json!({"Name": "a", "Items": ""})).unwrap().items, Vec::<i64>::new());
    }

    #[test]
    fn a_forms_text_that_is_nothing_of_the_kind_is_refused() {
        for (member, text) in [
            ("Count", "x"),
            ("Count", "-1"),
            ("Count", "4294967296"),
            ("Ratio", ""),
            ("On", "yes"),
            ("At", "yesterday"),
            ("Data", "*"),
            ("Kind", "LARGE"),
            ("Items", "1"),
        ] {
            assert!(form(json!({"Name": "a", member: text})).is_err(), "{member}={text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let thing = Thing {
            name: "ä".to_owned(),
            count: Some(u32::MAX),
            ratio: Some(0.1),
            on: Some(false),
            at: Some(EpochSeconds(Timestamp::from_millis(1_706_659_200_123))),
            data: Some(Blob(Bytes::from_static(&[0, 255]))),
            kind: Some(Kind::Small),
            items: vec![i64::MIN, i64::MAX],
            tags: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        };
        let document = to_document(&thing).unwrap();
        assert_eq!(Thing::deserialize(document).unwrap(), thing);
        // In JSON the same types have JSON's forms.
        let text = serde_json::to_value(&thing).unwrap();
        assert_eq!((&text["At"], &text["Data"]), (&json!(1_706_659_200.123), &json!("AP8=")));
        assert_eq!(serde_json::from_value::<Thing>(text).unwrap(), thing);
    }

    #[test]
    fn text_is_no_number_where_the_protocol_has_numbers() {
        let document = Document::Map(vec![
            ("Name".to_owned(), Document::Text("a".to_owned())),
            ("Count".to_owned(), Document::Text("7".to_owned())),
        ]);
        assert!(Thing::deserialize(document).is_err());
    }

    #[test]
    fn scalars_in_xml() {
        for (document, text) in [
            (Document::Float(1.0), "1.0"),
            (Document::Float(f64::NAN), "NaN"),
            (Document::Float(f64::NEG_INFINITY), "-Infinity"),
            (Document::Instant(1_706_659_200.0), "2024-01-31T00:00:00Z"),
            (Document::Instant(1_706_659_200.5), "2024-01-31T00:00:00.500Z"),
            (Document::Bytes(Bytes::from_static(b"abc")), "YWJj"),
        ] {
            assert_eq!(scalar_text(&document).unwrap(), text);
        }
    }
}
