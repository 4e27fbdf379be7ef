//! The console reads the node's counters by name: every name it uses is declared in some crate's `metrics.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A misspelt counter would not fail: it would be 0 for ever.
pub(super) fn check(root: &Path, rust_files: &[PathBuf], faults: &mut Vec<String>) {
    let declarations = rust_files.iter().filter(|file| file.ends_with("metrics.rs"));
    let declared: BTreeSet<String> =
        declarations.flat_map(|file| names(&fs::read_to_string(file).unwrap_or_default(), '"')).collect();
    let mut sources = Vec::new();
    console_files(&root.join("console-ui/src"), &mut sources);
    for file in sources {
        let text = fs::read_to_string(&file).unwrap_or_default();
        for name in unknown(&text, &declared) {
            faults.push(format!("{}: no metrics.rs declares {name}", super::show(root, &file)));
        }
    }
}

fn console_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            console_files(&path, out);
        } else {
            out.push(path);
        }
    }
}

/// What looks like a metric, because it begins as one does, and is none.
fn unknown(text: &str, declared: &BTreeSet<String>) -> BTreeSet<String> {
    let begins = |name: &str| {
        name.split_once('_').map(|(service, _)| service.to_owned()).filter(|service| !service.is_empty())
    };
    let services: BTreeSet<String> = declared.iter().filter_map(|name| begins(name)).collect();
    let looks_so = |name: &String| begins(name).is_some_and(|service| services.contains(&service));
    names(text, '\'').into_iter().filter(looks_so).filter(|name| !declared.contains(name)).collect()
}

/// Quoted words of lower case joined by `_`.
fn names(text: &str, quote: char) -> BTreeSet<String> {
    text.split(quote)
        .filter(|part| {
            part.contains('_')
                && part.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_crate_declares_is_found() {
        let declared = names("name: \"iot_publish_in_total\",\n name: \"s3_objects\",", '"');
        let page = "series.rate('iot_publish_in_total') + series.value('iot_publish_total') + f('user_id')";
        assert_eq!(unknown(page, &declared), BTreeSet::from(["iot_publish_total".to_owned()]));
    }
}
