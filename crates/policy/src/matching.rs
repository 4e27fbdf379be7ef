//! Patterns with `*`, `?` and `${variables}`, and whether a text fits one.
//!
//! A pattern is compiled once and matched with the variables of each request. Matching is greedy with a single
//! place to return to (the last `*`), so it takes at most pattern times text steps and no recursion.
//!
//! Invariants: 1. a variable's value is matched character by character, never as a wildcard; 2. a variable
//! without a value leaves its pattern undecided; 3. in an Allow, an `iot:` variable whose value holds one of
//! [`RESERVED`] leaves its pattern undecided: a device that calls itself `+` or `a/b` or `$aws` would
//! otherwise reach topics that its policy's author never meant. In a Deny such a value counts, literally.
//!
//! Sources: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>,
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-variables.html>
//!
//! Differs from AWS: AWS leaves `${…}` in place for certificate attributes with `* $ + ? #`; here this holds
//! for every `iot:` variable and for `/` too.

use crate::document::{Effect, Version};
use crate::evaluate::Context;

/// Characters with a meaning in a policy, a topic or a topic filter.
const RESERVED: &[char] = &['*', '?', '+', '#', '/', '$'];

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Char(char),
    /// `?`
    One,
    /// `*`
    Any,
    Variable {
        name: String,
        default: Option<String>,
    },
}

/// A part once the variables have their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Atom {
    Char(char),
    One,
    Any,
}

/// Whether case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Sensitive,
    Insensitive,
}

impl Pattern {
    /// Compiles `source`. Variables exist since version 2012-10-17; before, `${` is text. A `${` that is never
    /// closed is text too.
    pub(crate) fn compile(source: &str, version: Version) -> Self {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some(c) = rest.chars().next() {
            if version == Version::V2012
                && let Some((variable, after)) = rest.strip_prefix("${").and_then(|r| r.split_once('}'))
            {
                parts.push(variable_part(variable));
                rest = after;
                continue;
            }
            parts.push(match c {
                '*' => Part::Any,
                '?' => Part::One,
                c => Part::Char(c),
            });
            rest = rest.strip_prefix(c).expect("`c` is its first character");
        }
        Self { source: source.to_owned(), parts }
    }

    /// As written in the document.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the pattern is `*` and so fits everything.
    pub fn is_everything(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| *part == Part::Any)
    }

    /// Whether `text` fits, whatever its case: for what knows no variables, as actions.
    pub fn names(&self, text: &str) -> bool {
        self.matches(text, &Context::new(), Effect::Allow, Case::Insensitive) == Some(true)
    }

    /// Whether `text` fits, with the variables of `context`, for a statement with `effect`. `None` by
    /// invariants 2 and 3: the caller must let that grant nothing, under a negation neither.
    pub(crate) fn matches(&self, text: &str, context: &Context, effect: Effect, case: Case) -> Option<bool> {
        self.atoms(context, effect).map(|atoms| atoms_match(&atoms, text, case))
    }

    /// The pattern as a plain text, for operators without wildcards. `None` by invariants 2 and 3.
    pub(crate) fn literal(&self, context: &Context, effect: Effect) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Char(c) => text.push(*c),
                Part::One => text.push('?'),
                Part::Any => text.push('*'),
                Part::Variable { name, default } => {
                    text.push_str(value_of(name, default.as_deref(), context, effect)?);
                }
            }
        }
        Some(text)
    }

    fn atoms(&self, context: &Context, effect: Effect) -> Option<Vec<Atom>> {
        let mut atoms = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            match part {
                Part::Char(c) => atoms.push(Atom::Char(*c)),
                Part::One => atoms.push(Atom::One),
                // Neighbouring stars are one.
                Part::Any if atoms.last() == Some(&Atom::Any) => {}
                Part::Any => atoms.push(Atom::Any),
                Part::Variable { name, default } => {
                    let value = value_of(name, default.as_deref(), context, effect)?;
                    atoms.extend(value.chars().map(Atom::Char));
                }
            }
        }
        Some(atoms)
    }
}

/// `${*}`, `${?}` and `${$}` are those characters; `${key, 'default'}` has a value to fall back on.
fn variable_part(variable: &str) -> Part {
    let mut chars = variable.chars();
    if let (Some(c @ ('*' | '?' | '$')), None) = (chars.next(), chars.next()) {
        return Part::Char(c);
    }
    let (name, default) = match variable.split_once(',') {
        Some((name, default)) => {
            let default = default.trim();
            let unquoted = default.strip_prefix('\'').and_then(|d| d.strip_suffix('\''));
            (name, Some(unquoted.unwrap_or(default).to_owned()))
        }
        None => (variable, None),
    };
    Part::Variable { name: name.trim().to_owned(), default }
}

fn value_of<'a>(
    name: &str,
    default: Option<&'a str>,
    context: &'a Context,
    effect: Effect,
) -> Option<&'a str> {
    let Some(value) = context.single(name) else { return default };
    let is_iot = name.split_once(':').is_some_and(|(service, _)| service.eq_ignore_ascii_case("iot"));
    let hostile = effect == Effect::Allow && is_iot && value.contains(RESERVED);
    (!hostile).then_some(value)
}

