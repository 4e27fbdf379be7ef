//! Bounds that keep a hostile statement from exhausting the stack.

/// Types inside types: `array<array<…>>`. Hive has no such limit; the deepest type in AWS's own samples
/// (CloudTrail) has five levels.
pub(crate) const TYPE_DEPTH_MAX: usize = 64;

/// How deep an expression tree may become through operators written one after the other (`1+1+1+…`), which
/// the parser's own recursion limit does not see. Trino answers the same way when its stack ends, at a depth
/// that depends on the machine: <https://github.com/trinodb/trino/blob/master/core/trino-parser/src/main/java/io/trino/sql/parser/SqlParser.java>
pub(crate) const CHAIN_DEPTH_MAX: usize = 1_500;

/// Parentheses and brackets inside each other, types included; far above the parser's own limit for
/// expressions, for the places where it has none. Source as above.
pub(crate) const NESTING_MAX: usize = 200;
