//! ExecutionParameters: the values of a query's question marks, in order, each the text of an expression.
//!
//! Differs from AWS: a position in an error message is one in the text with the values in their places.

use crate::Error;
use crate::failure::Failure;

/// The text with each question mark replaced by its value.
///
/// # Errors
/// Trino's sentence when there are more or fewer values than question marks.
pub(crate) fn fill(sql: &str, values: &[String]) -> Result<String, Failure> {
    let marks: Vec<usize> = outside_quotes(sql).filter(|(_, c)| *c == Some('?')).map(|(at, _)| at).collect();
    if marks.len() != values.len() {
        return Err(Failure::user(format!(
            "INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected {} but found {}",
            marks.len(),
            values.len()
        )));
    }
    let mut out = String::with_capacity(sql.len());
    let mut from = 0;
    for (mark, value) in marks.iter().zip(values) {
        out.push_str(sql.get(from..*mark).unwrap_or_default());
        out.push_str(value);
        from = mark + 1;
    }
    out.push_str(sql.get(from..).unwrap_or_default());
    Ok(out)
}

/// A value must be one expression, so that it cannot say anything else about the query around it.
///
/// # Errors
/// `InvalidRequestException`.
pub(crate) fn check(value: &str) -> Result<(), Error> {
    let mut depth = 0usize;
    let mut closed = true;
    for (_, c) in outside_quotes(value) {
        match c {
            Some('(' | '[') => depth += 1,
            Some(')' | ']') => match depth.checked_sub(1) {
                Some(outer) => depth = outer,
                None => closed = false,
            },
            Some(',') if depth == 0 => closed = false,
            Some(';' | '?') | None => closed = false,
            Some(_) => {}
        }
    }
    let one = closed && depth == 0 && athena_sql::parse(&format!("SELECT ({value})")).is_ok();
    if one {
        return Ok(());
    }
    Err(Error::invalid(format!("Execution parameter '{value}' is not an expression.")))
}

/// The characters of a text that are in no string, quoted name or comment, with their places; none in the place of a comment.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, Option<char>)> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (at, c) = chars.next()?;
            match (c, chars.peek().map(|(_, next)| *next)) {
                // A doubled quote ends one string and begins the next, which is the same to us.
                ('\'' | '"', _) => while chars.next().is_some_and(|(_, inner)| inner != c) {},
                ('-', Some('-')) => {
                    while chars.next().is_some_and(|(_, inner)| inner != '\n') {}
                    return Some((at, None));
                }
                ('/', Some('*')) => {
                    chars.next();
                    let mut before = ' ';
                    for (_, inner) in chars.by_ref() {
                        if before == '*' && inner == '/' {
                            break;
                        }
                        before = inner;
                    }
                    return Some((at, None));
                }
                _ => return Some((at, Some(c))),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_outside_of_quotes_take_the_values_in_order() {
        let values = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        for (sql, given, expect) in [
            ("select ? where a = ?", &["1", "'x'"][..], "select 1 where a = 'x'"),
            ("select '?', \"?\", ? -- ?\n/* ? */", &["2"], "select '?', \"?\", 2 -- ?\n/* ? */"),
            ("select 'it''s ?', ?", &["'é'"], "select 'it''s ?', 'é'"),
        ] {
            assert_eq!(fill(sql, &values(given)).unwrap(), expect);
        }
        let failed = fill("select ?", &values(&["1", "2"])).unwrap_err();
        assert_eq!(
            failed.error_message,
            "INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected 1 but found 2"
        );
    }

    #[test]
    fn a_value_is_one_expression() {
        for value in ["1", "-1.5", "'it''s; --'", "DATE '2017-08-26'", "null", "array[1, 2]", "lower('A')"] {
            check(value).unwrap();
        }
        for value in
            ["", "1, 2", "1) or (1=1", "1; drop", "1 -- x", "/* */ 1", "'open", "?", "1 from t", "a b c"]
        {
            let said = check(value).unwrap_err().to_string();
            assert_eq!(said, format!("Execution parameter '{value}' is not an expression."));
        }
    }
}
