//! `cargo xtask tidy`: what clippy cannot check.
//!
//! 1. Crates depend on each other only along the table [`EDGES`]; changing an edge is changing that table, in a commit of its own.
//! 2. Every Rust file begins with a `//!` header; there is no `mod.rs`.
//! 3. Members take dependencies from the workspace and add no versions or features.
//! 4. Every file in `ops/` has its row in `ops.rs` and links its AWS page; every constant in a `limits.rs` says its source or its reason.
//! 5. The code map in `ARCHITECTURE.md` lists the members in their order.
//! 6. "The life of a message" in `ARCHITECTURE.md` names functions that are there.
//! 7. The metrics that the console reads are declared.
//! 8. Controls and proofs that `docs/security.md` names are there.

mod life;
mod metrics;
mod security;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command;

/// Who may depend on whom. What is not here may not.
const EDGES: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("ports", &["kernel"]),
    ("policy", &["kernel"]),
    ("mqtt", &["kernel"]),
    ("iotsql", &["kernel"]),
    ("wire", &["kernel"]),
    ("store", &["kernel"]),
    ("iam", &["kernel", "policy", "ports", "store", "wire"]),
    ("gateway", &["kernel", "mqtt", "policy", "ports", "store", "wire"]),
    ("iot", &["iotsql", "kernel", "policy", "ports", "store", "wire"]),
    ("rules", &["iotsql", "kernel", "mqtt", "ports", "store", "wire"]),
    ("firehose", &["kernel", "ports", "store", "wire"]),
    ("s3", &["kernel", "policy", "ports", "store", "wire"]),
    ("glue", &["kernel", "ports", "store", "wire"]),
    ("athena", &["athena-sql", "kernel", "ports", "store", "wire"]),
    ("athena-sql", &[]),
    ("query", &["athena-sql", "kernel", "ports"]),
    ("cloudwatch", &["kernel", "store", "wire"]),
    ("tagging", &["kernel", "ports", "wire"]),
    ("access-analyzer", &["kernel", "ports", "store", "wire"]),
    ("console", &["kernel", "ports", "wire"]),
    (
        "node",
        &[
            "access-analyzer",
            "athena",
            "cloudwatch",
            "console",
            "firehose",
            "gateway",
            "glue",
            "iam",
            "iot",
            "kernel",
            "mqtt",
            "ports",
            "rules",
            "s3",
            "store",
            "tagging",
            "wire",
        ],
    ),
    ("client", &["kernel", "wire"]),
    ("devices", &["client", "kernel", "mqtt"]),
    ("server", &["client", "devices", "iam", "kernel", "node", "query", "store"]),
    ("testkit", &["client", "iam", "kernel", "mqtt", "node", "ports", "store", "wire"]),
    ("xtask", &[]),
];

/// Lines of a file after which it is named in the report, and lines of a function likewise; neither fails.
const FILE_LINES: usize = 500;

/// Checks everything and reports every fault found.
pub(crate) fn run() -> Result<(), String> {
    let root = command::root();
    let metadata =
        command::output(&mut command::program("cargo", &["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| error.to_string())?;
    let mut faults = Vec::new();
    edges(&metadata, &mut faults);
    manifests(&root, &metadata, &mut faults);
    let mut files = Vec::new();
    for folder in ["crates", "tests", "bench", "xtask", "fuzz"] {
        rust_files(&root.join(folder), &mut files);
    }
    files.sort();
    for file in &files {
        check_file(&root, file, &mut faults);
    }
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    code_map(&root, &architecture, &mut faults);
    life::check(&root, &architecture, &mut faults);
    metrics::check(&root, &files, &mut faults);
    security::check(&root, &mut faults);
    if faults.is_empty() {
        println!("tidy: {} files", files.len());
        Ok(())
    } else {
        Err(format!("tidy found {} faults:\n{}", faults.len(), faults.join("\n")))
    }
}

fn edges(metadata: &Value, faults: &mut Vec<String>) {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let members: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if name.starts_with("test-") || name == "bench" || name == "fuzz" {
            continue;
        }
        let Some((_, allowed)) = EDGES.iter().find(|(from, _)| *from == name) else {
            faults.push(format!("{name}: not in tidy's table of edges"));
            continue;
        };
        for dependency in package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let to = dependency["name"].as_str().unwrap_or_default();
            if members.contains(&to) && !allowed.contains(&to) {
                faults.push(format!("{name} may not depend on {to}: see ARCHITECTURE.md, invariant A3"));
            }
        }
    }
}

fn manifests(root: &Path, metadata: &Value, faults: &mut Vec<String>) {
    for package in metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let path = PathBuf::from(package["manifest_path"].as_str().unwrap_or_default());
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut in_dependencies = false;
        for line in text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies]");
            } else if in_dependencies && line.contains('=') && !line.trim_end().ends_with(".workspace = true")
            {
                faults.push(format!("{}: `{line}` must come from the workspace", show(root, &path)));
            }
        }
    }
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                rust_files(&path, out);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

fn check_file(root: &Path, path: &Path, faults: &mut Vec<String>) {
    let text = fs::read_to_string(path).unwrap_or_default();
    let shown = show(root, path);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !text.starts_with("//!") {
        faults.push(format!("{shown}: no `//!` header"));
    }
    if name == "mod.rs" {
        faults.push(format!("{shown}: name the file after its module"));
    }
    let lines = text.lines().take_while(|line| *line != "mod tests {").count();
    if lines > FILE_LINES {
        println!("tidy: {shown} has {lines} lines before its tests");
    }
    if name == "limits.rs" {
        limits(&shown, &text, faults);
    }
    let in_ops = path.parent().and_then(Path::file_name).is_some_and(|folder| folder == "ops");
    if in_ops && text.contains(": &'static str = \"") {
        let stem = name.trim_end_matches(".rs");
        let table = path.parent().map(|folder| folder.with_extension("rs")).unwrap_or_default();
        let row = fs::read_to_string(table).unwrap_or_default().contains(&format!("mod {stem};"));
        if !row {
            faults.push(format!("{shown}: no row in ops.rs"));
        }
        if !text.contains("https://docs.aws.amazon.com/") {
            faults.push(format!("{shown}: no link to its AWS page"));
        }
    }
}

/// A bound without its reason cannot be checked by the next reader.
fn limits(shown: &str, text: &str, faults: &mut Vec<String>) {
    let mut explained = false;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("///") {
            explained = true;
        } else if let Some((_, rest)) = line.split_once("const ") {
            if !explained {
                let constant = rest.split(':').next().unwrap_or_default();
                faults.push(format!("{shown}: {constant} has neither a source nor a reason"));
            }
            explained = false;
        }
    }
}

fn code_map(root: &Path, architecture: &str, faults: &mut Vec<String>) {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let members: Vec<String> = manifest
        .lines()
        .skip_while(|line| !line.starts_with("members"))
        .skip(1)
        .take_while(|line| !line.starts_with(']'))
        .filter_map(|line| line.split('"').nth(1).map(str::to_owned))
        .collect();
    let mapped: Vec<String> = architecture
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(path, _)| path.to_owned()))
        .filter(|path| {
            path.contains('/') && !path.contains('.') || ["bench", "fuzz", "xtask"].contains(&path.as_str())
        })
        .collect();
    if members != mapped {
        faults.push(format!("ARCHITECTURE.md: the code map lists {mapped:?}, the workspace {members:?}"));
    }
}

fn show(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
