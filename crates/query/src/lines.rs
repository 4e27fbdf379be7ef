//! The bytes of an object, piece by piece, to lines of text: plain or gzip, decided per object.
//!
//! Pieces go in with [`Lines::push`], lines come out of [`Lines::next`] until it wants more. Memory is bounded by
//! one piece, one decompression step and the longest line allowed, however the object was made.
//!
//! An object is gzip if it begins with gzip's magic bytes (no JSON does). One that is called gzip, by its encoding
//! or the suffix `.gz`, and does not begin so is an error, as on AWS.

use std::io::Write;

use bytes::{Buf, Bytes};
use flate2::write::MultiGzDecoder;

use crate::limits::{INFLATE_FREE_BYTES, INFLATE_RATIO_MAX, INFLATE_STEP_BYTES, LINE_BYTES_MAX};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What makes an object unreadable as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("incorrect header check: not in gzip format")]
    NotGzip,
    #[error("corrupt gzip stream")]
    Corrupt,
    #[error("decompresses to more than {INFLATE_RATIO_MAX} times its size")]
    Bomb,
    #[error("line is longer than {LINE_BYTES_MAX} bytes")]
    LongLine,
}

/// What [`Lines::next`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    /// A line without its newline.
    Line(&'a [u8]),
    /// The next piece is wanted, or [`Lines::end`].
    Wanting,
    /// All lines are out.
    Ended,
}

/// One object being read.
pub(crate) struct Lines {
    inflate: Inflate,
    /// Bytes not yet decompressed.
    packed: Bytes,
    /// Text not yet given out.
    text: Bytes,
    /// How much of `text` is known to hold no newline.
    searched: usize,
    /// The line given out last.
    line: Bytes,
    ended: bool,
    number: u64,
}

enum Inflate {
    /// Nothing seen yet; whether the object is called gzip.
    Undecided(bool),
    Plain,
    Gzip {
        decoder: Box<MultiGzDecoder<Vec<u8>>>,
        taken: u64,
        given: u64,
    },
    Done,
}

/// Whether an object is gzip by its name or encoding.
pub(crate) fn called_gzip(key: &str, content_encoding: Option<&str>) -> bool {
    let encoded = content_encoding.is_some_and(|encoding| encoding.to_ascii_lowercase().contains("gzip"));
    encoded || key.to_ascii_lowercase().ends_with(".gz")
}

impl Lines {
    pub(crate) fn new(called_gzip: bool) -> Self {
        Self {
            inflate: Inflate::Undecided(called_gzip),
            packed: Bytes::new(),
            text: Bytes::new(),
            searched: 0,
            line: Bytes::new(),
            ended: false,
            number: 0,
        }
    }

    /// Number of the line given out last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Adds the next piece. The one before must be used up: [`Lines::next`] has said so.
    pub(crate) fn push(&mut self, piece: Bytes) -> Result<(), Unreadable> {
        if let Inflate::Undecided(called_gzip) = self.inflate {
            if piece.is_empty() {
                return Ok(());
            }
            if piece.starts_with(&GZIP_MAGIC) {
                let decoder = Box::new(MultiGzDecoder::new(Vec::new()));
                self.inflate = Inflate::Gzip { decoder, taken: 0, given: 0 };
            } else if called_gzip {
                return Err(Unreadable::NotGzip);
            } else {
                self.inflate = Inflate::Plain;
            }
        }
        match self.inflate {
            Inflate::Gzip { .. } => self.packed = piece,
            _ => self.add_text(piece),
        }
        Ok(())
    }

