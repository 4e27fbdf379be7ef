//! The functions: one row each.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html>. To add one, write it in
//! the file of its family, add its row, and describe it in `reference/functions.md` with examples.
//!
//! Differs from AWS: `md2` and the functions that call other services (`aws_lambda`, `get_dynamodb`,
//! `get_registry_data`, `get_secret`, `get_thing_shadow`, `machinelearning_predict`, `decode` of protobuf)
//! are not here, and a statement with one of them is rejected.

mod aws;
mod crypto;
mod json;
mod math;
mod string;
mod time;

use crate::ast::{Call, Expr};
use crate::convert;
use crate::eval::Scope;
use crate::value::UNDEFINED;
use crate::{SqlVersion, Value};
use regex::Regex;
use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};
use std::ops::RangeInclusive;

/// A row of the table.
pub(crate) struct Function {
    /// As it is printed; statements may write it in any case.
    pub(crate) name: &'static str,
    pub(crate) since: SqlVersion,
    /// How many arguments it takes.
    pub(crate) arity: RangeInclusive<usize>,
    /// Arguments of the wrong type give Undefined, never an error.
    run: fn(&Arguments<'_, '_>) -> Value,
    /// What can be made of literal arguments when the statement is parsed.
    pub(crate) prepare: fn(&[Expr]) -> Prepared,
    /// Whether `*` as first argument is the payload as it came.
    pub(crate) takes_raw_payload: bool,
}

const V2015: SqlVersion = SqlVersion::V2015_10_08;
const V2016: SqlVersion = SqlVersion::V2016_03_23;
const ANY: usize = usize::MAX;

/// In alphabetical order.
pub(crate) const FUNCTIONS: &[Function] = &[
    row("abs", V2015, 1..=1, math::abs),
    row("accountid", V2015, 0..=0, aws::accountid),
    row("acos", V2015, 1..=1, math::acos),
    row("asin", V2015, 1..=1, math::asin),
    row("atan", V2015, 1..=1, math::atan),
    row("atan2", V2015, 2..=2, math::atan2),
    row("bitand", V2015, 2..=2, math::bitand),
    row("bitnot", V2015, 1..=1, math::bitnot),
    row("bitor", V2015, 2..=2, math::bitor),
    row("bitxor", V2015, 2..=2, math::bitxor),
    row("ceil", V2015, 1..=1, math::ceil),
    row("chr", V2015, 1..=1, string::chr),
    row("clientid", V2015, 0..=0, aws::clientid),
    row("concat", V2015, 0..=ANY, string::concat),
    row("cos", V2015, 1..=1, math::cos),
    row("cosh", V2015, 1..=1, math::cosh),
    row("decode", V2016, 2..=2, crypto::decode),
    row("encode", V2016, 2..=2, crypto::encode).taking_raw_payload(),
    row("endswith", V2015, 2..=2, string::endswith),
    row("exp", V2015, 1..=1, math::exp),
    row("floor", V2015, 1..=1, math::floor),
    row("get", V2015, 2..=2, json::get),
    row("get_mqtt_property", V2016, 1..=1, aws::get_mqtt_property),
    row("get_or_default", V2016, 1..=2, json::get_or_default),
    row("get_user_properties", V2016, 0..=1, aws::get_user_properties),
    row("indexof", V2016, 2..=2, string::indexof),
    row("isnull", V2015, 1..=1, json::isnull),
    row("isundefined", V2016, 1..=1, json::isundefined),
    row("length", V2016, 1..=1, string::length),
    row("ln", V2015, 1..=1, math::ln),
    row("log", V2015, 1..=1, math::log),
    row("lower", V2015, 1..=1, string::lower),
    row("lpad", V2015, 2..=2, string::lpad),
    row("ltrim", V2015, 1..=1, string::ltrim),
    row("md5", V2015, 1..=1, crypto::md5),
    row("mod", V2015, 2..=2, math::remainder),
    row("nanvl", V2015, 2..=2, json::nanvl),
    row("newuuid", V2015, 0..=0, aws::newuuid),
    row("numbytes", V2016, 1..=1, string::numbytes),
    row("parse_time", V2016, 2..=3, time::parse_time).preparing(time::prepare_parse_time),
    row("power", V2015, 2..=2, math::power),
    row("principal", V2015, 0..=0, aws::principal),
    row("rand", V2015, 0..=0, aws::rand),
    row("regexp_matches", V2015, 2..=2, string::regexp_matches).preparing(string::prepare_regex),
    row("regexp_replace", V2015, 3..=3, string::regexp_replace).preparing(string::prepare_regex),
    row("regexp_substr", V2015, 2..=2, string::regexp_substr).preparing(string::prepare_regex),
    row("remainder", V2015, 2..=2, math::remainder),
    row("replace", V2015, 3..=3, string::replace),
    row("round", V2015, 1..=1, math::round),
    row("rpad", V2015, 2..=2, string::rpad),
    row("rtrim", V2015, 1..=1, string::rtrim),
    row("sha1", V2015, 1..=1, crypto::sha1),
    row("sha224", V2015, 1..=1, crypto::sha224),
    row("sha256", V2015, 1..=1, crypto::sha256),
    row("sha384", V2015, 1..=1, crypto::sha384),
    row("sha512", V2015, 1..=1, crypto::sha512),
    row("sign", V2015, 1..=1, math::sign),
    row("sin", V2015, 1..=1, math::sin),
    row("sinh", V2015, 1..=1, math::sinh),
    row("sourceip", V2016, 0..=0, aws::sourceip),
    row("sql_version", V2015, 0..=0, aws::sql_version),
    row("sqrt", V2015, 1..=1, math::sqrt),
    row("startswith", V2015, 2..=2, string::startswith),
    row("substring", V2015, 2..=3, string::substring),
    row("tan", V2015, 1..=1, math::tan),
    row("tanh", V2015, 1..=1, math::tanh),
    row("time_to_epoch", V2016, 2..=2, time::time_to_epoch).preparing(time::prepare_time_to_epoch),
    row("timestamp", V2015, 0..=0, aws::timestamp),
    row("topic", V2015, 0..=1, aws::topic),
    row("traceid", V2015, 0..=0, aws::traceid),
    row("transform", V2016, 3..=3, json::transform),
    row("trim", V2015, 1..=1, string::trim),
    row("trunc", V2015, 2..=2, math::trunc),
    row("upper", V2015, 1..=1, string::upper),
];

