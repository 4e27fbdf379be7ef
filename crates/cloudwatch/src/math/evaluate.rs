//! Evaluation: what an expression comes to.

use std::collections::BTreeMap;

use super::parse::{Expression, Operator, Reason};
use super::search::Search;
use super::value::{Series, Value};
use crate::ops::rounded_start;
use crate::store::Span;

/// Points that the evaluation of one request may touch: some seconds of a processor.
const WORK_MAX: usize = 5_000_000;

/// What expressions may speak of.
pub(crate) struct World {
    /// The stretch of time of the request, and the period of what has none of its own.
    pub(crate) span: Span,
    /// The present, which decides how a beginning is rounded.
    pub(crate) now: i64,
    /// What the queries of metrics came to, in the order of the request.
    pub(crate) metrics: Vec<(String, Series)>,
    /// The expressions, by the id of their query.
    pub(crate) expressions: BTreeMap<String, Expression>,
    /// What was found, by what was searched for.
    pub(crate) searches: BTreeMap<Search, Vec<Series>>,
}

/// Evaluates the expressions of one request, each at most once.
pub(crate) struct Evaluation<'a> {
    pub(super) world: &'a World,
    done: BTreeMap<&'a str, Value>,
    /// Expressions that are being evaluated: one that speaks of them goes in a circle.
    open: Vec<&'a str>,
    work: usize,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self { world, done: BTreeMap::new(), open: Vec::new(), work: 0 }
    }

    /// The time series of the expression of a query.
    ///
    /// # Errors
    /// The reason why there are none.
    pub(crate) fn series(&mut self, id: &str) -> Result<Vec<Series>, Reason> {
        let (id, _) = self.world.expressions.get_key_value(id).ok_or_else(|| unknown(id))?;
        match self.expression(id)? {
            Value::Series(series) => Ok(vec![series]),
            Value::List(series) => Ok(series),
            Value::Scalar(_) | Value::Text(_) => Err("it does not return a time series".to_owned()),
        }
    }

    fn expression(&mut self, id: &'a str) -> Result<Value, Reason> {
        if let Some(done) = self.done.get(id) {
            let done = done.clone();
            self.spend(points(&done))?;
            return Ok(done);
        }
        if self.open.contains(&id) {
            return Err(format!("{id} refers to itself"));
        }
        self.open.push(id);
        let value = self.evaluate(&self.world.expressions[id]);
        self.open.pop();
        let mut value = value?;
        if let Value::Series(series) = &mut value {
            id.clone_into(&mut series.label);
            series.origin = None;
        }
        self.done.insert(id, value.clone());
        Ok(value)
    }

    /// Counts points that are about to be touched.
    pub(super) fn spend(&mut self, points: usize) -> Result<(), Reason> {
        self.work += points + 1;
        if self.work > WORK_MAX { Err("it takes too many data points".to_owned()) } else { Ok(()) }
    }

    pub(super) fn evaluate(&mut self, expression: &'a Expression) -> Result<Value, Reason> {
        let value = match expression {
            Expression::Number(number) => Value::Scalar(*number),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Name(name) => self.name(name)?,
            Expression::Call(name, arguments) => self.call(name, arguments)?,
            Expression::List(items) => self.list(items)?,
            Expression::Negate(inner) => map(&self.evaluate(inner)?, |value| -value)?,
            Expression::Binary(operator, left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                self.spend(points(&left) + points(&right))?;
                binary(&left, &right, |left, right| operator.of(left, right))?
            }
        };
        self.spend(points(&value))?;
        Ok(value)
    }

    fn name(&mut self, name: &'a str) -> Result<Value, Reason> {
        if let Some((_, series)) = self.world.metrics.iter().find(|(id, _)| id == name) {
            return Ok(Value::Series(series.clone()));
        }
        if let Some((id, _)) = self.world.expressions.get_key_value(name) {
            return self.expression(id);
        }
        let itself = ["REPEAT", "LINEAR", "ASC", "DESC", "AVG", "MIN", "MAX", "SUM"];
        if itself.contains(&name.to_ascii_uppercase().as_str()) {
            return Ok(Value::Text(name.to_ascii_uppercase()));
        }
        Err(unknown(name))
    }

    fn list(&mut self, items: &'a [Expression]) -> Result<Value, Reason> {
        let mut list = Vec::new();
        for item in items {
            match self.evaluate(item)? {
                Value::Series(series) => list.push(series),
                Value::List(series) => list.extend(series),
                Value::Scalar(value) => list.push(self.constant(value)?),
                Value::Text(text) => return Err(format!("'{text}' is not a time series")),
            }
        }
        Ok(Value::List(list))
    }

    /// The times of the request.
    pub(super) fn grid(&self, period: i64) -> impl ExactSizeIterator<Item = i64> + use<> {
        let Span { start, end, .. } = self.world.span;
        let (start, period) = (rounded_start(start, period, self.world.now), period.max(1));
        let times = end.saturating_sub(start).max(0).div_euclid(period).saturating_add(1);
        let times = usize::try_from(times).unwrap_or(usize::MAX);
        // The last one may be beyond the end.
        let times = if start + (times as i64 - 1) * period >= end { times - 1 } else { times };
        (0..times).map(move |n| start + n as i64 * period)
    }

    /// One value at each time of the request.
    pub(super) fn constant(&mut self, value: f64) -> Result<Series, Reason> {
        let period = self.world.span.period;
        // Counted before they are made: a short text asks for many.
        self.spend(self.grid(period).len())?;
        let points = self.grid(period).map(|at| (at, value)).collect();
        Ok(Series { label: String::new(), period, points, origin: None })
    }
}

