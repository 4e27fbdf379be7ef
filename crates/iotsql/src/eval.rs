//! What an expression means for a message.
//!
//! Values of the payload are borrowed for as long as possible. Every step and every copied byte is paid for
//! from a [`Budget`]; once it is spent every value is Undefined and the statement fails.

use crate::ast::{Case, Comparison, Expr, Item, Projection, Query};
use crate::functions;
use crate::limits::WORK_MAX;
use crate::projection::Members;
use crate::value::UNDEFINED;
use crate::{Message, Object, SqlVersion, Value, convert, open_questions, operators};
use std::borrow::Cow;
use std::cell::Cell;

/// Keys looked through for one step of the budget.
const KEYS_PER_STEP: usize = 8;
/// What it costs to turn to an element in a nested query.
const STEPS_PER_ELEMENT: usize = 8;

/// What is left of the work one evaluation may do.
pub(crate) struct Budget(Cell<usize>);

/// Where names are looked up.
pub(crate) struct Scope<'a> {
    pub(crate) message: &'a Message<'a>,
    pub(crate) version: SqlVersion,
    pub(crate) variables: &'a [Value],
    pub(crate) budget: &'a Budget,
    /// The elements of the nested queries around, outermost first.
    elements: Vec<Element<'a>>,
}

#[derive(Clone, Copy)]
struct Element<'a> {
    value: &'a Value,
    alias: Option<&'a str>,
}

