//! A segment: a file of a fixed size, its header block, and the use it is in.
//!
//! The header block is 4096 bytes and holds the header twice, at 0 and 2048, so that one damaged sector does not lose the
//! segment:
//!
//! ```text
//!  0  8 bytes  "HWLOGSEG"
//!  8  u32      version of the format
//! 12  u32      checksum of the other 60 bytes
//! 16  u64      sequence of the segment: 1 for the first ever
//! 24  u64      generation: random, new for each use of the file
//! 32  u64      the first group commit written here
//! 40  u64      where the segment before this one ends
//! 48           zeros up to 64
//! ```

use std::io;
use std::sync::Arc;

use super::disk::DiskFile;
use super::frame::{Generation, u32_at, u64_at};

/// Bytes of a segment before its first frame.
pub(super) const HEADER_BLOCK: usize = 4096;

const MAGIC: &[u8; 8] = b"HWLOGSEG";
const VERSION: u32 = 1;
const COPY_AT: [usize; 2] = [0, 2048];
const HEADER_BYTES: usize = 64;

/// What a header block says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) sequence: u32,
    pub(super) generation: u64,
    pub(super) first_commit: u64,
    pub(super) previous_end: u32,
}

/// What reading a header block comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderRead {
    /// Never written.
    Blank,
    Valid(Header),
    /// Written by a later release.
    Newer(u32),
    Damaged,
}

/// One use of one file.
pub(super) struct Segment {
    pub(super) sequence: u32,
    pub(super) generation: Generation,
    pub(super) name: String,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) capacity: u32,
}

impl Header {
    /// The header block.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&VERSION.to_le_bytes());
        header[16..24].copy_from_slice(&u64::from(self.sequence).to_le_bytes());
        header[24..32].copy_from_slice(&self.generation.to_le_bytes());
        header[32..40].copy_from_slice(&self.first_commit.to_le_bytes());
        header[40..48].copy_from_slice(&u64::from(self.previous_end).to_le_bytes());
        let checksum = checksum(&header);
        header[12..16].copy_from_slice(&checksum.to_le_bytes());
        let mut block = vec![0; HEADER_BLOCK];
        for at in COPY_AT {
            block[at..at + HEADER_BYTES].copy_from_slice(&header);
        }
        block
    }

    /// Reads a header block: of two whole copies the later one.
    pub(super) fn decode(block: &[u8]) -> HeaderRead {
        let copies = COPY_AT.map(|at| block.get(at..at + HEADER_BYTES).map_or(HeaderRead::Blank, decode));
        match copies {
            [HeaderRead::Newer(version), _] | [_, HeaderRead::Newer(version)] => HeaderRead::Newer(version),
            [HeaderRead::Valid(a), HeaderRead::Valid(b)] => {
                HeaderRead::Valid(if a.sequence >= b.sequence { a } else { b })
            }
            [HeaderRead::Valid(header), _] | [_, HeaderRead::Valid(header)] => HeaderRead::Valid(header),
            [HeaderRead::Blank, HeaderRead::Blank] => HeaderRead::Blank,
            _ => HeaderRead::Damaged,
        }
    }
}

fn checksum(header: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..12]);
    hasher.update(&header[16..]);
    hasher.finalize()
}

fn decode(header: &[u8]) -> HeaderRead {
    if header.iter().all(|byte| *byte == 0) {
        return HeaderRead::Blank;
    }
    if !header.starts_with(MAGIC) || u32_at(header, 12) != checksum(header) {
        return HeaderRead::Damaged;
    }
    let version = u32_at(header, 8);
    if version != VERSION {
        return HeaderRead::Newer(version);
    }
    let (Ok(sequence), Ok(previous_end)) =
        (u32::try_from(u64_at(header, 16)), u32::try_from(u64_at(header, 40)))
    else {
        return HeaderRead::Damaged;
    };
    let (generation, first_commit) = (u64_at(header, 24), u64_at(header, 32));
    HeaderRead::Valid(Header { sequence, generation, first_commit, previous_end })
}

impl Segment {
    /// The whole file up to `end`, or as much of it as there is.
    pub(super) fn read_until(&self, end: u32) -> io::Result<Vec<u8>> {
        let size = self.file.size()?.min(u64::from(end));
        let mut bytes = vec![0; usize::try_from(size).expect("segments are smaller than 4 GiB")];
        self.file.read_at(&mut bytes, 0)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header { sequence: 4, generation: 77, first_commit: 12, previous_end: 4096 };

    #[test]
    fn one_damaged_copy_is_survived_and_the_later_one_wins() {
        let mut block = HEADER.encode();
        assert_eq!(Header::decode(&block), HeaderRead::Valid(HEADER));
        block[20] ^= 1;
        assert_eq!(Header::decode(&block), HeaderRead::Valid(HEADER));
        let later = Header { sequence: 5, ..HEADER };
        block[2048..2112].copy_from_slice(&later.encode()[..64]);
        assert_eq!(Header::decode(&block), HeaderRead::Valid(later));
        block[2060] ^= 1;
        assert_eq!(Header::decode(&block), HeaderRead::Damaged);
    }

    #[test]
    fn a_blank_block_and_a_later_version_are_told_apart() {
        assert_eq!(Header::decode(&[0; HEADER_BLOCK]), HeaderRead::Blank);
        let mut header = HEADER.encode();
        header[8] = 2;
        let checksum = checksum(&header[..64]);
        header[12..16].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(Header::decode(&header), HeaderRead::Newer(2));
    }
}
