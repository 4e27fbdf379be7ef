//! Queries: Trino's SELECT, WITH, VALUES and EXPLAIN, through `sqlparser` with our own dialect.
//!
//! ```text
//! text ─ tokenizer (Trino's refusals, one statement, depth) ─ sqlparser tokens ─ normaliser ─ parser ─ AST
//! ```
//!
//! The normaliser rewrites what Trino writes and `sqlparser` does not read, keeping every token's place:
//! `VALUES 1, 2` gets its parentheses; the types `ARRAY(T)` and `ROW(a T)` become `ARRAY<T>` and `STRUCT<a T>`.
//!
//! Invariants: 1. the answer is a query in which nothing writes; 2. the depth of its tree is bounded
//! (`CHAIN_DEPTH_MAX`, `NESTING_MAX`, the parser's own limit), so that walking and dropping it cannot exhaust
//! the stack; 3. every error has a place in the text as given.
//!
//! Differs from AWS: after `Expecting:` stands what this parser could have taken, seldom Trino's whole list.
//! FOR TIMESTAMP AS OF and FOR VERSION AS OF (Iceberg) are not there.

use std::any::TypeId;
use std::ops::ControlFlow;

use sqlparser::ast::{DescribeAlias, Query, SetExpr, Statement, Visit, Visitor};
use sqlparser::dialect::{Dialect, GenericDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token as SqlToken, TokenWithSpan, Tokenizer};

use crate::error::{Position, SyntaxError};
use crate::limits::{CHAIN_DEPTH_MAX, NESTING_MAX, TYPE_DEPTH_MAX};
use crate::statement::{Class, StatementType};
use crate::tokenizer::{Kind, Quoting, Token, tokenize};

/// Reads one query.
///
/// # Errors
/// Trino's.
pub(crate) fn parse(sql: &str) -> Result<Statement, SyntaxError> {
    let dialect = AthenaDialect;
    let mut source = Source::new(sql, &dialect)?;
    let query = source.query()?;
    source.finish()?;
    Ok(Statement::Query(query))
}

/// Reads `EXPLAIN [ANALYZE [VERBOSE]] [(option value, …)] query`.
///
/// # Errors
/// Trino's; [`SyntaxError::Unsupported`] when it explains anything but a query.
pub(crate) fn parse_explain(sql: &str) -> Result<Statement, SyntaxError> {
    let dialect = AthenaDialect;
    let mut source = Source::new(sql, &dialect)?;
    source.parser.next_token();
    let analyze = source.parser.parse_keyword(Keyword::ANALYZE);
    let verbose = analyze && source.parser.parse_keyword(Keyword::VERBOSE);
    let options = if source.at_options() {
        Some(source.parser.parse_utility_options().map_err(|err| source.error(&err))?)
    } else {
        None
    };
    source.only_query()?;
    let statement = Box::new(Statement::Query(source.query()?));
    source.finish()?;
    Ok(Statement::Explain {
        describe_alias: DescribeAlias::Explain,
        analyze,
        verbose,
        query_plan: false,
        estimate: false,
        statement,
        format: None,
        options,
    })
}

/// What Athena's queries may be written like.
///
/// `sqlparser` asks some of its questions by the dialect's identity instead of its methods; there we answer
/// as its generic dialect, which alone reads UNNEST as Trino does. Everything it asks by method is ours.
#[derive(Debug)]
struct AthenaDialect;

impl Dialect for AthenaDialect {
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, c: char) -> bool {
        c == '"'
    }

    fn identifier_quote_style(&self, _identifier: &str) -> Option<char> {
        Some('"')
    }

    fn is_identifier_start(&self, c: char) -> bool {
        c.is_ascii_alphabetic() || c == '_'
    }

    fn is_identifier_part(&self, c: char) -> bool {
        c.is_ascii_alphanumeric() || c == '_'
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_match_recognize(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    /// For the STRUCT types the normaliser makes of ROW types.
    fn supports_struct_literal(&self) -> bool {
        true
    }
}

/// A statement's tokens on their way through the parser.
struct Source<'a> {
    parser: Parser<'a>,
    end: Position,
}

impl<'a> Source<'a> {
    fn new(sql: &str, dialect: &'a AthenaDialect) -> Result<Self, SyntaxError> {
        let tokens = tokenize(sql, Quoting::Trino)?;
        let end = one_statement(sql, &tokens)?;
        within_depth(&tokens)?;
        let tokens = Tokenizer::new(dialect, sql).tokenize_with_location().map_err(|err| {
            let place = Position {
                line: usize::try_from(err.location.line).unwrap_or(1).max(1),
                column: usize::try_from(err.location.column).unwrap_or(1).max(1),
            };
            SyntaxError::Trino { position: place, message: err.message }
        })?;
        let tokens = normalise(tokens);
        Ok(Self { parser: Parser::new(dialect).with_tokens_with_locations(tokens), end })
    }

