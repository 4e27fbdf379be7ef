//! Trino's functions: which names a query may use, and where each one is.
//!
//! Three kinds. *Ours* ([`Function`], one file per family) replace DataFusion's function of the same name or have no
//! counterpart. *Kept* are DataFusion's own, under Trino's name, where both mean the same. *Rewritten* are turned
//! into other syntax before planning ([`crate::rewrite`]). A name in none of the three is `FUNCTION_NOT_FOUND`,
//! though DataFusion may have it. Names that begin with `$` cannot be written in a query.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html>

pub(crate) mod arithmetic;
mod binary;
pub(crate) mod cast;
pub(crate) mod collection;
mod conditional;
mod date_format;
mod datetime;
mod json;
mod math;
mod regexp;
mod sequence;
mod string;
mod r#try;

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, ListBuilder, StringBuilder};
use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::{SessionStateBuilder, SessionStateDefaults};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::QueryError;
use crate::types::{TIMESTAMP, trino_name};

/// DataFusion's scalar functions that mean what Trino's do: Trino's name, DataFusion's name.
const KEPT_SCALAR: &[(&str, &str)] = &[
    ("abs", "abs"),
    ("acos", "acos"),
    ("asin", "asin"),
    ("atan", "atan"),
    ("atan2", "atan2"),
    ("cbrt", "cbrt"),
    ("cos", "cos"),
    ("cosh", "cosh"),
    ("degrees", "degrees"),
    ("exp", "exp"),
    ("ln", "ln"),
    ("log", "log"),
    ("log10", "log10"),
    ("log2", "log2"),
    ("pi", "pi"),
    ("pow", "power"),
    ("power", "power"),
    ("radians", "radians"),
    ("sin", "sin"),
    ("sinh", "sinh"),
    ("sqrt", "sqrt"),
    ("tan", "tan"),
    ("tanh", "tanh"),
    ("is_nan", "isnan"),
    ("random", "random"),
    ("rand", "random"),
    ("uuid", "uuid"),
    ("lower", "lower"),
    ("upper", "upper"),
    ("trim", "btrim"),
    ("ltrim", "ltrim"),
    ("rtrim", "rtrim"),
    ("reverse", "reverse"),
    ("lpad", "lpad"),
    ("rpad", "rpad"),
    ("starts_with", "starts_with"),
    ("translate", "translate"),
    ("chr", "chr"),
    ("concat_ws", "concat_ws"),
    ("coalesce", "coalesce"),
    ("nullif", "nullif"),
    ("array_distinct", "array_distinct"),
    ("array_max", "array_max"),
    ("array_min", "array_min"),
    ("array_join", "array_to_string"),
    ("arrays_overlap", "array_has_any"),
    ("array_position", "array_position"),
    ("array_remove", "array_remove_all"),
    ("array_union", "array_union"),
    ("array_intersect", "array_intersect"),
    ("array_except", "array_except"),
    ("contains", "array_has"),
    ("sha256", "sha256"),
    ("sha512", "sha512"),
    ("flatten", "flatten"),
    ("map", "map"),
    ("map_keys", "map_keys"),
    ("map_values", "map_values"),
];

/// DataFusion's aggregates that mean what Trino's do.
const KEPT_AGGREGATE: &[(&str, &str)] = &[
    ("count", "count"),
    ("sum", "sum"),
    ("avg", "avg"),
    ("min", "min"),
    ("max", "max"),
    ("array_agg", "array_agg"),
    ("approx_distinct", "approx_distinct"),
    ("bool_and", "bool_and"),
    ("bool_or", "bool_or"),
    ("every", "bool_and"),
    ("grouping", "grouping"),
    ("stddev", "stddev"),
    ("stddev_samp", "stddev"),
    ("stddev_pop", "stddev_pop"),
    ("variance", "var"),
    ("var_samp", "var"),
    ("var_pop", "var_pop"),
    ("corr", "corr"),
    ("covar_pop", "covar_pop"),
    ("covar_samp", "covar_samp"),
    ("regr_slope", "regr_slope"),
    ("regr_intercept", "regr_intercept"),
];

