//! `cargo xtask sbom`: what the binary is made of, as CycloneDX 1.6.
//!
//! Every crate that `server` needs, with its version, licence and hash, and which crate needs which. What only runs while the binary is
//! built (build scripts' crates, procedural macros) is there with the scope `excluded`; what only tests need is not. There is no time and no
//! serial number in it: the same sources give the same document.
//!
//! <https://cyclonedx.org/docs/1.6/json/>

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command;

/// The package of the binary.
const BINARY: &str = "server";

/// Whose dependencies: other systems need a few more or less.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Writes `headwater.cdx.json` into the target directory.
///
/// # Errors
/// When cargo does not say what there is.
pub(crate) fn run() -> Result<(), String> {
    let sources = Sources::read()?;
    let document = document(&sources)?;
    let target = sources.metadata["target_directory"].as_str().unwrap_or("target");
    let path = Path::new(target).join("headwater.cdx.json");
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    fs::write(&path, text + "\n").map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    println!("{} components: {}", array(&document["components"]).len(), path.display());
    Ok(())
}

/// What cargo knows.
struct Sources {
    /// Licences, and who needs whom; with the features that any member asks for, so it names more than the binary has.
    metadata: Value,
    /// `name version` of what is in the binary.
    linked: BTreeSet<String>,
    /// The same of what the binary needs to be built.
    built: BTreeSet<String>,
    /// The text of the lock file.
    lock: String,
}

impl Sources {
    fn read() -> Result<Self, String> {
        let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM];
        let metadata = command::output(&mut command::program("cargo", &arguments))?;
        Ok(Self {
            metadata: serde_json::from_str(&metadata).map_err(|error| error.to_string())?,
            linked: tree("normal,no-proc-macro")?,
            built: tree("normal,build")?,
            lock: fs::read_to_string(command::root().join("Cargo.lock"))
                .map_err(|error| error.to_string())?,
        })
    }
}

/// Packages of the binary that are reached over these edges, with the features that it asks for.
fn tree(edges: &str) -> Result<BTreeSet<String>, String> {
    let arguments = ["tree", "--locked", "--package", BINARY, "--target", PLATFORM, "--edges", edges];
    let mut cargo = command::program("cargo", &arguments);
    let tree = command::output(cargo.args(["--prefix", "none", "--format", "{p}"]))?;
    // `serde v1.0.0 (proc-macro) (*)`
    let package = |line: &str| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    };
    Ok(tree.lines().filter_map(package).collect())
}

fn document(sources: &Sources) -> Result<Value, String> {
    let packages: BTreeMap<&str, &Value> = array(&sources.metadata["packages"])
        .iter()
        .filter(|package| sources.built.contains(&key(package)))
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let root = packages.values().find(|package| package["name"] == BINARY);
    let root = root.ok_or_else(|| format!("there is no package {BINARY}"))?;
    let hashes = hashes(&sources.lock);
    let components: Vec<Value> = packages
        .values()
        .filter(|package| package["name"] != BINARY)
        .map(|package| component(package, &hashes, sources.linked.contains(&key(package))))
        .collect();
    let dependencies: Vec<Value> = array(&sources.metadata["resolve"]["nodes"])
        .iter()
        .filter_map(|node| Some((packages.get(node["id"].as_str()?)?, node)))
        .map(|(package, node)| {
            let on: BTreeSet<String> =
                needed(node).filter_map(|id| packages.get(id)).map(|package| purl(package)).collect();
            json!({"ref": purl(package), "dependsOn": on})
        })
        .collect();
    let mut binary = component(root, &hashes, true);
    binary["type"] = "application".into();
    binary["name"] = "headwater".into();
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": binary},
        "components": components,
        "dependencies": dependencies,
    }))
}

/// `name version`
fn key(package: &Value) -> String {
    let text = |name: &str| package[name].as_str().unwrap_or_default();
    format!("{} {}", text("name"), text("version"))
}

/// Ids of what a package needs, other than for its tests.
fn needed(node: &Value) -> impl Iterator<Item = &str> {
    let wanted = |dep: &&Value| array(&dep["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
    array(&node["deps"]).iter().filter(wanted).filter_map(|dep| dep["pkg"].as_str())
}

fn component(package: &Value, hashes: &BTreeMap<String, String>, linked: bool) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
        "scope": if linked { "required" } else { "excluded" },
    });
    // `MIT/Apache-2.0` is how licences were written before SPDX's expressions.
    if let Some(licence) = package["license"].as_str() {
        component["licenses"] = json!([{"expression": licence.replace('/', " OR ")}]);
    }
    if let (Some(hash), Some(_)) = (hashes.get(&key(package)), package["source"].as_str()) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": hash}]);
    }
    component
}

