//! How much room a disk has left.

use std::io;
use std::path::Path;

/// Bytes that this process may still write to the file system of a path. Blocks, for as long as the file system takes to answer.
///
/// # Errors
/// When the file system does not say.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let said = rustix::fs::statvfs(path)?;
    Ok(said.f_bavail.saturating_mul(said.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_says_what_it_has_and_nothing_says_nothing() {
        assert!(free_bytes(Path::new("/")).is_ok());
        assert!(free_bytes(Path::new("/there/is/no/such/path")).is_err());
    }
}
