//! A place among a Hive statement's tokens, the small phrases every statement shares, and the ways in which
//! Hive's parser says that it did not find what it expected.
//!
//! Every phrase method either consumes the whole phrase or answers an error; `eat_…` consume or leave alone.

use crate::ddl::{Properties, TableName};
use crate::error::SyntaxError;
use crate::quote::{hive_identifier_value, hive_string_value};
use crate::tokenizer::{Kind, Quoting, Token, tokenize};

/// Words that are never a name without backquotes, because the grammar could not tell them apart.
/// The part of AWS's list that Hive reserves even outside its strict mode:
/// <https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html>
const RESERVED: &[&str] = &[
    "AND",
    "CASE",
    "CAST",
    "CHAR",
    "COLUMN",
    "CONF",
    "CROSS",
    "CURRENT",
    "DATABASE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCHANGE",
    "EXTENDED",
    "FROM",
    "FUNCTION",
    "HAVING",
    "IF",
    "INTERVAL",
    "JOIN",
    "LESS",
    "MACRO",
    "MAP",
    "MORE",
    "NOT",
    "ON",
    "OR",
    "OVER",
    "PARTIALSCAN",
    "PRECEDING",
    "PRESERVE",
    "REDUCE",
    "SELECT",
    "TABLESAMPLE",
    "THEN",
    "TRANSFORM",
    "UNBOUNDED",
    "UNIQUEJOIN",
    "VARCHAR",
    "WHEN",
    "WHERE",
    "WINDOW",
];