    fn query(&mut self) -> Result<Box<Query>, SyntaxError> {
        let query = self.parser.parse_query().map_err(|err| self.error(&err))?;
        match query.visit(&mut FindWrite) {
            ControlFlow::Continue(()) => Ok(query),
            ControlFlow::Break(substatement_type) => Err(SyntaxError::Unsupported {
                class: Class { statement_type: StatementType::Dml, substatement_type },
            }),
        }
    }

    /// After EXPLAIN: whether the parenthesis opens options and not a query.
    fn at_options(&self) -> bool {
        self.parser.peek_token_ref().token == SqlToken::LParen
            && matches!(&self.parser.peek_nth_token_ref(1).token, SqlToken::Word(word)
                if matches!(word.value.to_ascii_uppercase().as_str(), "TYPE" | "FORMAT"))
    }

    /// After EXPLAIN and its options.
    fn only_query(&self) -> Result<(), SyntaxError> {
        match &self.parser.peek_token_ref().token {
            SqlToken::Word(word)
                if matches!(
                    word.keyword,
                    Keyword::INSERT | Keyword::UPDATE | Keyword::DELETE | Keyword::CREATE | Keyword::UNLOAD
                ) =>
            {
                Err(SyntaxError::Unsupported {
                    class: Class { statement_type: StatementType::Utility, substatement_type: "EXPLAIN" },
                })
            }
            _ => Ok(()),
        }
    }

    fn finish(mut self) -> Result<(), SyntaxError> {
        while self.parser.consume_token(&SqlToken::SemiColon) {}
        let next = self.parser.peek_token_ref();
        if next.token == SqlToken::EOF {
            return Ok(());
        }
        let message = format!("mismatched input '{}'. Expecting: <EOF>", next.token);
        Err(SyntaxError::Trino {
            position: self.place(next.span.start.line, next.span.start.column),
            message,
        })
    }

    /// `sqlparser`'s message in Trino's words.
    fn error(&self, err: &ParserError) -> SyntaxError {
        let text = match err {
            ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
            ParserError::RecursionLimitExceeded => return too_large(),
        };
        let (text, position) = match text.rsplit_once(" at Line: ") {
            Some((text, place)) => {
                let (line, column) = place.split_once(", Column: ").unwrap_or((place, ""));
                (text, self.place(line.trim().parse().unwrap_or(0), column.trim().parse().unwrap_or(0)))
            }
            None => (text, self.end),
        };
        if let Some(found) = text.strip_prefix("Expected an expression, found: ") {
            // A keyword read as a column's name: the parser has passed it, and names the token after it.
            let start = self.parser.get_current_token().span.start;
            let message = format!("mismatched input '{found}'. Expecting: <expression>");
            return SyntaxError::Trino { position: self.place(start.line, start.column), message };
        }
        let message = match text.strip_prefix("Expected: ").and_then(|text| text.split_once(", found: ")) {
            Some((expected, "EOF")) => format!("mismatched input '<EOF>'. Expecting: {}", rule(expected)),
            Some((expected, found)) => format!("mismatched input '{found}'. Expecting: {}", rule(expected)),
            None => text.to_owned(),
        };
        SyntaxError::Trino { position, message }
    }

    fn place(&self, line: u64, column: u64) -> Position {
        match (usize::try_from(line), usize::try_from(column)) {
            (Ok(line @ 1..), Ok(column @ 1..)) => Position { line, column },
            _ => self.end,
        }
    }
}

/// The grammar's names for what `sqlparser` says in English.
fn rule(expected: &str) -> &str {
    match expected {
        "an expression" | "an expression:" => "<expression>",
        "identifier" => "<identifier>",
        "SELECT, VALUES, or a subquery in the query body" => "<query>",
        "end of statement" => "<EOF>",
        other => other,
    }
}

fn too_large() -> SyntaxError {
    SyntaxError::Trino {
        position: Position { line: 1, column: 1 },
        message: "statement is too large (stack overflow while parsing)".to_owned(),
    }
}

