//! A parsed query, rewritten so that DataFusion's planner understands it the way Trino would.
//!
//! - Names are lower case, whether quoted or not: Trino compares them without case. How the outermost SELECT spelled
//!   its columns is kept for the result's header; a column without a name is `_col` and its index there.
//! - Literals have Trino's types: `1` is an integer, `1e0` a double, `TIMESTAMP '…'` a timestamp(3) or, with a zone,
//!   a timestamp with time zone.
//! - CAST to a plain type becomes a function of ours; functions that DataFusion has under another form take it.
//! - The statement's clock stands still: `now()` becomes one instant.
//!
//! Places stay what they were in the text, since identifiers keep their spans.
//!
//! Differs from AWS: `max_by` and `min_by` with a count, `approx_percentile` with weights, AT
//! TIME ZONE, and UNNEST of several arrays WITH ORDINALITY are refused; `arbitrary` answers the smallest value.

mod build;
mod calls;
mod literals;
mod names;

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use kernel::Timestamp;
use ports::PortError;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    self, CastKind, Expr, GroupByExpr, Ident, LimitClause, ObjectName, OrderByKind, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement, TableFactor, Value, ValueWithSpan,
    VisitMut, VisitorMut,
};

use self::build::{call, json_scalar, plain_number};
use self::literals::{cast_name, fit_length, frame_marks, has_limit, number, protect, typed_literal};
use self::names::{item_name, lower, lower_alias, lower_name, lower_parameters, name_member, relation_names};
use crate::error::{Place, QueryError};
use crate::functions;
use crate::limits::UNNEST_COLUMNS_MAX;

/// What the text said and the plan no longer does: names of the result's columns, by the names they have in the
/// plan, and places of calls.
#[derive(Debug, Default)]
pub(crate) struct Header {
    names: HashMap<String, Option<String>>,
    /// Where each function is first called.
    calls: HashMap<String, Place>,
}

impl Header {
    /// What a column is called in the result.
    pub(crate) fn name(&self, planned: &str, index: usize) -> String {
        match self.names.get(planned) {
            Some(Some(name)) => name.clone(),
            Some(None) => format!("_col{index}"),
            None => planned.to_owned(),
        }
    }

    /// Where the function is called that an error of the planner names.
    pub(crate) fn place(&self, error: &PortError) -> Option<Place> {
        let (_, name) = error.message.split_once(" for function ")?;
        let name = name.split(['.', ' ']).next().unwrap_or(name);
        self.calls.get(name).copied()
    }
}

