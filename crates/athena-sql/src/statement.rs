//! What kind of statement a text is, and the front door that parses it accordingly.
//!
//! Differs from AWS: AWS publishes no list of its substatement types. Those of queries are known from its
//! clients; those of DDL here are the statements' own words.

use sqlparser::ast;

use crate::ddl::{self, Ddl};
use crate::dml;
use crate::error::SyntaxError;
use crate::tokenizer::{Kind, Quoting, first_token, leading_words, tokenize};

/// GetQueryExecution's `StatementType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatementType {
    Ddl,
    Dml,
    Utility,
}

/// What GetQueryExecution says of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    pub statement_type: StatementType,
    /// `SELECT`, `CREATE_TABLE`, …
    pub substatement_type: &'static str,
}

/// A statement that can be run.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// For the catalog.
    Ddl(Ddl),
    /// For the engine: always [`ast::Statement::Query`], in which nothing writes.
    Query(Box<ast::Statement>),
    /// For the engine: always [`ast::Statement::Explain`] around such a query.
    Explain(Box<ast::Statement>),
}

impl StatementType {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ddl => "DDL",
            Self::Dml => "DML",
            Self::Utility => "UTILITY",
        }
    }
}

impl Statement {
    /// What GetQueryExecution says of it.
    pub fn class(&self) -> Class {
        match self {
            Self::Ddl(ddl) => ddl.class(),
            Self::Query(_) => dml("SELECT"),
            Self::Explain(_) => utility("EXPLAIN"),
        }
    }
}

/// Reads the one statement in `sql`.
///
/// # Errors
/// The message Athena would answer; see [`SyntaxError`].
pub fn parse(sql: &str) -> Result<Statement, SyntaxError> {
    match Language::of(sql) {
        Language::Hive => ddl::parse(sql).map(Statement::Ddl),
        Language::Query => dml::parse(sql).map(|query| Statement::Query(Box::new(query))),
        Language::Explain => dml::parse_explain(sql).map(|explain| Statement::Explain(Box::new(explain))),
        Language::Unsupported(class) => Err(SyntaxError::Unsupported { class }),
        Language::Unknown => {
            let (text, position) = first_token(sql);
            let message = format!(
                "mismatched input '{text}'. Expecting: 'ALTER', 'CREATE', 'DESC', 'DESCRIBE', 'DROP', \
                 'EXPLAIN', 'MSCK', 'SHOW', <query>"
            );
            Err(SyntaxError::Trino { position, message })
        }
    }
}

/// Which parser a statement is for.
enum Language {
    Hive,
    Query,
    Explain,
    /// Known to Athena, not run here.
    Unsupported(Class),
    Unknown,
}

impl Language {
    fn of(sql: &str) -> Self {
        let words = leading_words(sql, 3);
        let word = |n: usize| words.get(n).map_or("", String::as_str);
        match (word(0), word(1), word(2)) {
            ("SELECT" | "WITH" | "VALUES" | "TABLE", ..) => Self::Query,
            ("", ..) if first_token(sql).0 == "(" => Self::Query,
            ("EXPLAIN", ..) => Self::Explain,
            ("CREATE", "TABLE", _) => Self::Unsupported(create_table(sql)),
            ("CREATE", "VIEW", _) | ("CREATE", "OR", "REPLACE") => Self::Unsupported(ddl("CREATE_VIEW")),
            ("CREATE" | "DROP" | "ALTER" | "SHOW" | "DESCRIBE" | "DESC" | "MSCK", ..) => Self::Hive,
            ("INSERT", ..) => Self::Unsupported(dml("INSERT")),
            ("UPDATE", ..) => Self::Unsupported(dml("UPDATE")),
            ("DELETE", ..) => Self::Unsupported(dml("DELETE")),
            ("MERGE", ..) => Self::Unsupported(dml("MERGE")),
            ("UNLOAD", ..) => Self::Unsupported(dml("UNLOAD")),
            ("OPTIMIZE", ..) => Self::Unsupported(dml("OPTIMIZE")),
            ("VACUUM", ..) => Self::Unsupported(dml("VACUUM")),
            ("EXECUTE", ..) => Self::Unsupported(dml("EXECUTE")),
            ("PREPARE", ..) => Self::Unsupported(utility("PREPARE")),
            ("DEALLOCATE", ..) => Self::Unsupported(utility("DEALLOCATE")),
            _ => Self::Unknown,
        }
    }
}

/// CREATE TABLE without EXTERNAL is CREATE TABLE AS, or an Iceberg table.
fn create_table(sql: &str) -> Class {
    let tokens = tokenize(sql, Quoting::Trino).unwrap_or_default();
    let begins_query = |pair: &[crate::tokenizer::Token<'_>]| {
        let after = &pair[1];
        pair[0].is_word("AS")
            && (after.is_symbol('(')
                || after.kind == Kind::Word
                    && ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|w| after.is_word(w)))
    };
    if tokens.windows(2).any(begins_query) { dml("CREATE_TABLE_AS_SELECT") } else { ddl("CREATE_TABLE") }
}

