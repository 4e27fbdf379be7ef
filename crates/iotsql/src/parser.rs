//! Tokens to a tree, by recursive descent, one function per line of the grammar.
//!
//! ```text
//! statement   := [SET assign {"," assign}] SELECT select_list [FROM topic] [WHERE expr]
//! assign      := "@" name "=" expr
//! select_list := VALUE expr | item {"," item}
//! item        := expr [AS word {"." word}] | postfix ".*"
//! expr        := and {OR and}        and := not {AND not}        not := NOT not | comparison
//! comparison  := sum [("=" | "<>" | "!=" | ">" | ">=" | "<" | "<=" | IN) sum]
//! sum         := product {("+" | "-") product}      product := sign {("*" | "/" | "%") sign}
//! sign        := ("-" | "+") sign | postfix         postfix := primary {"." word}
//! primary     := number | string | TRUE | FALSE | NULL | word | "*" | "@" name | "(" expr ")" | "(" query ")"
//!              | "[" [expr {"," expr}] "]" | "{" [string ":" expr {"," string ":" expr}] "}"
//!              | EXISTS "(" query ")" | CAST "(" expr AS type ")" | function "(" [query | expr {"," expr}] ")"
//!              | CASE expr WHEN expr THEN expr {WHEN expr THEN expr} [ELSE expr] END
//! query       := SELECT select_list FROM source [AS word] [WHERE expr]
//! source      := ("*" | "@" name | word) {"." word}
//! ```
//!
//! Keywords, functions and types are the same in any case; attributes are not. The topic filter stands in
//! quotes of either kind or bare. `VALUE` is a keyword only where an expression follows, since `value` is the
//! most frequent attribute there is.

use crate::ast::{Arithmetic, Call, Case, Comparison, Expr, Item, Projection, Query, Select, Type};
use crate::lexer::{Lexer, Token, unquote};
use crate::limits::{DEPTH_MAX, INT_DIGITS_MAX, TEXT_BYTES_MAX, VARIABLE_NAME_CHARS_MAX, VARIABLES_MAX};
use crate::{Error, Problem, SqlVersion, Value, functions, open_questions, topic_filter};
use std::ops::Range;

/// A whole statement and nothing after it.
pub(crate) fn parse_statement(text: &str, version: SqlVersion) -> Result<Select, Error> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Error::new(text, 0..text.len(), Problem::TooLong));
    }
    let mut parser = Parser::new(text, 0, version, &[]);
    let statement = parser.statement()?;
    if parser.token == Token::End { Ok(statement) } else { parser.unexpected("the end of the statement") }
}

/// The expression at byte `at` that ends with a `}`, and the byte after it.
pub(crate) fn parse_template_expr(
    text: &str,
    at: usize,
    version: SqlVersion,
    variables: &[String],
) -> Result<(Expr, usize), Error> {
    let mut parser = Parser::new(text, at, version, variables);
    let expr = parser.expr()?;
    match parser.token {
        Token::Symbol("}") => Ok((expr, parser.span.end)),
        Token::End => Err(Error::new(text, at..text.len(), Problem::UnterminatedTemplate)),
        _ => parser.unexpected("}"),
    }
}

/// Words that are no attribute names, though they may follow a point or AS.
const RESERVED: &[&str] = &[
    "SELECT", "FROM", "WHERE", "AS", "AND", "OR", "NOT", "IN", "CASE", "WHEN", "THEN", "ELSE", "END", "TRUE",
    "FALSE", "NULL",
];

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The token that comes next, and its bytes.
    token: Token<'t>,
    span: Range<usize>,
    depth: usize,
    version: SqlVersion,
    variables: Vec<String>,
}

type Parsed<T> = Result<T, Error>;