/// Rewrites a query in place.
///
/// # Errors
/// `FUNCTION_NOT_FOUND`, `INVALID_LITERAL`, `NOT_SUPPORTED`, at their places.
pub(crate) fn rewrite(statement: &mut Statement, now: Timestamp) -> Result<Header, QueryError> {
    let mut rewriter = Rewriter { now, header: Header::default(), renamed: 0 };
    if let Statement::Query(query) = statement {
        rewriter.outermost(&mut query.body);
    }
    match statement.visit(&mut rewriter) {
        ControlFlow::Continue(()) => Ok(rewriter.header),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Rewriter {
    now: Timestamp,
    header: Header,
    renamed: usize,
}

type Flow = ControlFlow<QueryError>;

impl Rewriter {
    /// Gives every column of the outermost SELECT a name of its own and notes how it was spelled.
    fn outermost(&mut self, body: &mut SetExpr) {
        match body {
            SetExpr::Select(select) => {
                let wildcard = select
                    .projection
                    .iter()
                    .any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
                let mut seen = HashSet::new();
                for item in &mut select.projection {
                    let Some(name) = item_name(item) else { continue };
                    let lower = name.to_lowercase();
                    let bare = matches!(item, SelectItem::UnnamedExpr(_));
                    if (wildcard && bare) || !seen.insert(lower.clone()) {
                        self.rename(item, Some(name));
                    } else {
                        self.header.names.insert(lower, Some(name));
                    }
                }
            }
            SetExpr::SetOperation { left, .. } => self.outermost(left),
            SetExpr::Query(query) => self.outermost(&mut query.body),
            SetExpr::Values(values) => {
                for nth in 1..=values.rows.first().map_or(0, |row| row.content.len()) {
                    self.header.names.insert(format!("column{nth}"), None);
                }
            }
            _ => {}
        }
    }

    /// Gives a column an internal name that the header knows.
    fn rename(&mut self, item: &mut SelectItem, shown: Option<String>) {
        let internal = format!("$c{}", self.renamed);
        self.renamed += 1;
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else { return };
        let expr = std::mem::replace(expr, Expr::Wildcard(AttachedToken::empty()));
        *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', internal.clone()) };
        self.header.names.insert(internal, shown);
    }

    fn expression(&mut self, expr: &mut Expr) -> Result<(), QueryError> {
        let taken = std::mem::replace(expr, Expr::Value(Value::Null.with_empty_span()));
        *expr = match taken {
            Expr::Value(ValueWithSpan { value: Value::Number(text, false), span }) => number(text, span),
            Expr::Cast { kind, expr, data_type, array, format } => match cast_name(&data_type) {
                Some(name) => {
                    let prefix = if kind == CastKind::TryCast { "$try_cast_" } else { "$cast_" };
                    fit_length(call(&format!("{prefix}{name}"), vec![json_scalar(*expr)]), &data_type)
                }
                None => Expr::Cast { kind, expr, data_type, array, format },
            },
            Expr::TypedString(literal) => typed_literal(literal)?,
            Expr::Extract { field, expr, .. } => {
                let name = field.to_string().to_lowercase();
                if !functions::is_known(&name) {
                    return Err(QueryError::not_supported(format!(
                        "EXTRACT field is not supported: {field}"
                    )));
                }
                call(&name, vec![*expr])
            }
            Expr::Ceil { expr, field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
                call("ceil", vec![*expr])
            }
            Expr::Floor {
                expr,
                field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
            } => call("floor", vec![*expr]),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let from = substring_from.map_or_else(|| plain_number("1"), |from| *from);
                let rest = substring_for.map(|length| *length);
                call("substr", [*expr, from].into_iter().chain(rest).collect())
            }
            Expr::Position { expr, r#in } => call("$strpos", vec![*r#in, *expr]),
            Expr::AtTimeZone { .. } => {
                return Err(QueryError::not_supported("AT TIME ZONE is not supported"));
            }
            Expr::Function(mut function) => {
                frame_marks(&mut function.over).for_each(|mark| *mark = false);
                self.function(function)?
            }
            other => other,
        };
        Ok(())
    }
}

impl VisitorMut for Rewriter {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &mut Query) -> Flow {
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                lower_alias(&mut cte.alias);
            }
        }
        if let Some(order_by) = &mut query.order_by
            && let OrderByKind::Expressions(exprs) = &mut order_by.kind
        {
            exprs.iter_mut().for_each(|by| protect(&mut by.expr));
        }
        if let Some(fetch) = query.fetch.take() {
            if fetch.with_ties || fetch.percent || query.limit_clause.as_ref().is_some_and(has_limit) {
                return Flow::Break(QueryError::not_supported("FETCH FIRST … WITH TIES is not supported"));
            }
            let limit = Some(fetch.quantity.unwrap_or_else(|| plain_number("1")));
            query.limit_clause = Some(match query.limit_clause.take() {
                Some(LimitClause::LimitOffset { offset, limit_by, .. }) => {
                    LimitClause::LimitOffset { limit, offset, limit_by }
                }
                _ => LimitClause::LimitOffset { limit, offset: None, limit_by: Vec::new() },
            });
        }
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause {
            limit.iter_mut().for_each(protect);
            offset.iter_mut().for_each(|offset| protect(&mut offset.value));
        }
        Flow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> Flow {
        if let GroupByExpr::Expressions(exprs, _) = &mut select.group_by {
            exprs.iter_mut().for_each(protect);
        }
        let relations = relation_names(&select.from);
        for item in &mut select.projection {
            name_member(item, &relations);
            match item {
                SelectItem::UnnamedExpr(_) if item_name(item).is_none() => self.rename(item, None),
                SelectItem::ExprWithAlias { alias, .. } => lower(alias),
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    lower_name(name);
                }
                _ => {}
            }
        }
        Flow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> Flow {
        lower_name(relation);
        Flow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        match factor {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. }
            | TableFactor::NestedJoin { alias: Some(alias), .. } => lower_alias(alias),
            _ => {}
        }
        if let TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } = factor {
            let ordinality = std::mem::take(with_ordinality);
            let named = alias.as_ref().map_or(0, |alias| alias.columns.len());
            if let Err(error) = unnest(array_exprs, named, ordinality) {
                return Flow::Break(error);
            }
        }
        Flow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> Flow {
        match expr {
            Expr::Identifier(ident) => lower(ident),
            Expr::CompoundIdentifier(idents) => idents.iter_mut().for_each(lower),
            Expr::Lambda(lambda) => lower_parameters(&mut lambda.params),
            Expr::Function(function) => frame_marks(&mut function.over).for_each(|mark| *mark = true),
            _ => {}
        }
        Flow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> Flow {
        match self.expression(expr) {
            Ok(()) => Flow::Continue(()),
            Err(error) => Flow::Break(error),
        }
    }
}

/// One array per column: a map has two columns, an array of rows one for each field, and ordinality is one more.
fn unnest(arrays: &mut Vec<Expr>, named: usize, ordinality: bool) -> Result<(), QueryError> {
    let [array] = arrays.as_slice() else {
        if ordinality {
            let sentence = "UNNEST of several arrays WITH ORDINALITY is not supported";
            return Err(QueryError::not_supported(sentence));
        }
        return Ok(());
    };
    let array = array.clone();
    let columns = named.saturating_sub(usize::from(ordinality));
    if columns > UNNEST_COLUMNS_MAX {
        let sentence = format!("UNNEST to more than {UNNEST_COLUMNS_MAX} columns is not supported");
        return Err(QueryError::not_supported(sentence));
    }
    if columns > 1 {
        let named = plain_number(&columns.to_string());
        let column = |nth: usize| call(&format!("$unnest_{nth}"), vec![array.clone(), named.clone()]);
        *arrays = (1..=columns).map(column).collect();
    }
    if ordinality {
        arrays.push(call("$ordinals", vec![array]));
    }
    Ok(())
}
