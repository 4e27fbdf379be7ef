//! JSON in and out.
//!
//! A parser of our own because the language needs what others do not give: Ints of 34 digits kept exactly,
//! the order of members, and whether the text is already what we would write (*canonical*), so that
//! `SELECT *` can forward it unread. A property test holds it to `serde_json`'s idea of JSON.
//!
//! Differs from AWS: a number beyond the range of a double counts as Undefined, as a Decimal is a double.

use crate::limits::{INT_DIGITS_MAX, JSON_DEPTH_MAX};
use crate::{Object, SqlVersion, Value};
use std::io::Write;

/// A parsed text.
pub(crate) struct Document {
    pub(crate) value: Value,
    /// Writing the value would give the text back, in every version of the language. May be false for a
    /// text of which that is true.
    pub(crate) canonical: bool,
}

/// `None` if `text` is not JSON.
pub(crate) fn parse(text: &[u8]) -> Option<Document> {
    let text = std::str::from_utf8(text).ok()?;
    let mut reader = Reader { text, at: 0, canonical: true };
    let value = reader.value(0)?;
    reader.skip_space();
    (reader.at == text.len()).then_some(Document { value, canonical: reader.canonical })
}

/// Appends `value` as minified JSON: nothing for Undefined, the bytes themselves for bytes.
pub(crate) fn write(value: &Value, version: SqlVersion, out: &mut Vec<u8>) {
    match value {
        Value::Undefined => {}
        Value::Bytes(bytes) => out.extend_from_slice(bytes),
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(int) => write_int(*int, out),
        Value::Decimal(decimal) => out.extend_from_slice(decimal_text(*decimal, version).as_bytes()),
        Value::String(text) => write_string(text, out),
        Value::Array(elements) => {
            out.push(b'[');
            for element in elements.iter().filter(|element| is_writable_member(element)) {
                write(element, version, out);
                out.push(b',');
            }
            close(b']', out);
        }
        Value::Object(object) => {
            out.push(b'{');
            for (key, value) in object.iter().filter(|(_, value)| is_writable_member(value)) {
                write_string(key, out);
                out.push(b':');
                write(value, version, out);
                out.push(b',');
            }
            close(b'}', out);
        }
    }
}

/// Whether the value can stand inside JSON.
pub(crate) fn is_writable_member(value: &Value) -> bool {
    !matches!(value, Value::Undefined | Value::Bytes(_))
}

/// Ends what was written with a comma after each part.
pub(crate) fn close(bracket: u8, out: &mut Vec<u8>) {
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(bracket);
}

pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a string is always JSON, and memory takes it");
}

/// Small ones by the way that is several times as fast.
fn write_int(int: i128, out: &mut Vec<u8>) {
    let written = match i64::try_from(int) {
        Ok(small) => write!(out, "{small}"),
        Err(_) => write!(out, "{int}"),
    };
    written.expect("memory takes it");
}