/// What a SELECT list gives.
pub(crate) enum Projected<'a> {
    Value(Cow<'a, Value>),
    Members(Members<'a>),
}

impl Budget {
    pub(crate) fn new() -> Budget {
        Budget(Cell::new(WORK_MAX))
    }

    /// Whether there was enough left; if not, nothing is left.
    pub(crate) fn spend(&self, work: usize) -> bool {
        let left = self.0.get().saturating_sub(work);
        self.0.set(left);
        left > 0
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

impl<'a> Scope<'a> {
    pub(crate) fn new(
        message: &'a Message<'a>,
        version: SqlVersion,
        variables: &'a [Value],
        budget: &'a Budget,
    ) -> Scope<'a> {
        Scope { message, version, variables, budget, elements: Vec::new() }
    }

    /// Whether a WHERE clause lets the message pass: only true does, or the string that converts to it.
    pub(crate) fn holds(&self, condition: Option<&'a Expr>) -> bool {
        condition.is_none_or(|condition| convert::to_bool(&self.eval(condition)) == Some(true))
    }

    pub(crate) fn project(&self, projection: &'a Projection) -> Projected<'a> {
        match projection {
            Projection::Value(expr) => Projected::Value(self.eval(expr)),
            Projection::Items(items) => match items.as_slice() {
                [Item::Spread(Expr::Star)] => Projected::Value(Cow::Borrowed(self.star())),
                items => Projected::Members(self.members(items)),
            },
        }
    }

    pub(crate) fn eval(&self, expr: &'a Expr) -> Cow<'a, Value> {
        if !self.budget.spend(1) {
            return Cow::Borrowed(&UNDEFINED);
        }
        match expr {
            Expr::Literal(value) => Cow::Borrowed(value),
            Expr::Star => Cow::Borrowed(self.star()),
            Expr::Raw => Cow::Owned(self.raw()),
            Expr::Name(name) => Cow::Borrowed(self.lookup(name)),
            Expr::Variable(place, _) => Cow::Borrowed(self.variables.get(*place).unwrap_or(&UNDEFINED)),
            Expr::Path(base, steps) => self.path(base, steps),
            Expr::Call(call) => functions::call(self, call),
            Expr::Query(query) => Cow::Owned(self.query(query)),
            Expr::Exists(query) => Cow::Owned(self.exists(query)),
            Expr::Array(elements) => Cow::Owned(self.array(elements)),
            Expr::Object(members) => Cow::Owned(self.object(members)),
            Expr::Case(case) => self.case(case),
            Expr::Cast(expr, to) => Cow::Owned(convert::cast(&self.eval(expr), *to, self.version)),
            Expr::Negate(expr) => Cow::Owned(operators::negate(&self.eval(expr))),
            Expr::Plus(expr) => Cow::Owned(self.plus(expr)),
            Expr::Not(expr) => Cow::Owned(boolean(convert::to_bool(&self.eval(expr)).map(|bool| !bool))),
            Expr::And(operands) => Cow::Owned(self.chain(operands, open_questions::and)),
            Expr::Or(operands) => Cow::Owned(self.chain(operands, open_questions::or)),
            Expr::Compare(operator, sides) => Cow::Owned(self.compare(*operator, sides)),
            Expr::In(sides) => Cow::Owned(self.is_in(sides)),
            Expr::Arithmetic(first, rest) => self.arithmetic(first, rest),
        }
    }

    /// A copy, if there is budget for it.
    fn own(&self, value: Cow<'a, Value>) -> Value {
        match value {
            Cow::Borrowed(value) if !self.budget.spend(value.weight()) => Value::Undefined,
            value => value.into_owned(),
        }
    }

    fn star(&self) -> &'a Value {
        self.elements.last().map_or_else(|| self.message.payload.value(), |element| element.value)
    }

    fn raw(&self) -> Value {
        match self.elements.last() {
            None => Value::Bytes(self.message.payload.bytes().clone()),
            Some(element) => self.own(Cow::Borrowed(element.value)),
        }
    }

    /// The innermost element that has or is named `name`, then the payload.
    fn lookup(&self, name: &str) -> &'a Value {
        for element in self.elements.iter().rev() {
            if element.alias == Some(name) {
                return element.value;
            }
            let member = self.member(element.value, name);
            if *member != Value::Undefined {
                return member;
            }
        }
        self.member(self.message.payload.value(), name)
    }

    /// Pays for looking through the keys.
    fn member(&self, value: &'a Value, key: &str) -> &'a Value {
        if let Value::Object(object) = value {
            self.budget.spend(object.len() / KEYS_PER_STEP);
        }
        value.member(key)
    }

    fn path(&self, base: &'a Expr, steps: &'a [String]) -> Cow<'a, Value> {
        match self.eval(base) {
            Cow::Borrowed(value) => {
                Cow::Borrowed(steps.iter().fold(value, |value, step| self.member(value, step)))
            }
            Cow::Owned(value) => Cow::Owned(steps.iter().fold(value, |value, step| value.into_member(step))),
        }
    }

    fn members(&self, items: &'a [Item]) -> Members<'a> {
        let mut members = Members::default();
        for item in items {
            self.budget.spend(members.len() / KEYS_PER_STEP);
            match item {
                Item::Named(expr, alias) => members.name(alias, self.eval(expr)),
                Item::Spread(expr) => members.spread(self.eval(expr)),
            }
        }
        members
    }

    /// An array of what each element gives; a source that is no array counts as its only element.
    fn query(&self, query: &'a Query) -> Value {
        let Some(elements) = self.source(query) else { return open_questions::query_over_undefined() };
        let mut scope = self.inner(query);
        let mut results = Vec::new();
        for element in elements {
            if !scope.enter(element) || !scope.holds(query.condition.as_ref()) {
                continue;
            }
            let result = match scope.project(&query.projection) {
                Projected::Value(value) => scope.own(value),
                Projected::Members(members) if !self.budget.spend(members.weight()) => {
                    return Value::Undefined;
                }
                Projected::Members(members) => members.into_value(),
            };
            if result != Value::Undefined {
                results.push(result);
            }
        }
        Value::Array(results)
    }

    fn exists(&self, query: &'a Query) -> Value {
        let mut scope = self.inner(query);
        let mut elements = self.source(query).unwrap_or_default().iter();
        Value::Bool(elements.any(|element| {
            scope.enter(element)
                && scope.holds(query.condition.as_ref())
                && match scope.project(&query.projection) {
                    Projected::Value(value) => *value != Value::Undefined,
                    Projected::Members(_) => true,
                }
        }))
    }

    /// `None` if the source is Undefined.
    fn source(&self, query: &'a Query) -> Option<&'a [Value]> {
        match self.eval(&query.source) {
            Cow::Borrowed(Value::Undefined) => None,
            Cow::Borrowed(Value::Array(elements)) => Some(elements),
            Cow::Borrowed(only) => Some(std::slice::from_ref(only)),
            // A source is a path from the payload, an element or a variable, all of them borrowed.
            Cow::Owned(_) => None,
        }
    }

    fn inner(&self, query: &'a Query) -> Scope<'a> {
        let mut elements = self.elements.clone();
        elements.push(Element { value: &UNDEFINED, alias: query.alias.as_deref() });
        Scope { elements, ..Scope::new(self.message, self.version, self.variables, self.budget) }
    }

    fn enter(&mut self, value: &'a Value) -> bool {
        if let Some(element) = self.elements.last_mut() {
            element.value = value;
        }
        self.budget.spend(STEPS_PER_ELEMENT)
    }

    fn array(&self, elements: &'a [Expr]) -> Value {
        let elements = elements.iter().map(|element| self.own(self.eval(element)));
        Value::Array(elements.filter(open_questions::keeps_array_element).collect())
    }

    fn object(&self, members: &'a [(String, Expr)]) -> Value {
        let members = members.iter().map(|(key, value)| (key.clone(), self.own(self.eval(value))));
        let members = members.filter(|(_, value)| *value != Value::Undefined).collect();
        Value::Object(Object::from_members(members).0)
    }

    fn case(&self, case: &'a Case) -> Cow<'a, Value> {
        let operand = self.eval(&case.operand);
        if *operand == Value::Undefined {
            return operand;
        }
        for (when, then) in &case.arms {
            if operators::equals(&operand, &self.eval(when)) == Some(true) {
                return self.eval(then);
            }
        }
        case.otherwise.as_ref().map_or(Cow::Borrowed(&UNDEFINED), |otherwise| self.eval(otherwise))
    }

    fn plus(&self, expr: &'a Expr) -> Value {
        operators::negate(&operators::negate(&self.eval(expr)))
    }

    fn chain(&self, operands: &'a [Expr], join: fn(Option<bool>, Option<bool>) -> Option<bool>) -> Value {
        let operands = operands.iter().map(|operand| convert::to_bool(&self.eval(operand)));
        boolean(operands.reduce(join).flatten())
    }

    fn compare(&self, operator: Comparison, sides: &'a (Expr, Expr)) -> Value {
        let (left, right) = (self.eval(&sides.0), self.eval(&sides.1));
        if self.affords_comparison(&left) {
            operators::compare(operator, &left, &right)
        } else {
            Value::Undefined
        }
    }

    fn is_in(&self, sides: &'a (Expr, Expr)) -> Value {
        let (value, array) = (self.eval(&sides.0), self.eval(&sides.1));
        if self.affords_comparison(&array) { operators::is_in(&value, &array) } else { Value::Undefined }
    }

    /// Pays for comparing all of an array or object.
    fn affords_comparison(&self, value: &Value) -> bool {
        !matches!(value, Value::Array(_) | Value::Object(_)) || self.budget.spend(value.weight())
    }

    fn arithmetic(&self, first: &'a Expr, rest: &'a [(crate::ast::Arithmetic, Expr)]) -> Cow<'a, Value> {
        let mut result = self.eval(first);
        for (operator, operand) in rest {
            let value = operators::arithmetic(*operator, &result, &self.eval(operand), self.version);
            // Only a text can be long.
            if matches!(value, Value::String(_)) && !self.budget.spend(value.weight()) {
                return Cow::Borrowed(&UNDEFINED);
            }
            result = Cow::Owned(value);
        }
        result
    }
}

fn boolean(value: Option<bool>) -> Value {
    value.map_or(Value::Undefined, Value::Bool)
}