/// DataFusion's window functions; all of them are Trino's.
const KEPT_WINDOW: &[&str] = &[
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
];

/// DataFusion's functions of lambdas that mean what Trino's do.
const KEPT_HIGHER_ORDER: &[(&str, &str)] =
    &[("any_match", "array_any_match"), ("filter", "array_filter"), ("transform", "array_transform")];

/// Functions that become other syntax before planning.
const REWRITTEN: &[&str] = &[
    "all_match",
    "any_value",
    "approx_percentile",
    "arbitrary",
    "array_sort",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "concat",
    "count_if",
    "current_date",
    "current_timestamp",
    "current_timezone",
    "date",
    "if",
    "localtimestamp",
    "max_by",
    "min_by",
    "mod",
    "none_match",
    "now",
    "row",
    "strpos",
    "try",
];

/// A scalar function of ours: stateless, so that a plan names it and nothing else.
#[derive(Debug)]
pub(crate) struct Function {
    /// As a query writes it.
    pub(crate) name: &'static str,
    /// What it accepts, the first that fits; an argument of kind [`Kind::Rest`] stands for any number of its like.
    pub(crate) accepts: &'static [&'static [Kind]],
    /// The result's type from the arguments' types after coercion.
    pub(crate) returns: fn(&[DataType]) -> Result<DataType>,
    /// One value per row.
    pub(crate) call: fn(&Call<'_>) -> Result<ArrayRef>,
}

/// The arguments of one call: arrays of the same length.
pub(crate) struct Call<'a> {
    pub(crate) args: &'a [ArrayRef],
    pub(crate) rows: usize,
    pub(crate) returns: &'a DataType,
}

