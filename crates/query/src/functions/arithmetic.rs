//! `+ - * / %` on integers and decimals as Trino computes them: overflow and division by zero are errors, the type
//! of a decimal result follows Trino's rules and a quotient is rounded half up.
//!
//! Source: <https://trino.io/docs/current/functions/decimal.html>

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, PrimitiveArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, i256,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::QueryError;
use crate::limits::DECIMAL_DIGITS_MAX;
use crate::types::trino_name;

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

const OPERATORS: [Operator; 5] =
    [Operator::Add, Operator::Subtract, Operator::Multiply, Operator::Divide, Operator::Modulo];

impl Operator {
    fn name(self) -> &'static str {
        match self {
            Self::Add => "$add",
            Self::Subtract => "$subtract",
            Self::Multiply => "$multiply",
            Self::Divide => "$divide",
            Self::Modulo => "$modulo",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Add => "addition",
            Self::Subtract => "subtraction",
            Self::Multiply => "multiplication",
            Self::Divide => "division",
            Self::Modulo => "modulus",
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }
}

/// The function of an operator.
pub(crate) fn function(operator: Operator) -> ScalarUDF {
    ScalarUDF::new_from_impl(Arithmetic {
        operator,
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

pub(super) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    OPERATORS.into_iter().map(|operator| Arc::new(function(operator)))
}

/// Whether an operator on these types is computed here: integers and decimals, not floating point.
pub(crate) fn is_exact(left: &DataType, right: &DataType) -> bool {
    let exact = |ty: &DataType| ty.is_integer() || matches!(ty, DataType::Decimal128(..));
    exact(left) && exact(right)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    operator: Operator,
    signature: Signature,
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        self.operator.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, args: &[DataType]) -> Result<Vec<DataType>> {
        let [left, right] = args else {
            return Err(QueryError::user("SYNTAX_ERROR", "an operator has two sides").into());
        };
        if left.is_integer() && right.is_integer() {
            let wider = if rank(left) >= rank(right) { signed(left) } else { signed(right) };
            return Ok(vec![wider.clone(), wider]);
        }
        Ok(vec![as_decimal(left), as_decimal(right)])
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args {
            [DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)] => {
                Ok(decimal_type(self.operator, (*p1, *s1), (*p2, *s2)))
            }
            [ty, _] => Ok(ty.clone()),
            _ => Err(QueryError::user("SYNTAX_ERROR", "an operator has two sides").into()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let all_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if all_scalar { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|arg| arg.clone().into_array(rows)).collect::<Result<Vec<_>>>()?;
        let (left, right) = (&arrays[0], &arrays[1]);
        let array: ArrayRef = match left.data_type() {
            DataType::Int8 => integers::<Int8Type>(self.operator, left, right)?,
            DataType::Int16 => integers::<Int16Type>(self.operator, left, right)?,
            DataType::Int32 => integers::<Int32Type>(self.operator, left, right)?,
            DataType::Int64 => integers::<Int64Type>(self.operator, left, right)?,
            _ => decimals(self.operator, left, right, args.return_field.data_type())?,
        };
        if all_scalar {
            return ScalarValue::try_from_array(&array, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(array))
    }
}

fn rank(ty: &DataType) -> u8 {
    match signed(ty) {
        DataType::Int8 => 1,
        DataType::Int16 => 2,
        DataType::Int32 => 3,
        _ => 4,
    }
}

/// DataFusion's counts are unsigned; Trino has no unsigned types.
fn signed(ty: &DataType) -> DataType {
    match ty {
        DataType::Int8 | DataType::Int16 | DataType::Int32 => ty.clone(),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        _ => DataType::Int64,
    }
}

fn as_decimal(ty: &DataType) -> DataType {
    match signed(ty) {
        _ if matches!(ty, DataType::Decimal128(..)) => ty.clone(),
        DataType::Int8 => DataType::Decimal128(3, 0),
        DataType::Int16 => DataType::Decimal128(5, 0),
        DataType::Int32 => DataType::Decimal128(10, 0),
        _ => DataType::Decimal128(19, 0),
    }
}

fn decimal_type(operator: Operator, (p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> DataType {
    let (p1, s1, p2, s2) = (i16::from(p1), i16::from(s1), i16::from(p2), i16::from(s2));
    let (precision, scale) = match operator {
        Operator::Add | Operator::Subtract => ((p1 - s1).max(p2 - s2) + s1.max(s2) + 1, s1.max(s2)),
        Operator::Multiply => (p1 + p2, s1 + s2),
        Operator::Divide => (p1 + s2 + (s2 - s1).max(0), s1.max(s2)),
        Operator::Modulo => ((p1 - s1).min(p2 - s2) + s1.max(s2), s1.max(s2)),
    };
    let max = i16::from(DECIMAL_DIGITS_MAX);
    let precision = u8::try_from(precision.clamp(1, max)).expect("is at most 38");
    DataType::Decimal128(precision, i8::try_from(scale.min(max)).expect("is at most 38"))
}

/// Checked arithmetic of one integer type.
trait Checked: ArrowPrimitiveType {
    fn compute(operator: Operator, left: Self::Native, right: Self::Native) -> Option<Self::Native>;
    fn is_zero(value: Self::Native) -> bool;
}

macro_rules! checked {
    ($ty:ty, $native:ty) => {
        impl Checked for $ty {
            fn compute(operator: Operator, left: $native, right: $native) -> Option<$native> {
                match operator {
                    Operator::Add => left.checked_add(right),
                    Operator::Subtract => left.checked_sub(right),
                    Operator::Multiply => left.checked_mul(right),
                    Operator::Divide => left.checked_div(right),
                    Operator::Modulo => Some(left.wrapping_rem(right)),
                }
            }

            fn is_zero(value: $native) -> bool {
                value == 0
            }
        }
    };
}

checked!(Int8Type, i8);
checked!(Int16Type, i16);
checked!(Int32Type, i32);
checked!(Int64Type, i64);

fn integers<T: Checked>(operator: Operator, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef>
where
    T::Native: std::fmt::Display,
{
    let ty = left.data_type().clone();
    let (left, right) = (left.as_primitive::<T>(), right.as_primitive::<T>());
    let divides = matches!(operator, Operator::Divide | Operator::Modulo);
    let values = left.iter().zip(right.iter()).map(|(left, right)| {
        let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
        if divides && T::is_zero(right) {
            return Err(division_by_zero());
        }
        T::compute(operator, left, right).map(Some).ok_or_else(|| {
            let sentence = format!(
                "{} {} overflow: {left} {} {right}",
                trino_name(&ty),
                operator.noun(),
                operator.symbol()
            );
            QueryError::user("NUMERIC_VALUE_OUT_OF_RANGE", sentence)
        })
    });
    Ok(Arc::new(values.collect::<Result<PrimitiveArray<T>, QueryError>>()?))
}

fn division_by_zero() -> QueryError {
    QueryError::user("DIVISION_BY_ZERO", "Division by zero")
}

fn decimals(operator: Operator, left: &ArrayRef, right: &ArrayRef, returns: &DataType) -> Result<ArrayRef> {
    let DataType::Decimal128(precision, scale) = *returns else {
        return Err(QueryError::user("SYNTAX_ERROR", "expected decimals").into());
    };
    let (s1, s2) = (scale_of(left), scale_of(right));
    let bound = i256::from_i128(10).wrapping_pow(u32::from(precision));
    let (left, right) = (decimal_array(left)?, decimal_array(right)?);
    let values = left.iter().zip(right.iter()).map(|(left, right)| {
        let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
        let (left, right) = (i256::from_i128(left), i256::from_i128(right));
        let common = s1.max(s2);
        let (a, b) = (shift(left, common - s1), shift(right, common - s2));
        let value = match operator {
            Operator::Add => a.wrapping_add(b),
            Operator::Subtract => a.wrapping_sub(b),
            Operator::Multiply => left.wrapping_mul(right),
            Operator::Divide | Operator::Modulo if right == i256::ZERO => return Err(division_by_zero()),
            Operator::Modulo => a.wrapping_rem(b),
            Operator::Divide => {
                // left·10^-s1 / right·10^-s2 at the result's scale.
                let numerator = shift(left, i32::from(scale) + s2 - s1);
                let (quotient, rest) = (numerator.wrapping_div(right), numerator.wrapping_rem(right));
                let twice = rest.wrapping_abs().wrapping_mul(i256::from_i128(2));
                if twice >= right.wrapping_abs() {
                    let away = if (numerator < i256::ZERO) == (right < i256::ZERO) { 1 } else { -1 };
                    quotient.wrapping_add(i256::from_i128(away))
                } else {
                    quotient
                }
            }
        };
        match value.to_i128().filter(|_| value.wrapping_abs() < bound) {
            Some(value) => Ok(Some(value)),
            None => Err(QueryError::user("NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow")),
        }
    });
    let array = values.collect::<Result<Decimal128Array, QueryError>>()?;
    Ok(Arc::new(array.with_precision_and_scale(precision, scale)?))
}

fn decimal_array(array: &ArrayRef) -> Result<PrimitiveArray<Decimal128Type>> {
    let array = if array.data_type().is_integer() {
        cast(array, &as_decimal(array.data_type()))?
    } else {
        Arc::clone(array)
    };
    Ok(array.as_primitive::<Decimal128Type>().clone())
}

fn scale_of(array: &ArrayRef) -> i32 {
    match array.data_type() {
        DataType::Decimal128(_, scale) => i32::from(*scale),
        _ => 0,
    }
}

fn shift(value: i256, digits: i32) -> i256 {
    value.wrapping_mul(i256::from_i128(10).wrapping_pow(digits.max(0).unsigned_abs()))
}
