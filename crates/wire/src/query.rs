//! The Query protocol: a form in, XML out.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::document::{Document, scalar_text};
use crate::envelope::Fault;
use crate::limits::FORM_PAIRS_MAX;

/// How deep `a.b.c` may nest: requests of AWS's own models stay below.
const DEPTH_MAX: usize = 16;

/// The pairs of a form or query string, decoded.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    text.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// Whether a query string names an action: the Query protocol without a form.
pub(crate) fn names_action(query: &str) -> bool {
    query.split('&').any(|pair| pair.starts_with("Action="))
}

/// What a request of the Query protocol asks for.
pub(crate) struct Form {
    pub(crate) action: Option<String>,
    pub(crate) version: Option<String>,
    members: Value,
}

impl Form {
    /// # Errors
    /// `MalformedInput` for more members than any request has.
    pub(crate) fn read(query: &str, body: &[u8]) -> Result<Self, Fault> {
        let body = String::from_utf8_lossy(body);
        let mut form = Self { action: None, version: None, members: Value::Object(Map::new()) };
        let given = pairs(query).filter(|(name, _)| !name.starts_with("X-Amz-"));
        for (count, (name, value)) in given.chain(pairs(&body)).enumerate() {
            if count == FORM_PAIRS_MAX {
                return Err(Fault::new(400, "MalformedInput", "The request has too many parameters."));
            }
            match name.as_str() {
                "Action" => form.action = form.action.or(Some(value)),
                "Version" => form.version = form.version.or(Some(value)),
                _ => {
                    let path: Vec<&str> = name.splitn(DEPTH_MAX + 1, '.').collect();
                    if path.len() <= DEPTH_MAX {
                        insert(&mut form.members, &path, &value);
                    }
                }
            }
        }
        Ok(form)
    }

    /// The members: `Tags.member.1.Key=a` becomes a list of one map with one member.
    pub(crate) fn into_document(self) -> Document {
        Document::from_form(lists(self.members))
    }
}

fn insert(at: &mut Value, path: &[&str], value: &str) {
    let Some((head, rest)) = path.split_first() else {
        *at = Value::String(value.to_owned());
        return;
    };
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    let members = at.as_object_mut().expect("it was made an object just now");
    insert(members.entry((*head).to_owned()).or_insert(Value::Null), rest, value);
}

/// Objects whose only keys are `member`, or whose keys are numbers, become arrays in the order of their numbers.
fn lists(value: Value) -> Value {
    let Value::Object(mut members) = value else { return value };
    if members.len() == 1
        && let Some(inner) = members.get_mut("member")
    {
        return lists(inner.take());
    }
    let numbers: Option<Vec<u32>> = members.keys().map(|name| name.parse().ok()).collect();
    match numbers {
        Some(numbers) if !numbers.is_empty() => {
            let mut items: Vec<(u32, Value)> =
                numbers.into_iter().zip(members.into_iter().map(|(_, item)| item)).collect();
            items.sort_by_key(|(n, _)| *n);
            Value::Array(items.into_iter().map(|(_, item)| lists(item)).collect())
        }
        _ => Value::Object(members.into_iter().map(|(name, value)| (name, lists(value))).collect()),
    }
}

/// The XML of a result. An operation without output has no element for it.
pub(crate) fn render(action: &str, namespace: &str, output: &Document, request_id: &str) -> String {
    let mut xml = format!("<{action}Response xmlns=\"{namespace}\">");
    element(&mut xml, &format!("{action}Result"), output);
    xml.push_str(&format!(
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    ));
    xml
}

/// The XML of an error.
pub(crate) fn render_fault(fault: &Fault, code: &str, namespace: &str, request_id: &str) -> String {
    let party = if fault.status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{party}</Type><Code>{}</Code>\
         <Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(code),
        escape(&fault.message),
    )
}

/// A map: [`crate::Entries`], or in JSON an object with this only member, whose items are objects of `key` and `value`.
const MAP: &str = "entry";

