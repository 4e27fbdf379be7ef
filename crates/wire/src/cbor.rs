//! CBOR: <https://www.rfc-editor.org/rfc/rfc8949>, as far as Smithy's protocols use it.
//!
//! `minicbor` reads tokens from a slice: it allocates nothing by a length that somebody declared, and is maintained, which the better known
//! `ciborium` is not. The tree, and with it every bound, is here.
//!
//! 1. Depth and the number of values are bounded ([`DEPTH_MAX`], [`CBOR_VALUES_MAX`]); a length that was declared reserves nothing.
//! 2. Strings and containers may be of indefinite length: some SDKs write nothing else.
//! 3. The only tag is 1, an instant. A map's keys are text and distinct; nothing follows the value.
//! 4. `undefined` is null, and a member that is null is absent.
//!
//! An instant is tag 1. Smithy's RPC v2 counts seconds, whole or not; AWS JSON in CBOR, which is what the AWS SDKs for Java speak with Kinesis,
//! counts milliseconds under the same tag.

use bytes::Bytes;
use minicbor::data::{Int, Tag, Type};
use minicbor::{Decoder, Encoder};

use crate::document::Document;
use crate::limits::{CBOR_VALUES_MAX, DEPTH_MAX};

const INSTANT: Tag = Tag::new(1);

/// What tag 1 counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instants {
    /// Smithy RPC v2.
    Seconds,
    /// AWS JSON in CBOR.
    Milliseconds,
}

/// Why bytes are no input.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("{0}")]
    Token(#[from] minicbor::decode::Error),
    #[error("a value of type {0} is not expected")]
    Type(Type),
    #[error("the input nests more than {DEPTH_MAX} levels")]
    Deep,
    #[error("the input has more than {CBOR_VALUES_MAX} values")]
    Many,
    #[error("the member {0:?} is given more than once")]
    Twice(String),
    #[error("tag {0} is not expected")]
    Tag(u64),
    #[error("there is something after the input")]
    Trailing,
    #[error("Start of structure expected.")]
    NoMap,
}

/// The members of an input. An empty body has none.
pub(crate) fn read(body: &[u8], instants: Instants) -> Result<Document, Malformed> {
    if body.is_empty() {
        return Ok(Document::Map(Vec::new()));
    }
    let mut reader = Reader { tokens: Decoder::new(body), instants, values: 0 };
    let document = reader.value(0)?;
    if reader.tokens.position() != body.len() {
        return Err(Malformed::Trailing);
    }
    match document {
        Document::Map(_) => Ok(document),
        _ => Err(Malformed::NoMap),
    }
}

struct Reader<'a> {
    tokens: Decoder<'a>,
    instants: Instants,
    values: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Document, Malformed> {
        self.values += 1;
        if self.values > CBOR_VALUES_MAX {
            return Err(Malformed::Many);
        }
        if depth > DEPTH_MAX {
            return Err(Malformed::Deep);
        }
        let kind = self.tokens.datatype()?;
        Ok(match kind {
            Type::Null => self.tokens.null().map(|()| Document::Null)?,
            Type::Undefined => self.tokens.undefined().map(|()| Document::Null)?,
            Type::Bool => Document::Bool(self.tokens.bool()?),
            Type::Bytes | Type::BytesIndef => self.bytes()?,
            Type::String | Type::StringIndef => Document::Text(self.text()?),
            Type::Array | Type::ArrayIndef => self.list(depth)?,
            Type::Map | Type::MapIndef => self.map(depth)?,
            Type::Tag => self.instant()?,
            _ => self.number(kind)?,
        })
    }

    fn number(&mut self, kind: Type) -> Result<Document, Malformed> {
        Ok(match kind {
            Type::F16 => Document::Float(self.tokens.f16()?.into()),
            Type::F32 => Document::Float(self.tokens.f32()?.into()),
            Type::F64 => Document::Float(self.tokens.f64()?),
            Type::U8
            | Type::U16
            | Type::U32
            | Type::U64
            | Type::I8
            | Type::I16
            | Type::I32
            | Type::I64
            | Type::Int => Document::Int(self.tokens.int()?.into()),
            other => return Err(Malformed::Type(other)),
        })
    }

    fn bytes(&mut self) -> Result<Document, Malformed> {
        let mut all = Vec::new();
        for chunk in self.tokens.bytes_iter()? {
            all.extend_from_slice(chunk?);
        }
        Ok(Document::Bytes(all.into()))
    }

    fn text(&mut self) -> Result<String, Malformed> {
        let mut all = String::new();
        for chunk in self.tokens.str_iter()? {
            all.push_str(chunk?);
        }
        Ok(all)
    }

    /// Whether there is a further item: by the count, or until the break.
    fn more(&mut self, left: &mut Option<u64>) -> Result<bool, Malformed> {
        if let Some(left) = left {
            let more = *left > 0;
            *left = left.saturating_sub(1);
            return Ok(more);
        }
        if self.tokens.datatype()? != Type::Break {
            return Ok(true);
        }
        self.tokens.set_position(self.tokens.position() + 1);
        Ok(false)
    }

    fn list(&mut self, depth: usize) -> Result<Document, Malformed> {
        let mut left = self.tokens.array()?;
        let mut items = Vec::new();
        while self.more(&mut left)? {
            items.push(self.value(depth + 1)?);
        }
        Ok(Document::List(items))
    }

    fn map(&mut self, depth: usize) -> Result<Document, Malformed> {
        let mut left = self.tokens.map()?;
        let mut members: Vec<(String, Document)> = Vec::new();
        while self.more(&mut left)? {
            let name = match self.tokens.datatype()? {
                Type::String | Type::StringIndef => self.text()?,
                other => return Err(Malformed::Type(other)),
            };
            members.push((name, self.value(depth + 1)?));
        }
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find_map(|two| (two[0] == two[1]).then(|| two[0].to_owned())) {
            return Err(Malformed::Twice(twice));
        }
        members.retain(|(_, value)| !value.is_null());
        Ok(Document::Map(members))
    }

    fn instant(&mut self) -> Result<Document, Malformed> {
        let tag = self.tokens.tag()?;
        if tag != INSTANT {
            return Err(Malformed::Tag(tag.as_u64()));
        }
        let kind = self.tokens.datatype()?;
        let count = match self.number(kind)? {
            Document::Int(number) => number as f64,
            Document::Float(number) if number.is_finite() => number,
            _ => return Err(Malformed::Type(kind)),
        };
        Ok(Document::Instant(match self.instants {
            Instants::Seconds => count,
            Instants::Milliseconds => count / 1000.0,
        }))
    }
}

