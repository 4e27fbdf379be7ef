//! Literals and CAST with Trino's types.

use sqlparser::ast::{
    self, CastKind, CharacterLength, DataType, Expr, LimitClause, TimezoneInfo, UnaryOperator, Value,
    ValueWithSpan, WindowFrameBound, WindowType,
};
use sqlparser::tokenizer::Span;

use super::build::{call, plain_number, text};
use crate::error::{Place, QueryError};
use crate::temporal;

/// Marks a number that is a position or a count, not a value: it must stay a bare literal.
pub(super) fn protect(expr: &mut Expr) {
    if let Expr::Value(ValueWithSpan { value: Value::Number(_, protected), .. }) = expr {
        *protected = true;
    }
}

/// The marks on the numbers of a window's frame. They are set before the numbers are visited and taken off after: the
/// planner reads no marked ones there.
pub(super) fn frame_marks(over: &mut Option<WindowType>) -> impl Iterator<Item = &mut bool> {
    let frame = match over {
        Some(WindowType::WindowSpec(spec)) => spec.window_frame.as_mut(),
        _ => None,
    };
    let bounds =
        frame.into_iter().flat_map(|frame| [&mut frame.start_bound].into_iter().chain(&mut frame.end_bound));
    bounds.filter_map(|bound| match bound {
        WindowFrameBound::Preceding(Some(expr)) | WindowFrameBound::Following(Some(expr)) => {
            match expr.as_mut() {
                Expr::Value(ValueWithSpan { value: Value::Number(_, marked), .. }) => Some(marked),
                _ => None,
            }
        }
        _ => None,
    })
}

pub(super) fn has_limit(clause: &LimitClause) -> bool {
    matches!(clause, LimitClause::LimitOffset { limit: Some(_), .. } | LimitClause::OffsetCommaLimit { .. })
}

pub(super) fn number(digits: String, span: Span) -> Expr {
    if digits.contains(['e', 'E']) {
        return call("$cast_double", vec![text(&digits)]);
    }
    let integer = digits.parse::<i32>().is_ok();
    let value = Expr::Value(ValueWithSpan { value: Value::Number(digits, true), span });
    if !integer {
        return value;
    }
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(value),
        data_type: DataType::Int(None),
        array: false,
        format: None,
    }
}

pub(super) fn typed_literal(literal: ast::TypedString) -> Result<Expr, QueryError> {
    let place = Place::of(literal.value.span);
    let Some(value) = literal.value.value.clone().into_string() else {
        return Ok(Expr::TypedString(literal));
    };
    let bad = |ty: &str| {
        QueryError::user("INVALID_LITERAL", format!("'{value}' is not a valid {ty} literal")).at(place)
    };
    match &literal.data_type {
        DataType::Date => {
            temporal::parse_date(value.trim().as_bytes()).ok_or_else(|| bad("DATE"))?;
            Ok(call("$cast_date", vec![text(&value)]))
        }
        DataType::Timestamp(..) => {
            let (millis, zoned) =
                temporal::parse_zoned(value.trim().as_bytes()).ok_or_else(|| bad("TIMESTAMP"))?;
            if zoned {
                return Ok(call("$timestamp_utc", vec![plain_number(&millis.to_string())]));
            }
            Ok(call("$cast_timestamp", vec![text(&value)]))
        }
        DataType::Decimal(_) | DataType::Dec(_) => {
            let digits = value.trim().trim_start_matches(['+', '-']);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                return Err(bad("DECIMAL"));
            }
            let point = if digits.contains('.') { "" } else { "." };
            let number = plain_number(&format!("{digits}{point}"));
            let negative = value.trim().starts_with('-');
            Ok(if negative {
                Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number) }
            } else {
                number
            })
        }
        other => match cast_name(other) {
            Some(name) => Ok(call(&format!("$cast_{name}"), vec![text(&value)])),
            None => Ok(Expr::TypedString(literal)),
        },
    }
}

/// The plain types whose CAST is ours, by the name of its function.
pub(super) fn cast_name(ty: &DataType) -> Option<&'static str> {
    Some(match ty {
        DataType::Boolean | DataType::Bool => "boolean",
        DataType::TinyInt(_) => "tinyint",
        DataType::SmallInt(_) => "smallint",
        DataType::Int(_) | DataType::Integer(_) => "integer",
        DataType::BigInt(_) => "bigint",
        DataType::Real | DataType::Float(_) => "real",
        DataType::Double(_) | DataType::DoublePrecision => "double",
        DataType::Varchar(_)
        | DataType::Char(_)
        | DataType::Character(_)
        | DataType::String(_)
        | DataType::Text => "varchar",
        DataType::Date => "date",
        DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => "timestamp",
        DataType::Timestamp(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => "timestamptz",
        _ => return None,
    })
}

/// Cuts to `varchar(n)`; cuts and pads to `char(n)`.
pub(super) fn fit_length(value: Expr, ty: &DataType) -> Expr {
    let (length, pads) = match ty {
        DataType::Varchar(length) => (length, false),
        DataType::Char(length) | DataType::Character(length) => (length, true),
        _ => return value,
    };
    let n = match length {
        Some(CharacterLength::IntegerLength { length, .. }) => length.to_string(),
        None if pads => "1".to_owned(),
        _ => return value,
    };
    let cut = call("substr", vec![value, plain_number("1"), plain_number(&n)]);
    if pads { call("rpad", vec![cut, plain_number(&n), text(" ")]) } else { cut }
}
