//! `AttributesToGet`: which members of a database or a table a client wants to see.

use serde_json::Value;

use crate::{Error, names};

/// The members that are shown; None is all.
pub(super) struct Attributes(Option<Vec<&'static str>>);

impl Attributes {
    /// # Errors
    /// `InvalidInputException` for a value that is not in the enum or not supported, or a list without `NAME`.
    pub(super) fn of_table(given: Option<&[String]>) -> Result<Self, Error> {
        let values = ["NAME", "TABLE_TYPE", "DEFAULT", "LATEST_ICEBERG_METADATA"];
        let Some(given) = checked(given, &values)? else { return Ok(Self(None)) };
        if given.iter().any(|value| value == "LATEST_ICEBERG_METADATA") {
            return Err(Error::InvalidInput("LATEST_ICEBERG_METADATA is not supported.".to_owned()));
        }
        if given.iter().any(|value| value == "DEFAULT") {
            return Ok(Self(None));
        }
        Self::named(given, &[("TABLE_TYPE", "TableType")])
    }

    /// # Errors
    /// As [`Attributes::of_table`].
    pub(super) fn of_database(given: Option<&[String]>) -> Result<Self, Error> {
        match checked(given, &["NAME", "TARGET_DATABASE"])? {
            Some(given) => Self::named(given, &[("TARGET_DATABASE", "TargetDatabase")]),
            None => Ok(Self(None)),
        }
    }

    fn named(given: &[String], members: &[(&str, &'static str)]) -> Result<Self, Error> {
        let has = |value: &str| given.iter().any(|given| given == value);
        if !has("NAME") {
            return Err(Error::InvalidInput("AttributesToGet must include NAME.".to_owned()));
        }
        let more = members.iter().filter(|(value, _)| has(value)).map(|(_, member)| *member);
        Ok(Self(Some(std::iter::once("Name").chain(more).collect())))
    }

    /// What is shown of an entity.
    pub(super) fn of(&self, shape: Value) -> Value {
        match (&self.0, shape) {
            (Some(shown), Value::Object(members)) => {
                members.into_iter().filter(|(name, _)| shown.contains(&name.as_str())).collect()
            }
            (_, shape) => shape,
        }
    }
}

fn checked<'a>(given: Option<&'a [String]>, values: &[&str]) -> Result<Option<&'a [String]>, Error> {
    for value in given.unwrap_or_default() {
        names::one_of("attributesToGet", Some(value), values)?;
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_asked_for_is_not_shown() {
        let shape = json!({"Name": "t", "TableType": "EXTERNAL_TABLE", "Owner": "me"});
        let shown = |attributes: &[&str]| {
            let given: Vec<String> = attributes.iter().map(|&name| name.to_owned()).collect();
            Attributes::of_table(Some(&given)).map(|attributes| attributes.of(shape.clone()).to_string())
        };
        assert_eq!(shown(&["NAME"]).unwrap(), r#"{"Name":"t"}"#);
        assert_eq!(shown(&["NAME", "TABLE_TYPE"]).unwrap(), r#"{"Name":"t","TableType":"EXTERNAL_TABLE"}"#);
        assert_eq!(shown(&["DEFAULT"]).unwrap(), shape.to_string());
        assert_eq!(Attributes::of_table(None).unwrap().of(shape.clone()), shape);
        for (attributes, expect) in [
            (&["TABLE_TYPE"][..], "AttributesToGet must include NAME."),
            (&["LATEST_ICEBERG_METADATA"], "LATEST_ICEBERG_METADATA is not supported."),
            (
                &["OWNER"],
                "1 validation error detected: Value 'OWNER' at 'attributesToGet' failed to satisfy constraint: Member must \
                 satisfy enum value set: [NAME, TABLE_TYPE, DEFAULT, LATEST_ICEBERG_METADATA]",
            ),
        ] {
            assert_eq!(shown(attributes).unwrap_err().to_string(), expect);
        }
    }
}