impl Call<'_> {
    /// Whether any argument is NULL in a row.
    pub(crate) fn has_null(&self, row: usize) -> bool {
        self.args.iter().any(|array| array.is_null(row) || *array.data_type() == DataType::Null)
    }

    /// One value per row: NULL where an argument is, else what `value` says.
    pub(crate) fn map<T, C: FromIterator<Option<T>>>(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<T>>,
    ) -> Result<C> {
        (0..self.rows).map(|row| if self.has_null(row) { Ok(None) } else { value(row) }).collect()
    }

    /// An array of strings per row: NULL where an argument is, else what `fill` appends.
    pub(crate) fn text_lists(
        &self,
        mut fill: impl FnMut(usize, &mut StringBuilder) -> Result<()>,
    ) -> Result<ArrayRef> {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for row in 0..self.rows {
            let valid = !self.has_null(row);
            if valid {
                fill(row, lists.values())?;
            }
            lists.append(valid);
        }
        Ok(Arc::new(lists.finish()))
    }
}

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Binary,
    /// Any integer, as 64 bits.
    Bigint,
    /// Unchanged.
    Decimal,
    /// Any number, as a double.
    Double,
    Date,
    /// Without a zone.
    Timestamp,
    /// With a zone.
    TimestampZoned,
    /// Any interval, unchanged.
    Interval,
    /// Anything, unchanged.
    Any,
    /// Any number of further arguments, unchanged.
    Rest,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "varchar",
            Self::Binary => "varbinary",
            Self::Bigint => "bigint",
            Self::Decimal => "decimal(p,s)",
            Self::Double => "double",
            Self::Date => "date",
            Self::Timestamp => "timestamp(p)",
            Self::TimestampZoned => "timestamp(p) with time zone",
            Self::Interval => "interval",
            Self::Any => "T",
            Self::Rest => "T ...",
        }
    }

    /// The type an argument is taken as; none if it cannot be. Exact forms come before conversions.
    fn take(self, ty: &DataType, exact: bool) -> Option<DataType> {
        let taken = match self {
            Self::Text => DataType::Utf8,
            Self::Binary => DataType::Binary,
            Self::Bigint => DataType::Int64,
            Self::Decimal if matches!(ty, DataType::Decimal128(..)) => ty.clone(),
            Self::Decimal => DataType::Decimal128(1, 0),
            Self::Double => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => TIMESTAMP,
            Self::TimestampZoned => match ty {
                DataType::Timestamp(_, Some(zone)) => {
                    DataType::Timestamp(TimeUnit::Millisecond, Some(Arc::clone(zone)))
                }
                _ => crate::types::timestamp_utc(),
            },
            Self::Interval | Self::Any | Self::Rest if *ty != DataType::Null => ty.clone(),
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Any | Self::Rest => return Some(ty.clone()),
        };
        let fits = match self {
            Self::Text => matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
            Self::Binary => {
                matches!(ty, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
            }
            Self::Bigint => ty.is_integer(),
            Self::Decimal => matches!(ty, DataType::Decimal128(..)),
            Self::Double => ty.is_floating() || (!exact && ty.is_numeric()),
            Self::Date => matches!(ty, DataType::Date32 | DataType::Date64),
            Self::Timestamp => {
                matches!(ty, DataType::Timestamp(_, None)) || (!exact && *ty == DataType::Date32)
            }
            Self::TimestampZoned => matches!(ty, DataType::Timestamp(_, Some(_))),
            Self::Interval => matches!(ty, DataType::Interval(_)),
            Self::Any | Self::Rest => true,
        };
        (fits || (!exact && *ty == DataType::Null)).then_some(taken)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// A [`Function`] as DataFusion calls it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Adapter {
    function: &'static Function,
    signature: Signature,
}

impl ScalarUDFImpl for Adapter {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        (self.function.returns)(args)
    }

    fn coerce_types(&self, args: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.function, args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let all_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if all_scalar { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|arg| arg.clone().into_array(rows)).collect::<Result<Vec<_>>>()?;
        let call = Call { args: &arrays, rows, returns: args.return_field.data_type() };
        let array = (self.function.call)(&call)?;
        if all_scalar {
            return ScalarValue::try_from_array(&array, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(array))
    }
}

fn coerce(function: &Function, args: &[DataType]) -> Result<Vec<DataType>> {
    for exact in [true, false] {
        for kinds in function.accepts {
            let rest = kinds.last() == Some(&Kind::Rest);
            if args.len() < kinds.len() - usize::from(rest) || (!rest && args.len() > kinds.len()) {
                continue;
            }
            let kinds = kinds.iter().copied().chain(std::iter::repeat(Kind::Rest));
            let taken: Option<Vec<DataType>> =
                args.iter().zip(kinds).map(|(ty, kind)| kind.take(ty, exact)).collect();
            if let Some(taken) = taken {
                return Ok(taken);
            }
        }
    }
    let given: Vec<String> = args.iter().map(trino_name).collect();
    let forms: Vec<String> = function.accepts.iter().map(|kinds| form(function.name, kinds)).collect();
    let sentence = format!(
        "Unexpected parameters ({}) for function {}. Expected: {}",
        given.join(", "),
        function.name,
        forms.join(", ")
    );
    Err(QueryError::user("FUNCTION_NOT_FOUND", sentence).into())
}

fn form(name: &str, kinds: &[Kind]) -> String {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    format!("{name}({})", kinds.join(", "))
}

/// Every function of ours.
fn ours() -> impl Iterator<Item = &'static Function> {
    [
        binary::FUNCTIONS,
        collection::FUNCTIONS,
        conditional::FUNCTIONS,
        date_format::FUNCTIONS,
        datetime::FUNCTIONS,
        json::FUNCTIONS,
        math::FUNCTIONS,
        regexp::FUNCTIONS,
        sequence::FUNCTIONS,
        string::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

/// Whether a query may call a function of this name, in lower case.
pub(crate) fn is_known(name: &str) -> bool {
    static NAMES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
        let kept = KEPT_SCALAR.iter().chain(KEPT_AGGREGATE).chain(KEPT_HIGHER_ORDER).map(|(name, _)| *name);
        let ours = ours().map(|function| function.name).filter(|name| !name.starts_with('$'));
        kept.chain(KEPT_WINDOW.iter().copied()).chain(REWRITTEN.iter().copied()).chain(ours).collect()
    });
    NAMES.contains(name)
}

