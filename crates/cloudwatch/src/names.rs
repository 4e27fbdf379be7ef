//! Namespaces, names and dimensions as requests give them.

use serde::{Deserialize, Serialize};

use crate::series::{MetricName, UNITS};
use crate::{Error, limits};

/// A dimension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Dimension {
    pub(crate) name: Option<String>,
    pub(crate) value: Option<String>,
}

/// A parameter that must be there.
///
/// # Errors
/// `MissingRequiredParameterException`.
pub(crate) fn required<T>(parameter: &str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::MissingParameter(parameter.to_owned()))
}

/// # Errors
/// `InvalidParameterValueException` for one that is too long, empty, not ASCII, or begins with a colon.
pub(crate) fn namespace(parameter: &str, value: &str) -> Result<(), Error> {
    length(parameter, value, limits::NAME_CHARS_MAX)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '#' | ':' | ' ');
    if value.starts_with(':') || !value.chars().all(legal) || value.trim().is_empty() {
        return Err(Error::invalid(parameter, value));
    }
    Ok(())
}

/// # Errors
/// `InvalidParameterValueException` for a metric's name that is too long, empty or not printable ASCII.
pub(crate) fn metric_name(parameter: &str, value: &str) -> Result<(), Error> {
    length(parameter, value, limits::NAME_CHARS_MAX)?;
    printable(parameter, value)
}

/// # Errors
/// `InvalidParameterValueException` for one that the model does not have.
pub(crate) fn unit(parameter: &str, value: &str) -> Result<&'static str, Error> {
    UNITS.iter().copied().find(|unit| *unit == value).ok_or_else(|| Error::invalid(parameter, value))
}

/// The dimensions of a metric, each name once.
///
/// # Errors
/// `InvalidParameterValueException`, `MissingRequiredParameterException`.
pub(crate) fn dimensions(parameter: &str, given: Vec<Dimension>) -> Result<Vec<(String, String)>, Error> {
    if given.len() > limits::DIMENSIONS_MAX {
        return Err(too_many(parameter, limits::DIMENSIONS_MAX));
    }
    let mut pairs: Vec<(String, String)> = Vec::with_capacity(given.len());
    for (n, dimension) in given.into_iter().enumerate() {
        let path = |member: &str| format!("{parameter}.member.{}.{member}", n + 1);
        let name = dimension.name.ok_or_else(|| Error::MissingParameter(path("Name")))?;
        let value = dimension.value.ok_or_else(|| Error::MissingParameter(path("Value")))?;
        dimension_name(&path("Name"), &name)?;
        dimension_value(&path("Value"), &value)?;
        if pairs.iter().any(|(other, _)| *other == name) {
            return Err(Error::value(format!(
                "The parameter {parameter} must not contain the dimension {name} more than once."
            )));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// # Errors
/// `InvalidParameterValueException`.
pub(crate) fn dimension_name(parameter: &str, value: &str) -> Result<(), Error> {
    length(parameter, value, limits::NAME_CHARS_MAX)?;
    if value.starts_with(':') {
        return Err(Error::invalid(parameter, value));
    }
    printable(parameter, value)
}

/// # Errors
/// `InvalidParameterValueException`.
pub(crate) fn dimension_value(parameter: &str, value: &str) -> Result<(), Error> {
    length(parameter, value, limits::DIMENSION_VALUE_CHARS_MAX)?;
    printable(parameter, value)
}

/// # Errors
/// `InvalidParameterValueException` with the sentence for lists that are too long.
pub(crate) fn too_many(parameter: &str, max: usize) -> Error {
    Error::value(format!("The collection {parameter} must not have a size greater than {max}."))
}

/// A metric as a query names it.
///
/// # Errors
/// `InvalidParameterValueException`, `MissingRequiredParameterException`.
pub(crate) fn metric(
    prefix: &str,
    given_namespace: Option<&str>,
    given_name: Option<&str>,
    given: Vec<Dimension>,
) -> Result<MetricName, Error> {
    let path = |member: &str| format!("{prefix}{member}");
    let space = required(&path("Namespace"), given_namespace)?;
    let name = required(&path("MetricName"), given_name)?;
    namespace(&path("Namespace"), space)?;
    metric_name(&path("MetricName"), name)?;
    Ok(MetricName::new(space, name, dimensions(&path("Dimensions"), given)?))
}

fn length(parameter: &str, value: &str, max: usize) -> Result<(), Error> {
    match value.chars().count() {
        0 => Err(Error::value(format!("The parameter {parameter} must be longer than 0 characters."))),
        n if n > max => Err(Error::value(format!(
            "The parameter {parameter} must be shorter than {} characters.",
            max + 1
        ))),
        _ => Ok(()),
    }
}

/// ASCII without control characters, not only white space.
fn printable(parameter: &str, value: &str) -> Result<(), Error> {
    if value.chars().any(|c| !c.is_ascii() || c.is_control()) || value.trim().is_empty() {
        return Err(Error::value(format!(
            "The parameter {parameter} must contain printable ASCII characters only, and at least one that is no white space."
        )));
    }
    Ok(())
}
