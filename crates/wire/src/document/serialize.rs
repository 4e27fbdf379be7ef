//! From an operation's output into a document.

use bytes::Bytes;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

use super::{Document, ENTRIES, INSTANT};

type Error = serde::de::value::Error;

/// The document of an output.
///
/// # Errors
/// For map keys that are no text: a bug of the operation.
pub(crate) fn to_document<T: Serialize + ?Sized>(value: &T) -> Result<Document, Error> {
    value.serialize(Writer)
}

struct Writer;

/// Items of a list, or members of a map, or what a variant holds.
struct Gathered {
    variant: Option<&'static str>,
    items: Vec<Document>,
    members: Vec<(String, Document)>,
    key: Option<String>,
}

impl Gathered {
    fn of(variant: Option<&'static str>, length: usize) -> Self {
        Self { variant, items: Vec::new(), members: Vec::with_capacity(length), key: None }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.items.push(to_document(value)?);
        Ok(())
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        self.members.push((name.to_owned(), to_document(value)?));
        Ok(())
    }

    fn list(self) -> Result<Document, Error> {
        Ok(wrapped(self.variant, Document::List(self.items)))
    }

    fn map(self) -> Result<Document, Error> {
        Ok(wrapped(self.variant, Document::Map(self.members)))
    }
}

fn wrapped(variant: Option<&'static str>, content: Document) -> Document {
    match variant {
        Some(name) => Document::Map(vec![(name.to_owned(), content)]),
        None => content,
    }
}

macro_rules! scalars {
    ($($name:ident($type:ty) => $document:expr;)*) => {$(
        fn $name(self, value: $type) -> Result<Document, Error> {
            let into: fn($type) -> Document = $document;
            Ok(into(value))
        }
    )*};
}

impl Serializer for Writer {
    type Ok = Document;
    type Error = Error;
    type SerializeSeq = Gathered;
    type SerializeTuple = Gathered;
    type SerializeTupleStruct = Gathered;
    type SerializeTupleVariant = Gathered;
    type SerializeMap = Gathered;
    type SerializeStruct = Gathered;
    type SerializeStructVariant = Gathered;

    scalars! {
        serialize_bool(bool) => Document::Bool;
        serialize_i8(i8) => |number| Document::Int(number.into());
        serialize_i16(i16) => |number| Document::Int(number.into());
        serialize_i32(i32) => |number| Document::Int(number.into());
        serialize_i64(i64) => |number| Document::Int(number.into());
        serialize_i128(i128) => Document::Int;
        serialize_u8(u8) => |number| Document::Int(number.into());
        serialize_u16(u16) => |number| Document::Int(number.into());
        serialize_u32(u32) => |number| Document::Int(number.into());
        serialize_u64(u64) => |number| Document::Int(number.into());
        serialize_f32(f32) => |number| Document::Float(number.into());
        serialize_f64(f64) => Document::Float;
        serialize_char(char) => |c| Document::Text(c.to_string());
        serialize_str(&str) => |text| Document::Text(text.to_owned());
        serialize_bytes(&[u8]) => |bytes| Document::Bytes(Bytes::copy_from_slice(bytes));
    }

    fn serialize_none(self) -> Result<Document, Error> {
        Ok(Document::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Document, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Document, Error> {
        Ok(Document::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Document, Error> {
        Ok(Document::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<Document, Error> {
        Ok(Document::Text(name.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Document, Error> {
        match (name, to_document(value)?) {
            (INSTANT, Document::Float(seconds)) => Ok(Document::Instant(seconds)),
            (ENTRIES, Document::Map(entries)) => Ok(Document::Entries(entries)),
            (_, document) => Ok(document),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Document, Error> {
        Ok(wrapped(Some(name), to_document(value)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Gathered, Error> {
        Ok(Gathered::of(None, 0))
    }

    fn serialize_tuple(self, _: usize) -> Result<Gathered, Error> {
        Ok(Gathered::of(None, 0))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Gathered, Error> {
        Ok(Gathered::of(None, 0))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Gathered, Error> {
        Ok(Gathered::of(Some(name), 0))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Gathered, Error> {
        Ok(Gathered::of(None, 0))
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Gathered, Error> {
        Ok(Gathered::of(None, length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Gathered, Error> {
        Ok(Gathered::of(Some(name), length))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! lists {
    ($($kind:ident $method:ident)*) => {$(
        impl $kind for Gathered {
            type Ok = Document;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            fn end(self) -> Result<Document, Error> {
                self.list()
            }
        }
    )*};
}

lists! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

macro_rules! structs {
    ($($kind:ident)*) => {$(
        impl $kind for Gathered {
            type Ok = Document;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.member(name, value)
            }

            fn end(self) -> Result<Document, Error> {
                self.map()
            }
        }
    )*};
}

structs! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Gathered {
    type Ok = Document;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = match to_document(key)? {
            Document::Text(text) => Some(text),
            Document::Int(number) => Some(number.to_string()),
            _ => return Err(Error::custom("a map's key is text")),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take().expect("serde gives the key first");
        self.member(&key, value)
    }

    fn end(self) -> Result<Document, Error> {
        self.map()
    }
}
