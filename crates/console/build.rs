//! Embeds `console-ui/dist`: every file gzip-compressed where that makes it smaller, in a table sorted by path.
//!
//! Never runs npm: `cargo xtask ui` does. Without a build the table is empty and `EMBEDDED` is false. A file's
//! entity tag is a hash of its content, so it changes exactly when the content does.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() -> io::Result<()> {
    let manifest = env("CARGO_MANIFEST_DIR")?;
    let out = env("OUT_DIR")?;
    let ui = manifest.join("../../console-ui");
    let dist = ui.join("dist");
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        watch(&dist);
        collect(&dist, &dist, &mut files)?;
    } else {
        // A path that does not exist would count as changed in every build; its parent changes when it appears.
        watch(&ui);
        warn("the console is not built and will only say so; to have it: cargo xtask ui");
    }
    files.sort();

    let mut table = String::new();
    for (number, (path, file)) in files.iter().enumerate() {
        let content = fs::read(file)?;
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&content)?;
        let zipped = encoder.finish()?;
        let gzip = zipped.len() < content.len();
        let stored = out.join(format!("asset-{number}"));
        fs::write(&stored, if gzip { zipped } else { content })?;
        writeln!(
            table,
            "    Asset {{ path: {path:?}, gzip: {gzip}, etag: \"\\\"{:016x}\\\"\", content: include_bytes!({:?}) }},",
            hasher.finish(),
            stored.display().to_string(),
        )
        .expect("a String takes any text");
    }
    let source = format!(
        "/// Whether a built console is in this binary; if not, it serves a page that says how to have one.\n\
         pub const EMBEDDED: bool = {};\n\nstatic ASSETS: &[Asset] = &[\n{table}];\n",
        !files.is_empty()
    );
    fs::write(out.join("assets.rs"), source)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            // The bundler's own manifest: for the size budget, not for browsers.
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let relative = path.strip_prefix(root).expect("it was found under the root");
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            files.push((format!("/{}", parts.join("/")), path));
        }
    }
    Ok(())
}

fn env(name: &str) -> io::Result<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(format!("cargo sets {name}")))
}

fn watch(path: &Path) {
    println!("cargo:rerun-if-changed={}", path.display());
}

fn warn(text: &str) {
    println!("cargo:warning={text}");
}
