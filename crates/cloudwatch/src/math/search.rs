//! `SEARCH('{Namespace,Dimension} MetricName="Latency" web', 'Average', 300)`: which metrics it means.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html>
//!
//! ```text
//! search = [ "{" namespace { "," dimension } "}" ] or
//! or     = and { "OR" and }
//! and    = not { [ "AND" ] not }
//! not    = [ "NOT" | "-" ] ( "(" or ")" | term )
//! term   = [ property [ ":" ] "=" ] ( word | '"' text '"' )
//! ```
//!
//! A word is found in a property (namespace, metric's name, names and values of dimensions) that has all its tokens, letters of either
//! case; a text in quotation marks is a whole property. A property's tokens are its runs of letters and digits, and the parts of
//! such a run that begin with a capital.

use super::parse::{Expression, Reason};
use crate::limits::EXPRESSION_DEPTH_MAX;
use crate::series::MetricName;
use crate::statistic::Statistic;

/// A search that is to be carried out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Search {
    pub(crate) text: String,
    pub(crate) statistic: String,
    pub(crate) period: i64,
}

impl Search {
    /// From the arguments of a call; `period` is that of the query.
    pub(crate) fn of(arguments: &[Expression], period: i64) -> Result<Self, Reason> {
        let (text, statistic, period) = match arguments {
            [Expression::Text(text), Expression::Text(statistic)] => (text, statistic, period),
            [Expression::Text(text), Expression::Text(statistic), Expression::Number(period)] => {
                (text, statistic, *period as i64)
            }
            _ => return Err("SEARCH does not take these arguments".to_owned()),
        };
        if Statistic::parse(statistic).is_none() {
            return Err(format!("{statistic} is not a valid statistic"));
        }
        if !(period > 0 && (period % 60 == 0 || [1, 5, 10, 20, 30].contains(&period))) {
            return Err(format!("{period} is not a valid period"));
        }
        Ok(Self { text: text.clone(), statistic: statistic.clone(), period })
    }
}

/// What a search's text means.
#[derive(Debug, PartialEq)]
pub(crate) struct Filter {
    /// Namespace and the names of dimensions that a metric must have, and no others.
    schema: Option<(String, Vec<String>)>,
    condition: Condition,
}

#[derive(Debug, PartialEq)]
enum Condition {
    /// All of them: of none, everything.
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Term {
        property: Option<String>,
        text: String,
        exact: bool,
    },
}

impl Filter {
    pub(crate) fn parse(text: &str) -> Result<Self, Reason> {
        let text = text.trim();
        let (schema, rest) = match text.strip_prefix('{') {
            None => (None, text),
            Some(inner) => {
                let (inner, rest) = inner.split_once('}').ok_or("a schema does not end")?;
                let mut names = inner.split(',').map(|name| name.trim().trim_matches('"').to_owned());
                let namespace =
                    names.next().filter(|name| !name.is_empty()).ok_or("a schema names no namespace")?;
                let mut dimensions: Vec<String> = names.collect();
                dimensions.sort();
                (Some((namespace, dimensions)), rest)
            }
        };
        let mut parser = Parser { tokens: tokens(rest)?, next: 0, depth: 0 };
        let condition = parser.or()?;
        if parser.next < parser.tokens.len() {
            return Err("a search has a parenthesis too many".to_owned());
        }
        Ok(Self { schema, condition })
    }

    pub(crate) fn matches(&self, metric: &MetricName) -> bool {
        let fits = self.schema.as_ref().is_none_or(|(namespace, dimensions)| {
            *namespace == metric.namespace && metric.dimensions.iter().map(|(name, _)| name).eq(dimensions)
        });
        fits && self.condition.holds(metric)
    }
}

impl Condition {
    fn holds(&self, metric: &MetricName) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(metric)),
            Self::Any(any) => any.iter().any(|one| one.holds(metric)),
            Self::Not(inner) => !inner.holds(metric),
            Self::Term { property, text, exact } => {
                let says = |value: &str| {
                    if *exact {
                        return value == text;
                    }
                    let own = words(value);
                    let wanted = words(text);
                    !wanted.is_empty() && wanted.iter().all(|word| own.contains(word))
                };
                match property.as_deref() {
                    Some("MetricName") => says(&metric.name),
                    Some("Namespace") => says(&metric.namespace),
                    Some(name) => metric.dimensions.iter().any(|(own, value)| own == name && says(value)),
                    None => {
                        let dimensions = metric.dimensions.iter().flat_map(|(name, value)| [name, value]);
                        [&metric.namespace, &metric.name].into_iter().chain(dimensions).any(|text| says(text))
                    }
                }
            }
        }
    }
}

