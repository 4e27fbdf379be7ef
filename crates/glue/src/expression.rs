//! GetPartitions' Expression: a filter over partition keys.
//!
//! ```text
//! or      = and { OR and }
//! and     = not { AND not }
//! not     = NOT not | "(" or ")" | test
//! test    = key ( = | <> | != | < | > | <= | >= ) literal
//!         | key [NOT] ( IN "(" literal { "," literal } ")" | BETWEEN literal AND literal | LIKE 'pattern' )
//! literal = 'text' | number | DATE 'text' | TIMESTAMP 'text'
//! ```
//!
//! A key is compared as its Hive type says: numbers as numbers, everything else as text (a date or timestamp in ISO form
//! orders as its text does). A partition's value that is no number has no place among numbers: no test holds for it.
//!
//! Source: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html>
//!
//! Differs from AWS: AWS publishes neither the grammar of its errors nor what it does with a literal of another type than
//! the key's; here a text that is a number may be compared with a numeric key, and a number with a text key.

use std::cmp::Ordering;

use ports::Column;

use crate::Error;
use crate::limits::{EXPRESSION_CHARS_MAX, EXPRESSION_DEPTH_MAX};

/// A filter that has been understood.
#[derive(Debug)]
pub(crate) enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    /// The key's index and what its value must be.
    Test(usize, Test),
}

#[derive(Debug)]
pub(crate) enum Test {
    Compare(Comparison, Literal),
    In(Vec<Literal>),
    Between(Literal, Literal),
    Like(Vec<char>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A constant, in the type of the key it is compared with.
#[derive(Debug)]
pub(crate) enum Literal {
    Integer(i128),
    Number(f64),
    Text(String),
}

/// Reads an expression over these keys.
///
/// # Errors
/// `InvalidInputException`.
pub(crate) fn parse(text: &str, keys: &[Column]) -> Result<Expression, Error> {
    if text.chars().count() > EXPRESSION_CHARS_MAX {
        return Err(Error::InvalidInput(format!(
            "1 validation error detected: Value at 'expression' failed to satisfy constraint: Member must have length less \
             than or equal to {EXPRESSION_CHARS_MAX}"
        )));
    }
    let mut parser = Parser { text, keys, tokens: tokenize(text)?, at: 0, depth: 0 };
    let expression = parser.or()?;
    if parser.at < parser.tokens.len() { Err(unsupported(text)) } else { Ok(expression) }
}

impl Expression {
    /// Whether a partition with these values passes. The values are as many as the keys the expression was read with.
    pub(crate) fn holds(&self, values: &[String]) -> bool {
        match self {
            Self::Or(any) => any.iter().any(|expression| expression.holds(values)),
            Self::And(all) => all.iter().all(|expression| expression.holds(values)),
            Self::Not(negated) => !negated.holds(values),
            Self::Test(key, test) => values.get(*key).is_some_and(|value| test.holds(value)),
        }
    }
}

impl Test {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Compare(comparison, literal) => {
                literal.order(value).is_some_and(|order| comparison.takes(order))
            }
            Self::In(literals) => {
                literals.iter().any(|literal| literal.order(value) == Some(Ordering::Equal))
            }
            Self::Between(low, high) => {
                low.order(value).is_some_and(Ordering::is_ge)
                    && high.order(value).is_some_and(Ordering::is_le)
            }
            Self::Like(pattern) => like(pattern, &value.chars().collect::<Vec<_>>()),
        }
    }
}

impl Comparison {
    fn takes(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Literal {
    /// Where `value` stands against the literal; none if it is of another type.
    fn order(&self, value: &str) -> Option<Ordering> {
        match self {
            Self::Integer(literal) => value.trim().parse::<i128>().ok().map(|value| value.cmp(literal)),
            Self::Number(literal) => value.trim().parse::<f64>().ok()?.partial_cmp(literal),
            Self::Text(literal) => Some(value.cmp(literal)),
        }
    }
}

/// `%` is any run of characters, `_` any one. Greedy with one place to return to.
fn like(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(&c) if c == '_' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after, taken)) = retry else { return false };
                retry = Some((after, taken + 1));
                (p, t) = (after, taken + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|&c| c == '%')
}

