//! The pattern of SHOW TABLES and SHOW DATABASES: `*` is any run of characters, `|` a choice, case is ignored.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/show-tables.html>
//!
//! Differs from AWS: AWS hands the rest of the pattern to a regular expression engine, so that `.` or `[ab]`
//! work there; here every other character stands for itself, as the documentation describes it.

/// Whether `name` fits `pattern`. Takes time in proportion to their product at most.
pub fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    pattern.to_lowercase().split('|').any(|choice| {
        let choice: Vec<char> = choice.trim().chars().collect();
        matches_choice(&choice, &name)
    })
}

/// Greedy with one place to return to: a later `*` makes an earlier one's choice irrelevant.
fn matches_choice(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            p += 1;
            retry = Some((p, n));
        } else if pattern.get(p) == name.get(n) {
            p += 1;
            n += 1;
        } else if let Some((after_star, taken_to)) = retry {
            retry = Some((after_star, taken_to + 1));
            p = after_star;
            n = taken_to + 1;
        } else {
            return false;
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|&c| c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_bars() {
        for (pattern, name, expect) in [
            ("*", "anything", true),
            ("heart*", "heartrate_iot_data", true),
            ("HEART*", "heartrate_iot_data", true),
            ("*iot*", "heartrate_iot_data", true),
            ("*rate", "heartrate_iot_data", false),
            ("*a*a*b", "aaaaab", true),
            ("a|b", "b", true),
            ("a*|*z", "buzz", true),
            ("a.c", "abc", false),
            ("", "x", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), expect, "{pattern} on {name}");
        }
    }
}
