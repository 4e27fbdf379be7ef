//! Frames: what a segment is made of after its header block.
//!
//! ```text
//!  0  u32  checksum of the rest of this header, seeded by the segment's generation
//!  4  u32  checksum of the body
//!  8  u32  length of the body
//! 12  u32  kind (bits 0–7), OPENS_GROUP (bit 8), CLOSES_BATCH (bit 9)
//! 16  u64  number of the group commit that wrote the frame
//! 24  u64  number of the log
//! 32  u64  offset: of the record, or the first one that stays (Trim)
//! 40  i64  time of the record, milliseconds since the epoch
//! 48       body, then zeros up to a multiple of eight bytes
//! ```
//!
//! All integers are little endian. Frames begin at multiples of eight bytes, so after a damaged one the next is found by trying
//! those. A payload cannot pass for a frame there: its author does not know the generation, 64 random bits.

use crc32fast::Hasher;

/// Bytes of a frame before its body.
pub(super) const HEADER_BYTES: usize = 48;

const OPENS_GROUP: u32 = 1 << 8;
const CLOSES_BATCH: u32 = 1 << 9;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The body is a record.
    Record = 1,
    /// The log holds nothing before the offset.
    Trim = 2,
    /// The log is gone.
    Delete = 3,
    /// The body declares a log: first and next offset (u64 each) and its name.
    Log = 4,
    /// The logs declared in this segment so far are all there are. The log number is the next unused one, the offset their
    /// number.
    Checkpoint = 5,
    /// The group ends here; the body lists each log it touched as number, first and next offset (u64 each).
    Commit = 6,
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// First of its group commit: whatever is missing before it was durable before this group was written.
    pub(super) opens_group: bool,
    /// Last record of an append.
    pub(super) closes_batch: bool,
    pub(super) commit: u64,
    pub(super) log: u64,
    pub(super) offset: u64,
    pub(super) time_ms: i64,
}

/// What distinguishes this use of a segment's file from earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) seed: u32,
    pub(super) first_commit: u64,
}

impl Generation {
    pub(super) fn new(random: u64, first_commit: u64) -> Self {
        Self { seed: crc32fast::hash(&random.to_le_bytes()), first_commit }
    }
}

/// Bytes that a frame with a body of this size takes.
pub(super) const fn size(body: usize) -> usize {
    HEADER_BYTES + body.next_multiple_of(8)
}

/// Appends a frame to `out`.
pub(super) fn encode(frame: &Frame, generation: Generation, body: &[u8], out: &mut Vec<u8>) {
    let mut header = [0; HEADER_BYTES];
    let length = u32::try_from(body.len()).expect("a segment, and so a body, is smaller than 4 GiB");
    let opens = if frame.opens_group { OPENS_GROUP } else { 0 };
    let closes = if frame.closes_batch { CLOSES_BATCH } else { 0 };
    header[4..8].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    header[8..12].copy_from_slice(&length.to_le_bytes());
    header[12..16].copy_from_slice(&(frame.kind as u32 | opens | closes).to_le_bytes());
    header[16..24].copy_from_slice(&frame.commit.to_le_bytes());
    header[24..32].copy_from_slice(&frame.log.to_le_bytes());
    header[32..40].copy_from_slice(&frame.offset.to_le_bytes());
    header[40..48].copy_from_slice(&frame.time_ms.to_le_bytes());
    let checksum = header_checksum(&header, generation);
    header[0..4].copy_from_slice(&checksum.to_le_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(body);
    out.resize(out.len() + size(body.len()) - HEADER_BYTES - body.len(), 0);
}

fn header_checksum(header: &[u8; HEADER_BYTES], generation: Generation) -> u32 {
    let mut hasher = Hasher::new_with_initial(generation.seed);
    hasher.update(&header[4..]);
    hasher.finalize()
}

/// The u32 at `at`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes were taken"))
}

/// The u64 at `at`.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes were taken"))
}

/// A header that is whole, with its body's length and checksum.
fn decode(bytes: &[u8], at: usize, generation: Generation) -> Option<(Frame, usize, u32)> {
    let header: &[u8; HEADER_BYTES] = bytes.get(at..at + HEADER_BYTES)?.try_into().ok()?;
    let word = u32_at(header, 12);
    let kind = match word & 0xff {
        1 => Kind::Record,
        2 => Kind::Trim,
        3 => Kind::Delete,
        4 => Kind::Log,
        5 => Kind::Checkpoint,
        6 => Kind::Commit,
        _ => return None,
    };
    let commit = u64_at(header, 16);
    if commit < generation.first_commit || u32_at(header, 0) != header_checksum(header, generation) {
        return None;
    }
    let frame = Frame {
        kind,
        opens_group: word & OPENS_GROUP != 0,
        closes_batch: word & CLOSES_BATCH != 0,
        commit,
        log: u64_at(header, 24),
        offset: u64_at(header, 32),
        time_ms: u64_at(header, 40).cast_signed(),
    };
    Some((frame, u32_at(header, 8) as usize, u32_at(header, 4)))
}