fn write(xml: &mut String, value: &Document) {
    match value {
        Document::List(items) => items.iter().for_each(|item| element(xml, "member", item)),
        Document::Map(members) => match members.as_slice() {
            [(name, Document::List(items))] if name == MAP => {
                items.iter().for_each(|item| element(xml, MAP, item));
            }
            members => members.iter().for_each(|(name, value)| element(xml, name, value)),
        },
        Document::Entries(entries) => {
            for (key, value) in entries {
                xml.push_str(&format!("<{MAP}><key>{}</key>", escape(key)));
                element(xml, "value", value);
                xml.push_str(&format!("</{MAP}>"));
            }
        }
        scalar => xml.push_str(&escape(&scalar_text(scalar).unwrap_or_default())),
    }
}

fn element(xml: &mut String, name: &str, value: &Document) {
    if value.is_null() {
        return;
    }
    xml.push_str(&format!("<{name}>"));
    write(xml, value);
    xml.push_str(&format!("</{name}>"));
}

/// Text with XML's special characters replaced; control characters XML 1.0 cannot carry become U+FFFD.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let special =
        |c: char| matches!(c, '<' | '>' | '&' | '"' | '\'') || (c < ' ' && !matches!(c, '\t' | '\n' | '\r'));
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if special(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::to_document;

    fn form(text: &str) -> Result<Form, Fault> {
        Form::read("", text.as_bytes())
    }

    #[test]
    fn members_and_numbers_become_lists() {
        let form = form("Action=X&Version=1&Tags.member.2.Key=b&Tags.member.1.Key=a+c&Name=n%2F").unwrap();
        assert_eq!((form.action.as_deref(), form.version.as_deref()), (Some("X"), Some("1")));
        let expected = json!({"Tags": [{"Key": "a c"}, {"Key": "b"}], "Name": "n/"});
        assert_eq!(form.into_document(), Document::from_form(expected));
    }

    #[test]
    fn a_form_is_bounded() {
        let members = |count: usize| (0..count).map(|n| format!("a{n}=&")).collect::<String>();
        assert!(form(&members(FORM_PAIRS_MAX)).is_ok());
        assert_eq!(form(&members(FORM_PAIRS_MAX + 1)).err().unwrap().code, "MalformedInput");
        // What is deeper than any request is not looked at.
        let deep = form(&format!("{}=1", "a.".repeat(100_000))).unwrap();
        assert_eq!(deep.into_document(), Document::Map(Vec::new()));
    }

    fn document(value: &Value) -> Document {
        to_document(value).unwrap()
    }

    #[test]
    fn a_map_has_entries_and_nothing_has_no_result() {
        let output =
            document(&json!({"Map": {"entry": [{"key": "a", "value": 1}, {"key": "b", "value": 2}]}}));
        assert_eq!(
            render("Get", "urn:x", &output, "id"),
            "<GetResponse xmlns=\"urn:x\"><GetResult><Map><entry><key>a</key><value>1</value></entry>\
             <entry><key>b</key><value>2</value></entry></Map></GetResult><ResponseMetadata><RequestId>id</RequestId>\
             </ResponseMetadata></GetResponse>"
        );
        let entries = crate::Entries(std::collections::BTreeMap::from([("p<1>".to_owned(), 1.5)]));
        assert_eq!(
            render("Get", "urn:x", &to_document(&entries).unwrap(), "id").split("Result>").nth(1).unwrap(),
            "<entry><key>p&lt;1&gt;</key><value>1.5</value></entry></Get"
        );
        assert_eq!(
            render("Put", "urn:x", &Document::Null, "id"),
            "<PutResponse xmlns=\"urn:x\"><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></PutResponse>"
        );
    }

    #[test]
    fn a_result_is_escaped() {
        let output = document(&json!({"A": "<b>&", "L": [1, true], "N": null}));
        assert_eq!(
            render("Get", "urn:x", &output, "id"),
            "<GetResponse xmlns=\"urn:x\"><GetResult><A>&lt;b&gt;&amp;</A><L><member>1</member>\
             <member>true</member></L></GetResult><ResponseMetadata><RequestId>id</RequestId>\
             </ResponseMetadata></GetResponse>"
        );
    }
}
