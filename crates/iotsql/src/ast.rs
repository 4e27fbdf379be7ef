//! What was written: the tree of a statement, and its text again.
//!
//! Names of functions, types and variables are resolved here, so evaluation looks nothing up. Chains of one
//! operator are lists, so the depth of the tree is the depth of the parser's recursion, which is bounded.

use crate::functions::{Function, Prepared};
use crate::{SqlVersion, Value, json};
use std::fmt::{self, Display, Formatter};

/// A whole statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Select {
    /// The SET variables, in order.
    pub(crate) assignments: Vec<(String, Expr)>,
    pub(crate) projection: Projection,
    pub(crate) topic_filter: Option<String>,
    pub(crate) condition: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Projection {
    /// `SELECT VALUE expr`.
    Value(Expr),
    Items(Vec<Item>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// `expr AS a.b`; an item without AS has the key chosen for it.
    Named(Expr, Vec<String>),
    /// `*` or `a.b.*`: the members of an object.
    Spread(Expr),
}

/// A nested query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    pub(crate) projection: Projection,
    /// A name, path, variable or `*`.
    pub(crate) source: Expr,
    pub(crate) alias: Option<String>,
    pub(crate) condition: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Literal(Value),
    /// `*`: the payload, or in a nested query the element.
    Star,
    /// `*` in `encode`: the payload as it came.
    Raw,
    Name(String),
    /// A SET variable by its place.
    Variable(usize, String),
    /// Never over another path; [`Expr::path`] keeps to it.
    Path(Box<Expr>, Vec<String>),
    Array(Vec<Expr>),
    Object(Vec<(String, Expr)>),
    Query(Box<Query>),
    Exists(Box<Query>),
    Call(Box<Call>),
    Cast(Box<Expr>, Type),
    Case(Box<Case>),
    Negate(Box<Expr>),
    Plus(Box<Expr>),
    Not(Box<Expr>),
    /// Two or more, from the left.
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Comparison, Box<(Expr, Expr)>),
    In(Box<(Expr, Expr)>),
    /// A first operand and then one or more, from the left, all additive or all multiplicative.
    Arithmetic(Box<Expr>, Vec<(Arithmetic, Expr)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    pub(crate) arguments: Vec<Expr>,
    pub(crate) prepared: Prepared,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) operand: Expr,
    pub(crate) arms: Vec<(Expr, Expr)>,
    pub(crate) otherwise: Option<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// What CAST converts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    String,
    Int,
    Decimal,
    Bool,
}

impl Expr {
    /// `base.step.step`.
    pub(crate) fn path(base: Expr, mut steps: Vec<String>) -> Expr {
        match base {
            base if steps.is_empty() => base,
            Expr::Path(base, mut first) => {
                first.append(&mut steps);
                Expr::Path(base, first)
            }
            base => Expr::Path(Box::new(base), steps),
        }
    }

    /// The text of a literal string.
    pub(crate) fn literal_text(&self) -> Option<&str> {
        match self {
            Expr::Literal(Value::String(text)) => Some(text),
            _ => None,
        }
    }
}

impl Comparison {
    pub(crate) const ALL: &[(&str, Comparison)] = &[
        ("=", Comparison::Equal),
        ("<>", Comparison::NotEqual),
        ("!=", Comparison::NotEqual),
        (">", Comparison::Greater),
        (">=", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        ("<=", Comparison::LessOrEqual),
    ];
}

impl Arithmetic {
    pub(crate) const ADDITIVE: &[(&str, Arithmetic)] = &[("+", Arithmetic::Add), ("-", Arithmetic::Subtract)];
    pub(crate) const MULTIPLICATIVE: &[(&str, Arithmetic)] =
        &[("*", Arithmetic::Multiply), ("/", Arithmetic::Divide), ("%", Arithmetic::Remainder)];
}

impl Type {
    /// The first name of a type is the one printed.
    pub(crate) const NAMES: &[(&str, Type, SqlVersion)] = &[
        ("String", Type::String, SqlVersion::V2015_10_08),
        ("Nvarchar", Type::String, SqlVersion::V2015_10_08),
        ("Text", Type::String, SqlVersion::V2015_10_08),
        ("Ntext", Type::String, SqlVersion::V2015_10_08),
        ("Varchar", Type::String, SqlVersion::V2015_10_08),
        ("Int", Type::Int, SqlVersion::V2015_10_08),
        ("Integer", Type::Int, SqlVersion::V2015_10_08),
        ("Double", Type::Decimal, SqlVersion::V2015_10_08),
        ("Decimal", Type::Decimal, SqlVersion::V2016_03_23),
        ("Bool", Type::Bool, SqlVersion::V2016_03_23),
        ("Boolean", Type::Bool, SqlVersion::V2016_03_23),
    ];
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (n, (name, expr)) in self.assignments.iter().enumerate() {
            write!(f, "{} @{name} = {expr}", if n == 0 { "SET" } else { "," })?;
        }
        if !self.assignments.is_empty() {
            f.write_str(" ")?;
        }
        write!(f, "SELECT {}", self.projection)?;
        if let Some(filter) = &self.topic_filter {
            write!(f, " FROM {}", Quoted(filter))?;
        }
        where_clause(f, self.condition.as_ref())
    }
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "SELECT {} FROM {}", self.projection, self.source)?;
        if let Some(alias) = &self.alias {
            write!(f, " AS {alias}")?;
        }
        where_clause(f, self.condition.as_ref())
    }
}

