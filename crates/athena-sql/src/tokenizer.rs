//! Text to tokens with their places, under Hive's or Trino's rules of quoting.
//!
//! | | Hive | Trino |
//! |---|---|---|
//! | `` ` `` | identifier, doubled to contain itself | refused with Trino's own message |
//! | `"` | string, as `'` | identifier, doubled to contain itself |
//! | `'` | string, backslash escapes, adjacent strings join | string, doubled to contain itself |
//! | `2017_t` | identifier | refused with Trino's own message |
//!
//! Both: `-- …` to the end of the line and `/* … */` are spaces. The last token is always [`Kind::End`].

use crate::error::{Position, SyntaxError};

/// Whose rules of quoting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoting {
    Hive,
    Trino,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An unquoted identifier or a keyword.
    Word,
    /// A quoted identifier.
    Quoted,
    Text,
    Number,
    /// One punctuation character.
    Symbol,
    End,
}

/// A token as it stands in the statement, quotes and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) position: Position,
}

impl Token<'_> {
    /// Whether this is the keyword `word` (upper case), in any case.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(crate) fn is_symbol(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol && self.text.starts_with(symbol)
    }

    /// As error messages show it.
    pub(crate) fn shown(&self) -> &str {
        if self.kind == Kind::End { "<EOF>" } else { self.text }
    }
}

/// Splits the whole of `sql`.
///
/// # Errors
/// A character, string or identifier that the language does not have.
pub(crate) fn tokenize(sql: &str, quoting: Quoting) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut scan = Scan::new(sql);
    let mut tokens = Vec::new();
    loop {
        scan.skip_blanks();
        let start = scan.at;
        let position = scan.position;
        let Some(first) = scan.peek() else {
            tokens.push(Token { kind: Kind::End, text: "", position });
            return Ok(tokens);
        };
        let kind = match quoting {
            Quoting::Hive => scan.hive_token(first)?,
            Quoting::Trino => scan.trino_token(first)?,
        };
        tokens.push(Token { kind, text: scan.since(start), position });
    }
}

/// The first `count` words of a statement in upper case, or fewer when something else stands among them.
/// Needs no rules of quoting: it is what decides them.
pub(crate) fn leading_words(sql: &str, count: usize) -> Vec<String> {
    let mut scan = Scan::new(sql);
    let mut words = Vec::new();
    while words.len() < count {
        scan.skip_blanks();
        let start = scan.at;
        scan.skip_while(is_word_part);
        let word = scan.since(start);
        if word.is_empty() {
            break;
        }
        words.push(word.to_ascii_uppercase());
    }
    words
}

/// The first token's text as an error message shows it, and its place, for a text in no known language.
pub(crate) fn first_token(sql: &str) -> (&str, Position) {
    let mut scan = Scan::new(sql);
    scan.skip_blanks();
    let (start, position) = (scan.at, scan.position);
    scan.skip_while(is_word_part);
    if scan.at == start {
        scan.bump();
    }
    let text = scan.since(start);
    (if text.is_empty() { "<EOF>" } else { text }, position)
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Scan<'a> {
    sql: &'a str,
    at: usize,
    position: Position,
}

impl<'a> Scan<'a> {
    fn new(sql: &'a str) -> Self {
        Self { sql, at: 0, position: Position { line: 1, column: 1 } }
    }