/// The CBOR of an output. Members that are null are left out.
pub(crate) fn write(document: &Document, instants: Instants) -> Bytes {
    let mut encoder = Encoder::new(Vec::new());
    write_value(&mut encoder, document, instants).expect("a vector takes everything");
    encoder.into_writer().into()
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write_value(out: &mut Encoder<Vec<u8>>, document: &Document, instants: Instants) -> Written {
    match document {
        Document::Null => out.null()?,
        Document::Bool(flag) => out.bool(*flag)?,
        Document::Int(number) => match Int::try_from(*number) {
            Ok(number) => out.int(number)?,
            Err(_) => out.f64(*number as f64)?,
        },
        Document::Float(number) => out.f64(*number)?,
        Document::Instant(seconds) => match instants {
            Instants::Seconds => out.tag(INSTANT)?.f64(*seconds)?,
            Instants::Milliseconds => out.tag(INSTANT)?.i64((seconds * 1000.0).round() as i64)?,
        },
        Document::Text(text) | Document::Form(text) => out.str(text)?,
        Document::Bytes(bytes) => out.bytes(bytes)?,
        Document::List(items) => {
            out.array(items.len() as u64)?;
            return items.iter().try_for_each(|item| write_value(out, item, instants));
        }
        Document::Map(members) | Document::Entries(members) => {
            let given = || members.iter().filter(|(_, value)| !value.is_null());
            out.map(given().count() as u64)?;
            for (name, value) in given() {
                out.str(name)?;
                write_value(out, value, instants)?;
            }
            return Ok(());
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<Document, String> {
        let body = hex::decode(text.replace(' ', "")).unwrap();
        read(&body, Instants::Seconds).map_err(|error| error.to_string())
    }

    /// The member `a` of an input that has no other.
    fn member(value: &str) -> Result<Document, String> {
        let document = parsed(&format!("a1 6161 {value}"))?;
        let Document::Map(mut members) = document else { panic!("it is a map") };
        Ok(members.pop().map_or(Document::Null, |(_, value)| value))
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let text = |text: &str| Ok(Document::Text(text.to_owned()));
        let bytes = |bytes: &'static [u8]| Ok(Document::Bytes(Bytes::from_static(bytes)));
        for (value, expected) in [
            ("18 64", Ok(Document::Int(100))),
            ("3b ffffffffffffffff", Ok(Document::Int(-(1 << 64)))),
            ("f9 3e00", Ok(Document::Float(1.5))),
            ("fa 3fc00000", Ok(Document::Float(1.5))),
            ("fb 3ff8000000000000", Ok(Document::Float(1.5))),
            ("f9 7c00", Ok(Document::Float(f64::INFINITY))),
            ("f5", Ok(Document::Bool(true))),
            ("f6", Ok(Document::Null)),
            ("f7", Ok(Document::Null)),
            ("63 616263", text("abc")),
            ("7f 61 61 62 6263 ff", text("abc")),
            ("7f ff", text("")),
            ("42 00ff", bytes(&[0, 255])),
            ("5f 41 00 41 ff ff", bytes(&[0, 255])),
            ("9f 01 02 ff", Ok(Document::List(vec![Document::Int(1), Document::Int(2)]))),
            ("bf ff", Ok(Document::Map(Vec::new()))),
            ("c1 1a 65b98c00", Ok(Document::Instant(1_706_658_816.0))),
            ("c1 fb 41d96e6300000000", Ok(Document::Instant(1_706_658_816.0))),
        ] {
            assert_eq!(member(value), expected, "{value}");
        }
        assert!(matches!(member("f9 7e00"), Ok(Document::Float(number)) if number.is_nan()));
        assert_eq!(parsed(""), Ok(Document::Map(Vec::new())));
        assert_eq!(parsed("bf 6161 01 ff"), Ok(Document::Map(vec![("a".to_owned(), Document::Int(1))])));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for (value, said) in [
            // Declared: 2^64 - 1 bytes, 2^32 items, 2^63 pairs.
            ("5b ffffffffffffffff", ""),
            ("7b ffffffffffffffff", ""),
            ("9a ffffffff 01", "end of input"),
            ("bb 7fffffffffffffff", "end of input"),
            // Without an end.
            ("9f 01", "end of input"),
            ("7f 61 61", "end of input"),
            ("bf 6161", "end of input"),
            // A break where none belongs; an odd map.
            ("ff", ""),
            ("bf 6161 ff", ""),
            // An indefinite string in an indefinite string; bytes in text.
            ("7f 7f 61 61 ff ff", ""),
            ("7f 41 61 ff", ""),
            // No UTF-8.
            ("62 c328", ""),
            // Keys that are no text; the same twice.
            ("a1 01 02", "u8 is not expected"),
            ("a2 6161 01 6161 02", "\"a\" is given more than once"),
            // Tags.
            ("c2 41 01", "tag 2 is not expected"),
            ("d9 d9f7 01", "tag 55799 is not expected"),
            ("c1 c1 01", "is not expected"),
            ("c1 61 61", "is not expected"),
            ("c1 f9 7e00", "is not expected"),
            // Simple values; what is reserved.
            ("f8 20", "is not expected"),
            ("1c", ""),
            ("01 01", "something after"),
        ] {
            let error = member(value).expect_err(value);
            assert!(error.contains(said), "{value}: {error}");
        }
        assert_eq!(parsed("81 01").unwrap_err(), "Start of structure expected.");
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let nested = |levels: usize| member(&format!("{}01", "81".repeat(levels)));
        assert!(nested(DEPTH_MAX - 1).is_ok());
        assert_eq!(nested(DEPTH_MAX).unwrap_err(), "the input nests more than 64 levels");
        assert_eq!(nested(1_000_000).unwrap_err(), "the input nests more than 64 levels");
        let maps = member(&format!("{}01", "bf6161".repeat(100_000)));
        assert_eq!(maps.unwrap_err(), "the input nests more than 64 levels");
        let many = member(&format!("9f {} ff", "80".repeat(CBOR_VALUES_MAX)));
        assert_eq!(many.unwrap_err(), "the input has more than 500000 values");
    }

    #[test]
    fn instants_are_seconds_or_milliseconds() {
        let document = Document::Map(vec![("T".to_owned(), Document::Instant(1.5))]);
        let seconds = write(&document, Instants::Seconds);
        assert_eq!(hex::encode(&seconds), "a16154c1fb3ff8000000000000");
        let milliseconds = write(&document, Instants::Milliseconds);
        assert_eq!(hex::encode(&milliseconds), "a16154c11905dc");
        assert_eq!(read(&seconds, Instants::Seconds).unwrap(), document);
        assert_eq!(read(&milliseconds, Instants::Milliseconds).unwrap(), document);
    }

    fn documents() -> impl Strategy<Value = Document> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Document::Bool),
            any::<i64>().prop_map(|number| Document::Int(number.into())),
            any::<u64>().prop_map(|number| Document::Int(number.into())),
            proptest::num::f64::NORMAL.prop_map(Document::Float),
            any::<i32>().prop_map(|seconds| Document::Instant(seconds.into())),
            ".*".prop_map(Document::Text),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Document::Bytes(bytes.into())),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Document::List),
                proptest::collection::btree_map(".{0,8}", inner, 0..8)
                    .prop_map(|members| Document::Map(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(document in documents()) {
            let document = Document::Map(vec![("m".to_owned(), document)]);
            for instants in [Instants::Seconds, Instants::Milliseconds] {
                let body = write(&document, instants);
                prop_assert_eq!(&read(&body, instants).unwrap(), &document);
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&body, Instants::Seconds).ok();
            read(&body, Instants::Milliseconds).ok();
        }
    }
}
