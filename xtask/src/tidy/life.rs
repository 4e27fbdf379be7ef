//! "The life of a message" in `ARCHITECTURE.md`: ten numbered stops, each ending in where it is in the code.
//!
//! The form of a stop, which may go over several lines:
//!
//! ```text
//! 1. **title** — text (`crates/gateway/src/connection.rs`, `serve`)
//! ```

use std::fs;
use std::path::Path;

const TITLE: &str = "## The life of a message";

/// Few enough to read in one go, enough to leave out no hand-over.
const STOPS: usize = 10;

/// Every stop names a file that is there and a function that is in it.
pub(super) fn check(root: &Path, architecture: &str, faults: &mut Vec<String>) {
    check_stops(architecture, faults, |path| fs::read_to_string(root.join(path)).ok());
}

fn check_stops(architecture: &str, faults: &mut Vec<String>, read: impl Fn(&str) -> Option<String>) {
    let stops = stops(architecture);
    if stops.len() != STOPS {
        faults.push(format!("ARCHITECTURE.md: `{TITLE}` has {} numbered stops, not {STOPS}", stops.len()));
    }
    for (number, stop) in stops.iter().enumerate().map(|(at, stop)| (at + 1, stop)) {
        let Some((path, function)) = place(stop, number) else {
            faults.push(format!(
                "ARCHITECTURE.md: stop {number} of the life of a message must be `{number}. … (`path.rs`, `function`)`: {stop}"
            ));
            continue;
        };
        match read(path) {
            None => faults.push(format!("ARCHITECTURE.md: stop {number} is in {path}, which does not exist")),
            Some(source) if !has_function(&source, function) => {
                faults.push(format!("ARCHITECTURE.md: stop {number}: there is no `fn {function}` in {path}"));
            }
            Some(_) => {}
        }
    }
}

/// The numbered items of the section, each on one line.
fn stops(architecture: &str) -> Vec<String> {
    let mut stops: Vec<String> = Vec::new();
    let section = architecture.lines().skip_while(|line| *line != TITLE).skip(1);
    let mut in_stop = false;
    for line in section.take_while(|line| !line.starts_with("## ")) {
        let numbered = line.split_once(". ").is_some_and(|(number, _)| number.parse::<usize>().is_ok());
        if numbered {
            stops.push(line.to_owned());
        } else if let Some(stop) = stops.last_mut().filter(|_| in_stop && !line.is_empty()) {
            stop.push(' ');
            stop.push_str(line.trim());
        }
        in_stop = numbered || in_stop && !line.is_empty();
    }
    stops
}

/// The file and the function at a stop's end.
fn place(stop: &str, number: usize) -> Option<(&str, &str)> {
    let stop = stop.strip_prefix(&format!("{number}. "))?;
    let (_, place) = stop.trim_end_matches('.').strip_suffix("`)")?.rsplit_once("(`")?;
    let (path, function) = place.split_once("`, `")?;
    let named = !function.is_empty() && function.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (path.ends_with(".rs") && named).then_some((path, function))
}

fn has_function(source: &str, function: &str) -> bool {
    let declaration = format!("fn {function}");
    source.split(&declaration).skip(1).any(|after| after.starts_with(['(', '<']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(edit: impl Fn(String) -> String) -> String {
        let stops: Vec<String> = (1..=STOPS)
            .map(|n| format!("{n}. **Stop {n}**: what happens\n   there (`crates/x/src/a.rs`, `step`)."))
            .collect();
        edit(format!(
            "# A\n\n{TITLE}\n\nIntroduction.\n\n{}\n\nAfter.\n\n## Next\n\n1. Other\n",
            stops.join("\n")
        ))
    }

    fn faults(text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        check_stops(text, &mut faults, |path| {
            (path == "crates/x/src/a.rs")
                .then(|| "pub(crate) fn step<T>(x: T) {}\nfn stepping() {}".to_owned())
        });
        faults
    }

    #[test]
    fn ten_stops_that_are_there_pass() {
        assert_eq!(faults(&section(|text| text)), [""; 0]);
    }

    #[test]
    fn a_stop_too_few_or_in_no_form_or_gone_fails() {
        assert_eq!(faults("# A\n").len(), 1, "no section");
        let cases = [
            ("10. **Stop 10**", "11. **Stop 10**", "must be"),
            ("`step`).", "`step`) and more.", "must be"),
            ("src/a.rs", "src/b.rs", "does not exist"),
            ("`step`", "`ste`", "no `fn ste`"),
            ("`step`", "`steppin`", "no `fn steppin`"),
        ];
        for (from, to, said) in cases {
            let found = faults(&section(|text| text.replace(from, to)));
            assert!(!found.is_empty() && found.iter().all(|fault| fault.contains(said)), "{to}: {found:?}");
        }
        let nine = faults(&section(|text| text.replace("10. **Stop 10**", "**Stop 10**")));
        assert!(nine[0].contains("9 numbered stops"), "{nine:?}");
    }
}
