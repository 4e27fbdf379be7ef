//! JSON text read where it stands: values are checked and skipped, or given out as they are written.

use crate::limits::JSON_DEPTH_MAX;

/// A place in a text.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }

    pub(super) fn whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The inside of a string, still escaped.
    pub(super) fn string(&mut self) -> Result<&'a [u8], &'static str> {
        if !self.eat(b'"') {
            return Err("Row is not a valid JSON Object: expected a string in quotes");
        }
        let start = self.at;
        loop {
            let Some(offset) = memchr::memchr2(b'"', b'\\', self.rest()) else {
                return Err("Row is not a valid JSON Object: unterminated string");
            };
            self.at += offset + 1;
            if self.bytes.get(self.at - 1) == Some(&b'"') {
                return Ok(self.bytes.get(start..self.at - 1).unwrap_or_default());
            }
            match self.peek() {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                Some(b'u') => {
                    let digits = self.bytes.get(self.at + 1..self.at + 5).unwrap_or_default();
                    if digits.len() < 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                        return Err("Row is not a valid JSON Object: bad escape in a string");
                    }
                    self.at += 5;
                }
                _ => return Err("Row is not a valid JSON Object: bad escape in a string"),
            }
        }
    }

    fn number(&mut self) -> Result<&'a [u8], &'static str> {
        const BAD: &str = "Row is not a valid JSON Object: bad number";
        let start = self.at;
        self.eat(b'-');
        let leading_zero = self.peek() == Some(b'0');
        match self.digits() {
            0 => return Err(BAD),
            1 => {}
            _ if leading_zero => return Err(BAD),
            _ => {}
        }
        if self.eat(b'.') && self.digits() == 0 {
            return Err(BAD);
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'-') || self.eat(b'+');
            if self.digits() == 0 {
                return Err(BAD);
            }
        }
        Ok(self.bytes.get(start..self.at).unwrap_or_default())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    pub(super) fn literal(&mut self, text: &[u8]) -> Result<(), &'static str> {
        if self.rest().starts_with(text) {
            self.at += text.len();
            Ok(())
        } else {
            Err("Row is not a valid JSON Object: unexpected character")
        }
    }

    pub(super) fn skip_value(&mut self, depth: usize) -> Result<(), &'static str> {
        if depth > JSON_DEPTH_MAX {
            return Err("Row is not a valid JSON Object: nested too deeply");
        }
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            Some(b'{') => self.members(|cursor, _| cursor.skip_value(depth + 1)),
            Some(b'[') => self.elements(|cursor| cursor.skip_value(depth + 1)),
            _ => Err("Row is not a valid JSON Object: expected a value"),
        }
    }

    /// Visits the members of an object; `visit` must consume the value.
    pub(super) fn members(
        &mut self,
        mut visit: impl FnMut(&mut Self, &'a [u8]) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        if !self.eat(b'{') {
            return Err("expected a JSON object");
        }
        self.whitespace();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            self.whitespace();
            let key = self.string()?;
            self.whitespace();
            if !self.eat(b':') {
                return Err("Row is not a valid JSON Object: expected ':' after a key");
            }
            self.whitespace();
            visit(self, key)?;
            self.whitespace();
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err("Row is not a valid JSON Object: expected ',' or '}'");
            }
        }
    }

    /// Visits the elements of an array; `visit` must consume the value.
    pub(super) fn elements(
        &mut self,
        mut visit: impl FnMut(&mut Self) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        if !self.eat(b'[') {
            return Err("expected a JSON array");
        }
        self.whitespace();
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.whitespace();
            visit(self)?;
            self.whitespace();
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err("Row is not a valid JSON Object: expected ',' or ']'");
            }
        }
    }

    /// A value that is not an object or array. The text of a string is without escapes.
    pub(super) fn scalar(&mut self) -> Result<Scalar<'a>, &'static str> {
        match self.peek() {
            Some(b'"') => self.string().map(Scalar::Text),
            Some(b't') => self.literal(b"true").map(|()| Scalar::Bool(true)),
            Some(b'f') => self.literal(b"false").map(|()| Scalar::Bool(false)),
            Some(b'-' | b'0'..=b'9') => self.number().map(Scalar::Number),
            _ => Err("expected a number or a string"),
        }
    }
}

/// A value that is not an object or array.
pub(super) enum Scalar<'a> {
    /// Still escaped.
    Text(&'a [u8]),
    Number(&'a [u8]),
    Bool(bool),
}

/// The characters an escaped string stands for; what is not UTF-8 becomes U+FFFD.
pub(super) fn unescape(raw: &[u8]) -> std::borrow::Cow<'_, str> {
    if memchr::memchr(b'\\', raw).is_none() {
        return String::from_utf8_lossy(raw);
    }
    let text = String::from_utf8_lossy(raw);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(ch) = chars.next() {
        if ch != '\\' {
            out.push(ch);
            continue;
        }
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let high = hex4(&mut chars);
                let ch = match high {
                    0xd800..0xdc00 => {
                        let mut ahead = chars.clone();
                        let low = (ahead.next() == Some('\\') && ahead.next() == Some('u'))
                            .then(|| hex4(&mut ahead))
                            .filter(|low| (0xdc00..0xe000).contains(low));
                        low.and_then(|low| {
                            chars = ahead;
                            char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
                        })
                    }
                    code => char::from_u32(code),
                };
                out.push(ch.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    std::borrow::Cow::Owned(out)
}

fn hex4(chars: &mut std::str::Chars<'_>) -> u32 {
    (0..4).fold(0, |code, _| (code << 4) | chars.next().and_then(|ch| ch.to_digit(16)).unwrap_or(0))
}
