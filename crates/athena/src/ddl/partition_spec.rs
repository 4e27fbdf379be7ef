//! `year=2017/month=8`: partitions by keys and values, in statements and in paths.

use athena_sql::ddl::PartitionSpec;
use ports::Table;

use crate::failure::Failure;

/// The values of a spec that names every partition key.
///
/// # Errors
/// Hive's sentence when it does not, or names what is no key.
pub(super) fn values(table: &Table, spec: &PartitionSpec) -> Result<Vec<String>, Failure> {
    check_keys(table, spec)?;
    if spec.iter().any(|(_, value)| value.is_empty() || value.contains('\0')) {
        let shown = braces(spec);
        return Err(Failure::ddl(format!(
            "FAILED: SemanticException [Error 10006]: Partition value is not valid in {shown}"
        )));
    }
    let keys = &table.partition_keys;
    let values: Option<Vec<String>> = keys.iter().map(|key| value(spec, &key.name).cloned()).collect();
    values.ok_or_else(|| {
        let shown = braces(spec);
        Failure::ddl(format!(
            "FAILED: SemanticException partition spec {shown} doesn't contain all ({}) partition columns",
            keys.len()
        ))
    })
}

/// # Errors
/// Hive's sentence for a table without partitions or a name that is no key.
pub(super) fn check_keys(table: &Table, spec: &PartitionSpec) -> Result<(), Failure> {
    if table.partition_keys.is_empty() {
        return Err(not_partitioned(table));
    }
    if spec.iter().all(|(key, _)| table.partition_keys.iter().any(|known| known.name == *key)) {
        return Ok(());
    }
    let shown = braces(spec);
    Err(Failure::ddl(format!(
        "FAILED: SemanticException Partition spec {shown} contains non-partition columns"
    )))
}

/// Whether a partition's values are those that the spec names.
pub(super) fn matches(table: &Table, spec: &PartitionSpec, values: &[String]) -> bool {
    let mut pairs = table.partition_keys.iter().zip(values);
    pairs.all(|(key, found)| value(spec, &key.name).is_none_or(|wanted| wanted == found))
}

pub(super) fn not_partitioned(table: &Table) -> Failure {
    Failure::ddl_task(&format!("Table {} is not a partitioned table", table.name))
}

/// `year=2017/month=8`, with what a path cannot have escaped as Hive does.
pub(super) fn path(table: &Table, values: &[String]) -> String {
    let pairs = table.partition_keys.iter().zip(values);
    pairs.map(|(key, value)| format!("{}={}", key.name, escape(value))).collect::<Vec<_>>().join("/")
}

/// The values in a path that begins `key=value/` for every key; none for another.
pub(super) fn values_of_path(table: &Table, path: &str) -> Option<Vec<String>> {
    let mut segments = path.split('/');
    let mut values = Vec::with_capacity(table.partition_keys.len());
    for key in &table.partition_keys {
        let (name, value) = segments.next()?.split_once('=')?;
        if !name.eq_ignore_ascii_case(&key.name) || value.is_empty() {
            return None;
        }
        values.push(unescape(value));
    }
    // What follows is an object of the partition, not the name of one.
    segments.next()?;
    Some(values)
}

fn value<'a>(spec: &'a PartitionSpec, key: &str) -> Option<&'a String> {
    spec.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

fn braces(spec: &PartitionSpec) -> String {
    let pairs: Vec<String> = spec.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// The characters Hive escapes in the name of a partition's folder.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c) {
            out.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((first, rest)) = bytes.split_first() {
        let code =
            rest.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                bytes = rest.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