fn ddl(substatement_type: &'static str) -> Class {
    Class { statement_type: StatementType::Ddl, substatement_type }
}

fn dml(substatement_type: &'static str) -> Class {
    Class { statement_type: StatementType::Dml, substatement_type }
}

fn utility(substatement_type: &'static str) -> Class {
    Class { statement_type: StatementType::Utility, substatement_type }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_statement_has_its_class() {
        for (sql, expect) in [
            ("SELECT 1", "DML SELECT"),
            (" -- hello\n/* x */ with a as (select 1) select * from a", "DML SELECT"),
            ("(select 1) union (select 2)", "DML SELECT"),
            ("values 1", "DML SELECT"),
            ("explain select 1", "UTILITY EXPLAIN"),
            ("create table t as select 1", "DML CREATE_TABLE_AS_SELECT"),
            (
                "create table t with (format='PARQUET') as\nwith x as (select 1) select 1",
                "DML CREATE_TABLE_AS_SELECT",
            ),
            (
                "create table t (a int) location 's3://b/' tblproperties ('table_type'='ICEBERG')",
                "DDL CREATE_TABLE",
            ),
            ("create or replace view v as select 1", "DDL CREATE_VIEW"),
            ("insert into t values (1)", "DML INSERT"),
            ("unload (select 1) to 's3://b/'", "DML UNLOAD"),
            ("drop table t", "DDL DROP_TABLE"),
            ("show tables", "UTILITY SHOW_TABLES"),
            ("describe t", "UTILITY DESCRIBE_TABLE"),
            ("msck repair table t", "DDL MSCK_REPAIR_TABLE"),
            ("alter table t add columns (a int)", "DDL ALTER_TABLE_ADD_COLUMNS"),
            ("slect 1", "none"),
            ("", "none"),
        ] {
            let class = match parse(sql) {
                Ok(statement) => Some(statement.class()),
                Err(SyntaxError::Unsupported { class }) => Some(class),
                Err(_) => None,
            };
            let shown = class.map_or_else(
                || "none".to_owned(),
                |class| format!("{} {}", class.statement_type.as_str(), class.substatement_type),
            );
            assert_eq!(shown, expect, "{sql}");
        }
    }

    #[test]
    fn refusals_at_the_door() {
        for (sql, expect) in [
            (
                "slect 1",
                "line 1:1: mismatched input 'slect'. Expecting: 'ALTER', 'CREATE', 'DESC', 'DESCRIBE', 'DROP', 'EXPLAIN', 'MSCK', 'SHOW', <query>",
            ),
            (
                "\n  -- nothing",
                "line 2:13: mismatched input '<EOF>'. Expecting: 'ALTER', 'CREATE', 'DESC', 'DESCRIBE', 'DROP', 'EXPLAIN', 'MSCK', 'SHOW', <query>",
            ),
            ("insert into t select 1", "Queries of this type are not supported"),
            ("create table t as select 1", "Queries of this type are not supported"),
            ("select 1; select 2", "Only one sql statement is allowed. Got: select 1; select 2"),
            (
                "drop table a; drop table b;",
                "Only one sql statement is allowed. Got: drop table a; drop table b;",
            ),
        ] {
            assert_eq!(parse(sql).unwrap_err().to_string(), expect, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(sql in ".{0,200}") {
            drop(parse(&sql));
        }

        #[test]
        fn no_row_of_tokens_panics(words in prop::collection::vec(prop::sample::select(WORDS), 0..40)) {
            let sql = words.join(" ");
            if let Err(err) = parse(&sql) && let Some(position) = err.position() {
                prop_assert!(position.line == 1 && position.column <= sql.chars().count() + 1, "{}", err);
            }
        }
    }

    const WORDS: &[&str] = &[
        "CREATE",
        "EXTERNAL",
        "TABLE",
        "t",
        "(",
        ")",
        "a",
        "int",
        ",",
        "array",
        "<",
        ">",
        "struct",
        ":",
        "map",
        "ROW",
        "FORMAT",
        "SERDE",
        "'x'",
        "WITH",
        "SERDEPROPERTIES",
        "=",
        "STORED",
        "AS",
        "PARQUET",
        "LOCATION",
        "PARTITIONED",
        "BY",
        "ALTER",
        "ADD",
        "PARTITION",
        "DROP",
        "SHOW",
        "TABLES",
        "IN",
        ";",
        "SELECT",
        "*",
        "FROM",
        "WHERE",
        "VALUES",
        "1",
        "CAST",
        "ARRAY",
        "\"q\"",
        "`b`",
        "UNION",
        "'",
        "-",
        ".",
        "EXPLAIN",
        "NOT",
        "AND",
        "->",
        "[",
        "]",
        "CASE",
        "WHEN",
        "END",
        "INTERVAL",
        "DATE",
        "?",
        "é",
    ];
}
