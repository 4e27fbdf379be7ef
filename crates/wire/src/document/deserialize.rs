//! From a document into an operation's input.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, Unexpected, VariantAccess, Visitor,
};
use serde::{Deserializer, forward_to_deserialize_any};

use super::{Document, INSTANT, instant};

impl IntoDeserializer<'_, Error> for Document {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// An integer as the smallest of serde's calls that holds it.
fn visit_int<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value, Error> {
    if let Ok(number) = u64::try_from(number) {
        return visitor.visit_u64(number);
    }
    match i64::try_from(number) {
        Ok(number) => visitor.visit_i64(number),
        Err(_) => Err(Error::invalid_type(Unexpected::Other("a number beyond 64 bits"), &visitor)),
    }
}

macro_rules! integers {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self {
                Self::Form(text) => match text.parse() {
                    Ok(number) => visit_int(number, visitor),
                    Err(_) => visitor.visit_string(text),
                },
                other => other.deserialize_any(visitor),
            }
        }
    )*};
}

macro_rules! floats {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self {
                Self::Form(text) => match text.parse() {
                    Ok(number) => visitor.visit_f64(number),
                    Err(_) => visitor.visit_string(text),
                },
                Self::Instant(seconds) => visitor.visit_f64(seconds),
                other => other.deserialize_any(visitor),
            }
        }
    )*};
}

macro_rules! bytes {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self {
                Self::Form(text) => match STANDARD.decode(&text) {
                    Ok(bytes) => visitor.visit_byte_buf(bytes),
                    Err(_) => Err(Error::custom("invalid base64")),
                },
                Self::Text(_) => Err(Error::invalid_type(Unexpected::Other("text"), &visitor)),
                other => other.deserialize_any(visitor),
            }
        }
    )*};
}

macro_rules! maps {
    ($($name:ident($($ignored:ty),*))*) => {$(
        fn $name<V: Visitor<'de>>(self, $(_: $ignored,)* visitor: V) -> Result<V::Value, Error> {
            match self {
                Self::Form(text) if text.is_empty() => Self::Map(Vec::new()).deserialize_any(visitor),
                other => other.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Document {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(flag) => visitor.visit_bool(flag),
            Self::Int(number) => visit_int(number, visitor),
            Self::Float(number) | Self::Instant(number) => visitor.visit_f64(number),
            Self::Text(text) | Self::Form(text) => visitor.visit_string(text),
            Self::Bytes(bytes) => visitor.visit_byte_buf(bytes.to_vec()),
            Self::List(items) => {
                let mut access = SeqDeserializer::new(items.into_iter());
                let value = visitor.visit_seq(&mut access)?;
                access.end()?;
                Ok(value)
            }
            Self::Map(members) | Self::Entries(members) => {
                let mut access = MapDeserializer::new(members.into_iter());
                let value = visitor.visit_map(&mut access)?;
                access.end()?;
                Ok(value)
            }
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }
    floats! { deserialize_f32 deserialize_f64 }
    bytes! { deserialize_bytes deserialize_byte_buf }
    maps! {
        deserialize_map()
        deserialize_struct(&'static str, &'static [&'static str])
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Form(text) if text == "true" => visitor.visit_bool(true),
            Self::Form(text) if text == "false" => visitor.visit_bool(false),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Form(text) if text.is_empty() => Self::List(Vec::new()).deserialize_any(visitor),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Form(text) if name == INSTANT => match instant(&text) {
                Some(seconds) => visitor.visit_newtype_struct(Self::Instant(seconds)),
                None => Err(Error::custom(format_args!("{text} is not a timestamp"))),
            },
            other => visitor.visit_newtype_struct(other),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Text(name) | Self::Form(name) => visitor.visit_enum(Variant { name, content: Self::Null }),
            Self::Map(members) if members.len() == 1 => {
                let (name, content) = members.into_iter().next().expect("it has one member");
                visitor.visit_enum(Variant { name, content })
            }
            other => other.deserialize_any(visitor),
        }
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// One of several: its name, and what it holds.
struct Variant {
    name: String,
    content: Document,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Document;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Document), Error> {
        let name = seed.deserialize(Document::Text(self.name))?;
        Ok((name, self.content))
    }
}

impl<'de> VariantAccess<'de> for Document {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self {
            Self::Null => Ok(()),
            _ => Err(Error::custom("the variant holds nothing")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}
