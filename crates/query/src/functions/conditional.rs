//! `greatest`, `least` (NULL when any argument is) and `typeof`.
//!
//! Source: <https://trino.io/docs/current/functions/comparison.html>

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringArray, UInt64Array, make_comparator};
use datafusion::arrow::compute::{SortOptions, cast, interleave};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;

use super::{Call, Function, Kind, always};
use crate::error::QueryError;
use crate::types::trino_name;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "greatest",
        accepts: &[&[Kind::Any, Kind::Rest]],
        returns: common_type,
        call: |call| choose(call, Ordering::Greater),
    },
    Function {
        name: "least",
        accepts: &[&[Kind::Any, Kind::Rest]],
        returns: common_type,
        call: |call| choose(call, Ordering::Less),
    },
    Function {
        name: "typeof",
        accepts: &[&[Kind::Any]],
        returns: always!(DataType::Utf8),
        call: |call| {
            let name = trino_name(call.args[0].data_type());
            Ok(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(name, call.rows))))
        },
    },
];

fn common_type(types: &[DataType]) -> Result<DataType> {
    let mut common = types[0].clone();
    for ty in types {
        common = comparison_coercion(&common, ty).ok_or_else(|| {
            let sentence =
                format!("All operands must be the same type: {} and {}", trino_name(&common), trino_name(ty));
            QueryError::user("TYPE_MISMATCH", sentence)
        })?;
    }
    Ok(common)
}

fn choose(call: &Call<'_>, wanted: Ordering) -> Result<ArrayRef> {
    let arrays =
        call.args.iter().map(|array| cast(array, call.returns)).collect::<Result<Vec<ArrayRef>, _>>()?;
    let mut best = vec![0usize; call.rows];
    for candidate in 1..arrays.len() {
        let comparators = (0..candidate)
            .map(|known| make_comparator(&arrays[candidate], &arrays[known], SortOptions::default()))
            .collect::<Result<Vec<_>, _>>()?;
        for (row, best) in best.iter_mut().enumerate() {
            if comparators[*best](row, row) == wanted {
                *best = candidate;
            }
        }
    }
    let picks: Vec<(usize, usize)> = best.into_iter().enumerate().map(|(row, array)| (array, row)).collect();
    let values: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let chosen = interleave(&values, &picks)?;
    let rows = (0..call.rows).map(|row| (!call.has_null(row)).then_some(row as u64));
    Ok(datafusion::arrow::compute::take(&chosen, &rows.collect::<UInt64Array>(), None)?)
}
