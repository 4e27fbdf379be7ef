//! Names of databases and tables, and the sizes of lists.

use kernel::Context;

use crate::Error;
use crate::limits::NAME_CHARS_MAX;

/// The name as the catalog keeps it: in lower case.
///
/// # Errors
/// `InvalidInputException` for an empty or overlong name, or one with control characters.
pub(crate) fn name(text: &str, path: &str) -> Result<String, Error> {
    let violated = |constraint: &str| {
        Error::InvalidInput(format!(
            "1 validation error detected: Value '{text}' at '{path}' failed to satisfy constraint: {constraint}"
        ))
    };
    if text.is_empty() {
        return Err(violated("Member must have length greater than or equal to 1"));
    }
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(violated("Member must have length less than or equal to 255"));
    }
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(violated(
            "Member must satisfy regular expression pattern: \
             [\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*",
        ));
    }
    Ok(text.to_lowercase())
}

/// A list that may have up to `max` members.
///
/// # Errors
/// `InvalidInputException`.
pub(crate) fn length<T>(list: &[T], path: &str, max: usize) -> Result<(), Error> {
    if list.len() <= max {
        return Ok(());
    }
    Err(Error::InvalidInput(format!(
        "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must have length less than or \
         equal to {max}"
    )))
}

/// A member that is not supported may not be given.
///
/// # Errors
/// `InvalidInputException` that names it.
pub(crate) fn absent<T>(member: &str, value: Option<&T>) -> Result<(), Error> {
    match value {
        None => Ok(()),
        Some(_) => Err(Error::InvalidInput(format!("{member} is not supported."))),
    }
}

/// The error for a value that is not in its enum.
pub(crate) fn outside(path: &str, value: &str, values: &[&str]) -> Error {
    Error::InvalidInput(format!(
        "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value \
         set: [{}]",
        values.join(", ")
    ))
}

/// One of the values of an enum, or nothing.
///
/// # Errors
/// `InvalidInputException` for another.
pub(crate) fn one_of(path: &str, value: Option<&str>, values: &[&str]) -> Result<(), Error> {
    match value {
        Some(value) if !values.contains(&value) => Err(outside(path, value, values)),
        _ => Ok(()),
    }
}

/// There is one catalog in an account: the one named after it.
///
/// # Errors
/// `EntityNotFoundException` for any other.
pub(crate) fn catalog(cx: &Context, catalog_id: Option<&str>) -> Result<(), Error> {
    match catalog_id {
        Some("") => Err(Error::InvalidInput(
            "1 validation error detected: Value '' at 'catalogId' failed to satisfy constraint: Member must have length greater \
             than or equal to 1"
                .to_owned(),
        )),
        Some(id) if id != cx.account.as_str() => {
            Err(Error::EntityNotFound(format!("Catalog {id} not found.")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_lower_case_or_is_refused() {
        assert_eq!(name("Heart Rate/é", "name").unwrap(), "heart rate/é");
        let long = "x".repeat(256);
        for (text, expect) in [
            ("", "Member must have length greater than or equal to 1"),
            (long.as_str(), "Member must have length less than or equal to 255"),
            ("a\0b", "Member must satisfy regular expression pattern"),
        ] {
            let said = name(text, "databaseInput.name").unwrap_err().to_string();
            assert!(said.contains("at 'databaseInput.name' failed"), "{said}");
            assert!(said.contains(expect), "{said}");
        }
    }

    #[test]
    fn another_catalog_is_not_there() {
        let cx = wire::testing::context();
        catalog(&cx, Some("000000000000")).unwrap();
        let said = catalog(&cx, Some("111111111111")).unwrap_err().to_string();
        assert_eq!(said, "Catalog 111111111111 not found.");
        assert!(matches!(catalog(&cx, Some("")), Err(Error::InvalidInput(_))));
    }
}