/// The tokens of a property in small letters: its runs of letters and digits, whole and split before capitals.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| !run.is_empty()) {
        words.push(run.to_ascii_lowercase());
        let mut part = String::new();
        let mut before = None;
        for c in run.chars() {
            let turns = |before: char| before.is_ascii_lowercase() && c.is_ascii_uppercase();
            if before.is_some_and(turns) {
                words.push(std::mem::take(&mut part));
            }
            part.push(c.to_ascii_lowercase());
            before = Some(c);
        }
        if part.len() < run.len() {
            words.push(part);
        }
    }
    words
}

#[derive(Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Equals,
    Word(String),
    Text(String),
}

fn tokens(text: &str) -> Result<Vec<Token>, Reason> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' | '=' => {
                tokens.push(match first {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    _ => Token::Equals,
                });
                1
            }
            '"' => {
                let inner = rest.get(1..).unwrap_or_default();
                let (inner, _) = inner.split_once('"').ok_or("a text in a search does not end")?;
                tokens.push(Token::Text(inner.to_owned()));
                inner.len() + 2
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '=' | '"');
                let (word, _) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                // `Name:=` is `Name=`.
                tokens.push(Token::Word(word.to_owned()));
                word.len()
            }
        };
        rest = rest.split_at(length).1.trim_start();
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn word(&mut self, wanted: &str) -> bool {
        let there = matches!(self.tokens.get(self.next), Some(Token::Word(word)) if word == wanted);
        self.next += usize::from(there);
        there
    }

    fn or(&mut self) -> Result<Condition, Reason> {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            return Err("a search nests too deep".to_owned());
        }
        let mut any = vec![self.and()?];
        while self.word("OR") {
            any.push(self.and()?);
        }
        self.depth -= 1;
        Ok(if any.len() == 1 { any.remove(0) } else { Condition::Any(any) })
    }

    fn and(&mut self) -> Result<Condition, Reason> {
        let mut all = Vec::new();
        loop {
            match self.tokens.get(self.next) {
                None | Some(Token::Close) => break,
                Some(Token::Word(word)) if word == "OR" => break,
                Some(Token::Word(word)) if word == "AND" => self.next += 1,
                Some(_) => all.push(self.not()?),
            }
        }
        Ok(Condition::All(all))
    }

    fn not(&mut self) -> Result<Condition, Reason> {
        let mut negated = self.word("NOT");
        if let Some(Token::Word(word)) = self.tokens.get_mut(self.next)
            && let Some(rest) = word.strip_prefix('-')
        {
            negated = !negated;
            if rest.is_empty() {
                self.next += 1;
            } else {
                *word = rest.to_owned();
            }
        }
        let inner = if self.tokens.get(self.next) == Some(&Token::Open) {
            self.next += 1;
            let inner = self.or()?;
            if self.tokens.get(self.next) != Some(&Token::Close) {
                return Err("a parenthesis in a search does not end".to_owned());
            }
            self.next += 1;
            inner
        } else {
            self.term()?
        };
        Ok(if negated { Condition::Not(Box::new(inner)) } else { inner })
    }

    fn term(&mut self) -> Result<Condition, Reason> {
        let (first, exact) = self.value()?;
        if self.tokens.get(self.next) != Some(&Token::Equals) {
            return Ok(Condition::Term { property: None, text: first, exact });
        }
        self.next += 1;
        let property = Some(first.trim_end_matches(':').to_owned());
        if self.tokens.get(self.next) != Some(&Token::Open) {
            let (text, exact) = self.value()?;
            return Ok(Condition::Term { property, text, exact });
        }
        // `Name=("a" OR "b")`
        self.next += 1;
        let mut any = Vec::new();
        while self.tokens.get(self.next) != Some(&Token::Close) {
            if self.word("OR") {
                continue;
            }
            let (text, exact) = self.value()?;
            any.push(Condition::Term { property: property.clone(), text, exact });
        }
        self.next += 1;
        Ok(Condition::Any(any))
    }

    fn value(&mut self) -> Result<(String, bool), Reason> {
        let token = self.tokens.get(self.next).ok_or("a search ends too early")?;
        self.next += 1;
        match token {
            Token::Word(word) => Ok((word.clone(), false)),
            Token::Text(text) => Ok((text.clone(), true)),
            Token::Open | Token::Close | Token::Equals => Err("a search is not well formed".to_owned()),
        }
    }
}
