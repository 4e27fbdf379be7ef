//! `cargo xtask fuzz [--minutes N] [<target>…]`: feeds the decoders for as long as one likes, guided by what the input reaches.
//!
//! libFuzzer does it, on the stable compiler: its passes for coverage are the compiler's own, without a sanitizer, which safe Rust needs
//! less. What is found goes to `fuzz/corpus/<target>/`: inputs that reach something new, while it runs, into the build's directory; one that
//! fails, as `crash-…`, to be kept with the change that mends it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::command;

/// As cargo-fuzz sets them. `libfuzzer` and not `fuzzing`: some crates weaken themselves under the latter, and ours is to be fed as it is.
const FLAGS: &[&str] = &[
    "--cfg=libfuzzer",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Minutes for each target, if nobody says.
const MINUTES: u64 = 5;

/// Seconds one input may take, memory of the process in megabytes, and bytes of an input.
const BOUNDS: &[&str] = &["-timeout=20", "-rss_limit_mb=4096", "-max_len=4096", "-print_final_stats=1"];

/// Fuzzes the targets named, or all.
///
/// # Errors
/// The first failure found, or that something cannot be run.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let (minutes, named) = match arguments {
        ["--minutes", minutes, named @ ..] => {
            (minutes.parse().map_err(|_| format!("{minutes:?} is no number of minutes"))?, named)
        }
        named => (MINUTES, named),
    };
    let folder = command::root().join("fuzz/corpus");
    let targets = targets(&folder, named)?;
    let host = host()?;
    let build = build_directory()?;
    let mut cargo =
        command::program("cargo", &["build", "--package", "fuzz", "--bin", "fuzz", "--target", &host]);
    // A directory of its own: other flags build everything anew. With `--target` they are not those of build scripts.
    cargo
        .env("CARGO_TARGET_DIR", &build)
        .env("RUSTFLAGS", FLAGS.join(" "))
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    command::run(&mut cargo)?;
    let binary = build.join(&host).join("debug/fuzz").display().to_string();
    for target in targets {
        let found = build.join("found").join(&target);
        fs::create_dir_all(&found).map_err(|error| format!("cannot create {}: {error}", found.display()))?;
        let corpus = folder.join(&target);
        let seconds = format!("-max_total_time={}", minutes * 60);
        let crashes = format!("-artifact_prefix={}/", corpus.display());
        let mut fuzzer = command::program(&binary, BOUNDS);
        fuzzer.args([&seconds, &crashes]).arg(found).arg(corpus).env("HEADWATER_FUZZ", &target);
        command::run(&mut fuzzer)?;
    }
    Ok(())
}

/// The targets: those that have a corpus.
fn targets(folder: &Path, named: &[&str]) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut all: Vec<String> =
        entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    all.sort();
    if let Some(unknown) = named.iter().find(|name| !all.iter().any(|known| known == *name)) {
        return Err(format!("there is no target {unknown}: {}", all.join(", ")));
    }
    all.retain(|name| named.is_empty() || named.contains(&name.as_str()));
    Ok(all)
}

/// The compiler's own platform: `x86_64-unknown-linux-gnu`.
fn host() -> Result<String, String> {
    let said = command::output(&mut command::program("rustc", &["--version", "--verbose"]))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
    host.ok_or_else(|| "rustc does not say its platform".to_owned())
}

/// Where the instrumented build is.
fn build_directory() -> Result<PathBuf, String> {
    Ok(command::target_directory()?.join("fuzz"))
}
