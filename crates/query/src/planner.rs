//! Operators by the types of their sides: exact arithmetic is ours, unlike types are not compared.
//!
//! DataFusion's planner asks here before it builds an operator or a subscript itself.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, GetFieldAccess};
use sqlparser::ast::BinaryOperator;
use std::sync::Arc;

use crate::error::{Place, QueryError};
use crate::functions::arithmetic::{self, Operator};
use crate::functions::{collection, udf};
use crate::types::trino_name;

#[derive(Debug)]
pub(crate) struct TrinoPlanner;

impl ExprPlanner for TrinoPlanner {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let (Ok(left), Ok(right)) = (raw.left.get_type(schema), raw.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(raw));
        };
        if let Some(operator) = arithmetic_operator(&raw.op) {
            if arithmetic::is_exact(&left, &right) {
                let function = Arc::new(arithmetic::function(operator));
                let args = vec![raw.left, raw.right];
                return Ok(PlannerResult::Planned(Expr::ScalarFunction(ScalarFunction::new_udf(
                    function, args,
                ))));
            }
            if is_text(&left) && !is_null(&right) || is_text(&right) && !is_null(&left) {
                return Err(mismatch(&raw, &left, &right).into());
            }
        }
        if is_comparison(&raw.op) && is_text(&left) != is_text(&right) && !is_null(&left) && !is_null(&right)
        {
            return Err(mismatch(&raw, &left, &right).into());
        }
        Ok(PlannerResult::Original(raw))
    }

    fn plan_field_access(
        &self,
        raw: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let ty = raw.expr.get_type(schema)?;
        if !matches!(ty, DataType::List(_) | DataType::Map(..)) {
            return Ok(PlannerResult::Original(raw));
        }
        let key = match raw.field_access {
            GetFieldAccess::ListIndex { key } => *key,
            GetFieldAccess::NamedStructField { name } => Expr::Literal(name, None),
            GetFieldAccess::ListRange { .. } => return Ok(PlannerResult::Original(raw)),
        };
        let function = Arc::new(udf(&collection::SUBSCRIPT));
        let args = vec![raw.expr, key];
        Ok(PlannerResult::Planned(Expr::ScalarFunction(ScalarFunction::new_udf(function, args))))
    }
}

fn arithmetic_operator(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Plus => Operator::Add,
        BinaryOperator::Minus => Operator::Subtract,
        BinaryOperator::Multiply => Operator::Multiply,
        BinaryOperator::Divide => Operator::Divide,
        BinaryOperator::Modulo => Operator::Modulo,
        _ => return None,
    })
}

fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
    )
}

fn is_text(ty: &DataType) -> bool {
    matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_null(ty: &DataType) -> bool {
    *ty == DataType::Null
}

fn mismatch(raw: &RawBinaryExpr, left: &DataType, right: &DataType) -> QueryError {
    let sentence =
        format!("Cannot apply operator: {} {} {}", shown(&raw.left, left), raw.op, shown(&raw.right, right));
    let place = place(&raw.left).or_else(|| place(&raw.right));
    QueryError::user("TYPE_MISMATCH", sentence).at(place)
}

/// A string literal's type has its length.
fn shown(expr: &Expr, ty: &DataType) -> String {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => format!("varchar({})", text.chars().count()),
        _ => trino_name(ty),
    }
}

fn place(expr: &Expr) -> Option<Place> {
    match expr {
        Expr::Column(column) => column
            .spans
            .0
            .first()
            .map(|span| Place { line: span.start.line, column: span.start.column })
            .filter(|place| place.line > 0),
        Expr::Cast(Cast { expr, .. }) => place(expr),
        _ => None,
    }
}
