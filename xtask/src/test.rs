//! `cargo xtask test`: installs what the tests need and runs everything that must hold before a change lands.

use std::fs;
use std::time::Instant;

use crate::{audit, browser, command, python, tidy, ui};

type Step = (&'static str, fn() -> Result<(), String>);

/// What must hold, cheapest first.
const STEPS: [Step; 10] = [
    ("format", || cargo(&["fmt", "--all", "--check"])),
    ("tidy", tidy::run),
    ("audit", audit::run),
    ("console", ui::test),
    ("tests", rust_tests),
    ("binary", || command::binary("dev").map(drop)),
    ("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
    ("docs", docs),
    ("conformance", conformance),
    ("browser", || browser::test(&command::binary("dev")?)),
];

/// How many of the slowest tests are named, so that a slow one is seen before it hurts.
const SLOWEST: usize = 10;

/// Runs the steps named, or all, and stops at the first failure.
///
/// # Errors
/// What failed.
pub(crate) fn run(names: &[&str]) -> Result<(), String> {
    let all = STEPS.map(|(name, _)| name);
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        return Err(format!("there is no step {unknown:?} of the tests: {}", all.join(", ")));
    }
    if names.is_empty() {
        // A missing tool is said at once and not after ten minutes.
        ui::node()?;
        python::interpreter()?;
    }
    let mut taken = Vec::new();
    let mut done = Ok(());
    for (name, step) in STEPS.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        println!("\n━━ {name}");
        let started = Instant::now();
        done = step().map_err(|error| format!("{name}: {error}"));
        taken.push((name, started.elapsed().as_secs_f64()));
        if done.is_err() {
            break;
        }
    }
    println!("\ntimes:");
    for (name, seconds) in taken {
        println!("{seconds:>8.1} s  {name}");
    }
    done
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    command::run(&mut command::program("cargo", arguments))
}

fn rust_tests() -> Result<(), String> {
    if command::output(&mut command::program("cargo", &["nextest", "--version"])).is_err() {
        println!(
            "cargo-nextest is not installed; using `cargo test` (slower): cargo install --locked cargo-nextest"
        );
        return cargo(&["test", "--workspace"]);
    }
    let done = cargo(&["nextest", "run", "--workspace"]);
    slowest()?;
    done
}

/// Rustdoc's own warnings, as errors. Its flags, unlike the compiler's, rebuild nothing else. Its readers are the project's own,
/// so private items are documented too.
fn docs() -> Result<(), String> {
    let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items"];
    command::run(command::program("cargo", &arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Other people's clients against the binary.
fn conformance() -> Result<(), String> {
    let binary = command::binary("dev")?;
    let python = python::environment()?;
    // `-rs`: what is skipped is named, with the reason.
    let arguments =
        ["-m", "pytest", "-q", "-rs", "--durations=10", "-p", "no:cacheprovider", "tests/conformance"];
    command::run(command::program(&python.display().to_string(), &arguments).env("HEADWATER_BINARY", binary))
}

/// Names the slowest tests, from the report that nextest leaves in its own folder of the workspace, wherever builds go.
fn slowest() -> Result<(), String> {
    let report = command::root().join("target/nextest/default/junit.xml");
    let report =
        fs::read_to_string(&report).map_err(|error| format!("cannot read {}: {error}", report.display()))?;
    let mut times = times(&report);
    times.sort_by(|one, other| other.1.total_cmp(&one.1));
    for (name, seconds) in times.iter().take(SLOWEST) {
        println!("{seconds:>8.2} s  {name}");
    }
    Ok(())
}

/// Name and seconds of each test in a JUnit report.
fn times(report: &str) -> Vec<(String, f64)> {
    let attribute = |element: &str, name: &str| {
        let (_, rest) = element.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    report
        .split("<testcase")
        .skip(1)
        .filter_map(|element| {
            let crate_name = attribute(element, "classname")?;
            let name = attribute(element, "name")?;
            let seconds = attribute(element, "time")?.parse().ok()?;
            Some((format!("{crate_name} {name}"), seconds))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_from_a_report_of_nextest() {
        let report = r#"<testsuites><testsuite name="kernel" tests="2">
            <testcase name="arn::a" classname="kernel" timestamp="2026-11-28T09:00:00Z" time="0.012">
            </testcase>
            <testcase name="b" classname="test-api::api" time="1.5"/>
        </testsuite></testsuites>"#;
        let expected = [("kernel arn::a".to_owned(), 0.012), ("test-api::api b".to_owned(), 1.5)];
        assert_eq!(times(report), expected);
    }
}