fn unsupported(what: &str) -> Error {
    Error::InvalidInput(format!("Unsupported expression '{what}'"))
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A name or keyword, as written.
    Word(String),
    Number(String),
    Text(String),
    /// `(`, `)`, `,` or an operator.
    Symbol(&'static str),
}

const SYMBOLS: [&str; 10] = ["<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", ","];

fn tokenize(text: &str) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            tokens.push(Token::Symbol(symbol));
            rest = rest.split_at(symbol.len()).1;
        } else if first == '\'' || first == '"' || first == '`' {
            let (value, after) = quoted(rest, first).ok_or_else(|| unsupported(text))?;
            tokens.push(if first == '`' { Token::Word(value) } else { Token::Text(value) });
            rest = after;
        } else {
            let inside = |c: char| c.is_alphanumeric() || "_.-+$".contains(c);
            let (word, after) = rest.split_at(rest.find(|c| !inside(c)).unwrap_or(rest.len()));
            if word.is_empty() {
                return Err(unsupported(text));
            }
            let numeric = word.parse::<f64>().is_ok() && word.contains(|c: char| c.is_ascii_digit());
            tokens.push(if numeric { Token::Number(word.to_owned()) } else { Token::Word(word.to_owned()) });
            rest = after;
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// The text in quotes at the start of `rest`, in which a doubled quote is one, and what follows.
fn quoted(rest: &str, quote: char) -> Option<(String, &str)> {
    let mut chars = rest.chars();
    chars.next();
    let mut value = String::new();
    while let Some(c) = chars.next() {
        if c != quote {
            value.push(c);
        } else if chars.as_str().starts_with(quote) {
            chars.next();
            value.push(quote);
        } else {
            return Some((value, chars.as_str()));
        }
    }
    None
}

struct Parser<'a> {
    text: &'a str,
    keys: &'a [Column],
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Expression, Error> {
        let mut any = vec![self.and()?];
        while self.eat_word("OR") {
            any.push(self.and()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Expression::Or(any) })
    }

    fn and(&mut self) -> Result<Expression, Error> {
        let mut all = vec![self.not()?];
        while self.eat_word("AND") {
            all.push(self.not()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::And(all) })
    }

    fn not(&mut self) -> Result<Expression, Error> {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            return Err(unsupported(self.text));
        }
        let expression = if self.eat_word("NOT") {
            Expression::Not(Box::new(self.not()?))
        } else if self.eat_symbol("(") {
            let inner = self.or()?;
            self.expect_symbol(")")?;
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn test(&mut self) -> Result<Expression, Error> {
        let Some(Token::Word(name)) = self.next() else { return Err(unsupported(self.text)) };
        let Some(key) = self.keys.iter().position(|key| key.name.eq_ignore_ascii_case(&name)) else {
            return Err(Error::InvalidInput(format!("Unknown column '{name}'")));
        };
        let negated = self.eat_word("NOT");
        let test = if self.eat_word("IN") {
            self.expect_symbol("(")?;
            let mut literals = vec![self.literal(key)?];
            while self.eat_symbol(",") {
                literals.push(self.literal(key)?);
            }
            self.expect_symbol(")")?;
            Test::In(literals)
        } else if self.eat_word("BETWEEN") {
            let low = self.literal(key)?;
            if !self.eat_word("AND") {
                return Err(unsupported(self.text));
            }
            Test::Between(low, self.literal(key)?)
        } else if self.eat_word("LIKE") {
            let Some(Token::Text(pattern)) = self.next() else { return Err(unsupported(self.text)) };
            Test::Like(pattern.chars().collect())
        } else if negated {
            return Err(unsupported(self.text));
        } else {
            let comparison = match self.next() {
                Some(Token::Symbol("=")) => Comparison::Equal,
                Some(Token::Symbol("<>" | "!=")) => Comparison::NotEqual,
                Some(Token::Symbol("<")) => Comparison::Less,
                Some(Token::Symbol("<=")) => Comparison::LessOrEqual,
                Some(Token::Symbol(">")) => Comparison::Greater,
                Some(Token::Symbol(">=")) => Comparison::GreaterOrEqual,
                _ => return Err(unsupported(self.text)),
            };
            Test::Compare(comparison, self.literal(key)?)
        };
        let test = Expression::Test(key, test);
        Ok(if negated { Expression::Not(Box::new(test)) } else { test })
    }

    /// A constant in the type of a key.
    fn literal(&mut self, key: usize) -> Result<Literal, Error> {
        if !self.eat_word("DATE") {
            self.eat_word("TIMESTAMP");
        }
        let (Some(Token::Text(text) | Token::Number(text)), Some(column)) = (self.next(), self.keys.get(key))
        else {
            return Err(unsupported(self.text));
        };
        let hive_type = column.hive_type.to_lowercase();
        let wrong = || Error::InvalidInput(format!("'{text}' is not a value of the type {hive_type}"));
        match hive_type.split('(').next().unwrap_or_default().trim() {
            "tinyint" | "smallint" | "int" | "integer" | "bigint" | "long" => {
                text.parse().map(Literal::Integer).map_err(|_| wrong())
            }
            "float" | "double" | "decimal" => text.parse().map(Literal::Number).map_err(|_| wrong()),
            _ => Ok(Literal::Text(text)),
        }
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn eat_word(&mut self, keyword: &str) -> bool {
        let is =
            matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(is);
        is
    }

    fn eat_symbol(&mut self, symbol: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Symbol(found)) if *found == symbol);
        self.at += usize::from(is);
        is
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), Error> {
        if self.eat_symbol(symbol) { Ok(()) } else { Err(unsupported(self.text)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> Vec<Column> {
        [("year", "int"), ("name", "string"), ("ratio", "decimal(10,2)"), ("day", "date")]
            .map(|(name, hive_type)| Column {
                name: name.to_owned(),
                hive_type: hive_type.to_owned(),
                comment: None,
            })
            .to_vec()
    }

    fn values(values: [&str; 4]) -> Vec<String> {
        values.map(str::to_owned).to_vec()
    }

    #[test]
    fn tests_hold_by_the_type_of_their_key() {
        let bailey = values(["2017", "Bailey", "9.5", "2017-08-26"]);
        for (text, expect) in [
            ("year = 2017", true),
            ("year='2017'", true),
            ("YEAR <> 2017", false),
            ("year != 2016", true),
            ("year > 900", true),
            ("year <= 2017 and year >= 2017", true),
            ("name > '900'", true),
            ("name = 'bailey'", false),
            ("name = \"Bailey\"", true),
            ("`name` = 'Bailey'", true),
            ("name < 'B' or name like 'B%ey'", true),
            ("name like '_ailey'", true),
            ("name like 'Bail'", false),
            ("name not like '%z%'", true),
            ("name = 'it''s'", false),
            ("ratio between 9.49 and 10", true),
            ("ratio > 10", false),
            ("year in (2015, 2016)", false),
            ("year not in (2015, 2016)", true),
            ("name in ('Kelly','Bailey')", true),
            ("day >= date '2017-08-01' AND day < DATE '2017-09-01'", true),
            ("day between '2017-01-01' and '2017-02-01'", false),
            ("not (year = 2017 and (name = 'x' or name = 'Bailey'))", false),
            ("year = 1 or year = 2017 and name = 'x'", false),
            ("(year = 2017 or year = 1) and name = 'Bailey'", true),
        ] {
            assert_eq!(parse(text, &keys()).unwrap().holds(&bailey), expect, "{text}");
        }
    }

    #[test]
    fn a_value_that_is_no_number_has_no_place_among_numbers() {
        let none = values(["__HIVE_DEFAULT_PARTITION__", "", "x", ""]);
        for text in ["year = 0", "year <> 0", "year < 0", "ratio >= 0", "year in (0)", "year between 0 and 1"]
        {
            assert!(!parse(text, &keys()).unwrap().holds(&none), "{text}");
        }
    }

    #[test]
    fn refusals() {
        let deep = format!("{}year = 1{}", "(".repeat(200), ")".repeat(200));
        let long = format!("name = '{}'", "x".repeat(2048));
        for (text, expect) in [
            ("", "Unsupported expression ''"),
            ("year", "Unsupported expression 'year'"),
            ("year = ", "Unsupported expression 'year = '"),
            ("year = name", "Unsupported expression 'year = name'"),
            ("year = 1 year = 2", "Unsupported expression 'year = 1 year = 2'"),
            ("year in ()", "Unsupported expression 'year in ()'"),
            ("year not = 1", "Unsupported expression 'year not = 1'"),
            ("(year = 1", "Unsupported expression '(year = 1'"),
            ("name = 'x", "Unsupported expression 'name = 'x'"),
            ("name like 1", "Unsupported expression 'name like 1'"),
            ("year ~ 1", "Unsupported expression 'year ~ 1'"),
            ("nope = 1", "Unknown column 'nope'"),
            ("year = 'x'", "'x' is not a value of the type int"),
            ("ratio = 'x'", "'x' is not a value of the type decimal(10,2)"),
            (deep.as_str(), "Unsupported expression"),
            (long.as_str(), "Member must have length less than or equal to 2048"),
        ] {
            let said = parse(text, &keys()).unwrap_err().to_string();
            assert!(said.contains(expect), "{text}: {said}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ -~é]{0,60}") {
            drop(parse(&text, &keys()));
        }

        #[test]
        fn like_is_what_the_regular_expression_says(pattern in "[ab%_]{0,6}", text in "[ab]{0,8}") {
            let regex = format!("^{}$", pattern.replace('%', ".*").replace('_', "."));
            let expect = regex::Regex::new(&regex).unwrap().is_match(&text);
            prop_assert_eq!(like(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>()), expect);
        }
    }
}
