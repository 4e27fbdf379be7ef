//! Athena SQL by example: `slt/*.slt`.
//!
//! A file is a list of cases separated by blank lines: the statement's lines, `----`, then the header, the types and
//! the rows, their values joined by `|`, or `error` and the message. It is this form and not that of the crate
//! `sqllogictest` because names, Athena's types and messages are what is tested, and that form has no place for them.

use std::path::Path;

use super::*;

fn run_slt(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("slt").join(file);
    let script = std::fs::read_to_string(&path).unwrap();
    let world = sample();
    let engine = engine(&world);
    let mut failures = Vec::new();
    for case in script.split("\n\n").map(str::trim).filter(|case| !case.is_empty()) {
        let case: Vec<&str> = case.lines().filter(|line| !line.starts_with('#')).collect();
        if case.is_empty() {
            continue;
        }
        let case = case.join("\n");
        let (sql, expected) = case.split_once("\n----\n").unwrap_or_else(|| panic!("no ---- in {case}"));
        let actual = match futures::executor::block_on(ask(&engine, sql)) {
            Err(error) => format!("error {}", error.message),
            Ok(answered) => {
                let join = |texts: Vec<String>| texts.join("|");
                let header = join(answered.columns.iter().map(|column| column.name.clone()).collect());
                let types = join(answered.columns.iter().map(|column| column.type_name.clone()).collect());
                let rows = answered.rows.into_iter().map(|row| {
                    join(row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect())
                });
                [header, types].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
            }
        };
        if actual != expected {
            failures.push(format!("{sql}\n---- expected\n{expected}\n---- actual\n{actual}\n"));
        }
    }
    assert!(failures.is_empty(), "{file}: {} cases fail\n\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn select() {
    run_slt("select.slt");
}

#[test]
fn semantics() {
    run_slt("semantics.slt");
}

#[test]
fn functions() {
    run_slt("functions.slt");
}

#[test]
fn types() {
    run_slt("types.slt");
}

#[test]
fn errors() {
    run_slt("errors.slt");
}
