//! `t CROSS JOIN UNNEST(t.items) AS u (item)`: an UNNEST of columns of the relation it is joined to.
//!
//! DataFusion plans it as a join with a subquery that refers outwards, and cannot run that. Here the subquery is
//! grafted onto the relation itself: its one empty row becomes the relation's rows, and every step keeps their columns.
//!
//! Differs from AWS: LEFT JOIN UNNEST is refused; an UNNEST without a list of names does not take a map or an array of
//! rows apart.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::AnalyzerRule;

use crate::error::QueryError;

/// Rewrites joins with an UNNEST of the left side's columns.
#[derive(Debug)]
pub(crate) struct LateralUnnest;

impl AnalyzerRule for LateralUnnest {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::Join(join) if refers_outwards(&join.right) && unnests(&join.right) => {
                rewrite(&join).map(Transformed::yes)
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "lateral_unnest"
    }
}

/// Whether a join's side is a subquery on columns of the other.
fn refers_outwards(side: &LogicalPlan) -> bool {
    match side {
        LogicalPlan::Subquery(subquery) => !subquery.outer_ref_columns.is_empty(),
        LogicalPlan::SubqueryAlias(alias) => refers_outwards(&alias.input),
        LogicalPlan::Projection(projection) => refers_outwards(&projection.input),
        _ => false,
    }
}

/// Whether a subquery is an UNNEST of expressions and nothing else.
fn unnests(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Unnest(unnest) => matches!(
            &*unnest.input,
            LogicalPlan::Projection(projection) if matches!(&*projection.input, LogicalPlan::EmptyRelation(_))
        ),
        LogicalPlan::Subquery(subquery) => unnests(&subquery.subquery),
        LogicalPlan::SubqueryAlias(alias) => unnests(&alias.input),
        LogicalPlan::Projection(projection) => unnests(&projection.input),
        _ => false,
    }
}

fn rewrite(join: &Join) -> Result<LogicalPlan> {
    if join.join_type != JoinType::Inner || !join.on.is_empty() {
        return Err(QueryError::not_supported("UNNEST of a column may only be CROSS JOINed").into());
    }
    let plan = graft(&join.right, &join.left)?;
    match &join.filter {
        Some(filter) => LogicalPlanBuilder::from(plan).filter(filter.clone())?.build(),
        None => Ok(plan),
    }
}

/// `plan` with `left` for its one row, and `left`'s columns before its own.
fn graft(plan: &LogicalPlan, left: &Arc<LogicalPlan>) -> Result<LogicalPlan> {
    let kept = || left.schema().iter().map(|(relation, field)| Expr::from((relation, field)));
    let project = |input: LogicalPlan, exprs: Vec<Expr>| {
        LogicalPlanBuilder::from(input).project(kept().chain(exprs).collect::<Vec<_>>())?.build()
    };
    match plan {
        LogicalPlan::Subquery(subquery) => graft(&subquery.subquery, left),
        LogicalPlan::Projection(projection) => {
            let exprs = projection.expr.iter().map(inwards).collect::<Result<_>>()?;
            project(graft(&projection.input, left)?, exprs)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let renamed = |(relation, field)| {
                Expr::from((relation, field)).alias_qualified(Some(alias.alias.clone()), field.name())
            };
            let exprs = alias.input.schema().iter().map(renamed).collect();
            project(graft(&alias.input, left)?, exprs)
        }
        LogicalPlan::Unnest(unnest) => LogicalPlanBuilder::from(graft(&unnest.input, left)?)
            .unnest_columns_with_options(unnest.exec_columns.clone(), unnest.options.clone())?
            .build(),
        _ => Ok(LogicalPlan::clone(left)),
    }
}

/// A reference to the outer relation is one to the relation beneath; what it is called stays.
fn inwards(expr: &Expr) -> Result<Expr> {
    let name = expr.schema_name().to_string();
    let changed = expr.clone().transform(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) => Ok(Transformed::yes(Expr::Column(column))),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(match changed.data {
        expr if changed.transformed && !matches!(expr, Expr::Alias(_)) => expr.alias(name),
        expr => expr,
    })
}
