//! Names: in lower case, and what a column is called by itself.

use std::collections::HashSet;

use sqlparser::ast::{
    Expr, Ident, LambdaFunctionParameter, ObjectName, ObjectNamePart, OneOrManyWithParens, SelectItem,
    TableAlias, TableFactor, TableWithJoins,
};

/// The name a column of a SELECT has by itself.
pub(super) fn item_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(expr) => expr_name(expr),
        _ => None,
    }
}

pub(super) fn expr_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Nested(inner) => expr_name(inner),
        Expr::Identifier(ident) => Some(ident.value.clone()),
        Expr::CompoundIdentifier(idents) => idents.last().map(|ident| ident.value.clone()),
        _ => None,
    }
}

/// What the relations of a FROM are called.
pub(super) fn relation_names(from: &[TableWithJoins]) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut add = |factor: &TableFactor| match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::UNNEST { alias: Some(alias), .. } => {
            names.insert(alias.name.value.to_lowercase());
        }
        TableFactor::Table { name, .. } => {
            let last = name.0.last().and_then(ObjectNamePart::as_ident);
            names.extend(last.map(|ident| ident.value.to_lowercase()));
        }
        TableFactor::NestedJoin { table_with_joins, .. } => {
            names.extend(relation_names(std::slice::from_ref(table_with_joins)));
        }
        _ => {}
    };
    for table in from {
        add(&table.relation);
        table.joins.iter().for_each(|join| add(&join.relation));
    }
    names
}

/// `place.city` is a column called `city`: the planner would call it by its path.
pub(super) fn name_member(item: &mut SelectItem, relations: &HashSet<String>) {
    let SelectItem::UnnamedExpr(Expr::CompoundIdentifier(idents)) = &*item else { return };
    let [first, rest @ .., last] = idents.as_slice() else { return };
    if rest.is_empty() && relations.contains(&first.value.to_lowercase()) {
        return;
    }
    let alias = Ident::with_quote('"', last.value.to_lowercase());
    let expr = Expr::CompoundIdentifier(idents.clone());
    *item = SelectItem::ExprWithAlias { expr, alias };
}

pub(super) fn lower(ident: &mut Ident) {
    if !ident.value.starts_with("$c") {
        ident.value = ident.value.to_lowercase();
    }
}

pub(super) fn lower_parameters(parameters: &mut OneOrManyWithParens<LambdaFunctionParameter>) {
    match parameters {
        OneOrManyWithParens::One(parameter) => lower(&mut parameter.name),
        OneOrManyWithParens::Many(parameters) => {
            parameters.iter_mut().for_each(|parameter| lower(&mut parameter.name));
        }
    }
}

pub(super) fn lower_name(name: &mut ObjectName) {
    for part in &mut name.0 {
        if let ObjectNamePart::Identifier(ident) = part {
            lower(ident);
        }
    }
}

pub(super) fn lower_alias(alias: &mut TableAlias) {
    lower(&mut alias.name);
    alias.columns.iter_mut().for_each(|column| lower(&mut column.name));
}
