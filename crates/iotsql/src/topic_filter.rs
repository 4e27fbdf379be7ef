//! What a FROM clause may name.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-from.html>. Matching topics against
//! filters belongs to the rules engine; here a filter is only checked.

/// # Errors
/// Says what is wrong with `filter`.
pub(crate) fn check(filter: &str) -> Result<(), &'static str> {
    if filter.is_empty() {
        return Err("it is empty");
    }
    if filter.contains('\0') {
        return Err("it contains a null character");
    }
    if filter == "$aws/rules" || filter.starts_with("$aws/rules/") {
        return Err("$aws/rules topics reach a rule by its name and cannot be in FROM");
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        if level == "#" && levels.peek().is_some() {
            return Err("# must be the last level");
        }
        if level.len() > 1 && level.contains(['#', '+']) {
            return Err("a wildcard must be a whole level");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn wildcards_are_whole_levels_and_hash_is_last() {
        for good in ["a", "/health/#", "#", "+/b/+", "a//b", "$aws/things/+/shadow/update"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "a/#/b", "a/b#", "a/+b", "$aws/rules/x", "a\0"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