fn where_clause(f: &mut Formatter<'_>, condition: Option<&Expr>) -> fmt::Result {
    match condition {
        Some(condition) => write!(f, " WHERE {condition}"),
        None => Ok(()),
    }
}

impl Display for Projection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Projection::Value(Expr::Star) => f.write_str("VALUE *"),
            // In brackets, so that VALUE cannot be read as the attribute of that name.
            Projection::Value(expr) => write!(f, "VALUE ({expr})"),
            Projection::Items(items) => list(f, items),
        }
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Item::Named(expr, alias) => write!(f, "{expr} AS {}", alias.join(".")),
            Item::Spread(Expr::Star) => f.write_str("*"),
            Item::Spread(expr) => write!(f, "{}.*", Operand(expr)),
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Literal(value) => literal(f, value),
            Expr::Star | Expr::Raw => f.write_str("*"),
            Expr::Name(name) => f.write_str(name),
            Expr::Variable(_, name) => write!(f, "@{name}"),
            Expr::Path(base, steps) => write!(f, "{}.{}", Operand(base), steps.join(".")),
            Expr::Array(elements) => {
                f.write_str("[")?;
                list(f, elements)?;
                f.write_str("]")
            }
            Expr::Object(members) => {
                let members: Vec<_> =
                    members.iter().map(|(key, value)| format!("{}: {value}", Quoted(key))).collect();
                write!(f, "{{{}}}", members.join(", "))
            }
            Expr::Query(query) => write!(f, "({query})"),
            Expr::Exists(query) => write!(f, "EXISTS ({query})"),
            Expr::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                list(f, &call.arguments)?;
                f.write_str(")")
            }
            Expr::Cast(expr, to) => {
                let name =
                    Type::NAMES.iter().find(|(_, named, _)| named == to).map_or("", |(name, _, _)| name);
                write!(f, "CAST({expr} AS {name})")
            }
            Expr::Case(case) => {
                write!(f, "CASE {}", case.operand)?;
                for (when, then) in &case.arms {
                    write!(f, " WHEN {when} THEN {then}")?;
                }
                if let Some(otherwise) = &case.otherwise {
                    write!(f, " ELSE {otherwise}")?;
                }
                f.write_str(" END")
            }
            // Always in brackets, since a minus before digits is part of the number.
            Expr::Negate(expr) => write!(f, "-({expr})"),
            Expr::Plus(expr) => write!(f, "+({expr})"),
            Expr::Not(expr) => write!(f, "NOT {}", Operand(expr)),
            Expr::And(operands) => chain(f, " AND ", operands),
            Expr::Or(operands) => chain(f, " OR ", operands),
            Expr::Compare(operator, sides) => {
                write!(f, "{} {} {}", Operand(&sides.0), symbol(Comparison::ALL, operator), Operand(&sides.1))
            }
            Expr::In(sides) => write!(f, "{} IN {}", Operand(&sides.0), Operand(&sides.1)),
            Expr::Arithmetic(first, rest) => {
                Operand(first).fmt(f)?;
                for (operator, operand) in rest {
                    let symbols = if Arithmetic::ADDITIVE.iter().any(|(_, additive)| additive == operator) {
                        Arithmetic::ADDITIVE
                    } else {
                        Arithmetic::MULTIPLICATIVE
                    };
                    write!(f, " {} {}", symbol(symbols, operator), Operand(operand))?;
                }
                Ok(())
            }
        }
    }
}

/// An expression as part of a larger one: in brackets unless it stands by itself anyway.
struct Operand<'a>(&'a Expr);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bracketed = match self.0 {
            Expr::Literal(value) => {
                matches!(value, Value::Int(int) if *int < 0)
                    || matches!(value, Value::Decimal(decimal) if decimal.is_sign_negative())
            }
            Expr::Exists(_)
            | Expr::Negate(_)
            | Expr::Plus(_)
            | Expr::Not(_)
            | Expr::And(_)
            | Expr::Or(_)
            | Expr::Compare(..)
            | Expr::In(_)
            | Expr::Arithmetic(..) => true,
            _ => false,
        };
        if bracketed { write!(f, "({})", self.0) } else { self.0.fmt(f) }
    }
}

struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

fn literal(f: &mut Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::String(text) => Quoted(text).fmt(f),
        Value::Bool(true) => f.write_str("TRUE"),
        Value::Bool(false) => f.write_str("FALSE"),
        Value::Int(int) => int.fmt(f),
        // As 2015-10-08 writes it, so that a Decimal reads back as one.
        Value::Decimal(decimal) => f.write_str(&json::decimal_text(*decimal, SqlVersion::V2015_10_08)),
        // The parser makes no other literal.
        _ => f.write_str("NULL"),
    }
}

fn list(f: &mut Formatter<'_>, parts: &[impl Display]) -> fmt::Result {
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            f.write_str(", ")?;
        }
        part.fmt(f)?;
    }
    Ok(())
}

fn chain(f: &mut Formatter<'_>, between: &str, operands: &[Expr]) -> fmt::Result {
    for (n, operand) in operands.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        Operand(operand).fmt(f)?;
    }
    Ok(())
}

fn symbol<T: PartialEq>(symbols: &[(&'static str, T)], operator: &T) -> &'static str {
    symbols.iter().find(|(_, named)| named == operator).map_or("", |(symbol, _)| symbol)
}
