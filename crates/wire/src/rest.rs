//! The REST-JSON binding of an operation: which member travels in the path, the query, a header or the body.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::envelope::Fault;
use crate::query::pairs;

/// How many parameters of a query string are looked at: a head has at most 64 KiB of them, an operation a handful.
const QUERY_PAIRS_MAX: usize = 1000;

/// Method, path and the places of members.
#[derive(Clone, Copy, Debug)]
pub struct Http {
    /// `POST`.
    pub method: &'static str,
    /// `/rules/{ruleName}/enable`; a last label `{name+}` takes the rest of the path, slashes included.
    pub path: &'static str,
    /// Members in the query string.
    pub query: &'static [Param],
    /// Members in headers.
    pub headers: &'static [Param],
    /// What the body is.
    pub body: Body,
}

/// A member outside the body.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name on the wire.
    pub name: &'static str,
    /// The member's name.
    pub member: &'static str,
    /// How its text is read.
    pub kind: ParamKind,
}

/// How the text of a member is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// As it is.
    Text,
    /// A JSON number.
    Number,
    /// `true` or `false`.
    Bool,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A JSON object of the members that are nowhere else; may be empty.
    Members,
    /// The JSON value of this one member.
    Payload(&'static str),
    /// The bytes of this one member.
    Raw(&'static str),
}

impl Http {
    /// A binding whose members are in the path and the body.
    pub const fn new(method: &'static str, path: &'static str) -> Self {
        Self { method, path, query: &[], headers: &[], body: Body::Members }
    }

    /// With these members in the query string.
    #[must_use]
    pub const fn query(self, query: &'static [Param]) -> Self {
        Self { query, ..self }
    }

    /// With these members in headers.
    #[must_use]
    pub const fn headers(self, headers: &'static [Param]) -> Self {
        Self { headers, ..self }
    }

    /// With this body.
    #[must_use]
    pub const fn body(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// The path's labels, if method and path are this operation's. Labels are decoded after the split, so that an encoded slash
    /// stays inside its label.
    pub(crate) fn matches(&self, method: &str, path: &str) -> Option<Vec<(&'static str, String)>> {
        if method != self.method {
            return None;
        }
        let mut labels = Vec::new();
        let mut segments = path.trim_start_matches('/').split('/');
        for expected in self.path.trim_start_matches('/').split('/') {
            let Some(label) = expected.strip_prefix('{').and_then(|label| label.strip_suffix('}')) else {
                if segments.next()? != expected {
                    return None;
                }
                continue;
            };
            let text = match label.strip_suffix('+') {
                Some(_) => segments.by_ref().collect::<Vec<_>>().join("/"),
                None => segments.next()?.to_owned(),
            };
            if text.is_empty() {
                return None;
            }
            let text = percent_decode_str(&text).decode_utf8().ok()?.into_owned();
            labels.push((label.trim_end_matches('+'), text));
        }
        segments.next().is_none().then_some(labels)
    }

    /// All members in one JSON object.
    pub(crate) fn input(
        &self,
        labels: Vec<(&'static str, String)>,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Value, Fault> {
        let serialization = |message: String| Fault::new(400, "SerializationException", message);
        let mut members = Map::new();
        match self.body {
            Body::Members if body.is_empty() => {}
            Body::Members => match serde_json::from_slice(body) {
                Ok(Value::Object(object)) => members = object,
                Ok(_) => return Err(serialization("Start of structure expected.".to_owned())),
                Err(error) => return Err(serialization(error.to_string())),
            },
            Body::Payload(member) => {
                if !body.is_empty() {
                    let value =
                        serde_json::from_slice(body).map_err(|error| serialization(error.to_string()))?;
                    members.insert(member.to_owned(), value);
                }
            }
            Body::Raw(member) => {
                members.insert(member.to_owned(), Value::String(STANDARD.encode(body)));
            }
        }
        for (name, value) in labels {
            members.insert(name.to_owned(), Value::String(value));
        }
        let given: Vec<_> = pairs(parts.uri.query().unwrap_or_default()).take(QUERY_PAIRS_MAX).collect();
        for param in self.query {
            if let Some((_, text)) = given.iter().find(|(name, _)| name == param.name) {
                members.insert(param.member.to_owned(), param.read(text)?);
            }
        }
        for param in self.headers {
            if let Some(text) = parts.headers.get(param.name).and_then(|value| value.to_str().ok()) {
                members.insert(param.member.to_owned(), param.read(text)?);
            }
        }
        Ok(Value::Object(members))
    }
}

impl Param {
    /// A member whose name on the wire is its own, read as text.
    pub const fn text(name: &'static str) -> Self {
        Self { name, member: name, kind: ParamKind::Text }
    }

    /// A member whose name on the wire is its own, read as a number.
    pub const fn number(name: &'static str) -> Self {
        Self { name, member: name, kind: ParamKind::Number }
    }

    /// A member whose name on the wire is its own, read as a flag.
    pub const fn flag(name: &'static str) -> Self {
        Self { name, member: name, kind: ParamKind::Bool }
    }

    /// The same, under another member's name.
    #[must_use]
    pub const fn member(self, member: &'static str) -> Self {
        Self { member, ..self }
    }

    fn read(&self, text: &str) -> Result<Value, Fault> {
        let malformed =
            || Fault::new(400, "SerializationException", format!("{text} is not a value of {}.", self.name));
        match self.kind {
            ParamKind::Text => Ok(Value::String(text.to_owned())),
            ParamKind::Number => text.parse::<i64>().map(Value::from).map_err(|_| malformed()),
            ParamKind::Bool => text.parse::<bool>().map(Value::from).map_err(|_| malformed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_decoded_after_the_split() {
        let publish = Http::new("POST", "/topics/{topic}");
        assert_eq!(publish.matches("POST", "/topics/a%2Fb"), Some(vec![("topic", "a/b".to_owned())]));
        assert_eq!(publish.matches("POST", "/topics/a/b"), None);
        assert_eq!(publish.matches("GET", "/topics/a"), None);
        assert_eq!(publish.matches("POST", "/topics/"), None);
        let greedy = Http::new("GET", "/destinations/{arn+}");
        assert_eq!(greedy.matches("GET", "/destinations/a/b"), Some(vec![("arn", "a/b".to_owned())]));
        let enable = Http::new("POST", "/rules/{ruleName}/enable");
        assert!(enable.matches("POST", "/rules/r/enable").is_some());
        assert!(enable.matches("POST", "/rules/r/disable").is_none());
    }
}