fn atoms_match(atoms: &[Atom], text: &str, case: Case) -> bool {
    let same =
        |a: char, b: char| a == b || case == Case::Insensitive && a.to_lowercase().eq(b.to_lowercase());
    let text: Vec<char> = text.chars().collect();
    let (mut a, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match atoms.get(a) {
            Some(Atom::Any) => {
                a += 1;
                retry = Some((a, t));
            }
            Some(Atom::One) => {
                a += 1;
                t += 1;
            }
            Some(Atom::Char(c)) if same(*c, text[t]) => {
                a += 1;
                t += 1;
            }
            _ => {
                let Some((after_star, taken_to)) = retry else { return false };
                retry = Some((after_star, taken_to + 1));
                a = after_star;
                t = taken_to + 1;
            }
        }
    }
    atoms.get(a..).is_none_or(|rest| rest.iter().all(|atom| *atom == Atom::Any))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str, context: &Context) -> bool {
        Pattern::compile(pattern, Version::V2012).matches(text, context, Effect::Allow, Case::Sensitive)
            == Some(true)
    }

    fn device(id: &str) -> Context {
        Context::new().with("iot:ClientId", id)
    }

    #[test]
    fn wildcards() {
        for (pattern, text, expect) in [
            ("*", "", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("a*c", "abcbc", true),
            ("a*b*c", "acbc", true),
            ("topic/+/#", "topic/x/y", false),
            ("topic/+/#", "topic/+/#", true),
            ("topic/*", "topic/a/b/c", true),
            ("A", "a", false),
            ("${*}", "*", true),
            ("${*}", "x", false),
            ("${$}aws", "$aws", true),
            ("a${open", "a${open", true),
            ("${nobody:here}", "", false),
            ("${nobody:here, 'd'}-x", "d-x", true),
        ] {
            assert_eq!(matches(pattern, text, &Context::new()), expect, "{pattern} on {text}");
        }
        let case = |a: &str, b: &str| {
            Pattern::compile(a, Version::V2012).matches(b, &Context::new(), Effect::Allow, Case::Insensitive)
                == Some(true)
        };
        assert!(case("IOT:Pub*", "iot:publish"));
        assert!(!case("iot:Sub*", "iot:Publish"));
    }

    #[test]
    fn before_2012_a_variable_is_text() {
        let old = Pattern::compile("a/${iot:ClientId}", Version::V2008);
        let allow =
            |text: &str| old.matches(text, &device("x"), Effect::Allow, Case::Sensitive) == Some(true);
        assert!(allow("a/${iot:ClientId}"));
        assert!(!allow("a/x"));
    }

    #[test]
    fn a_variables_value_never_widens() {
        let pattern = "topic/${iot:ClientId}/data";
        assert!(matches(pattern, "topic/sensor-1/data", &device("sensor-1")));
        for (id, text) in [
            ("*", "topic/other/data"),
            ("*", "topic/*/data"),
            ("?", "topic/x/data"),
            ("+", "topic/+/data"),
            ("#", "topic/#/data"),
            ("a/b", "topic/a/b/data"),
            ("$aws", "topic/$aws/data"),
            ("${iot:ClientId}", "topic/${iot:ClientId}/data"),
        ] {
            assert!(!matches(pattern, text, &device(id)), "{id} reached {text}");
        }
        let deny = Pattern::compile(pattern, Version::V2012);
        let denies = |text: &str, id: &str| deny.matches(text, &device(id), Effect::Deny, Case::Sensitive);
        assert_eq!(denies("topic/+/data", "+"), Some(true));
        assert_eq!(denies("topic/x/data", "*"), Some(false));
        let allows = |id: &str| deny.matches("topic/x/data", &device(id), Effect::Allow, Case::Sensitive);
        assert_eq!((allows("x"), allows("y"), allows("*")), (Some(true), Some(false), None));
        // Outside IoT a slash is an ordinary character of a name.
        let user = Context::new().with("aws:PrincipalTag/team", "a/b*");
        assert!(matches("x/${aws:PrincipalTag/team}", "x/a/b*", &user));
        assert!(!matches("x/${aws:PrincipalTag/team}", "x/a/bc", &user));
    }

    #[test]
    fn a_hostile_pattern_is_linear() {
        let pattern = format!("{}b", "a*".repeat(500));
        assert!(!matches(&pattern, &"a".repeat(5_000), &Context::new()));
    }

    /// The definition, by recursion.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=text.len()).any(|n| naive(rest, &text[n..])),
            (Some(('?', p)), Some((_, t))) => naive(p, t),
            (Some((a, p)), Some((b, t))) => a == b && naive(p, t),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let p: Vec<char> = pattern.chars().collect();
            let t: Vec<char> = text.chars().collect();
            prop_assert_eq!(matches(&pattern, &text, &Context::new()), naive(&p, &t));
        }

        #[test]
        fn a_value_matches_itself_alone(value in ".{0,6}", other in ".{0,6}") {
            let cx = Context::new().with("aws:username", value.as_str());
            let fits = |name: &str| matches("u/${aws:username}", &format!("u/{name}"), &cx);
            prop_assert!(fits(&value));
            prop_assert_eq!(fits(&other), value == other);
        }

        #[test]
        fn no_pattern_panics(pattern in ".{0,20}", text in ".{0,20}") {
            matches(&pattern, &text, &device("d"));
        }
    }
}