/// The place of the end.
fn one_statement(sql: &str, tokens: &[Token<'_>]) -> Result<Position, SyntaxError> {
    let mut after = tokens.iter().skip_while(|token| !token.is_symbol(';'));
    if after.any(|token| !token.is_symbol(';') && token.kind != Kind::End) {
        return Err(SyntaxError::ManyStatements { sql: sql.to_owned() });
    }
    let end = tokens.iter().find(|token| token.is_symbol(';') || token.kind == Kind::End);
    Ok(end.expect("the tokenizer ends every text with End").position)
}

/// Invariant 2, from tokens alone. An upper bound of the tree's depth: operators of one rank in a row make a
/// tree as deep as they are many; of different ranks, and through parentheses, depths add up; a comma begins
/// anew.
fn within_depth(tokens: &[Token<'_>]) -> Result<(), SyntaxError> {
    let mut levels = vec![Level::default()];
    for token in tokens {
        let outermost = levels.len() == 1;
        let level = levels.last_mut().expect("the outermost level is never popped");
        match token.kind {
            Kind::Symbol if token.is_symbol('(') || token.is_symbol('[') => {
                levels.push(Level::default());
                if levels.len() > NESTING_MAX {
                    return Err(too_large());
                }
            }
            Kind::Symbol if !outermost && (token.is_symbol(')') || token.is_symbol(']')) => {
                let inner = levels.pop().expect("there are two").depth();
                let outer = levels.last_mut().expect("there is one");
                outer.nested = outer.nested.max(inner);
            }
            Kind::Symbol if token.is_symbol(',') => level.end_item(),
            Kind::Symbol if token.is_symbol('.') || token.is_symbol(';') => {}
            Kind::Symbol => level.operators += 1,
            Kind::Word if token.is_word("OR") => {
                level.end_conjunction();
                level.ors += 1;
            }
            Kind::Word if token.is_word("AND") => {
                level.end_comparison();
                level.ands += 1;
            }
            Kind::Word if ["UNION", "INTERSECT", "EXCEPT"].iter().any(|word| token.is_word(word)) => {
                level.end_item();
                level.sets += 1;
            }
            Kind::Word if WORD_OPERATORS.iter().any(|word| token.is_word(word)) => level.operators += 1,
            _ => {}
        }
    }
    let depth = levels.into_iter().map(Level::depth).sum::<usize>();
    if depth > CHAIN_DEPTH_MAX { Err(too_large()) } else { Ok(()) }
}

const WORD_OPERATORS: &[&str] =
    &["IS", "NOT", "IN", "LIKE", "BETWEEN", "AT", "COLLATE", "ESCAPE", "ANY", "ALL", "SOME", "OVER", "JOIN"];

/// What has been seen inside one pair of parentheses.
#[derive(Default)]
struct Level {
    sets: usize,
    item_max: usize,
    ors: usize,
    conjunction_max: usize,
    ands: usize,
    comparison_max: usize,
    operators: usize,
    nested: usize,
}

impl Level {
    fn end_comparison(&mut self) {
        self.comparison_max = self.comparison_max.max(self.operators + self.nested);
        self.operators = 0;
        self.nested = 0;
    }

    fn end_conjunction(&mut self) {
        self.end_comparison();
        self.conjunction_max = self.conjunction_max.max(self.ands + self.comparison_max);
        self.ands = 0;
        self.comparison_max = 0;
    }

    fn end_item(&mut self) {
        self.end_conjunction();
        self.item_max = self.item_max.max(self.ors + self.conjunction_max);
        self.ors = 0;
        self.conjunction_max = 0;
    }

    fn depth(mut self) -> usize {
        self.end_item();
        self.sets + self.item_max
    }
}

/// Invariant 1: `sqlparser` reads INSERT and its kin wherever a query may stand.
struct FindWrite;

impl Visitor for FindWrite {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<&'static str> {
        let mut bodies = vec![query.body.as_ref()];
        while let Some(body) = bodies.pop() {
            match body {
                SetExpr::Insert(_) => return ControlFlow::Break("INSERT"),
                SetExpr::Update(_) => return ControlFlow::Break("UPDATE"),
                SetExpr::Delete(_) => return ControlFlow::Break("DELETE"),
                SetExpr::Merge(_) => return ControlFlow::Break("MERGE"),
                SetExpr::SetOperation { left, right, .. } => bodies.extend([left.as_ref(), right.as_ref()]),
                SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) | SetExpr::Table(_) => {}
            }
        }
        ControlFlow::Continue(())
    }
}

fn normalise(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let tokens = tokens.into_iter().filter(|token| !matches!(token.token, SqlToken::Whitespace(_))).collect();
    let mut rewrite = Rewrite { tokens, at: 0, out: Vec::new() };
    while rewrite.at < rewrite.tokens.len() {
        let opens = |n: usize| rewrite.token(n) == Some(&SqlToken::LParen);
        if rewrite.is_keyword(0, Keyword::ARRAY) && opens(1) {
            rewrite.data_type(0);
        } else if rewrite.is_keyword(0, Keyword::AS)
            && (rewrite.is_keyword(1, Keyword::ROW) || rewrite.is_keyword(1, Keyword::MAP))
            && opens(2)
        {
            rewrite.copy();
            rewrite.data_type(0);
        } else if rewrite.is_keyword(0, Keyword::VALUES) && !opens(1) && !rewrite.is_keyword(1, Keyword::ROW)
        {
            rewrite.copy();
            rewrite.bare_rows();
        } else {
            rewrite.copy();
        }
    }
    rewrite.out
}

