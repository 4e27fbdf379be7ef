//! The Query protocol: a form in, XML out.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// How deep `a.b.c` may nest: requests of AWS's own models stay below.
const DEPTH_MAX: usize = 16;

/// The pairs of a form or query string, decoded.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// The members of a form as JSON: `Tags.member.1.Key=a` becomes `{"Tags":[{"Key":"a"}]}`. Scalars stay text.
pub(crate) fn members(pairs: &[(String, String)]) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in pairs {
        if name == "Action" || name == "Version" {
            continue;
        }
        let path: Vec<&str> = name.split('.').collect();
        if path.len() <= DEPTH_MAX {
            insert(&mut root, &path, value);
        }
    }
    lists(root)
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
    let Value::Object(members) = value else { return value };
    if members.len() == 1
        && let Some(inner) = members.get("member")
    {
        return lists(inner.clone());
    }
    let numbered: Option<Vec<(u32, &Value)>> =
        members.iter().map(|(name, value)| Some((name.parse().ok()?, value))).collect();
    match numbered {
        Some(mut items) if !items.is_empty() => {
            items.sort_by_key(|(n, _)| *n);
            Value::Array(items.into_iter().map(|(_, item)| lists(item.clone())).collect())
        }
        _ => Value::Object(members.into_iter().map(|(name, value)| (name, lists(value))).collect()),
    }
}

/// The XML of a result. An operation without output (`null`) has no element for it.
pub(crate) fn render(action: &str, namespace: &str, output: &Value, request_id: &str) -> String {
    let mut xml = format!("<{action}Response xmlns=\"{namespace}\">");
    element(&mut xml, &format!("{action}Result"), output);
    xml.push_str(&format!(
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    ));
    xml
}

/// A map: in JSON an object with this only member, whose items are objects of `key` and `value`.
const MAP: &str = "entry";

fn write(xml: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => xml.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => xml.push_str(&number.to_string()),
        Value::String(text) => xml.push_str(&escape(text)),
        Value::Array(items) => {
            for item in items {
                element(xml, "member", item);
            }
        }
        Value::Object(members) => {
            if let (1, Some(Value::Array(items))) = (members.len(), members.get(MAP)) {
                return items.iter().for_each(|item| element(xml, MAP, item));
            }
            for (name, value) in members {
                element(xml, name, value);
            }
        }
    }
}

fn element(xml: &mut String, name: &str, value: &Value) {
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

    #[test]
    fn members_and_numbers_become_lists() {
        let form = pairs("Action=X&Tags.member.2.Key=b&Tags.member.1.Key=a+c&Name=n%2F");
        assert_eq!(members(&form), json!({"Tags": [{"Key": "a c"}, {"Key": "b"}], "Name": "n/"}));
    }

    #[test]
    fn a_map_has_entries_and_nothing_has_no_result() {
        let output = json!({"Map": {"entry": [{"key": "a", "value": 1}, {"key": "b", "value": 2}]}});
        assert_eq!(
            render("Get", "urn:x", &output, "id"),
            "<GetResponse xmlns=\"urn:x\"><GetResult><Map><entry><key>a</key><value>1</value></entry>\
             <entry><key>b</key><value>2</value></entry></Map></GetResult><ResponseMetadata><RequestId>id</RequestId>\
             </ResponseMetadata></GetResponse>"
        );
        assert_eq!(
            render("Put", "urn:x", &Value::Null, "id"),
            "<PutResponse xmlns=\"urn:x\"><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></PutResponse>"
        );
    }

    #[test]
    fn a_result_is_escaped() {
        let xml = render("Get", "urn:x", &json!({"A": "<b>&", "L": [1, true], "N": null}), "id");
        assert_eq!(
            xml,
            "<GetResponse xmlns=\"urn:x\"><GetResult><A>&lt;b&gt;&amp;</A><L><member>1</member>\
             <member>true</member></L></GetResult><ResponseMetadata><RequestId>id</RequestId>\
             </ResponseMetadata></GetResponse>"
        );
    }
}
