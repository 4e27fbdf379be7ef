//! The text of an expression and its tree.
//!
//! ```text
//! or      = and { ("OR" | "||") and }
//! and     = compare { ("AND" | "&&") compare }
//! compare = sum { ("==" | "!=" | "<=" | ">=" | "<" | ">") sum }
//! sum     = product { ("+" | "-") product }
//! product = unary { ("*" | "/") unary }
//! unary   = "-" unary | power
//! power   = atom [ "^" unary ]
//! atom    = number | text | name | name "(" list ")" | "[" list "]" | "(" or ")"
//! ```

use crate::limits::EXPRESSION_DEPTH_MAX;

/// A tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    Text(String),
    /// The id of another query, or a name that stands for itself.
    Name(String),
    /// A function's name in capitals, and its arguments.
    Call(String, Vec<Self>),
    List(Vec<Self>),
    Negate(Box<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
    And,
    Or,
}

/// Why a text is no expression: a clause for the sentence of its caller.
pub(crate) type Reason = String;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Name(String),
    Sign(&'static str),
}

const SIGNS: [&str; 18] =
    ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ","];

/// The tree of a text.
///
/// # Errors
/// The reason why there is none.
pub(crate) fn parse(text: &str) -> Result<Expression, Reason> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let tree = parser.or()?;
    match parser.peek() {
        None => Ok(tree),
        Some(token) => Err(format!("unexpected {}", show(token))),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Reason> {
    let mut rest = text.trim_start();
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '0'..='9' | '.' => {
                let length = number_length(rest);
                let (number, _) = rest.split_at(length);
                let number = number.parse().map_err(|_| format!("{number} is not a number"))?;
                tokens.push(Token::Number(number));
                length
            }
            '\'' | '"' => {
                let inner = rest.get(1..).unwrap_or_default();
                let (inner, _) = inner.split_once(first).ok_or("a text does not end")?;
                tokens.push(Token::Text(inner.to_owned()));
                inner.len() + 2
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                tokens.push(Token::Name(rest.split_at(end).0.to_owned()));
                end
            }
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| format!("unexpected {first}"))?;
                tokens.push(Token::Sign(sign));
                sign.len()
            }
        };
        rest = rest.split_at(length).1.trim_start();
    }
    Ok(tokens)
}

/// Digits, a point, digits, and an exponent if digits follow it.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end += 1;
        end += digits(end);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = if end + 1 + sign < bytes.len() { digits(end + 1 + sign) } else { 0 };
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

fn show(token: &Token) -> String {
    match token {
        Token::Number(number) => number.to_string(),
        Token::Text(text) => format!("'{text}'"),
        Token::Name(name) => name.clone(),
        Token::Sign(sign) => (*sign).to_owned(),
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(there);
        there
    }

    fn expect(&mut self, sign: &str) -> Result<(), Reason> {
        if self.take(sign) {
            return Ok(());
        }
        Err(self.peek().map_or_else(
            || format!("{sign} is missing"),
            |token| format!("{sign} expected at {}", show(token)),
        ))
    }

    /// The operator that is next, if it is one of these.
    fn operator(&mut self, among: &[(&str, Operator)]) -> Option<Operator> {
        let found = match self.peek()? {
            Token::Sign(sign) => among.iter().find(|(text, _)| text == sign),
            Token::Name(name) => among.iter().find(|(text, _)| text.eq_ignore_ascii_case(name)),
            _ => None,
        };
        let (_, operator) = found?;
        self.next += 1;
        Some(*operator)
    }

    fn chain(
        &mut self,
        among: &[(&str, Operator)],
        next: impl Fn(&mut Self) -> Result<Expression, Reason>,
    ) -> Result<Expression, Reason> {
        let mut tree = next(self)?;
        let mut length = 0;
        while let Some(operator) = self.operator(among) {
            // A chain leans to the left, and so is as deep as it is long.
            length += 1;
            if length > EXPRESSION_DEPTH_MAX * 8 {
                return Err("it is too long".to_owned());
            }
            tree = Expression::Binary(operator, Box::new(tree), Box::new(next(self)?));
        }
        Ok(tree)
    }

    fn or(&mut self) -> Result<Expression, Reason> {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            return Err("it nests too deep".to_owned());
        }
        let tree = self.chain(&[("||", Operator::Or), ("OR", Operator::Or)], Self::and);
        self.depth -= 1;
        tree
    }

    fn and(&mut self) -> Result<Expression, Reason> {
        self.chain(&[("&&", Operator::And), ("AND", Operator::And)], Self::compare)
    }

    fn compare(&mut self) -> Result<Expression, Reason> {
        let among = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        self.chain(&among, Self::sum)
    }

    fn sum(&mut self) -> Result<Expression, Reason> {
        self.chain(&[("+", Operator::Add), ("-", Operator::Subtract)], Self::product)
    }

    fn product(&mut self) -> Result<Expression, Reason> {
        self.chain(&[("*", Operator::Multiply), ("/", Operator::Divide)], Self::unary)
    }

    fn unary(&mut self) -> Result<Expression, Reason> {
        let mut signs = 0;
        while self.take("-") {
            signs += 1;
        }
        let tree = self.power()?;
        Ok(if signs % 2 == 1 { Expression::Negate(Box::new(tree)) } else { tree })
    }

    fn power(&mut self) -> Result<Expression, Reason> {
        let base = self.atom()?;
        if !self.take("^") {
            return Ok(base);
        }
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            return Err("it nests too deep".to_owned());
        }
        let exponent = self.unary()?;
        self.depth -= 1;
        Ok(Expression::Binary(Operator::Power, Box::new(base), Box::new(exponent)))
    }

    fn atom(&mut self) -> Result<Expression, Reason> {
        let token = self.peek().cloned().ok_or("it ends too early")?;
        self.next += 1;
        match token {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Text(text) => Ok(Expression::Text(text)),
            Token::Name(name) if self.take("(") => {
                Ok(Expression::Call(name.to_ascii_uppercase(), self.list(")")?))
            }
            Token::Name(name) => Ok(Expression::Name(name)),
            Token::Sign("[") => Ok(Expression::List(self.list("]")?)),
            Token::Sign("(") => {
                let tree = self.or()?;
                self.expect(")")?;
                Ok(tree)
            }
            Token::Sign(sign) => Err(format!("unexpected {sign}")),
        }
    }

    fn list(&mut self, end: &str) -> Result<Vec<Expression>, Reason> {
        let mut items = Vec::new();
        if self.take(end) {
            return Ok(items);
        }
        loop {
            items.push(self.or()?);
            if self.take(end) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }
}

impl Expression {
    /// Calls `f` with every call in the tree.
    pub(crate) fn calls<'a>(&'a self, f: &mut dyn FnMut(&'a str, &'a [Self])) {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Name(_) => {}
            Self::Call(name, arguments) => {
                f(name, arguments);
                arguments.iter().for_each(|argument| argument.calls(f));
            }
            Self::List(items) => items.iter().for_each(|item| item.calls(f)),
            Self::Negate(inner) => inner.calls(f),
            Self::Binary(_, left, right) => {
                left.calls(f);
                right.calls(f);
            }
        }
    }
}
