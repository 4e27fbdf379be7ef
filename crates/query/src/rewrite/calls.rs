//! Calls of functions that DataFusion has under another name or form.

use sqlparser::ast::{Array, BinaryOperator, Expr, Function, Spanned};

use super::Rewriter;
use super::build::{binary, by_order, call, case, lambda, not, plain_args, plain_number, rename, set, text};
use crate::error::{Place, QueryError};
use crate::functions;
use crate::temporal;

impl Rewriter {
    pub(super) fn function(&mut self, mut function: Function) -> Result<Expr, QueryError> {
        let place = Place::of(function.name.span());
        let name = function.name.to_string().to_lowercase().replace('"', "");
        if name.starts_with('$') {
            return Ok(Expr::Function(function));
        }
        if let Some(place) = place {
            self.header.calls.entry(name.clone()).or_insert(place);
        }
        if !functions::is_known(&name) {
            let sentence = format!("Function '{name}' not registered");
            return Err(QueryError::user("FUNCTION_NOT_FOUND", sentence).at(place));
        }
        let args = plain_args(&function.args);
        let form = self.instant(&name).or_else(|| syntax(&name, &args));
        if let Some(expr) =
            form.map_or_else(|| self.aggregate(&function, &name, &args), |expr| Ok(Some(expr)))?
        {
            return Ok(expr);
        }
        if functions::is_rewritten(&name) {
            let sentence = format!("Unexpected parameters for function {name}");
            return Err(QueryError::user("FUNCTION_NOT_FOUND", sentence).at(place));
        }
        let kept = functions::datafusion_name(&name).unwrap_or(&name).to_owned();
        rename(&mut function, &kept);
        Ok(Expr::Function(function))
    }

    /// What the clock says, as one value for the whole statement.
    fn instant(&self, name: &str) -> Option<Expr> {
        let millis = self.now.as_millis();
        let local = temporal::format_timestamp(millis);
        Some(match name {
            "now" | "current_timestamp" => call("$timestamp_utc", vec![plain_number(&millis.to_string())]),
            "localtimestamp" => call("$cast_timestamp", vec![text(&local)]),
            "current_date" => call("$cast_date", vec![text(local.split(' ').next().unwrap_or_default())]),
            "current_timezone" => text("UTC"),
            _ => return None,
        })
    }

    /// Aggregates under another name; DISTINCT, FILTER and OVER stay.
    fn aggregate(
        &mut self,
        function: &Function,
        name: &str,
        args: &[Expr],
    ) -> Result<Option<Expr>, QueryError> {
        let mut function = function.clone();
        match (name, args) {
            ("count_if", [condition]) => {
                set(&mut function, "count", vec![case(condition, &plain_number("1"), None)]);
            }
            ("approx_percentile", [value, Expr::Array(percentiles)]) => {
                let one = |percentile: &Expr| {
                    let mut one = function.clone();
                    set(&mut one, name, vec![value.clone(), percentile.clone()]);
                    self.function(one)
                };
                let elem = percentiles.elem.iter().map(one).collect::<Result<_, _>>()?;
                return Ok(Some(Expr::Array(Array { elem, named: true })));
            }
            ("approx_percentile", [value, percentile]) => {
                // The answer has the type of the values, which an aggregate that answers one of them knows.
                let mut sample = function.clone();
                set(&mut sample, "min", vec![value.clone()]);
                let args = vec![value.clone(), call("$cast_double", vec![percentile.clone()])];
                set(&mut function, "approx_percentile_cont", args);
                return Ok(Some(call("$as_type_of", vec![Expr::Function(function), Expr::Function(sample)])));
            }
            ("arbitrary" | "any_value", [value]) => set(&mut function, "min", vec![value.clone()]),
            ("max_by" | "min_by", [value, by]) => by_order(&mut function, name, value, by),
            _ => return Ok(None),
        }
        Ok(Some(Expr::Function(function)))
    }
}

/// Scalar functions that are other syntax.
fn syntax(name: &str, args: &[Expr]) -> Option<Expr> {
    Some(match (name, args) {
        ("if", [condition, value]) => case(condition, value, None),
        ("if", [condition, value, other]) => case(condition, value, Some(other)),
        ("date", [value]) => call("$cast_date", vec![value.clone()]),
        ("mod", [left, right]) => binary(left, BinaryOperator::Modulo, right),
        ("bitwise_and", [left, right]) => binary(left, BinaryOperator::BitwiseAnd, right),
        ("bitwise_or", [left, right]) => binary(left, BinaryOperator::BitwiseOr, right),
        ("bitwise_xor", [left, right]) => binary(left, BinaryOperator::PGBitwiseXor, right),
        ("concat", [first, rest @ ..]) if !rest.is_empty() => {
            let concat = |left: Expr, right: &Expr| binary(&left, BinaryOperator::StringConcat, right);
            rest.iter().fold(first.clone(), concat)
        }
        ("row", [_, ..]) => {
            let named = args
                .iter()
                .enumerate()
                .flat_map(|(nth, value)| [text(&format!("field{nth}")), value.clone()]);
            call("named_struct", named.collect())
        }
        ("try", [value]) => call("$try", vec![lambda("$row", value.clone())]),
        ("none_match", [_, _]) => not(call("array_any_match", args.to_vec())),
        ("all_match", [array, Expr::Lambda(predicate)]) => {
            let mut predicate = predicate.clone();
            predicate.body = Box::new(not(*predicate.body));
            not(call("array_any_match", vec![array.clone(), Expr::Lambda(predicate)]))
        }
        ("strpos", [_, _] | [_, _, _]) => call("$strpos", args.to_vec()),
        ("array_sort", [array]) => call("array_sort", vec![array.clone(), text("ASC"), text("NULLS LAST")]),
        _ => return None,
    })
}
