//! `TRY(expression)`: NULL where the expression's value is an error of the row's data.
//!
//! The expression reaches the function as a lambda, so that it is evaluated here and nowhere before: for all rows at
//! once and, only if that fails, row by row.
//!
//! Source: <https://trino.io/docs/current/functions/conditional.html#try>

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Int8Array, new_null_array};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use crate::error::to_port;

/// What TRY turns into NULL.
const CAUGHT: [&str; 4] =
    ["DIVISION_BY_ZERO", "INVALID_CAST_ARGUMENT", "INVALID_FUNCTION_ARGUMENT", "NUMERIC_VALUE_OUT_OF_RANGE"];

/// The function, for the session.
pub(super) fn function() -> HigherOrderUDF {
    let signature = HigherOrderSignature::exact(vec![ValueOrLambda::Lambda(())], Volatility::Immutable);
    HigherOrderUDF::new_from_impl(Try { signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Try {
    signature: HigherOrderSignature,
}

impl HigherOrderUDFImpl for Try {
    fn name(&self) -> &'static str {
        "$try"
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    /// One parameter that no expression uses: it tells how many rows there are.
    fn lambda_parameters(
        &self,
        _: usize,
        _: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let rows = Arc::new(Field::new("rows", DataType::Int8, false));
        Ok(LambdaParametersProgress::Complete(vec![vec![rows]]))
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        match args.arg_fields {
            [ValueOrLambda::Lambda(body)] => Ok(Arc::new(Field::new("", body.data_type().clone(), true))),
            _ => Err(DataFusionError::Plan("TRY takes one expression".to_owned())),
        }
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let [ValueOrLambda::Lambda(body)] = args.args.as_slice() else {
            return Err(DataFusionError::Plan("TRY takes one expression".to_owned()));
        };
        let all = evaluate(body, args.number_rows, |captured| Ok(captured.to_vec()));
        if let Some(all) = caught(all)? {
            return Ok(ColumnarValue::Array(all));
        }
        let mut rows: Vec<ArrayRef> = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            let one =
                evaluate(body, 1, |captured| Ok(captured.iter().map(|array| array.slice(row, 1)).collect()));
            rows.push(caught(one)?.unwrap_or_else(|| new_null_array(args.return_type(), 1)));
        }
        let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&rows)?))
    }
}

fn evaluate(
    body: &LambdaArgument,
    rows: usize,
    captured: impl FnOnce(&[ArrayRef]) -> Result<Vec<ArrayRef>>,
) -> Result<ArrayRef> {
    let parameter = || Ok(Arc::new(Int8Array::from(vec![0; rows])) as ArrayRef);
    body.evaluate(&[&parameter], captured)?.into_array(rows)
}

/// None for an error that is to be NULL.
fn caught(result: Result<ArrayRef>) -> Result<Option<ArrayRef>> {
    match result {
        Ok(array) => Ok(Some(array)),
        Err(error) => {
            let error = to_port(error);
            if CAUGHT.contains(&error.code.as_str()) {
                return Ok(None);
            }
            Err(crate::error::Carried(error).into())
        }
    }
}
