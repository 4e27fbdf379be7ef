//! The decoder against `serde_json`, and its own rules by example.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::text;

fn decoder(columns: &[(&str, &str)]) -> Decoder {
    let columns = columns.iter().map(|(name, ty)| JsonColumn {
        name: (*name).to_owned(),
        key: (*name).to_owned(),
        ty: ty.parse().unwrap(),
    });
    Decoder::new(Arc::new(JsonShape::new(columns.collect(), false)))
}

fn rows(decoder: &mut Decoder) -> Vec<Vec<Option<String>>> {
    text::rows(&decoder.finish().unwrap()).unwrap()
}

/// The value of a column of the given type in one line.
fn value(ty: &str, line: &str) -> Result<Option<String>, String> {
    let mut decoder = decoder(&[("a", ty)]);
    decoder.line(line.as_bytes()).map_err(|error| error.to_string())?;
    Ok(rows(&mut decoder).remove(0).remove(0))
}

#[test]
fn values_of_each_type() {
    let check = |ty: &str, json: &str, shown: &str| {
        assert_eq!(value(ty, &format!("{{\"a\":{json}}}")), Ok(Some(shown.to_owned())), "{ty} {json}");
    };
    let bad = |ty: &str, json: &str| {
        assert!(value(ty, &format!("{{\"a\":{json}}}")).is_err(), "{ty} {json}");
    };
    check("tinyint", "127", "127");
    bad("tinyint", "128");
    check("int", "\" 72 \"", "72");
    check("int", "7.2e1", "72");
    bad("int", "72.5");
    bad("int", "true");
    check("bigint", "-9223372036854775808", "-9223372036854775808");
    bad("bigint", "9223372036854775808");
    check("double", "1e400", "Infinity");
    check("double", "\"-Infinity\"", "-Infinity");
    bad("double", "\"inf\"");
    check("float", "0.1", "0.1");
    check("boolean", "\"TRUE\"", "true");
    bad("boolean", "1");
    check("decimal(5,2)", "999.994", "999.99");
    bad("decimal(5,2)", "999.995");
    check("string", "[1, {\"b\": null}]", "[1, {\"b\": null}]");
    check("varchar(2)", "\"äöü\"", "äö");
    check("binary", "\"AQID\"", "01 02 03");
    bad("binary", "\"%\"");
    check("date", "\"2017-08-26\"", "2017-08-26");
    bad("date", "\"2017-02-29\"");
    check("timestamp", "\"2017-08-26 07:47:12.345\"", "2017-08-26 07:47:12.345");
    check("timestamp", "\"2017-08-26T07:47:12Z\"", "2017-08-26 07:47:12.000");
    check("timestamp", "1503733632345", "2017-08-26 07:47:12.345");
    check("timestamp", "1503733632.345", "2017-08-26 07:47:12.345");
    bad("timestamp", "\"soon\"");
    check("array<int>", "[1, null, \"3\"]", "[1, null, 3]");
    bad("array<int>", "{}");
    check("map<string,int>", "{\"B\":1,\"B\":2}", "{B=1}");
    check("struct<City:string,n:int>", "{\"CITY\":\"Oslo\",\"x\":[]}", "{city=Oslo, n=null}");
    check("string", r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud800""#, "a\"\\/\u{8}\u{c}\n\r\té😀\u{fffd}");
}

#[test]
fn keys_are_compared_without_case_and_the_first_wins() {
    assert_eq!(value("int", r#"{"A":1,"a":2}"#), Ok(Some("1".to_owned())));
    assert_eq!(value("int", r#"{"\u0041":1}"#), Ok(Some("1".to_owned())));
    assert_eq!(value("int", "{}"), Ok(None));
    assert_eq!(value("int", r#"{"a":null}"#), Ok(None));
}

#[test]
fn dots_in_keys_are_underscores_in_names() {
    let column = JsonColumn { name: "a_b".to_owned(), key: "a_b".to_owned(), ty: HiveType::Int };
    let mut decoder = Decoder::new(Arc::new(JsonShape::new(vec![column], true)));
    decoder.line(br#"{"a.b":7}"#).unwrap();
    assert_eq!(rows(&mut decoder), [[Some("7".to_owned())]]);
}

#[test]
fn a_bad_line_leaves_no_trace() {
    let mut decoder = decoder(&[("a", "int"), ("b", "array<struct<c:map<string,int>>>"), ("d", "int")]);
    decoder.line(br#"{"a":1,"b":[{"c":{"x":1}}],"d":1}"#).unwrap();
    let error = decoder.line(br#"{"a":2,"b":[{"c":{"y":2}},{"c":{"z":"no"}}],"d":2}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Error Parsing a column in the table: column 'b': expected an integer within the type's range"
    );
    assert!(decoder.line(br#"{"a":3,"b":[],"d":"#).is_err());
    assert!(decoder.line(b"[]").is_err());
    decoder.line(b"  \r").unwrap();
    decoder.line(br#"{"a":4,"d":4}"#).unwrap();
    let shown = rows(&mut decoder);
    let row = |values: [&str; 3]| values.map(|value| (value != "-").then(|| value.to_owned())).to_vec();
    assert_eq!(shown, [row(["1", "[{c={x=1}}]", "1"]), row(["4", "-", "4"])]);
    assert_eq!(decoder.rows(), 0);
}

#[test]
fn what_follows_the_object_is_not_read() {
    assert_eq!(value("int", r#"{"a":1}{"a":2}"#), Ok(Some("1".to_owned())));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{{\"b\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(value("int", &nested(100)).is_ok());
    assert!(value("int", &nested(1_000_000)).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9f64..1e9).prop_map(Value::from),
        "[ -~é😀]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"\\\\]{1,4}", inner, 0..4)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

#[derive(Clone, Debug)]
struct Record {
    id: Option<i64>,
    name: Option<String>,
    ratio: Option<f64>,
    ok: Option<bool>,
    tags: Option<Vec<Option<String>>>,
    counts: Option<BTreeMap<String, i64>>,
    city: Option<String>,
    raw: Value,
    extra: Value,
    upper: bool,
}

fn record() -> impl Strategy<Value = Record> {
    let text = || prop::option::of("\\PC{0,12}");
    let tags = prop::option::of(prop::collection::vec(text(), 0..4));
    let counts = prop::option::of(prop::collection::btree_map("\\PC{1,6}", any::<i64>(), 0..4));
    let scalars = (any::<Option<i64>>(), text(), any::<Option<f64>>(), any::<Option<bool>>());
    let rest = (tags, counts, text(), any_json(), any_json(), any::<bool>());
    (scalars, rest).prop_map(|((id, name, ratio, ok), (tags, counts, city, raw, extra, upper))| Record {
        id,
        name,
        ratio: ratio.filter(|ratio| ratio.is_finite()),
        ok,
        tags,
        counts,
        city,
        raw,
        extra,
        upper,
    })
}

impl Record {
    fn line(&self) -> String {
        let members = json!({
            "id": self.id, "name": self.name, "ratio": self.ratio, "ok": self.ok, "tags": self.tags,
            "counts": self.counts, "place": {"x": self.extra, "city": self.city}, "raw": self.raw,
            "extra": self.extra,
        });
        let Value::Object(members) = members else { unreachable!() };
        let named = members
            .into_iter()
            .map(|(key, value)| (if self.upper { key.to_uppercase() } else { key }, value));
        serde_json::to_string(&named.collect::<Map<_, _>>()).unwrap()
    }

    fn row(&self) -> Vec<Option<String>> {
        let or_null = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".to_owned());
        let join = |parts: Vec<String>| parts.join(", ");
        let tags = self.tags.as_ref().map(|tags| format!("[{}]", join(tags.iter().map(or_null).collect())));
        let counts = self.counts.as_ref().map(|counts| {
            format!("{{{}}}", join(counts.iter().map(|(key, value)| format!("{key}={value}")).collect()))
        });
        let raw = match &self.raw {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        vec![
            self.id.map(|id| id.to_string()),
            self.name.clone(),
            self.ratio.map(text::float),
            self.ok.map(|ok| ok.to_string()),
            tags,
            counts,
            Some(format!("{{city={}}}", or_null(&self.city))),
            raw,
        ]
    }
}

const COLUMNS: &[(&str, &str)] = &[
    ("id", "bigint"),
    ("name", "string"),
    ("ratio", "double"),
    ("ok", "boolean"),
    ("tags", "array<string>"),
    ("counts", "map<string,bigint>"),
    ("place", "struct<city:string>"),
    ("raw", "string"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_serde_json_writes_is_read_back(records in prop::collection::vec(record(), 1..6)) {
        let mut decoder = decoder(COLUMNS);
        for record in &records {
            decoder.line(record.line().as_bytes()).unwrap();
        }
        prop_assert_eq!(rows(&mut decoder), records.iter().map(Record::row).collect::<Vec<_>>());
    }

    /// A line is a row exactly when `serde_json` finds an object at its beginning.
    #[test]
    fn a_line_is_json_when_serde_json_says_so(
        json in any_json(),
        at in any::<prop::sample::Index>(),
        removed in 0usize..3,
        inserted in "[{}\\[\\]\",:0-9.eE+tfn\\\\u -]{0,3}",
    ) {
        let mut line = json!({"a": json}).to_string();
        let starts: Vec<usize> = line.char_indices().map(|(start, _)| start).collect();
        let nth = at.index(starts.len());
        let end = starts.get(nth + removed).copied().unwrap_or(line.len());
        line.replace_range(starts[nth]..end, &inserted);
        prop_assume!(!line.trim_ascii().is_empty());

        let found = serde_json::Deserializer::from_str(&line).into_iter::<Value>().next();
        let is_object = match found.unwrap() {
            Ok(value) => value.is_object(),
            // A number beyond a double's range is still one, for a decimal or a string.
            Err(error) if error.to_string().contains("out of range") => return Ok(()),
            Err(_) => false,
        };
        prop_assert_eq!(decoder(&[("a", "string")]).line(line.as_bytes()).is_ok(), is_object, "{}", line);
    }

    #[test]
    fn no_bytes_make_it_panic(line in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut decoder = decoder(COLUMNS);
        let is_row = decoder.line(&line).is_ok() && !line.trim_ascii().is_empty();
        prop_assert_eq!(rows(&mut decoder).len(), usize::from(is_row));
    }
}