impl<'t> Parser<'t> {
    fn new(text: &'t str, at: usize, version: SqlVersion, variables: &[String]) -> Parser<'t> {
        let mut lexer = Lexer::new(text, at);
        let (token, span) = lexer.next();
        Parser { lexer, token, span, depth: 0, version, variables: variables.to_vec() }
    }

    fn statement(&mut self) -> Parsed<Select> {
        let assignments = if self.eat_word("SET") { self.assignments()? } else { Vec::new() };
        self.expect_word("SELECT", "SELECT")?;
        let projection = self.select_list()?;
        let topic_filter = if self.is_word("FROM") { Some(self.topic_filter()?) } else { None };
        let condition = self.where_clause()?;
        Ok(Select { assignments, projection, topic_filter, condition })
    }

    fn assignments(&mut self) -> Parsed<Vec<(String, Expr)>> {
        let mut assignments = Vec::new();
        loop {
            let span = self.span.clone();
            self.expect_symbol("@", "@ and the name of a variable")?;
            let name = self.word("the name of a variable")?.to_owned();
            if name.chars().count() > VARIABLE_NAME_CHARS_MAX {
                return self.fail(span, Problem::LongVariableName);
            }
            if self.variables.contains(&name) {
                return self.fail(span, Problem::AssignedTwice(name));
            }
            if self.variables.len() == VARIABLES_MAX {
                return self.fail(span, Problem::TooManyVariables);
            }
            self.expect_symbol("=", "=")?;
            let expr = self.expr()?;
            // Only now, so that a variable sees the earlier ones and not itself.
            self.variables.push(name.clone());
            assignments.push((name, expr));
            if !self.eat_symbol(",") {
                return Ok(assignments);
            }
        }
    }

    fn topic_filter(&mut self) -> Parsed<String> {
        self.advance();
        let span = self.span.clone();
        let filter = match self.token {
            Token::String(raw, quote) => {
                self.advance();
                unquote(raw, quote)
            }
            Token::End | Token::Symbol("*" | "(") | Token::UnterminatedString => {
                return self.unexpected("a topic filter");
            }
            _ => {
                let bare = self.lexer.bare_topic(span.start);
                self.advance();
                bare.to_owned()
            }
        };
        match topic_filter::check(&filter) {
            Ok(()) => Ok(filter),
            Err(reason) => self.fail(span, Problem::TopicFilter(reason)),
        }
    }

    fn where_clause(&mut self) -> Parsed<Option<Expr>> {
        if self.eat_word("WHERE") { self.expr().map(Some) } else { Ok(None) }
    }

    fn select_list(&mut self) -> Parsed<Projection> {
        let span = self.span.clone();
        if self.is_value_keyword() {
            self.needs(SqlVersion::V2016_03_23, "SELECT VALUE", &span)?;
            self.advance();
            let expr = self.expr()?;
            if self.token == Token::Symbol(",") || self.is_word("AS") {
                return self.fail(self.span.clone(), Problem::ValueTakesOne);
            }
            return Ok(Projection::Value(expr));
        }
        let mut items = Vec::new();
        loop {
            items.push(self.item(items.len() + 1)?);
            if !self.eat_symbol(",") {
                return Ok(Projection::Items(items));
            }
        }
    }

    /// `VALUE` before something that an attribute could not be followed by.
    fn is_value_keyword(&self) -> bool {
        if !self.is_word("VALUE") {
            return false;
        }
        let mut ahead = self.lexer;
        match ahead.next().0 {
            Token::Number(_) | Token::String(..) | Token::Symbol("(" | "[" | "{" | "@") => true,
            Token::Word(word) => {
                !is_reserved(word)
                    || ["CASE", "NOT", "TRUE", "FALSE", "NULL"].iter().any(|it| it.eq_ignore_ascii_case(word))
            }
            // `VALUE *` ends the list or takes a path; `value * 2` multiplies.
            Token::Symbol("*") => match ahead.next().0 {
                Token::End | Token::Symbol(")" | "." | "," | "}") => true,
                Token::Word(word) => ["FROM", "WHERE"].iter().any(|it| it.eq_ignore_ascii_case(word)),
                _ => false,
            },
            _ => false,
        }
    }

    fn item(&mut self, position: usize) -> Parsed<Item> {
        let expr = self.expr()?;
        let spread = self.token == Token::Symbol(".");
        if spread {
            self.advance();
            self.expect_symbol("*", "the name of an attribute or *")?;
        }
        if self.eat_word("AS") {
            return Ok(Item::Named(expr, self.alias()?));
        }
        if spread || expr == Expr::Star {
            return Ok(Item::Spread(expr));
        }
        let key = open_questions::unaliased_key(&expr, position);
        Ok(Item::Named(expr, vec![key]))
    }

    fn alias(&mut self) -> Parsed<Vec<String>> {
        let mut alias = vec![self.word("the name to select as")?.to_owned()];
        while self.eat_symbol(".") {
            alias.push(self.word("the name to select as")?.to_owned());
        }
        Ok(alias)
    }

    fn query(&mut self) -> Parsed<Query> {
        let span = self.span.clone();
        self.needs(SqlVersion::V2016_03_23, "a nested query", &span)?;
        self.nested(|parser| {
            parser.expect_word("SELECT", "SELECT")?;
            let projection = parser.select_list()?;
            parser.expect_word("FROM", "FROM")?;
            let source = parser.source()?;
            let alias = if parser.eat_word("AS") {
                Some(parser.word("the name of the element")?.to_owned())
            } else {
                None
            };
            let condition = parser.where_clause()?;
            Ok(Query { projection, source, alias, condition })
        })
    }

    fn source(&mut self) -> Parsed<Expr> {
        let base = match self.token {
            Token::Symbol("*") => {
                self.advance();
                Expr::Star
            }
            Token::Symbol("@") => self.variable()?,
            Token::Word(word) if !is_reserved(word) => {
                self.advance();
                Expr::Name(word.to_owned())
            }
            _ => return self.unexpected("an attribute, a variable or * to select from"),
        };
        self.steps(base)
    }

    fn expr(&mut self) -> Parsed<Expr> {
        self.nested(|parser| {
            let first = parser.and()?;
            if !parser.is_word("OR") {
                return Ok(first);
            }
            let mut operands = vec![first];
            while parser.eat_word("OR") {
                operands.push(parser.and()?);
            }
            Ok(Expr::Or(operands))
        })
    }

    fn and(&mut self) -> Parsed<Expr> {
        let first = self.not()?;
        if !self.is_word("AND") {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.eat_word("AND") {
            operands.push(self.not()?);
        }
        Ok(Expr::And(operands))
    }

    fn not(&mut self) -> Parsed<Expr> {
        if self.eat_word("NOT") {
            return self.nested(|parser| Ok(Expr::Not(Box::new(parser.not()?))));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let left = self.sum()?;
        if self.eat_word("IN") {
            return Ok(Expr::In(Box::new((left, self.sum()?))));
        }
        match self.operator(Comparison::ALL) {
            Some(operator) => Ok(Expr::Compare(operator, Box::new((left, self.sum()?)))),
            None => Ok(left),
        }
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let first = self.product()?;
        let mut rest = Vec::new();
        while let Some(operator) = self.operator(Arithmetic::ADDITIVE) {
            rest.push((operator, self.product()?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Arithmetic(Box::new(first), rest) })
    }

    fn product(&mut self) -> Parsed<Expr> {
        let first = self.sign()?;
        let mut rest = Vec::new();
        while let Some(operator) = self.operator(Arithmetic::MULTIPLICATIVE) {
            rest.push((operator, self.sign()?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Arithmetic(Box::new(first), rest) })
    }

    /// The operator that comes next, if it is one of `operators`, taken.
    fn operator<T: Copy>(&mut self, operators: &[(&str, T)]) -> Option<T> {
        let Token::Symbol(symbol) = self.token else { return None };
        let (_, operator) = operators.iter().find(|(spelling, _)| *spelling == symbol)?;
        self.advance();
        Some(*operator)
    }

    fn sign(&mut self) -> Parsed<Expr> {
        if self.eat_symbol("-") {
            if let Token::Number(text) = self.token {
                let number = self.number(text, "-")?;
                return self.steps(number);
            }
            return self.nested(|parser| Ok(Expr::Negate(Box::new(parser.sign()?))));
        }
        if self.eat_symbol("+") {
            return self.nested(|parser| Ok(Expr::Plus(Box::new(parser.sign()?))));
        }
        let primary = self.primary()?;
        self.steps(primary)
    }

    /// `.a.b`, but not the `.*` of an item.
    fn steps(&mut self, base: Expr) -> Parsed<Expr> {
        let mut steps = Vec::new();
        while self.token == Token::Symbol(".") {
            let mut ahead = self.lexer;
            if ahead.next().0 == Token::Symbol("*") {
                break;
            }
            self.advance();
            steps.push(self.word("the name of an attribute")?.to_owned());
        }
        Ok(Expr::path(base, steps))
    }

    fn primary(&mut self) -> Parsed<Expr> {
        match self.token {
            Token::Number(text) => self.number(text, ""),
            Token::String(raw, quote) => {
                self.advance();
                Ok(Expr::Literal(Value::String(unquote(raw, quote))))
            }
            Token::Symbol("*") => {
                self.advance();
                Ok(Expr::Star)
            }
            Token::Symbol("@") => self.variable(),
            Token::Symbol("(") => self.brackets(),
            Token::Symbol("[") => self.array(),
            Token::Symbol("{") => self.object(),
            Token::Word(word) => self.word_expr(word),
            _ => self.unexpected("an expression"),
        }
    }

    fn word_expr(&mut self, word: &'t str) -> Parsed<Expr> {
        let is = |keyword: &str| keyword.eq_ignore_ascii_case(word);
        let span = self.span.clone();
        for (keyword, value) in
            [("TRUE", Value::Bool(true)), ("FALSE", Value::Bool(false)), ("NULL", Value::Null)]
        {
            if is(keyword) {
                self.advance();
                return Ok(Expr::Literal(value));
            }
        }
        if is("CASE") {
            return self.case();
        }
        if is_reserved(word) {
            return self.unexpected("an expression");
        }
        self.advance();
        if self.token != Token::Symbol("(") {
            return Ok(Expr::Name(word.to_owned()));
        }
        if is("CAST") {
            return self.cast();
        }
        if is("EXISTS") {
            self.advance();
            let query = self.query()?;
            self.expect_symbol(")", ")")?;
            return Ok(Expr::Exists(Box::new(query)));
        }
        self.call(word, span)
    }

    /// `text` is the number that comes next.
    fn number(&mut self, text: &str, sign: &str) -> Parsed<Expr> {
        let signed = format!("{sign}{text}");
        let whole = text.len() <= INT_DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = if whole {
            signed.parse().map_or(Value::Undefined, Value::Int)
        } else {
            signed.parse().map_or(Value::Undefined, Value::decimal)
        };
        if value == Value::Undefined {
            return self.fail(self.span.clone(), Problem::NumberOutOfRange(signed));
        }
        self.advance();
        Ok(Expr::Literal(value))
    }

    fn variable(&mut self) -> Parsed<Expr> {
        let span = self.span.clone();
        self.advance();
        let name = self.word("the name of a variable")?;
        match self.variables.iter().position(|variable| variable == name) {
            Some(place) => Ok(Expr::Variable(place, name.to_owned())),
            None => self.fail(span, Problem::UnknownVariable(name.to_owned())),
        }
    }

    fn brackets(&mut self) -> Parsed<Expr> {
        self.advance();
        let inner = if self.is_word("SELECT") { Expr::Query(Box::new(self.query()?)) } else { self.expr()? };
        self.expect_symbol(")", ")")?;
        Ok(inner)
    }

    fn array(&mut self) -> Parsed<Expr> {
        self.needs(SqlVersion::V2016_03_23, "an array literal", &self.span.clone())?;
        self.advance();
        Ok(Expr::Array(self.list("]", ", or ]", Parser::expr)?))
    }

    fn object(&mut self) -> Parsed<Expr> {
        self.needs(SqlVersion::V2016_03_23, "an object literal", &self.span.clone())?;
        self.advance();
        let members = self.list("}", ", or }", |parser| {
            let Token::String(raw, quote) = parser.token else { return parser.unexpected("a key in quotes") };
            parser.advance();
            parser.expect_symbol(":", ":")?;
            Ok((unquote(raw, quote), parser.expr()?))
        })?;
        Ok(Expr::Object(members))
    }

    fn cast(&mut self) -> Parsed<Expr> {
        self.advance();
        let expr = self.expr()?;
        self.expect_word("AS", "AS")?;
        let span = self.span.clone();
        let name = self.word("the name of a type")?;
        let named = Type::NAMES.iter().find(|(spelling, ..)| spelling.eq_ignore_ascii_case(name));
        let Some((spelling, to, since)) = named else {
            return self.fail(span, Problem::UnknownType(name.to_owned()));
        };
        self.needs(*since, &format!("the type {spelling}"), &span)?;
        self.expect_symbol(")", ")")?;
        Ok(Expr::Cast(Box::new(expr), *to))
    }

    fn case(&mut self) -> Parsed<Expr> {
        let span = self.span.clone();
        self.advance();
        if self.is_word("WHEN") {
            return self.fail(span, Problem::SearchedCase);
        }
        let operand = self.expr()?;
        let mut arms = Vec::new();
        while self.eat_word("WHEN") {
            let when = self.expr()?;
            self.expect_word("THEN", "THEN")?;
            arms.push((when, self.expr()?));
        }
        if arms.is_empty() {
            return self.unexpected("WHEN");
        }
        let otherwise = if self.eat_word("ELSE") { Some(self.expr()?) } else { None };
        self.expect_word("END", "WHEN, ELSE or END")?;
        Ok(Expr::Case(Box::new(Case { operand, arms, otherwise })))
    }

    fn call(&mut self, name: &str, span: Range<usize>) -> Parsed<Expr> {
        let Some(function) = functions::find(name) else {
            return self.fail(span, Problem::UnknownFunction(name.to_owned()));
        };
        self.needs(function.since, &format!("the function {}", function.name), &span)?;
        self.advance();
        let mut arguments = if self.is_word("SELECT") {
            let query = self.query()?;
            self.expect_symbol(")", ")")?;
            vec![Expr::Query(Box::new(query))]
        } else {
            self.list(")", ", or )", Parser::expr)?
        };
        if !function.arity.contains(&arguments.len()) {
            let problem =
                Problem::Arity { name: function.name, takes: function.takes(), given: arguments.len() };
            return self.fail(span, problem);
        }
        if let Some(first) =
            arguments.first_mut().filter(|first| function.takes_raw_payload && **first == Expr::Star)
        {
            *first = Expr::Raw;
        }
        let prepared = (function.prepare)(&arguments);
        Ok(Expr::Call(Box::new(Call { function, arguments, prepared })))
    }

    /// Parts between commas up to the closing symbol, which is taken.
    fn list<T>(
        &mut self,
        closing: &str,
        expected: &'static str,
        part: impl Fn(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut parts = Vec::new();
        if self.eat_symbol(closing) {
            return Ok(parts);
        }
        loop {
            parts.push(part(self)?);
            if self.eat_symbol(closing) {
                return Ok(parts);
            }
            self.expect_symbol(",", expected)?;
        }
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEPTH_MAX {
            return self.fail(self.span.clone(), Problem::TooDeep);
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn needs(&self, needs: SqlVersion, feature: &str, span: &Range<usize>) -> Parsed<()> {
        if self.version >= needs {
            return Ok(());
        }
        self.fail(span.clone(), Problem::NeedsVersion { feature: feature.to_owned(), needs })
    }

    fn advance(&mut self) {
        (self.token, self.span) = self.lexer.next();
    }

    fn is_word(&self, keyword: &str) -> bool {
        matches!(self.token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn eat_word(&mut self, keyword: &str) -> bool {
        let is = self.is_word(keyword);
        if is {
            self.advance();
        }
        is
    }

    fn eat_symbol(&mut self, symbol: &str) -> bool {
        let is = matches!(self.token, Token::Symbol(next) if next == symbol);
        if is {
            self.advance();
        }
        is
    }

    fn expect_word(&mut self, keyword: &str, expected: &'static str) -> Parsed<()> {
        if self.eat_word(keyword) { Ok(()) } else { self.unexpected(expected) }
    }

    fn expect_symbol(&mut self, symbol: &str, expected: &'static str) -> Parsed<()> {
        if self.eat_symbol(symbol) { Ok(()) } else { self.unexpected(expected) }
    }

    /// A word of any kind, keywords included.
    fn word(&mut self, expected: &'static str) -> Parsed<&'t str> {
        let Token::Word(word) = self.token else { return self.unexpected(expected) };
        self.advance();
        Ok(word)
    }

    fn unexpected<T>(&self, expected: &'static str) -> Parsed<T> {
        let found = match self.token {
            Token::End => "the end".to_owned(),
            Token::UnterminatedString => return self.fail(self.span.clone(), Problem::UnterminatedString),
            Token::Stray(c) => format!("{c:?}"),
            Token::String(..) => "a string".to_owned(),
            Token::Word(text) | Token::Number(text) => text.chars().take(64).collect(),
            Token::Symbol(symbol) => symbol.to_owned(),
        };
        self.fail(self.span.clone(), Problem::Unexpected { expected, found })
    }

    fn fail<T>(&self, span: Range<usize>, problem: Problem) -> Parsed<T> {
        Err(Error::new(self.lexer.text(), span, problem))
    }
}

fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(text: &str) -> String {
        match parse_statement(text, SqlVersion::V2016_03_23) {
            Ok(statement) => statement.to_string(),
            Err(error) => panic!("{text}: {error}"),
        }
    }

    #[test]
    fn precedence_shows_in_brackets() {
        assert_eq!(
            printed("select a FROM 't' where not a = 1 + 2*-b and c or d"),
            "SELECT a AS a FROM 't' WHERE ((NOT (a = (1 + (2 * (-(b)))))) AND c) OR d"
        );
    }

    #[test]
    fn value_is_a_keyword_only_before_an_expression() {
        for (text, expected) in [
            ("SELECT value FROM 't'", "SELECT value AS value FROM 't'"),
            ("SELECT value, a", "SELECT value AS value, a AS a"),
            ("SELECT value.x", "SELECT value.x AS x"),
            ("SELECT value * 2 AS b", "SELECT value * 2 AS b"),
            ("SELECT VALUE value", "SELECT VALUE (value)"),
            ("SELECT VALUE * FROM 't'", "SELECT VALUE * FROM 't'"),
            ("SELECT VALUE [1]", "SELECT VALUE ([1])"),
            ("SELECT value AS v WHERE value > 1", "SELECT value AS v WHERE value > 1"),
        ] {
            assert_eq!(printed(text), expected);
        }
    }

    #[test]
    fn a_topic_filter_may_be_bare() {
        assert_eq!(
            printed("SELECT * FROM $aws/things/+/shadow WHERE a"),
            "SELECT * FROM '$aws/things/+/shadow' WHERE a"
        );
        assert_eq!(printed("SELECT * FROM /health/#"), "SELECT * FROM '/health/#'");
        assert_eq!(printed("select * from \"it's\""), "SELECT * FROM 'it''s'");
    }

    /// Text that looks like SQL often enough to reach every branch.
    pub(crate) fn sql_like() -> impl Strategy<Value = String> {
        let word = prop::sample::select(vec![
            "SELECT", "VALUE", "FROM", "WHERE", "AS", "SET", "AND", "OR", "NOT", "IN", "EXISTS", "CASE",
            "WHEN", "THEN", "ELSE", "END", "CAST", "TRUE", "NULL", "a", "b.c", "'t'", "\"", "'", "1",
            "2.5e3", "1e999", "*", ".", ",", "(", ")", "[", "]", "{", "}", ":", "@", "@v", "=", "<>", "+",
            "-", "/", "topic(", "get(", "abs(", "encode(", "Int", "${", "$$", "é", "#", "\0",
        ]);
        prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
    }

    fn any_expr() -> BoxedStrategy<Expr> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(|int| Expr::Literal(Value::Int(int.into()))),
            any::<f64>().prop_filter_map("finite", |decimal| Value::decimal(decimal).finite_literal()),
            "[a'\" é]{0,3}".prop_map(|text| Expr::Literal(Value::String(text))),
            any::<bool>().prop_map(|bool| Expr::Literal(Value::Bool(bool))),
            Just(Expr::Literal(Value::Null)),
            Just(Expr::Star),
            prop::sample::select(vec!["a", "value", "b_1", "set", "cast"])
                .prop_map(|name| Expr::Name(name.into())),
        ];
        leaf.prop_recursive(4, 32, 3, |inner| {
            let pair = (inner.clone(), inner.clone()).prop_map(Box::new);
            let many = prop::collection::vec(inner.clone(), 2..4);
            let operators =
                prop::sample::select(Comparison::ALL.iter().map(|(_, op)| *op).collect::<Vec<_>>());
            let query = (any_projection(inner.clone()), prop::option::of(inner.clone())).prop_map(
                |(projection, condition)| {
                    let source = Expr::path(Expr::Star, vec!["from".into()]);
                    Box::new(Query { projection, source, alias: Some("e".into()), condition })
                },
            );
            prop_oneof![
                inner.clone().prop_map(|base| Expr::path(base, vec!["x".into(), "end".into()])),
                prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::Array),
                prop::collection::vec(("[k' ]{0,2}", inner.clone()), 0..3).prop_map(Expr::Object),
                query.clone().prop_map(Expr::Query),
                query.prop_map(Expr::Exists),
                many.clone().prop_map(|mut arguments| {
                    arguments.truncate(2);
                    let function = functions::find("nanvl").unwrap();
                    Expr::Call(Box::new(Call { function, arguments, prepared: functions::Prepared::Nothing }))
                }),
                inner.clone().prop_map(|expr| Expr::Cast(Box::new(expr), Type::Bool)),
                (pair.clone(), prop::option::of(inner.clone())).prop_map(|(arm, otherwise)| {
                    let operand = Expr::Name("a".into());
                    Expr::Case(Box::new(Case { operand, arms: vec![*arm], otherwise }))
                }),
                inner.clone().prop_map(|expr| Expr::Negate(Box::new(expr))),
                inner.clone().prop_map(|expr| Expr::Plus(Box::new(expr))),
                inner.clone().prop_map(|expr| Expr::Not(Box::new(expr))),
                many.clone().prop_map(Expr::And),
                many.prop_map(Expr::Or),
                (operators, pair.clone()).prop_map(|(operator, sides)| Expr::Compare(operator, sides)),
                pair.clone().prop_map(Expr::In),
                pair.clone().prop_map(|sides| {
                    Expr::Arithmetic(Box::new(sides.0), vec![(Arithmetic::Subtract, sides.1)])
                }),
                pair.prop_map(|sides| Expr::Arithmetic(
                    Box::new(sides.0),
                    vec![(Arithmetic::Divide, sides.1)]
                )),
            ]
        })
        .boxed()
    }

    fn any_projection(expr: BoxedStrategy<Expr>) -> BoxedStrategy<Projection> {
        let item = prop_oneof![
            expr.clone().prop_map(|expr| Item::Named(expr, vec!["x".into(), "select".into()])),
            Just(Item::Spread(Expr::Star)),
            expr.clone().prop_map(Item::Spread),
        ];
        prop_oneof![
            expr.prop_map(Projection::Value),
            prop::collection::vec(item, 1..3).prop_map(Projection::Items),
        ]
        .boxed()
    }

    impl Value {
        fn finite_literal(self) -> Option<Expr> {
            (self != Value::Undefined).then_some(Expr::Literal(self))
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}", sql in sql_like()) {
            for version in [SqlVersion::V2015_10_08, SqlVersion::V2016_03_23] {
                for text in [&text, &sql, &format!("SELECT {sql}")] {
                    if let Err(error) = parse_statement(text, version) {
                        prop_assert!(error.span.end <= text.len());
                    }
                }
            }
        }

        #[test]
        fn a_printed_tree_parses_to_the_same_tree(
            projection in any_projection(any_expr()),
            value in any_expr(),
            condition in prop::option::of(any_expr()),
        ) {
            let assignments = vec![("v".to_owned(), value)];
            let statement = Select { assignments, projection, topic_filter: Some("a/#".into()), condition };
            let text = statement.to_string();
            match parse_statement(&text, SqlVersion::Beta) {
                Ok(again) => prop_assert_eq!(again, statement, "{}", text),
                Err(error) => prop_assert!(error.problem == Problem::TooDeep, "{}: {}", text, error),
            }
        }
    }
}
