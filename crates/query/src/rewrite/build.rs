//! Building expressions.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident, LambdaFunction,
    LambdaFunctionParameter, LambdaSyntax, ObjectName, OneOrManyWithParens, OrderByExpr, OrderByOptions,
    Spanned, UnaryOperator, Value,
};

pub(super) fn call(name: &str, args: Vec<Expr>) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(Ident::with_quote('"', name)),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: list(args),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

pub(super) fn lambda(parameter: &str, body: Expr) -> Expr {
    let name = Ident::with_quote('"', parameter);
    Expr::Lambda(LambdaFunction {
        params: OneOrManyWithParens::One(LambdaFunctionParameter { name, data_type: None }),
        body: Box::new(body),
        syntax: LambdaSyntax::Arrow,
    })
}

pub(super) fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(expr))) }
}

pub(super) fn list(args: Vec<Expr>) -> FunctionArguments {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() })
}

pub(super) fn rename(function: &mut Function, name: &str) {
    let span = function.name.span();
    function.name = ObjectName::from(Ident::with_quote_and_span('"', span, name));
}

/// Another function on other arguments; DISTINCT, FILTER and OVER stay.
pub(super) fn set(function: &mut Function, name: &str, args: Vec<Expr>) {
    rename(function, name);
    let distinct: Option<DuplicateTreatment> = match &function.args {
        FunctionArguments::List(list) => list.duplicate_treatment,
        _ => None,
    };
    function.args = list(args);
    if let FunctionArguments::List(list) = &mut function.args {
        list.duplicate_treatment = distinct;
    }
}

/// `max_by(value, by)`: the first value by descending order, among rows where `by` is not NULL.
pub(super) fn by_order(function: &mut Function, name: &str, value: &Expr, by: &Expr) {
    set(function, "first_value", vec![value.clone()]);
    let options = OrderByOptions { asc: Some(name == "min_by"), nulls_first: Some(false) };
    let order = OrderByExpr { expr: by.clone(), options, with_fill: None };
    if let FunctionArguments::List(list) = &mut function.args {
        list.clauses.push(FunctionArgumentClause::OrderBy(vec![order]));
    }
    let known = Expr::IsNotNull(Box::new(by.clone()));
    function.filter = Some(Box::new(match function.filter.take() {
        Some(filter) => binary(&Expr::Nested(filter), BinaryOperator::And, &known),
        None => known,
    }));
}

pub(super) fn plain_args(args: &FunctionArguments) -> Vec<Expr> {
    let FunctionArguments::List(list) = args else { return Vec::new() };
    let args = list.args.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    args.collect()
}

pub(super) fn case(condition: &Expr, value: &Expr, other: Option<&Expr>) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition: condition.clone(), result: value.clone() }],
        else_result: other.map(|other| Box::new(other.clone())),
    }
}

pub(super) fn binary(left: &Expr, op: BinaryOperator, right: &Expr) -> Expr {
    let side = |expr: &Expr| Box::new(Expr::Nested(Box::new(expr.clone())));
    Expr::Nested(Box::new(Expr::BinaryOp { left: side(left), op, right: side(right) }))
}

pub(super) fn plain_number(digits: &str) -> Expr {
    Expr::Value(Value::Number(digits.to_owned(), true).with_empty_span())
}

pub(super) fn text(value: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.to_owned()).with_empty_span())
}

/// What is cast is the value that JSON text stands for, not the text.
pub(super) fn json_scalar(mut expr: Expr) -> Expr {
    match &mut expr {
        Expr::Nested(inner) => return json_scalar(std::mem::replace(inner.as_mut(), plain_number("0"))),
        Expr::Function(function)
            if function.name.to_string().to_lowercase().replace('"', "") == "json_extract" =>
        {
            rename(function, "json_extract_scalar");
        }
        _ => {}
    }
    expr
}