    /// There are no more pieces.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> Result<Next<'_>, Unreadable> {
        loop {
            let unsearched = self.text.get(self.searched..).unwrap_or_default();
            if let Some(offset) = memchr::memchr(b'\n', unsearched) {
                let end = self.searched + offset;
                return self.take(end, 1).map(Next::Line);
            }
            self.searched = self.text.len();
            if self.searched > LINE_BYTES_MAX {
                return Err(Unreadable::LongLine);
            }
            if self.inflate_step()? {
                continue;
            }
            if !self.ended {
                return Ok(Next::Wanting);
            }
            if self.text.is_empty() {
                return Ok(Next::Ended);
            }
            let end = self.text.len();
            return self.take(end, 0).map(Next::Line);
        }
    }

    fn take(&mut self, end: usize, newline: usize) -> Result<&[u8], Unreadable> {
        if end > LINE_BYTES_MAX {
            return Err(Unreadable::LongLine);
        }
        self.line = self.text.split_to(end);
        self.text.advance(newline);
        self.searched = 0;
        self.number += 1;
        Ok(&self.line)
    }

    fn add_text(&mut self, piece: Bytes) {
        if self.text.is_empty() {
            self.text = piece;
        } else {
            let mut joined = Vec::with_capacity(self.text.len() + piece.len());
            joined.extend_from_slice(&self.text);
            joined.extend_from_slice(&piece);
            self.text = joined.into();
        }
    }

    /// Decompresses a little more; false when there is nothing to decompress.
    fn inflate_step(&mut self) -> Result<bool, Unreadable> {
        let Inflate::Gzip { decoder, taken, given } = &mut self.inflate else { return Ok(false) };
        if self.packed.is_empty() {
            if !self.ended {
                return Ok(false);
            }
            decoder.try_finish().map_err(|_| Unreadable::Corrupt)?;
        } else {
            let step = self.packed.split_to(self.packed.len().min(INFLATE_STEP_BYTES));
            decoder.write_all(&step).map_err(|_| Unreadable::Corrupt)?;
            *taken += step.len() as u64;
        }
        let text = std::mem::take(decoder.get_mut());
        *given += text.len() as u64;
        if *given > INFLATE_FREE_BYTES && *given > taken.saturating_mul(INFLATE_RATIO_MAX) {
            return Err(Unreadable::Bomb);
        }
        if self.packed.is_empty() && self.ended {
            self.inflate = Inflate::Done;
        }
        self.add_text(text.into());
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(called_gzip: bool, body: &[u8], piece_bytes: usize) -> Result<Vec<String>, Unreadable> {
        let mut lines = Lines::new(called_gzip);
        let mut pieces = body.chunks(piece_bytes);
        let mut out = Vec::new();
        loop {
            match lines.next()? {
                Next::Line(line) => out.push(String::from_utf8_lossy(line).into_owned()),
                Next::Wanting => match pieces.next() {
                    Some(piece) => lines.push(Bytes::copy_from_slice(piece))?,
                    None => lines.end(),
                },
                Next::Ended => return Ok(out),
            }
        }
    }

    #[test]
    fn lines_do_not_depend_on_pieces_or_compression() {
        let text = b"one\n\nthree\r\nfour without newline";
        let expected = ["one", "", "three\r", "four without newline"];
        for piece_bytes in [1, 2, 7, 1_000] {
            assert_eq!(read(false, text, piece_bytes).unwrap(), expected);
            // A single byte is too little to recognise gzip by.
            assert_eq!(read(true, &gzip(text), piece_bytes.max(2)).unwrap(), expected);
        }
        assert_eq!(read(false, b"", 10).unwrap(), Vec::<String>::new());
        assert_eq!(read(false, b"one\n", 10).unwrap(), ["one"]);
    }

    #[test]
    fn gzip_is_recognised_by_its_magic_and_may_have_many_members() {
        let mut body = gzip(b"one\ntw");
        body.extend(gzip(b"o\n"));
        assert_eq!(read(false, &body, 1_000).unwrap(), ["one", "two"]);
    }

    #[test]
    fn what_is_called_gzip_must_be() {
        assert!(called_gzip("a/b.json.GZ", None));
        assert!(called_gzip("a/b", Some("gzip")));
        assert!(!called_gzip("a/b.json", Some("identity")));
        assert_eq!(read(true, b"{}\n", 10), Err(Unreadable::NotGzip));
        let mut body = gzip(b"some text that is long enough to be cut");
        body.truncate(body.len() - 9);
        assert_eq!(read(true, &body, 1_000), Err(Unreadable::Corrupt));
    }

    #[test]
    fn a_bomb_is_refused_before_it_fills_memory() {
        let zeros = vec![b'\n'; 1 << 20];
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        for _ in 0..300 {
            encoder.write_all(&zeros).unwrap();
        }
        let body = encoder.finish().unwrap();
        let mut lines = Lines::new(true);
        lines.push(body.into()).unwrap();
        lines.end();
        let end = loop {
            match lines.inflate_step() {
                Ok(true) => lines.text = Bytes::new(),
                other => break other,
            }
        };
        assert_eq!(end, Err(Unreadable::Bomb));
    }

    #[test]
    fn a_line_has_a_longest_length() {
        let body = vec![b'x'; LINE_BYTES_MAX + 1];
        assert_eq!(read(false, &body, 1 << 20), Err(Unreadable::LongLine));
    }
}
