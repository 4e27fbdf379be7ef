//! The language reference as a test: every example in `reference/*.md` is evaluated.
//!
//! An example is a block fenced with ```` ```iotsql ````. Its lines are, in any order and number:
//!
//! ```text
//! topic: a/b                  the topic of what follows; also version:, payload:
//! SELECT … or SET …           a statement, on as many lines as it needs, up to its result
//! → {"a":1}                   its result: the output, `no match`, `empty`, or `error: part of the message`
//! upper("a") → "A"            an expression and its value; `undefined` if it has none
//! template a/${b} → a/x       a substitution template and its text
//! ```
//!
//! What is not given is what `reference/index.md` says.

use crate::{
    Error, Failure, Message, MqttProperties, Outcome, Payload, SqlVersion, Statement, Template, Value,
    Variables,
};
use bytes::Bytes;

/// Where the examples stand unless they say otherwise.
struct Setting {
    topic: String,
    version: SqlVersion,
    payload: String,
}

impl Default for Setting {
    fn default() -> Self {
        Setting {
            topic: "plant/3/temperature".into(),
            version: SqlVersion::V2016_03_23,
            payload: "{}".into(),
        }
    }
}

/// A message with every property set.
pub(crate) fn with_message<T>(topic: &str, payload: &Payload, run: impl FnOnce(&Message<'_>) -> T) -> T {
    let user = [("room", "4"), ("floor", "2"), ("room", "5")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    run(&Message {
        topic,
        payload,
        timestamp_ms: 1_700_000_000_000,
        account_id: "123456789012",
        client_id: Some("sensor-7"),
        principal: Some("ba67293af50bf2506f5f93469686da660c7c844e7b3950bfb16813e0d31e9373"),
        source_ip: Some([192, 0, 2, 1].into()),
        trace_id: Some("12345678-1234-1234-1234-123456789012"),
        properties: MqttProperties {
            content_type: Some("application/json"),
            utf8_payload: true,
            response_topic: Some("replies/7"),
            correlation_data: Some(b"order 12"),
            user: &user,
        },
        random: &|| 0x123a_4567_b89c_12d3_e456_7890_1234_5000,
    })
}

fn evaluated(setting: &Setting, sql: &str) -> Result<String, Error> {
    let statement = Statement::parse(sql, setting.version)?;
    assert_eq!(Statement::parse(&statement.to_string(), setting.version)?, statement, "{statement}");
    let payload = Payload::new(Bytes::from(setting.payload.clone()));
    Ok(match with_message(&setting.topic, &payload, |message| statement.evaluate(message)) {
        Outcome::NoMatch => "no match".to_owned(),
        Outcome::Failed(failure) => format!("failed: {failure}"),
        Outcome::Output(output) if output.bytes.is_empty() => "empty".to_owned(),
        Outcome::Output(output) => String::from_utf8_lossy(&output.bytes).into_owned(),
    })
}

/// The value of an expression, seen through an alias, as 2015-10-08 has no VALUE.
fn value_of(setting: &Setting, expr: &str) -> Result<String, Error> {
    let output = evaluated(setting, &format!("SELECT {expr} AS it"))?;
    let value = output.strip_prefix("{\"it\":").and_then(|rest| rest.strip_suffix('}'));
    Ok(value.unwrap_or("undefined").to_owned())
}

fn rendered(setting: &Setting, text: &str) -> Result<String, Error> {
    let template = Template::parse(text, setting.version)?;
    let payload = Payload::new(Bytes::from(setting.payload.clone()));
    Ok(with_message(&setting.topic, &payload, |message| {
        template.render(message, &Variables::default()).unwrap().into_owned()
    }))
}

/// Every example of a page that does not hold, and how many there are.
fn check(page: &str) -> (Vec<String>, usize) {
    let mut wrong = Vec::new();
    let mut examples = 0;
    let mut setting = None;
    let mut statement = String::new();
    for (n, line) in page.lines().enumerate() {
        let Some(current) = setting.as_mut() else {
            if line == "```iotsql" {
                setting = Some(Setting::default());
            }
            continue;
        };
        if line == "```" {
            assert_eq!(statement, "", "line {}: a statement without a result", n + 1);
            setting = None;
            continue;
        }
        if let Some(topic) = line.strip_prefix("topic: ") {
            current.topic = topic.to_owned();
        } else if let Some(version) = line.strip_prefix("version: ") {
            current.version = version.parse().unwrap();
        } else if let Some(payload) = line.strip_prefix("payload: ") {
            current.payload = payload.to_owned();
        } else if let Some((source, expected)) = line.split_once("→ ") {
            let source = source.trim_end();
            let actual = if source.is_empty() {
                evaluated(current, &std::mem::take(&mut statement))
            } else if let Some(template) = source.strip_prefix("template ") {
                rendered(current, template)
            } else {
                value_of(current, source)
            };
            examples += 1;
            let holds = match (&actual, expected.strip_prefix("error: ")) {
                (Ok(actual), None) => actual == expected,
                (Err(error), Some(part)) => error.to_string().contains(part),
                _ => false,
            };
            if !holds {
                wrong.push(format!(
                    "line {}: {line}\n   got {}",
                    n + 1,
                    actual.unwrap_or_else(|e| format!("error: {e}"))
                ));
            }
        } else if !line.is_empty() {
            statement.push_str(line);
            statement.push('\n');
        }
    }
    (wrong, examples)
}

macro_rules! pages {
    ($($name:ident: $least:literal),* $(,)?) => {$(
        #[test]
        fn $name() {
            let (wrong, examples) = check(include_str!(concat!("../reference/", stringify!($name), ".md")));
            assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
            assert!(examples >= $least, "only {examples} examples were found");
        }
    )*};
}

pages! { index: 1, select: 30, types: 30, operators: 30, functions: 150, templates: 8, errors: 20 }

#[test]
fn a_wrong_example_is_found() {
    let (wrong, examples) = check("```iotsql\n1 + 1 → 2\n1 + 1 → 3\n\nSELECT a FROM 't'\n→ no match\n```\n");
    assert_eq!((wrong.len(), examples), (2, 3));
}

mod invariants {
    use super::*;
    use crate::json::tests::any_json;
    use crate::limits::DEPTH_MAX;
    use crate::parser::tests::sql_like;
    use proptest::prelude::*;

    #[test]
    fn the_deepest_statements_evaluate_and_deeper_ones_are_refused() {
        let payload = Payload::new(Bytes::from_static(b"{\"a\":[1]}"));
        for (open, core, close) in [
            ("(", "a", ")"),
            ("NOT ", "a", ""),
            ("- ", "a", ""),
            ("[", "a", "]"),
            ("upper(", "a", ")"),
            ("CASE a WHEN a THEN ", "a", " END"),
            ("(NOT -1 * - ", "a", " + 1 = 2 AND b)"),
            ("(SELECT VALUE ", "a", " FROM a)"),
            ("{'k': ", "a", "}"),
            ("1 + (2 * (", "a", "))"),
        ] {
            let mut deepest = 0;
            for depth in [1, 10, 20, 30, 62, 200, 20_000] {
                let sql = format!("SELECT {}{core}{} AS x FROM 't'", open.repeat(depth), close.repeat(depth));
                if let Ok(statement) = Statement::parse(&sql, SqlVersion::Beta) {
                    deepest = depth;
                    with_message("t", &payload, |message| statement.evaluate(message));
                    assert!(!statement.to_string().is_empty());
                }
            }
            assert!((10..=DEPTH_MAX).contains(&deepest), "{open}: {deepest}");
        }
    }

    #[test]
    fn long_chains_are_not_deep() {
        let sql = format!("SELECT 1{} AS x WHERE TRUE{}", "+1".repeat(20_000), " AND TRUE".repeat(5_000));
        assert_eq!(evaluated(&Setting::default(), &sql).unwrap(), r#"{"x":20001}"#);
        let path = format!("SELECT a{} AS x", ".b".repeat(30_000));
        assert_eq!(evaluated(&Setting::default(), &path).unwrap(), "{}");
    }

    #[test]
    fn what_multiplies_itself_fails_alone() {
        let long = "a".repeat(100_000);
        let setting = Setting {
            payload: format!("{{\"s\":\"{long}\",\"n\":[{}1]}}", "1,".repeat(999)),
            ..Setting::default()
        };
        for sql in [
            "SELECT replace(s, 'a', s) AS x",
            &format!("SELECT s AS x WHERE {}", "startswith(*, 'b') OR ".repeat(1000) + "TRUE"),
            &format!("SELECT s AS x WHERE {}", "n = n AND ".repeat(5000) + "TRUE"),
            &format!("SELECT s AS x WHERE {}", "7 IN n AND ".repeat(5000) + "TRUE"),
            "SELECT regexp_replace(s, 'a', s) AS x",
            "SELECT (SELECT (SELECT (SELECT VALUE 1 FROM n) AS a FROM n) AS b FROM n) AS x",
            &format!("SELECT concat(s{}) AS x", ", s".repeat(1000)),
            &format!("SELECT [s{}] AS x", ", s".repeat(1000)),
            &format!("SELECT s{} AS x", " + s".repeat(1000)),
            &format!("SELECT * AS x0{}", (1..1000).map(|n| format!(", * AS x{n}")).collect::<String>()),
        ] {
            let outcome = evaluated(&setting, sql).unwrap();
            assert!(outcome.starts_with("failed: evaluating the statement takes more work"), "{sql:.40}");
        }
        let template = Template::parse(&"${s}".repeat(1000), SqlVersion::V2016_03_23).unwrap();
        let payload = Payload::new(Bytes::from(setting.payload.clone()));
        with_message("t", &payload, |message| {
            assert_eq!(template.render(message, &Variables::default()), Err(Failure::TooMuchWork));
        });
        let sql = "SET @v = s + s SELECT @v AS x";
        assert_eq!(
            evaluated(&setting, sql).unwrap(),
            "failed: the variables of the statement exceed 128 KiB"
        );
    }

    #[test]
    fn one_payload_is_shared_and_forwarded_without_a_copy() {
        let bytes = Bytes::from(r#"{"heartRate":72}"#);
        let payload = Payload::new(bytes.clone());
        let statement =
            Statement::parse("SELECT * FROM 't' WHERE heartRate > 60", SqlVersion::V2016_03_23).unwrap();
        for _ in 0..2 {
            match with_message("t", &payload, |message| statement.evaluate(message)) {
                Outcome::Output(output) => assert_eq!(output.bytes.as_ptr(), bytes.as_ptr()),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn templates_see_the_variables_of_their_statement() {
        let sql = "SET @u = newuuid(), @o = {'a': {'b': upper(k)}} SELECT @u AS u FROM 't'";
        let statement = Statement::parse(sql, SqlVersion::V2016_03_23).unwrap();
        let template = statement.parse_template("x/${@u}/${@o.a.b}").unwrap();
        let payload = Payload::new(Bytes::from_static(b"{\"k\":\"q\"}"));
        with_message("t", &payload, |message| {
            let Outcome::Output(output) = statement.evaluate(message) else { panic!("no output") };
            let uuid = Value::from_json(&output.bytes).unwrap().into_member("u");
            let Value::String(uuid) = uuid else { panic!("no uuid") };
            assert_eq!(template.render(message, &output.variables).unwrap(), format!("x/{uuid}/Q"));
        });
        assert!(Template::parse("${@u}", SqlVersion::V2016_03_23).is_err());
        assert_eq!(statement.parse_template("$$aws/a $5").unwrap().constant(), Some("$aws/a $5"));
    }

    #[test]
    fn a_payload_that_is_no_json_is_forwarded_as_it_is() {
        let payload = Payload::new(Bytes::from_static(b"\xff\x00"));
        let output = |sql: &str| {
            let statement = Statement::parse(sql, SqlVersion::V2016_03_23).unwrap();
            with_message("t", &payload, |message| statement.evaluate(message))
        };
        let bytes = |outcome: Outcome| match outcome {
            Outcome::Output(output) => output.bytes.to_vec(),
            other => panic!("{other:?}"),
        };
        assert_eq!(bytes(output("SELECT * FROM 't'")), b"\xff\x00");
        assert_eq!(bytes(output("SELECT encode(*, 'base64') AS data FROM 't'")), br#"{"data":"/wA="}"#);
        assert_eq!(bytes(output("SELECT *, 1 AS a, * AS b, x AS c FROM 't'")), br#"{"a":1}"#);
        assert_eq!(output("SELECT * FROM 't' WHERE x > 1"), Outcome::NoMatch);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_message_makes_evaluation_panic(json in any_json(), sql in sql_like(), function in 0..crate::functions::FUNCTIONS.len()) {
            let payload = Payload::new(Bytes::from(json.to_string()));
            let function = &crate::functions::FUNCTIONS[function];
            let arguments = ["*", "a", "b", "a.c"].map(str::to_owned);
            let count = (*function.arity.end()).min(4);
            let call = format!("{}({})", function.name, arguments[..count].join(", "));
            for sql in [
                format!("SELECT {sql}"),
                format!("SELECT {call} AS x, a + b AS y, a = b AS z, a > c AS w, a IN b AS i, b.* WHERE TRUE"),
                format!("SELECT *, (SELECT *, {call} AS q FROM b WHERE a <> c) AS n"),
                "SELECT CAST(a AS Int) AS i, CAST(b AS Bool) AS b, CAST(c AS Double) AS d, CAST(a AS Text) AS a.b".into(),
            ] {
                if let Ok(statement) = Statement::parse(&sql, SqlVersion::Beta) {
                    let outcome = with_message("a/b", &payload, |message| statement.evaluate(message));
                    if let Outcome::Output(output) = outcome {
                        prop_assert!(output.bytes.is_empty() || Value::from_json(&output.bytes).is_some());
                    }
                }
            }
        }

        #[test]
        fn select_star_is_the_payload_however_it_is_reached(json in any_json()) {
            let setting = Setting { payload: json.to_string(), ..Setting::default() };
            let star = evaluated(&setting, "SELECT * FROM 't'").unwrap();
            prop_assert_eq!(&evaluated(&setting, "SELECT VALUE * FROM 't'").unwrap(), &star);
            prop_assert_eq!(evaluated(&setting, "SELECT VALUE get([*], 0) FROM 't'").unwrap(), star);
        }
    }
}