/// Whether calls of a function never reach the plan as they are.
pub(crate) fn is_rewritten(name: &str) -> bool {
    REWRITTEN.contains(&name)
}

/// DataFusion's name of a function that is kept under another.
pub(crate) fn datafusion_name(name: &str) -> Option<&'static str> {
    if ours().any(|function| function.name == name) {
        return None;
    }
    let mut kept = KEPT_SCALAR.iter().chain(KEPT_AGGREGATE).chain(KEPT_HIGHER_ORDER);
    kept.find(|(trino, datafusion)| *trino == name && trino != datafusion).map(|(_, datafusion)| *datafusion)
}

/// Trino's name of a function by DataFusion's.
pub(crate) fn trino_function(datafusion: &str) -> &str {
    let mut kept = KEPT_SCALAR.iter().chain(KEPT_AGGREGATE).chain(KEPT_HIGHER_ORDER);
    kept.find(|(_, name)| *name == datafusion).map_or(datafusion, |(trino, _)| *trino)
}

/// A function of ours, to be called from a plan.
pub(crate) fn udf(function: &'static Function) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::new_from_impl(Adapter { function, signature })
}

/// Registers DataFusion's functions and, over them, ours.
pub(crate) fn register(builder: SessionStateBuilder) -> SessionStateBuilder {
    let mut scalar = SessionStateDefaults::default_scalar_functions();
    scalar.extend(ours().map(|function| Arc::new(udf(function))));
    scalar.extend(arithmetic::functions());
    scalar.extend(cast::functions());
    let mut higher_order = SessionStateDefaults::default_higher_order_functions();
    higher_order.push(Arc::new(r#try::function()));
    builder
        .with_higher_order_functions(higher_order)
        .with_scalar_functions(scalar)
        .with_aggregate_functions(SessionStateDefaults::default_aggregate_functions())
        .with_window_functions(SessionStateDefaults::default_window_functions())
}

/// A result type that does not depend on the arguments.
macro_rules! always {
    ($ty:expr) => {
        |_| Ok($ty)
    };
}
use always;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kept_function_is_there_and_no_name_has_two_meanings() {
        let names = |udfs: Vec<Vec<String>>| udfs.into_iter().flatten().collect::<BTreeSet<_>>();
        let scalar = names(
            SessionStateDefaults::default_scalar_functions()
                .iter()
                .map(|udf| [udf.name().to_owned()].into_iter().chain(udf.aliases().iter().cloned()).collect())
                .collect(),
        );
        let aggregate = names(
            SessionStateDefaults::default_aggregate_functions()
                .iter()
                .map(|udf| [udf.name().to_owned()].into_iter().chain(udf.aliases().iter().cloned()).collect())
                .collect(),
        );
        for (trino, datafusion) in KEPT_SCALAR {
            assert!(scalar.contains(*datafusion), "{datafusion}");
            assert!(!ours().any(|function| function.name == *trino), "{trino} is kept and ours");
        }
        for (_, datafusion) in KEPT_AGGREGATE {
            assert!(aggregate.contains(*datafusion), "{datafusion}");
        }
        let mut seen = BTreeSet::new();
        for function in ours() {
            assert!(seen.insert(function.name), "{} is there twice", function.name);
        }
    }

    #[test]
    fn datafusions_other_functions_are_not_athenas() {
        assert!(is_known("date_trunc") && is_known("max_by") && is_known("count"));
        assert!(!is_known("to_char") && !is_known("arrow_cast") && !is_known("$add"));
    }
}