    fn rest(&self) -> &'a str {
        self.sql.get(self.at..).expect("`at` only moves by whole characters")
    }

    fn since(&self, start: usize) -> &'a str {
        self.sql.get(start..self.at).expect("`start` was `at` earlier")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.position = Position { line: self.position.line + 1, column: 1 };
        } else {
            self.position.column += 1;
        }
        Some(c)
    }

    fn skip_while(&mut self, accept: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&accept) {
            self.bump();
        }
    }

    /// Spaces and comments. A comment that is never closed ends with the text.
    fn skip_blanks(&mut self) {
        loop {
            self.skip_while(|c| c.is_whitespace() || c == '\u{feff}');
            let rest = self.rest();
            if rest.starts_with("--") {
                self.skip_while(|c| c != '\n');
            } else if rest.starts_with("/*") {
                self.bump();
                self.bump();
                while !self.rest().starts_with("*/") && self.bump().is_some() {}
                self.bump();
                self.bump();
            } else {
                return;
            }
        }
    }

    fn hive_token(&mut self, first: char) -> Result<Kind, SyntaxError> {
        let position = self.position;
        match first {
            '`' => self.closed_by('`').then_some(Kind::Quoted).ok_or(()),
            '\'' | '"' => {
                // Adjacent strings are one token in Hive's lexer, and one string.
                let mut closed = true;
                while closed && let Some(quote @ ('\'' | '"')) = self.peek() {
                    closed = self.closed_by_with_escapes(quote);
                }
                closed.then_some(Kind::Text).ok_or(())
            }
            c if c.is_ascii_digit() => {
                let start = self.at;
                self.skip_while(is_word_part);
                if self.since(start).bytes().all(|b| b.is_ascii_digit()) {
                    self.fraction_and_exponent();
                    Ok(Kind::Number)
                } else {
                    Ok(Kind::Word)
                }
            }
            c if is_word_part(c) => {
                self.skip_while(is_word_part);
                Ok(Kind::Word)
            }
            c if "(),;.<>:=+-*/%&|^~!?[]{}$".contains(c) => {
                self.bump();
                Ok(Kind::Symbol)
            }
            c => {
                return Err(SyntaxError::Hive {
                    position,
                    message: format!("character '{c}' not supported here"),
                });
            }
        }
        .map_err(|()| SyntaxError::Hive {
            position: self.position,
            message: format!("mismatched character '<EOF>' expecting '{first}'"),
        })
    }

    fn trino_token(&mut self, first: char) -> Result<Kind, SyntaxError> {
        let position = self.position;
        let refuse = |message: String| Err(SyntaxError::Trino { position, message });
        match first {
            '`' => refuse(
                "backquoted identifiers are not supported; use double quotes to quote identifiers".to_owned(),
            ),
            '"' | '\'' => match self.closed_by(first) {
                true if first == '"' => Ok(Kind::Quoted),
                true => Ok(Kind::Text),
                false => refuse(format!("mismatched input '{first}'. Expecting: <expression>")),
            },
            c if c.is_ascii_digit() => {
                let start = self.at;
                self.skip_while(is_word_part);
                let word = self.since(start);
                if is_trino_number(word) {
                    self.fraction_and_exponent();
                    Ok(Kind::Number)
                } else if let Some(mantissa) = word.strip_suffix(['e', 'E'])
                    && mantissa.bytes().all(|b| b.is_ascii_digit())
                    && self.peek().is_some_and(|c| c == '-' || c == '+')
                {
                    self.bump();
                    self.skip_while(|c| c.is_ascii_digit());
                    Ok(Kind::Number)
                } else {
                    refuse(
                        "identifiers must not start with a digit; surround the identifier with double quotes"
                            .to_owned(),
                    )
                }
            }
            c if is_word_part(c) => {
                self.skip_while(is_word_part);
                Ok(Kind::Word)
            }
            _ => {
                self.bump();
                Ok(Kind::Symbol)
            }
        }
    }

    /// After digits: `.25`, `e-3`. A point is only taken with what follows being no identifier.
    fn fraction_and_exponent(&mut self) {
        if self.peek() == Some('.') {
            self.bump();
            self.skip_while(|c| c.is_ascii_digit());
        }
        if self.peek().is_some_and(|c| c == 'e' || c == 'E') {
            self.bump();
            if self.peek().is_some_and(|c| c == '-' || c == '+') {
                self.bump();
            }
            self.skip_while(|c| c.is_ascii_digit());
        }
    }

    /// Consumes a text between `quote`s in which a doubled quote stands for itself; `false` at the end.
    fn closed_by(&mut self, quote: char) -> bool {
        self.bump();
        while let Some(c) = self.bump() {
            if c == quote {
                if self.peek() != Some(quote) {
                    return true;
                }
                self.bump();
            }
        }
        false
    }

    fn closed_by_with_escapes(&mut self, quote: char) -> bool {
        self.bump();
        while let Some(c) = self.bump() {
            if c == quote {
                return true;
            }
            if c == '\\' {
                self.bump();
            }
        }
        false
    }
}

/// Decimal, `1_000`, `1e10`, `0x1F`, `0b1`, `0o7`.
fn is_trino_number(word: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if digits(word) {
        return true;
    }
    if let Some((mantissa, exponent)) = word.split_once(['e', 'E'])
        && digits(mantissa)
        && !exponent.is_empty()
        && digits(exponent)
    {
        return true;
    }
    let lower = word.to_ascii_lowercase();
    [("0x", 16), ("0o", 8), ("0b", 2)].iter().any(|&(prefix, radix)| {
        lower
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str, quoting: Quoting) -> String {
        match tokenize(sql, quoting) {
            Ok(tokens) => tokens
                .iter()
                .map(|t| format!("{:?}:{}@{}", t.kind, t.text, t.position))
                .collect::<Vec<_>>()
                .join(" "),
            Err(err) => err.to_string(),
        }
    }

    #[test]
    fn places_count_characters_and_lines() {
        assert_eq!(
            shown("é ab\n -- no 'quote\n/* ` */c", Quoting::Trino),
            "Word:é@1:1 Word:ab@1:3 Word:c@3:8 End:@3:9"
        );
    }

    #[test]
    fn the_same_text_under_both_rules() {
        for (sql, hive, trino) in [
            (
                "`a``b`",
                "Quoted:`a``b`@1:1 End:@1:7",
                "line 1:1: backquoted identifiers are not supported; use double quotes to quote identifiers",
            ),
            ("\"a\"", "Text:\"a\"@1:1 End:@1:4", "Quoted:\"a\"@1:1 End:@1:4"),
            (
                "'a\\'b'",
                "Text:'a\\'b'@1:1 End:@1:7",
                "line 1:6: mismatched input '''. Expecting: <expression>",
            ),
            ("'a''b'", "Text:'a''b'@1:1 End:@1:7", "Text:'a''b'@1:1 End:@1:7"),
            (
                "2017_t",
                "Word:2017_t@1:1 End:@1:7",
                "line 1:1: identifiers must not start with a digit; surround the identifier with double quotes",
            ),
            (
                "1e10 1.5e-3 2e-3",
                "Word:1e10@1:1 Number:1.5e-3@1:6 Word:2e@1:13 Symbol:-@1:15 Number:3@1:16 End:@1:17",
                "Number:1e10@1:1 Number:1.5e-3@1:6 Number:2e-3@1:13 End:@1:17",
            ),
            (
                "0x1F 1_000",
                "Word:0x1F@1:1 Word:1_000@1:6 End:@1:11",
                "Number:0x1F@1:1 Number:1_000@1:6 End:@1:11",
            ),
            (
                "'open",
                "FAILED: ParseException line 1:5 mismatched character '<EOF>' expecting '''",
                "line 1:1: mismatched input '''. Expecting: <expression>",
            ),
            (
                "a @",
                "FAILED: ParseException line 1:2 character '@' not supported here",
                "Word:a@1:1 Symbol:@@1:3 End:@1:4",
            ),
        ] {
            assert_eq!(shown(sql, Quoting::Hive), hive, "Hive: {sql}");
            assert_eq!(shown(sql, Quoting::Trino), trino, "Trino: {sql}");
        }
    }
}