/// What a call computes once, from literal arguments.
#[derive(Debug, Clone)]
pub(crate) enum Prepared {
    Nothing,
    /// `None` is a pattern that is none.
    Regex(Option<Regex>),
    TimePattern(Option<time::Pattern>),
}

/// The arguments of one call, evaluated, and the scope for functions that ask for more.
pub(crate) struct Arguments<'c, 'a> {
    values: &'c [Cow<'a, Value>],
    scope: &'c Scope<'a>,
    prepared: &'c Prepared,
}

pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name.eq_ignore_ascii_case(name))
}

pub(crate) fn call<'a>(scope: &Scope<'a>, call: &'a Call) -> Cow<'a, Value> {
    let values: Vec<_> = call.arguments.iter().map(|argument| scope.eval(argument)).collect();
    let result = (call.function.run)(&Arguments { values: &values, scope, prepared: &call.prepared });
    let is_small = !matches!(result, Value::String(_) | Value::Array(_) | Value::Object(_));
    if is_small || scope.budget.spend(result.weight()) {
        Cow::Owned(result)
    } else {
        Cow::Borrowed(&UNDEFINED)
    }
}

const fn row(
    name: &'static str,
    since: SqlVersion,
    arity: RangeInclusive<usize>,
    run: fn(&Arguments<'_, '_>) -> Value,
) -> Function {
    Function { name, since, arity, run, prepare: |_| Prepared::Nothing, takes_raw_payload: false }
}

impl Function {
    const fn preparing(mut self, prepare: fn(&[Expr]) -> Prepared) -> Function {
        self.prepare = prepare;
        self
    }

    const fn taking_raw_payload(mut self) -> Function {
        self.takes_raw_payload = true;
        self
    }

    /// The arity in words.
    pub(crate) fn takes(&self) -> String {
        match (*self.arity.start(), *self.arity.end()) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "1 argument".to_owned(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.name == other.name
    }
}

impl Debug for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Calls with equal arguments have prepared equal things.
impl PartialEq for Prepared {
    fn eq(&self, _: &Prepared) -> bool {
        true
    }
}

impl<'a> Arguments<'_, 'a> {
    fn len(&self) -> usize {
        self.values.len()
    }

    /// Undefined if there is no such argument.
    fn value(&self, n: usize) -> &Value {
        self.values.get(n).map_or(&UNDEFINED, |value| value)
    }

    /// The argument as text, if the budget allows reading all of it.
    fn text(&self, n: usize) -> Option<Cow<'_, str>> {
        convert::to_text(self.value(n), self.scope.version).filter(|text| self.affords(text.len()))
    }

    fn decimal(&self, n: usize) -> Option<f64> {
        convert::to_decimal(self.value(n))
    }

    /// Whether the budget allows a result of `bytes`.
    fn affords(&self, bytes: usize) -> bool {
        self.scope.budget.spend(bytes)
    }

    fn message(&self) -> &'a crate::Message<'a> {
        self.scope.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_alphabetical_order_and_every_row_is_in_the_reference() {
        let reference = include_str!("../reference/functions.md").to_lowercase();
        for pair in FUNCTIONS.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
        }
        for function in FUNCTIONS {
            assert!(reference.contains(&format!("{}(", function.name)), "{} has no example", function.name);
        }
        assert_eq!(find("IsNull").unwrap().name, "isnull");
        assert_eq!(find("substring").unwrap().takes(), "2 to 3 arguments");
    }
}