/// The body of the frame at `at`, if header and body are whole.
pub(super) fn verified(bytes: &[u8], at: usize, generation: Generation) -> Option<(Frame, &[u8])> {
    let (frame, length, checksum) = decode(bytes, at, generation)?;
    let body = bytes.get(at + HEADER_BYTES..)?.get(..length)?;
    (crc32fast::hash(body) == checksum).then_some((frame, body))
}

/// What a scan finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// A frame as it was written.
    Whole { position: usize, frame: Frame, body: &'a [u8] },
    /// A frame whose header is whole and whose body is not.
    BodyDamaged { position: usize, frame: Frame },
    /// Bytes that are no frame, between two that are.
    Damaged { position: usize },
}

/// Walks the frames of a segment and steps over what is damaged. Ends after the last whole header.
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    generation: Generation,
    position: usize,
}

impl<'a> Scan<'a> {
    /// Scans from `position`, which is a multiple of eight, to the end of the bytes.
    pub(super) fn new(bytes: &'a [u8], generation: Generation, position: usize) -> Self {
        Self { bytes, generation, position }
    }

    /// Where the next item begins.
    pub(super) fn position(&self) -> usize {
        self.position
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let position = self.position;
        if let Some((frame, length, checksum)) = decode(self.bytes, position, self.generation) {
            let body = self.bytes.get(position + HEADER_BYTES..).and_then(|rest| rest.get(..length));
            self.position = (position + size(length)).min(self.bytes.len());
            return Some(match body {
                Some(body) if crc32fast::hash(body) == checksum => Item::Whole { position, frame, body },
                _ => Item::BodyDamaged { position, frame },
            });
        }
        let mut at = position + 8;
        while at + HEADER_BYTES <= self.bytes.len() {
            // Most of what is tried is no header: its kind tells without a checksum.
            if (1..=6).contains(&self.bytes[at + 12]) && decode(self.bytes, at, self.generation).is_some() {
                self.position = at;
                return Some(Item::Damaged { position });
            }
            at += 8;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GENERATION: Generation = Generation { seed: 7, first_commit: 3 };

    fn record(offset: u64, commit: u64) -> Frame {
        Frame {
            kind: Kind::Record,
            opens_group: offset == 0,
            closes_batch: true,
            commit,
            log: 9,
            offset,
            time_ms: -5,
        }
    }

    fn three(bodies: [&[u8]; 3]) -> Vec<u8> {
        let mut out = Vec::new();
        for (offset, body) in bodies.into_iter().enumerate() {
            encode(&record(offset as u64, 3), GENERATION, body, &mut out);
        }
        out
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_scanned(bodies in proptest::collection::vec(any::<Vec<u8>>(), 0..8)) {
            let mut out = Vec::new();
            for (offset, body) in bodies.iter().enumerate() {
                encode(&record(offset as u64, 3), GENERATION, body, &mut out);
            }
            let items: Vec<_> = Scan::new(&out, GENERATION, 0).collect();
            prop_assert_eq!(items.len(), bodies.len());
            for (offset, (item, body)) in items.iter().zip(&bodies).enumerate() {
                let Item::Whole { frame, body: found, .. } = item else { panic!("{item:?}") };
                prop_assert_eq!(*frame, record(offset as u64, 3));
                prop_assert_eq!(*found, body.as_slice());
            }
        }

        #[test]
        fn a_flipped_bit_spoils_its_frame_alone(bit in 0usize..3 * 64 * 8) {
            let mut bytes = three([b"sixteen bytes: a"; 3]);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let whole: Vec<_> = Scan::new(&bytes, GENERATION, 0)
                .filter_map(|item| match item {
                    Item::Whole { frame, .. } => Some(frame.offset as usize),
                    _ => None,
                })
                .collect();
            let expected: Vec<_> = (0..3).filter(|offset| *offset != bit / 8 / 64).collect();
            prop_assert_eq!(whole, expected);
        }
    }

    #[test]
    fn frames_of_an_earlier_use_of_the_file_end_the_scan() {
        let mut out = Vec::new();
        encode(&record(0, 3), GENERATION, b"new", &mut out);
        encode(&record(1, 2), GENERATION, b"an earlier commit", &mut out);
        encode(&record(1, 3), Generation { seed: 8, ..GENERATION }, b"another generation", &mut out);
        assert_eq!(Scan::new(&out, GENERATION, 0).count(), 1);
    }

    #[test]
    fn a_payload_that_looks_like_a_frame_of_another_generation_is_none() {
        let mut forged = Vec::new();
        encode(&record(1, 3), Generation { seed: 8, ..GENERATION }, b"forged", &mut forged);
        let mut bytes = three([b"a", &forged, b"c"]);
        bytes[size(1)] ^= 1;
        let items: Vec<_> = Scan::new(&bytes, GENERATION, 0).collect();
        assert!(matches!(items[1], Item::Damaged { .. }), "{items:?}");
        assert!(matches!(items[2], Item::Whole { frame: Frame { offset: 2, .. }, .. }), "{items:?}");
        assert_eq!(items.len(), 3);
    }
}