struct Rewrite {
    tokens: Vec<TokenWithSpan>,
    at: usize,
    out: Vec<TokenWithSpan>,
}

impl Rewrite {
    fn token(&self, ahead: usize) -> Option<&SqlToken> {
        self.tokens.get(self.at + ahead).map(|token| &token.token)
    }

    fn is_keyword(&self, ahead: usize, keyword: Keyword) -> bool {
        matches!(self.token(ahead), Some(SqlToken::Word(word)) if word.keyword == keyword && word.quote_style.is_none())
    }

    fn copy(&mut self) {
        if let Some(token) = self.tokens.get(self.at) {
            self.out.push(token.clone());
            self.at += 1;
        }
    }

    /// Puts `token` at the place of the token here, which is consumed.
    fn replace(&mut self, token: SqlToken) {
        if let Some(old) = self.tokens.get(self.at) {
            self.out.push(TokenWithSpan::new(token, old.span));
            self.at += 1;
        }
    }

    /// Puts `token` before the token here, at its place.
    fn insert(&mut self, token: SqlToken) {
        let place = self.tokens.get(self.at).or(self.tokens.last());
        if let Some(place) = place {
            self.out.push(TokenWithSpan::new(token, place.span));
        }
    }

    /// One type. Where it is not one, stops and leaves the rest to the parser to refuse.
    fn data_type(&mut self, depth: usize) {
        if depth > TYPE_DEPTH_MAX || self.token(1) != Some(&SqlToken::LParen) {
            return self.simple_type();
        }
        if self.is_keyword(0, Keyword::ARRAY) {
            self.copy();
            self.replace(SqlToken::Lt);
            self.data_type(depth + 1);
            self.close(SqlToken::Gt);
        } else if self.is_keyword(0, Keyword::MAP) {
            self.copy();
            self.copy();
            self.data_type(depth + 1);
            if self.token(0) == Some(&SqlToken::Comma) {
                self.copy();
                self.data_type(depth + 1);
            }
            self.close(SqlToken::RParen);
        } else if self.is_keyword(0, Keyword::ROW) {
            self.replace(SqlToken::make_keyword("STRUCT"));
            self.replace(SqlToken::Lt);
            loop {
                if matches!(
                    (self.token(0), self.token(1)),
                    (Some(SqlToken::Word(_)), Some(SqlToken::Word(_)))
                ) {
                    self.copy();
                }
                self.data_type(depth + 1);
                if self.token(0) != Some(&SqlToken::Comma) {
                    break;
                }
                self.copy();
            }
            self.close(SqlToken::Gt);
        } else {
            self.simple_type();
        }
    }

    fn close(&mut self, with: SqlToken) {
        if self.token(0) == Some(&SqlToken::RParen) {
            self.replace(with);
        }
    }

    /// Everything up to the comma or parenthesis that ends it: `decimal(10,2)`, `timestamp(3) with time zone`.
    fn simple_type(&mut self) {
        let mut open = 0_usize;
        while let Some(token) = self.token(0) {
            match token {
                SqlToken::LParen => open += 1,
                SqlToken::RParen if open == 0 => return,
                SqlToken::RParen => open -= 1,
                SqlToken::Comma | SqlToken::SemiColon if open == 0 => return,
                _ => {}
            }
            self.copy();
        }
    }

    /// `1, 2 ORDER BY …` to `(1), (2) ORDER BY …`.
    fn bare_rows(&mut self) {
        const AFTER_ROWS: &[Keyword] = &[
            Keyword::ORDER,
            Keyword::LIMIT,
            Keyword::OFFSET,
            Keyword::FETCH,
            Keyword::UNION,
            Keyword::INTERSECT,
            Keyword::EXCEPT,
        ];
        if self.token(0).is_none_or(|token| matches!(token, SqlToken::SemiColon | SqlToken::RParen)) {
            return;
        }
        self.insert(SqlToken::LParen);
        let mut open = 0_usize;
        while let Some(token) = self.token(0) {
            match token {
                SqlToken::LParen | SqlToken::LBracket => open += 1,
                SqlToken::RParen | SqlToken::RBracket | SqlToken::SemiColon if open == 0 => break,
                SqlToken::RParen | SqlToken::RBracket => open -= 1,
                SqlToken::Comma if open == 0 => {
                    self.insert(SqlToken::RParen);
                    self.copy();
                    self.insert(SqlToken::LParen);
                    continue;
                }
                _ if open == 0 && AFTER_ROWS.iter().any(|&keyword| self.is_keyword(0, keyword)) => break,
                _ => {}
            }
            self.copy();
        }
        self.insert(SqlToken::RParen);
    }
}

#[cfg(test)]
mod tests;