/// The shortest text that reads back as the same double; from 2016-03-23 `5.0` is `5`.
pub(crate) fn decimal_text(decimal: f64, version: SqlVersion) -> String {
    // Without the plus, which numeric strings of the language may not have.
    let text = serde_json::to_string(&decimal).expect("a double is always JSON").replace("e+", "e");
    if !version.writes_whole_decimals_as_int() {
        return text;
    }
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    canonical: bool,
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > JSON_DEPTH_MAX {
            return None;
        }
        self.skip_space();
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Value::String),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_space();
        if self.eat(b'}') {
            return Some(Value::Object(Object::default()));
        }
        loop {
            self.skip_space();
            let key = self.string()?;
            self.skip_space();
            if !self.eat(b':') {
                return None;
            }
            members.push((key, self.value(depth + 1)?));
            self.skip_space();
            if self.eat(b'}') {
                break;
            }
            if !self.eat(b',') {
                return None;
            }
        }
        let (object, duplicate) = Object::from_members(members);
        self.canonical &= !duplicate;
        Some(Value::Object(object))
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut elements = Vec::new();
        self.skip_space();
        if self.eat(b']') {
            return Some(Value::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_space();
            if self.eat(b']') {
                return Some(Value::Array(elements));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        if !self.eat(b'"') {
            return None;
        }
        let plain = self.plain_run()?;
        if self.eat(b'"') {
            return Some(plain.to_owned());
        }
        let mut text = plain.to_owned();
        while !self.eat(b'"') {
            self.escape(&mut text)?;
            text.push_str(self.plain_run()?);
        }
        Some(text)
    }

    /// Up to the next quote or backslash; `None` if a control character or the end comes first.
    fn plain_run(&mut self) -> Option<&'t str> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        if rest.get(length).is_some_and(|byte| *byte < 0x20) {
            return None;
        }
        let start = self.at;
        self.at += length;
        self.text.get(start..self.at)
    }

    fn escape(&mut self, text: &mut String) -> Option<()> {
        self.at += 1;
        let escaped = self.peek()?;
        self.at += 1;
        let c = match escaped {
            b'"' => '"',
            b'\\' => '\\',
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'/' => {
                self.canonical = false;
                '/'
            }
            b'u' => {
                self.canonical = false;
                self.unicode_escape()?
            }
            _ => return None,
        };
        text.push(c);
        Some(())
    }

    /// Half a surrogate pair is no character, and so no JSON text of ours.
    fn unicode_escape(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if !(self.eat(b'\\') && self.eat(b'u')) {
            return None;
        }
        let second = self.hex4()?;
        if !(0xdc00..0xe000).contains(&second) {
            return None;
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        let negative = self.eat(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let digits = self.digits();
        if digits == 0 || (leading_zero && digits > 1) {
            return None;
        }
        let mut whole = true;
        let mut significant = digits;
        if self.eat(b'.') {
            whole = false;
            let fraction = self.digits();
            if fraction == 0 {
                return None;
            }
            significant += fraction;
        }
        let mut exponent = false;
        if self.eat(b'e') || self.eat(b'E') {
            whole = false;
            exponent = true;
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            if self.digits() == 0 {
                return None;
            }
        }
        let text = self.text.get(start..self.at)?;
        if whole && digits <= INT_DIGITS_MAX {
            self.canonical &= !(negative && leading_zero);
            // Small ones by the way that is several times as fast.
            let int = if digits <= 18 { text.parse::<i64>().ok()?.into() } else { text.parse().ok()? };
            return Some(Value::Int(int));
        }
        // With at most 15 digits no shorter text reads as the same double, and these spellings are ours.
        self.canonical &= !whole && !exponent && significant <= 15 && !text.ends_with('0');
        self.canonical &= !text.trim_start_matches('-').starts_with("0.0000");
        Some(Value::decimal(text.parse().ok()?))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let rest = self.text.as_bytes().get(self.at..)?;
        if !rest.starts_with(word.as_bytes()) {
            return None;
        }
        self.at += word.len();
        Some(value)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
            self.canonical = false;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rewritten(text: &str) -> (String, bool) {
        let document = parse(text.as_bytes()).unwrap();
        (String::from_utf8(document.value.to_json(SqlVersion::V2016_03_23)).unwrap(), document.canonical)
    }

    #[test]
    fn canonical_texts_come_back_as_they_were() {
        for text in [
            r#"{"b":1,"a":[true,null,-2.5,"x\n\"é"],"c":{}}"#,
            "12345678901234567890123456789012345.25",
            "9999999999999999999999999999999999",
            "0.001",
            "[]",
        ] {
            let (again, canonical) = rewritten(text);
            assert!(!canonical || again == text, "{text}");
        }
        assert!(rewritten(r#"{"heartRate":72,"t":36.6}"#).1);
    }

    #[test]
    fn other_spellings_are_rewritten() {
        for (text, expected) in [
            ("{ \"a\" : 1 }", r#"{"a":1}"#),
            ("5.0", "5"),
            ("1.10", "1.1"),
            ("36.903999599999999", "36.9039996"),
            ("-25.2632837000000772", "-25.263283700000077"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("0.0000001", "1e-7"),
            ("1E2", "100"),
            (r#""\u0041\/\ud83d\ude00""#, "\"A/😀\""),
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
            (r#"{"a":1e999,"b":1}"#, r#"{"b":1}"#),
            ("12345678901234567890123456789012345", "1.234567890123457e34"),
        ] {
            assert_eq!(rewritten(text), (expected.to_owned(), false), "{text}");
        }
        assert_eq!(decimal_text(5.0, SqlVersion::V2015_10_08), "5.0");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "01",
            "1.",
            ".5",
            "+1",
            "--1",
            "tru",
            "\"\\ud800\"",
            "\"\\x\"",
            "\"\t\"",
            "\"a",
            "1 2",
            "[1 2]",
            "{\"a\":1,}",
            "\"\\u12\"",
            "-",
            "1e",
        ] {
            assert!(parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(parse(b"\"\xff\"").is_none());
        let deep = "[".repeat(JSON_DEPTH_MAX + 2) + &"]".repeat(JSON_DEPTH_MAX + 2);
        assert!(parse(deep.as_bytes()).is_none());
    }

    /// JSON of all kinds, a few levels deep.
    pub(crate) fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            "[a-c0-9.\\\\\"é]{0,4}".prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                proptest::collection::vec(("[a-c]", inner), 0..4)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn agrees_with_serde_json_on_what_json_is(text in "[\\[\\]{},:\"\\\\ntrue0-9.eE+ -]{0,12}") {
            // serde_json alone refuses numbers beyond a double's range.
            if parse(text.as_bytes()).is_some() != serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                let refusal = serde_json::from_str::<serde_json::Value>(&text).unwrap_err();
                prop_assert!(refusal.to_string().contains("out of range"), "{}", text);
            }
        }

        #[test]
        fn a_canonical_text_is_what_we_write(json in any_json()) {
            for version in [SqlVersion::V2015_10_08, SqlVersion::V2016_03_23] {
                let text = json.to_string();
                let document = parse(text.as_bytes()).unwrap();
                let again = String::from_utf8(document.value.to_json(version)).unwrap();
                if document.canonical {
                    prop_assert_eq!(&again, &text);
                }
                prop_assert_eq!(parse(again.as_bytes()).unwrap().value.to_json(version), again.into_bytes());
            }
        }
    }
}
