//! `docs/security.md`: every control and proof that it names is there.
//!
//! The form: a file in backquotes, and after it the names in that file, each in backquotes: `` `crates/a.rs` `function` `CONSTANT` ``.

use std::fs;
use std::path::Path;

const DOCUMENT: &str = "docs/security.md";

/// What may stand before a name where it is declared.
const DECLARED: [&str; 7] = ["fn ", "const ", "static ", "struct ", "enum ", "trait ", "def "];

/// Every file that is named exists, and every name after it is declared in it.
pub(super) fn check(root: &Path, faults: &mut Vec<String>) {
    let text = fs::read_to_string(root.join(DOCUMENT)).unwrap_or_default();
    check_text(&text, faults, |path| fs::read_to_string(root.join(path)).ok());
}

fn check_text(text: &str, faults: &mut Vec<String>, read: impl Fn(&str) -> Option<String>) {
    for (path, names) in places(text) {
        let Some(source) = read(path) else {
            faults.push(format!("{DOCUMENT}: {path} does not exist"));
            continue;
        };
        for name in names.into_iter().filter(|name| !is_declared(&source, name)) {
            faults.push(format!("{DOCUMENT}: there is no {name} in {path}"));
        }
    }
}

/// Each file with the names that follow it.
fn places(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut places: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut open = false;
    // Odd pieces stand in backquotes, even ones between them.
    for (n, piece) in text.split('`').enumerate() {
        if n % 2 == 0 {
            open &= piece == " ";
        } else if piece.contains('/') && (piece.ends_with(".rs") || piece.ends_with(".py")) {
            places.push((piece, Vec::new()));
            open = true;
        } else if let Some((_, names)) = places.last_mut().filter(|_| open) {
            names.push(piece);
        }
    }
    places
}

fn is_declared(source: &str, name: &str) -> bool {
    DECLARED.iter().any(|keyword| {
        let declaration = format!("{keyword}{name}");
        let mut found = source.split(&declaration).skip(1);
        found.any(|after| !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_must_be_there() {
        let read = |path: &str| (path == "a/b.rs").then(|| "pub fn verify(\nconst MAX: u8 = 1;".to_owned());
        let faults = |text: &str| {
            let mut faults = Vec::new();
            check_text(text, &mut faults, read);
            faults
        };
        assert_eq!(faults("| one `a/b.rs` `verify` `MAX`, another `a/b.rs` and `words` |"), [""; 0]);
        assert_eq!(faults("`a/b.rs` `verif`"), ["docs/security.md: there is no verif in a/b.rs"]);
        assert_eq!(faults("`a/c.rs` `verify`"), ["docs/security.md: a/c.rs does not exist"]);
    }
}
