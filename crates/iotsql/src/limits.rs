//! The bounds of the language: AWS's quotas, and ours where AWS names none.

/// Bytes of a statement or template.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#limits_iot>: a rule is at most 128 KB.
pub const TEXT_BYTES_MAX: usize = 128 * 1024;

/// Variables in one SET clause.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-set.html>
pub const VARIABLES_MAX: usize = 10;

/// Characters of a variable's name.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-set.html>
pub const VARIABLE_NAME_CHARS_MAX: usize = 64;

/// Bytes of all SET variables of one evaluation, as minified JSON.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-set.html>
pub const VARIABLES_BYTES_MAX: usize = 128 * 1024;

/// Digits of an Int; a longer one is a Decimal.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-data-types.html>
pub const INT_DIGITS_MAX: usize = 34;

/// Bytes of the array that `transform` returns.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html#iot-func-transform>
pub const TRANSFORM_BYTES_MAX: usize = 128 * 1024;

/// Spaces that `lpad` and `rpad` add.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html#iot-func-lpad>
pub const PAD_SPACES_MAX: i128 = 1000;

/// Places that `trunc` keeps.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html#iot-func-trunc>
pub const TRUNC_PLACES_MAX: i128 = 34;

/// Levels of nesting in a statement. Ours: it keeps recursion far from the end of the stack.
/// Source: this crate.
pub const DEPTH_MAX: usize = 64;

/// Levels of nesting in a JSON payload; a deeper one counts as not JSON. Ours, for the same reason.
/// Source: this crate.
pub const JSON_DEPTH_MAX: usize = 128;

/// Work of one evaluation, in steps and bytes copied. Ours: a payload or a statement that multiplies
/// itself (nested queries, `replace` with long operands) stops its own rule and nothing else.
/// Source: this crate.
pub const WORK_MAX: usize = 4 * 1024 * 1024;

/// Bytes of a compiled regular expression. Ours.
/// Source: this crate.
pub const REGEX_BYTES_MAX: usize = 1024 * 1024;