fn unknown(name: &str) -> Reason {
    format!("there is no metric or expression {name}")
}

pub(super) fn points(value: &Value) -> usize {
    match value {
        Value::Series(series) => series.points.len(),
        Value::List(list) => list.iter().map(|series| series.points.len()).sum(),
        Value::Scalar(_) | Value::Text(_) => 0,
    }
}

/// Each value by itself.
pub(super) fn map(value: &Value, f: impl Fn(f64) -> f64) -> Result<Value, Reason> {
    match value {
        Value::Scalar(value) => Ok(Value::Scalar(f(*value))),
        Value::Series(series) => Ok(Value::Series(series.map(f))),
        Value::List(list) => Ok(Value::List(list.iter().map(|series| series.map(&f)).collect())),
        Value::Text(text) => Err(format!("'{text}' is not a number")),
    }
}

/// Two values point by point. A series with a list is taken with each of it; two lists are taken pairwise.
fn binary(left: &Value, right: &Value, f: impl Fn(f64, f64) -> f64) -> Result<Value, Reason> {
    match (left, right) {
        (Value::Text(text), _) | (_, Value::Text(text)) => Err(format!("'{text}' is not a number")),
        (Value::Scalar(left), right) => map(right, |right| f(*left, right)),
        (left, Value::Scalar(right)) => map(left, |left| f(left, *right)),
        (Value::Series(left), Value::Series(right)) => Ok(Value::Series(left.zip(right, f))),
        (Value::List(left), Value::Series(right)) => {
            Ok(Value::List(left.iter().map(|left| left.zip(right, &f)).collect()))
        }
        (Value::Series(left), Value::List(right)) => {
            let zipped = right.iter().map(|right| Series {
                label: right.label.clone(),
                origin: right.origin.clone(),
                ..left.zip(right, &f)
            });
            Ok(Value::List(zipped.collect()))
        }
        (Value::List(left), Value::List(right)) if left.len() == right.len() => {
            Ok(Value::List(left.iter().zip(right).map(|(left, right)| left.zip(right, &f)).collect()))
        }
        (Value::List(left), Value::List(right)) => {
            Err(format!("lists of {} and {} time series do not go together", left.len(), right.len()))
        }
    }
}

impl Operator {
    fn of(self, left: f64, right: f64) -> f64 {
        let flag = |holds: bool| f64::from(u8::from(holds));
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            // Where the divisor is zero there is no point.
            Self::Divide => left / right,
            Self::Power => left.powf(right),
            Self::Equal => flag(left == right),
            Self::NotEqual => flag(left != right),
            Self::LessOrEqual => flag(left <= right),
            Self::GreaterOrEqual => flag(left >= right),
            Self::Less => flag(left < right),
            Self::Greater => flag(left > right),
            Self::And => flag(left != 0.0 && right != 0.0),
            Self::Or => flag(left != 0.0 || right != 0.0),
        }
    }
}
