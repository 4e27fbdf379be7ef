//! `docs/operations.md`: every operation of AWS's API models, served or not, with what is known to differ.
//!
//! Made from the tables that serve them, from AWS's names in `docs/aws-operations.txt`, and from the lines `Differs from AWS:` of
//! the sources. `cargo xtask gen` writes it; without that, this is the test that it is fresh.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use testkit::Sandbox;

/// Asks the test to write the document instead of comparing it.
const WRITE: &str = "HEADWATER_WRITE_DOCS";

/// Services by their name in the list, in a signature, and the crates in which their differences are written.
const SERVICES: &[(&str, &str, &[&str])] = &[
    ("sts", "sts", &["iam"]),
    ("iam", "iam", &["iam", "policy"]),
    ("iot", "iot", &["iot", "rules", "iotsql"]),
    ("iot-data", "iotdata", &["gateway", "mqtt"]),
    ("firehose", "firehose", &["firehose"]),
    ("s3", "s3", &["s3"]),
    ("glue", "glue", &["glue"]),
    ("athena", "athena", &["athena", "athena-sql", "query"]),
    ("cloudwatch", "monitoring", &["cloudwatch"]),
    ("resourcegroupstaggingapi", "tagging", &["tagging"]),
    ("accessanalyzer", "access-analyzer", &["access-analyzer"]),
];

const HEAD: &str = "\
# Operations

Every operation of AWS's API models: what is served, by the name its requests are authorised under, with what is known to differ from AWS;
and what is not served, which answers with AWS's error for an unknown operation.

Made by `cargo xtask gen`. To change what it says, change the operation's file in `crates/*/src/ops/`.

| service | API version | served | in AWS's model |
|---|---|--:|--:|
";

const DIFFERS: &str = "Differs from AWS:";

/// A service of AWS, as the list has it.
struct Listed {
    title: String,
    operations: Vec<String>,
}

/// Sentences by the source file that says them, from `crates/`.
type Differences = BTreeMap<PathBuf, Vec<String>>;

#[tokio::test]
async fn the_document_of_operations_is_fresh() {
    let sandbox = Sandbox::new().await;
    let mut served: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for service in sandbox.node().dispatcher().services() {
        let rows = served.entry(service.descriptor().signing_name).or_default();
        rows.extend(service.operations().into_iter().map(|(name, action, _)| (name, action)));
    }
    served.insert("s3", s3::OPERATIONS.iter().map(|entry| (entry.name, entry.action)).collect());

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let listed = listed(&fs::read_to_string(root.join("docs/aws-operations.txt")).expect("the list"));
    for signing_name in served.keys() {
        let known = SERVICES.iter().any(|(_, known, _)| known == signing_name);
        assert!(known, "{signing_name} has no row in SERVICES");
    }
    let document = document(&listed, &served, &differences(&root.join("crates")));
    let path = root.join("docs/operations.md");
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, document).expect("the document can be written");
    } else {
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == document, "docs/operations.md is stale: cargo xtask gen");
    }
}

fn listed(text: &str) -> BTreeMap<String, Listed> {
    let mut services = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some((name, title)) = line.strip_prefix('[').and_then(|line| line.split_once("] ")) {
            name.clone_into(&mut current);
            services.insert(name.to_owned(), Listed { title: title.to_owned(), operations: Vec::new() });
        } else {
            let service = services.get_mut(&current).expect("a service before its operations");
            service.operations.push(line.to_owned());
        }
    }
    services
}

fn document(
    listed: &BTreeMap<String, Listed>,
    served: &BTreeMap<&str, BTreeMap<&str, &str>>,
    differences: &Differences,
) -> String {
    let none = BTreeMap::new();
    let mut text = String::from(HEAD);
    for (name, signing_name, _) in SERVICES {
        let Listed { title, operations } = &listed[*name];
        let served = served.get(signing_name).unwrap_or(&none).len();
        let (title, version) = title.rsplit_once(", ").expect("a title and a version");
        _ = writeln!(text, "| [{title}](#{name}) | {version} | {served} | {} |", operations.len());
    }
    for (name, signing_name, crates) in SERVICES {
        let listed = &listed[*name];
        let served = served.get(signing_name).unwrap_or(&none);
        for operation in served.keys() {
            let known = listed.operations.iter().any(|name| name == operation);
            assert!(known, "{name} has no operation {operation} in AWS's model");
        }
        let title = listed.title.split(", ").next().unwrap_or_default();
        _ = write!(text, "\n<a id=\"{name}\"></a>\n\n## {title}\n");
        if !served.is_empty() {
            text.push_str(&rows(served, crates, differences));
        }
        let absent: Vec<&str> = listed
            .operations
            .iter()
            .map(String::as_str)
            .filter(|operation| !served.contains_key(operation))
            .collect();
        if !absent.is_empty() {
            _ = writeln!(text, "\nNot served ({}):\n{}.", absent.len(), wrap(&absent.join(", ")));
        }
    }
    text
}

