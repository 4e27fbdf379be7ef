//! Text to tokens, one at a time and totally: what is no token is a token too, and the parser says so.
//!
//! Strings are quoted with `'` or `"`. A doubled quote stands for itself and a backslash is a backslash, so
//! that regular expressions read as they are written. There are no comments and no quoted identifiers.

use std::ops::Range;

/// A token, borrowing its spelling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Token<'t> {
    /// A keyword, a name or a function: a letter or `_`, then letters, digits and `_`.
    Word(&'t str),
    /// `12`, `1.5`, `2E-3`. A sign is an operator.
    Number(&'t str),
    /// What stands between the quotes, and which quote it was.
    String(&'t str, char),
    Symbol(&'static str),
    UnterminatedString,
    /// A character that begins no token.
    Stray(char),
    End,
}

/// Longest first, since the first that fits is taken.
const SYMBOLS: &[&str] = &[
    "<>", "!=", ">=", "<=", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[", "]", "{", "}", ",", ":",
    ".", "@",
];

/// A place in a text; copying it is remembering the place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    /// `at` is a character boundary of `text`.
    pub(crate) fn new(text: &'t str, at: usize) -> Lexer<'t> {
        Lexer { text, at }
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    /// The next token and its bytes; [`Token::End`] for ever at the end.
    pub(crate) fn next(&mut self) -> (Token<'t>, Range<usize>) {
        self.skip(char::is_whitespace);
        let start = self.at;
        let token = self.token();
        (token, start..self.at)
    }

    /// What stands from `at` to the next white space: a topic filter without quotes.
    pub(crate) fn bare_topic(&mut self, at: usize) -> &'t str {
        self.at = at;
        self.skip(|c| !c.is_whitespace())
    }

    fn token(&mut self) -> Token<'t> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Token::End };
        match first {
            '\'' | '"' => self.string(first),
            '0'..='9' => self.number(),
            c if c == '_' || c.is_alphabetic() => Token::Word(self.skip(|c| c == '_' || c.is_alphanumeric())),
            c => {
                if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                    self.at += symbol.len();
                    return Token::Symbol(symbol);
                }
                self.at += c.len_utf8();
                Token::Stray(c)
            }
        }
    }

    fn string(&mut self, quote: char) -> Token<'t> {
        let start = self.at + 1;
        let mut rest = self.rest().char_indices().skip(1).peekable();
        while let Some((offset, c)) = rest.next() {
            if c != quote {
                continue;
            }
            if rest.next_if(|(_, next)| *next == quote).is_none() {
                let end = self.at + offset;
                self.at = end + 1;
                return Token::String(self.between(start, end), quote);
            }
        }
        self.at = self.text.len();
        Token::UnterminatedString
    }

    fn number(&mut self) -> Token<'t> {
        let start = self.at;
        let digits = |c: char| c.is_ascii_digit();
        self.skip(digits);
        if self.rest().strip_prefix('.').is_some_and(|rest| rest.starts_with(digits)) {
            self.at += 1;
            self.skip(digits);
        }
        if let Some(exponent) = self.rest().strip_prefix(['e', 'E']) {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if unsigned.starts_with(digits) {
                self.at += 1 + exponent.len() - unsigned.len();
                self.skip(digits);
            }
        }
        Token::Number(self.between(start, self.at))
    }

    fn skip(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let start = self.at;
        self.at += length;
        self.between(start, self.at)
    }

    fn rest(&self) -> &'t str {
        self.between(self.at, self.text.len())
    }

    fn between(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).expect("the lexer stops only between characters")
    }
}

/// The text of a [`Token::String`].
pub(crate) fn unquote(raw: &str, quote: char) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        text.push(c);
        if c == quote {
            chars.next();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut lexer = Lexer::new(text, 0);
        std::iter::from_fn(|| Some(lexer.next().0)).take_while(|token| *token != Token::End).collect()
    }

    #[test]
    fn words_numbers_strings_and_symbols() {
        assert_eq!(
            tokens("Select a_1.b, 1.5E-3<>2e+1 'it''s' \"\""),
            [
                Token::Word("Select"),
                Token::Word("a_1"),
                Token::Symbol("."),
                Token::Word("b"),
                Token::Symbol(","),
                Token::Number("1.5E-3"),
                Token::Symbol("<>"),
                Token::Number("2e+1"),
                Token::String("it''s", '\''),
                Token::String("", '"'),
            ]
        );
        assert_eq!(unquote("it''s", '\''), "it's");
    }

    #[test]
    fn a_point_without_digits_is_a_step() {
        assert_eq!(tokens("1.x"), [Token::Number("1"), Token::Symbol("."), Token::Word("x")]);
        assert_eq!(tokens("1e"), [Token::Number("1"), Token::Word("e")]);
    }

    #[test]
    fn what_is_no_token_is_named() {
        assert_eq!(tokens("$"), [Token::Stray('$')]);
        assert_eq!(tokens("'abc"), [Token::UnterminatedString]);
    }
}
