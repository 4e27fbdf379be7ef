//! Text into and out of quotes: what a quoted token means, and how DDL is printed again.

use std::fmt::Write as _;

/// `` `name` ``, as SHOW CREATE TABLE prints every identifier.
pub fn hive_identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `'text'` with Hive's backslash escapes, as SHOW CREATE TABLE prints properties and locations.
pub fn hive_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("writing to a String cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// `"name"`, as a query names a table or column.
pub fn trino_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What the identifier token `` `a``b` `` names.
pub(crate) fn hive_identifier_value(token: &str) -> String {
    let inner = token.strip_prefix('`').and_then(|t| t.strip_suffix('`')).unwrap_or(token);
    inner.replace("``", "`")
}

/// What the string token says: one or more strings side by side, in either quote, with Hive's escapes.
/// An escape Hive does not know keeps its character, `\%` and `\_` keep both, as patterns need them.
pub(crate) fn hive_string_value(token: &str) -> String {
    let mut out = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(quote) = chars.next() {
        while let Some(c) = chars.next() {
            if c == quote {
                break;
            }
            if c == '\\' {
                unescape(&mut chars, &mut out);
            } else {
                out.push(c);
            }
        }
    }
    out
}

fn unescape(chars: &mut std::str::Chars<'_>, out: &mut String) {
    let rest = chars.as_str();
    if let Some(c) = code_after(rest, "u", 4, 16).or_else(|| code_after(rest, "", 3, 8)) {
        let width = if rest.starts_with('u') { 5 } else { 3 };
        for _ in 0..width {
            chars.next();
        }
        out.push(c);
        return;
    }
    match chars.next() {
        Some('0') => out.push('\0'),
        Some('b') => out.push('\u{8}'),
        Some('n') => out.push('\n'),
        Some('r') => out.push('\r'),
        Some('t') => out.push('\t'),
        Some('Z') => out.push('\u{1a}'),
        Some(c @ ('%' | '_')) => out.extend(['\\', c]),
        Some(c) => out.push(c),
        None => {}
    }
}

/// The character whose code stands after `prefix` in `width` digits. Octal codes end at `\177`, as in Hive.
fn code_after(rest: &str, prefix: &str, width: usize, radix: u32) -> Option<char> {
    let digits = rest.strip_prefix(prefix)?.get(..width)?;
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok()?;
    if radix == 8 && code > 0o177 {
        return None;
    }
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hive_strings_mean_what_hive_means() {
        for (token, value) in [
            (r"'plain'", "plain"),
            (r"'a\'b'", "a'b"),
            (r#""it's""#, "it's"),
            (r"'\001'", "\u{1}"),
            (r"'A\tB\n'", "A\tB\n"),
            (r"'\\|'", "\\|"),
            (r"'\d+'", "d+"),
            (r"'\\d+'", r"\d+"),
            (r"'a_\%'", r"a_\%"),
            (r"'one''two'", "onetwo"),
            (r"'\400'", "400"),
        ] {
            assert_eq!(hive_string_value(token), value, "{token}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_reads_back(text in ".*") {
            prop_assert_eq!(hive_string_value(&hive_string(&text)), text.clone());
            prop_assert_eq!(hive_identifier_value(&hive_identifier(&text)), text);
        }
    }
}