/// Where we are in a statement.
pub(crate) struct Cursor<'a> {
    /// Ends with [`Kind::End`].
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(sql: &'a str) -> Result<Self, SyntaxError> {
        Ok(Self { tokens: tokenize(sql, Quoting::Hive)?, at: 0 })
    }

    /// Drops the semicolons after the statement.
    ///
    /// # Errors
    /// [`SyntaxError::ManyStatements`] when something follows them.
    pub(crate) fn one_statement(&mut self, sql: &str) -> Result<(), SyntaxError> {
        let Some(first) = self.tokens.iter().position(|token| token.is_symbol(';')) else { return Ok(()) };
        let another = |token: &Token<'_>| !token.is_symbol(';') && token.kind != Kind::End;
        if self.tokens.iter().skip(first).any(another) {
            return Err(SyntaxError::ManyStatements { sql: sql.to_owned() });
        }
        self.tokens.truncate(first + 1);
        if let Some(last) = self.tokens.last_mut() {
            *last = Token { kind: Kind::End, text: "", position: last.position };
        }
        Ok(())
    }

    fn peek(&self) -> Token<'a> {
        self.ahead(0)
    }

    /// The `n`th token from here; the end repeats.
    fn ahead(&self, n: usize) -> Token<'a> {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + n).min(last)]
    }

    pub(crate) fn advance(&mut self) {
        if self.peek().kind != Kind::End {
            self.at += 1;
        }
    }

    pub(crate) fn mark(&self) -> usize {
        self.at
    }

    pub(crate) fn back_to(&mut self, mark: usize) {
        self.at = mark;
    }

    /// The keyword or plain identifier here, in upper case.
    pub(crate) fn peek_word(&self) -> Option<String> {
        let token = self.peek();
        (token.kind == Kind::Word).then(|| token.text.to_ascii_uppercase())
    }

    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek().is_word(word);
        if found {
            self.advance();
        }
        found
    }

    /// All of `words` or none.
    pub(crate) fn eat_words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(n, word)| self.ahead(n).is_word(word));
        if found {
            self.at += words.len();
        }
        found
    }

    pub(crate) fn eat_symbol(&mut self, symbol: char) -> bool {
        let found = self.peek().is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    pub(crate) fn expect_word(&mut self, word: &str, inside: &str) -> Result<(), SyntaxError> {
        if self.eat_word(word) { Ok(()) } else { Err(self.mismatched(word, inside)) }
    }

    pub(crate) fn expect_symbol(&mut self, symbol: char, inside: &str) -> Result<(), SyntaxError> {
        if self.eat_symbol(symbol) { Ok(()) } else { Err(self.mismatched(&symbol.to_string(), inside)) }
    }

    /// The end of the statement.
    pub(crate) fn end(&self) -> Result<(), SyntaxError> {
        let token = self.peek();
        if token.kind == Kind::End {
            return Ok(());
        }
        let message = if self.ahead(1).kind == Kind::End {
            format!("extraneous input '{}' expecting EOF near '<EOF>'", token.text)
        } else {
            format!("missing EOF at '{}' near '{}'", token.text, self.previous())
        };
        Err(SyntaxError::Hive { position: token.position, message })
    }

    /// A name in lower case, plain or in backquotes.
    pub(crate) fn identifier(&mut self, inside: &str) -> Result<String, SyntaxError> {
        let token = self.peek();
        let name = match token.kind {
            Kind::Quoted => hive_identifier_value(token.text),
            Kind::Word if is_plain_name(token.text) => token.text.to_owned(),
            _ => return Err(self.no_viable(inside)),
        };
        if name.is_empty() {
            return Err(self.no_viable(inside));
        }
        self.advance();
        Ok(name.to_lowercase())
    }

    /// The name of a struct's field, in the case written. Catalogs hold more than the grammar's identifiers,
    /// so everything without a space up to the colon is taken: `_id`, `$oid`, `x-y.z`.
    pub(crate) fn field_name(&mut self) -> Result<String, SyntaxError> {
        let first = self.peek();
        if first.kind == Kind::Quoted {
            self.advance();
            return Ok(hive_identifier_value(first.text));
        }
        let mut name = String::new();
        let mut next_column = first.position.column;
        loop {
            let token = self.peek();
            let part = match token.kind {
                Kind::Word | Kind::Number => true,
                Kind::Symbol => "-.$".contains(token.text),
                _ => false,
            };
            if !part || token.position.column != next_column || token.position.line != first.position.line {
                break;
            }
            next_column += token.text.chars().count();
            name.push_str(token.text);
            self.advance();
        }
        if name.is_empty() { Err(self.no_viable("column specification")) } else { Ok(name) }
    }

    /// `[database.]table`.
    pub(crate) fn table_name(&mut self) -> Result<TableName, SyntaxError> {
        let first = self.identifier("table name")?;
        if self.eat_symbol('.') {
            let table = self.identifier("table name")?;
            return Ok(TableName { database: Some(first), table });
        }
        Ok(TableName { database: None, table: first })
    }

    /// A string, unescaped.
    pub(crate) fn string(&mut self, inside: &str) -> Result<String, SyntaxError> {
        self.optional_string().ok_or_else(|| self.mismatched("StringLiteral", inside))
    }

    pub(crate) fn optional_string(&mut self) -> Option<String> {
        let token = self.peek();
        if token.kind != Kind::Text {
            return None;
        }
        self.advance();
        Some(hive_string_value(token.text))
    }

    /// A whole number.
    pub(crate) fn number(&mut self, inside: &str) -> Result<u64, SyntaxError> {
        let token = self.peek();
        let number = if token.kind == Kind::Number { token.text.parse().ok() } else { None };
        match number {
            Some(number) => {
                self.advance();
                Ok(number)
            }
            None => Err(self.mismatched("Number", inside)),
        }
    }

    /// A string, number or word as the text of a partition's value.
    pub(crate) fn constant(&mut self, inside: &str) -> Result<String, SyntaxError> {
        if let Some(text) = self.optional_string() {
            return Ok(text);
        }
        let sign = if self.eat_symbol('-') { "-" } else { "" };
        // `date '2017-08-26'` is the string with a word before it.
        if sign.is_empty() && (self.peek().is_word("DATE") || self.peek().is_word("TIMESTAMP")) {
            self.advance();
            return self.string(inside);
        }
        let token = self.peek();
        if token.kind != Kind::Number {
            return Err(self.no_viable("constant"));
        }
        self.advance();
        Ok(format!("{sign}{}", token.text))
    }

    pub(crate) fn if_not_exists(&mut self, inside: &str) -> Result<bool, SyntaxError> {
        if !self.eat_word("IF") {
            return Ok(false);
        }
        self.expect_word("NOT", inside)?;
        self.expect_word("EXISTS", inside)?;
        Ok(true)
    }

    pub(crate) fn if_exists(&mut self, inside: &str) -> Result<bool, SyntaxError> {
        if !self.eat_word("IF") {
            return Ok(false);
        }
        self.expect_word("EXISTS", inside)?;
        Ok(true)
    }

    /// `[COMMENT 'text']`.
    pub(crate) fn comment(&mut self) -> Result<Option<String>, SyntaxError> {
        if self.eat_word("COMMENT") { self.string("comment").map(Some) } else { Ok(None) }
    }

    /// `[LOCATION 's3://…']`.
    pub(crate) fn location(&mut self) -> Result<Option<String>, SyntaxError> {
        if self.eat_word("LOCATION") {
            self.string("table location specification").map(Some)
        } else {
            Ok(None)
        }
    }

    /// `('key' = 'value', …)`.
    pub(crate) fn properties(&mut self, inside: &str) -> Result<Properties, SyntaxError> {
        self.expect_symbol('(', inside)?;
        let mut properties = Properties::new();
        loop {
            let key = self.string(inside)?;
            self.expect_symbol('=', inside)?;
            let value = self.string(inside)?;
            properties.push((key, value));
            if !self.eat_symbol(',') {
                break;
            }
        }
        self.expect_symbol(')', inside)?;
        Ok(properties)
    }

    fn previous(&self) -> &'a str {
        self.at.checked_sub(1).map_or("", |before| self.tokens[before].text)
    }

    /// Hive's error where one token was possible and another stands.
    pub(crate) fn mismatched(&self, expected: &str, inside: &str) -> SyntaxError {
        let token = self.peek();
        let message = format!(
            "mismatched input '{}' expecting {expected} near '{}' in {inside}",
            token.shown(),
            self.previous()
        );
        SyntaxError::Hive { position: token.position, message }
    }

    /// Hive's error where no branch of a rule begins with what stands here.
    pub(crate) fn no_viable(&self, inside: &str) -> SyntaxError {
        let token = self.peek();
        let message = format!(
            "cannot recognize input near '{}' '{}' '{}' in {inside}",
            token.shown(),
            self.ahead(1).shown(),
            self.ahead(2).shown()
        );
        SyntaxError::Hive { position: token.position, message }
    }

    /// What the grammar takes and the meaning does not.
    pub(crate) fn semantic(&self, message: String) -> SyntaxError {
        SyntaxError::HiveSemantic { message }
    }
}

fn is_plain_name(word: &str) -> bool {
    !word.starts_with('_') && !RESERVED.iter().any(|reserved| word.eq_ignore_ascii_case(reserved))
}