/// <https://github.com/package-url/purl-spec>
fn purl(package: &Value) -> String {
    let text = |name: &str| package[name].as_str().unwrap_or_default().replace('+', "%2B");
    format!("pkg:cargo/{}@{}", text("name"), text("version"))
}

/// The hash of each package in a lock file, by name and version.
fn hashes(lock: &str) -> BTreeMap<String, String> {
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")))?;
        line.strip_suffix('"').map(str::to_owned)
    };
    lock.split("[[package]]")
        .filter_map(|block| {
            let key = format!("{} {}", field(block, "name")?, field(block, "version")?);
            Some((key, field(block, "checksum")?))
        })
        .collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_while_it_is_built_is_excluded_and_what_tests_need_is_not_there() {
        let package = |name: &str| json!({"id": name, "name": name, "version": "1.0.0+x", "license": "MIT/Apache-2.0", "source": "registry"});
        let needs = |id: &str, deps: &[(&str, Option<&str>)]| {
            let deps: Vec<Value> =
                deps.iter().map(|(on, kind)| json!({"pkg": on, "dep_kinds": [{"kind": kind}]})).collect();
            json!({"id": id, "deps": deps})
        };
        let names = |names: &[&str]| names.iter().map(|name| format!("{name} 1.0.0+x")).collect();
        let metadata = json!({
            "packages": (["server", "linked", "derive", "checker"].map(package)),
            "resolve": {"nodes": [
                needs("server", &[("linked", None), ("derive", None), ("checker", Some("dev"))]),
                needs("checker", &[("linked", None)]),
            ]},
        });
        let document = document(&Sources {
            metadata,
            linked: names(&["server", "linked"]),
            built: names(&["server", "linked", "derive"]),
            lock: "[[package]]\nname = \"linked\"\nversion = \"1.0.0+x\"\nchecksum = \"ab12\"\n".to_owned(),
        });
        let document = document.unwrap();
        let scopes: Vec<(&str, &str)> = array(&document["components"])
            .iter()
            .map(|component| (component["name"].as_str().unwrap(), component["scope"].as_str().unwrap()))
            .collect();
        assert_eq!(scopes, [("derive", "excluded"), ("linked", "required")]);
        let linked = &document["components"][1];
        assert_eq!(linked["purl"], "pkg:cargo/linked@1.0.0%2Bx");
        assert_eq!(linked["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(linked["hashes"][0]["content"], "ab12");
        assert_eq!(document["metadata"]["component"]["name"], "headwater");
        let on = json!(["pkg:cargo/derive@1.0.0%2Bx", "pkg:cargo/linked@1.0.0%2Bx"]);
        assert_eq!(document["dependencies"], json!([{"ref": "pkg:cargo/server@1.0.0%2Bx", "dependsOn": on}]));
    }

    #[test]
    fn every_crate_of_the_binary_is_in_it_with_its_hash_and_licence() {
        let sources = Sources::read().unwrap();
        let document = document(&sources).unwrap();
        let components = array(&document["components"]);
        assert_eq!(components.len() + 1, sources.built.len());
        let hashes = hashes(&sources.lock);
        let mut scopes = BTreeMap::new();
        for component in components {
            let key = key(component);
            assert_eq!(
                component.get("hashes").is_some(),
                hashes.contains_key(&key),
                "{key} is pinned by its hash"
            );
            assert!(component.get("licenses").is_some(), "{key} has a licence");
            let scope = component["scope"].as_str().unwrap();
            assert_eq!(scope == "required", sources.linked.contains(&key), "{key}");
            scopes.insert(component["name"].as_str().unwrap(), scope);
        }
        for (name, expected) in [
            ("tokio", Some("required")),
            ("rustls", Some("required")),
            ("wire", Some("required")),
            ("serde_derive", Some("excluded")),
            ("cc", Some("excluded")),
            ("proptest", None),
            ("libfuzzer-sys", None),
            ("allocation-counter", None),
        ] {
            assert_eq!(scopes.get(name).copied(), expected, "{name}");
        }
        let refs: BTreeSet<&str> =
            array(&document["dependencies"]).iter().filter_map(|node| node["ref"].as_str()).collect();
        assert_eq!(refs.len(), sources.built.len(), "each says what it needs");
    }
}