/// The table of a service's operations, and what its other sources say of more than one.
fn rows(served: &BTreeMap<&str, &str>, crates: &[&str], differences: &Differences) -> String {
    let mut text = String::from("\n| operation | action | differs from AWS |\n|---|---|---|\n");
    let folder = PathBuf::from(crates[0]).join("src/ops");
    for (operation, action) in served {
        let stem = snake(operation);
        let own =
            |path: &Path| path.starts_with(&folder) && path.file_stem().is_some_and(|name| *name == *stem);
        let sentences = differences.iter().filter(|(path, _)| own(path)).flat_map(|(_, sentences)| sentences);
        let sentences: Vec<_> = sentences.map(|sentence| sentence.replace('|', "\\|")).collect();
        _ = writeln!(text, "| {operation} | `{action}` | {} |", sentences.join("<br>"));
    }
    let mut general = String::new();
    for (path, sentences) in differences {
        if !path.starts_with(&folder) && crates.iter().any(|name| path.starts_with(name)) {
            for sentence in sentences {
                _ = writeln!(general, "- {sentence} (`crates/{}`)", path.display());
            }
        }
    }
    if !general.is_empty() {
        _ = write!(text, "\nOf more than one operation:\n\n{general}");
    }
    text
}

/// What the comments of every source say after `Differs from AWS:`, by the path below `crates/`.
fn differences(crates: &Path) -> Differences {
    let mut all = Differences::new();
    let mut folders = vec![crates.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let found = sentences(&fs::read_to_string(&entry).expect("a source"));
                let path = entry.strip_prefix(crates).expect("below").to_path_buf();
                if !found.is_empty() {
                    all.insert(path, found.iter().map(|sentence| capital(sentence)).collect());
                }
            }
        }
    }
    all
}

/// The sentences of one source. One goes on until the comment has an empty line, ends, or begins another.
fn sentences(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim_start) {
        let comment = line.strip_prefix("//!").or_else(|| line.strip_prefix("///")).map(str::trim);
        match comment {
            Some(comment) if comment.starts_with(DIFFERS) => {
                found.push(comment.trim_start_matches(DIFFERS).trim().to_owned());
                open = true;
            }
            Some(comment) if open && !comment.is_empty() => {
                let sentence = found.last_mut().expect("it was opened");
                sentence.push(' ');
                sentence.push_str(comment);
            }
            _ => open = false,
        }
    }
    found
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// `ListObjectsV2` is in `list_objects_v2.rs`.
fn snake(operation: &str) -> String {
    let chars: Vec<char> = operation.chars().collect();
    let mut snake = String::new();
    for (n, character) in chars.iter().enumerate() {
        let after = n.checked_sub(1).map(|before| chars[before]);
        let ends_acronym = chars.get(n + 1).is_some_and(|next| next.is_lowercase());
        if character.is_uppercase() && after.is_some_and(|after| !after.is_uppercase() || ends_acronym) {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

/// Lines of at most 130 columns, so that a new operation changes few of them.
fn wrap(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if !line.is_empty() && line.len() + word.len() >= 130 {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[test]
fn a_sentence_goes_on_until_its_paragraph_ends() {
    let source = "//! An operation.\n//!\n//! Differs from AWS: one\n//! line more.\n//! Differs from AWS: two.\n//!\n//! Not this.\n\n\
                  /// Differs from AWS: three.\nfn x() {}\n// not this\n";
    assert_eq!(sentences(source), ["one line more.", "two.", "three."]);
}

#[test]
fn a_file_is_named_after_its_operation() {
    assert_eq!(snake("ListObjectsV2"), "list_objects_v2");
    assert_eq!(snake("GetCallerIdentity"), "get_caller_identity");
    assert_eq!(snake("ListOpenIDConnectProviders"), "list_open_id_connect_providers");
}
