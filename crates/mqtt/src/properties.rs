//! The properties of MQTT 5 §2.2.2.2: one struct for each packet that has some.
//!
//! The type of a field says how it is read, written and bounded; an absent property is `None` or empty.
//! A property that is not a packet's own is malformed, a second one of a kind is a protocol error.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;

use crate::codec::{Counter, Reader, Sink};
use crate::limits::USER_PROPERTIES_MAX;
use crate::packet::Qos;
use crate::reason::{ReasonCode, Violation};

/// A subscription identifier, 1 to 268,435,455.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionId(pub u32);

pub(crate) trait PropertySet: Default {
    fn read_one(&mut self, id: u8, source: &mut Reader) -> Result<(), Violation>;
    fn write_all(&self, sink: &mut impl Sink);

    /// Reads the length and the properties.
    fn decode(source: &mut Reader) -> Result<Self, Violation> {
        let mut set = Self::default();
        let bytes = source.varint()?;
        if bytes == 0 {
            return Ok(set);
        }
        let mut body = source.sub(bytes)?;
        while !body.is_empty() {
            // Identifiers are variable byte integers on paper; all that exist fit one byte.
            let id = body.u8()?;
            set.read_one(id, &mut body)?;
        }
        Ok(set)
    }

    fn encode(&self, sink: &mut impl Sink) {
        let mut counter = Counter::default();
        self.write_all(&mut counter);
        sink.varint(counter.bytes);
        // A field too long for its prefix is found on the counting pass of the packet itself.
        self.write_all(sink);
    }

    fn is_empty(&self) -> bool {
        let mut counter = Counter::default();
        self.write_all(&mut counter);
        counter.bytes == 0
    }
}

macro_rules! property_set {
    ($(#[$meta:meta])* $vis:vis $name:ident { $($(#[$field_meta:meta])* $id:literal $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        $vis struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl PropertySet for $name {
            fn read_one(&mut self, id: u8, source: &mut Reader) -> Result<(), Violation> {
                match id {
                    $($id => self.$field.read(source),)*
                    _ => Err(Violation::malformed("a property that this packet cannot have")),
                }
            }

            fn write_all(&self, sink: &mut impl Sink) {
                $(self.$field.write($id, sink);)*
            }
        }
    };
}

property_set! {
    /// §3.1.2.11.
    pub ConnectProperties {
        /// Absent is 0: the session ends with the connection. 0xFFFF_FFFF is never.
        0x11 session_expiry_seconds: Option<u32>,
        0x21 receive_maximum: Option<NonZeroU16>,
        /// In bytes, of a whole packet.
        0x27 maximum_packet_size: Option<NonZeroU32>,
        0x22 topic_alias_maximum: Option<u16>,
        0x19 request_response_information: Option<bool>,
        0x17 request_problem_information: Option<bool>,
        0x26 user_properties: Vec<(String, String)>,
        0x15 authentication_method: Option<String>,
        0x16 authentication_data: Option<Bytes>,
    }
}

property_set! {
    /// §3.1.3.2; becomes [`PublishProperties`] and a delay.
    pub(crate) WillProperties {
        0x18 delay_seconds: Option<u32>,
        0x01 payload_is_utf8: Option<bool>,
        0x02 message_expiry_seconds: Option<u32>,
        0x03 content_type: Option<String>,
        0x08 response_topic: Option<String>,
        0x09 correlation_data: Option<Bytes>,
        0x26 user_properties: Vec<(String, String)>,
    }
}

property_set! {
    /// §3.2.2.3.
    pub ConnackProperties {
        0x11 session_expiry_seconds: Option<u32>,
        0x21 receive_maximum: Option<NonZeroU16>,
        0x24 maximum_qos: Option<Qos>,
        0x25 retain_available: Option<bool>,
        0x27 maximum_packet_size: Option<NonZeroU32>,
        0x12 assigned_client_id: Option<String>,
        0x22 topic_alias_maximum: Option<u16>,
        0x1F reason_string: Option<String>,
        0x26 user_properties: Vec<(String, String)>,
        0x28 wildcard_subscription_available: Option<bool>,
        0x29 subscription_ids_available: Option<bool>,
        0x2A shared_subscription_available: Option<bool>,
        0x13 server_keep_alive_seconds: Option<u16>,
        0x1A response_information: Option<String>,
        0x1C server_reference: Option<String>,
        0x15 authentication_method: Option<String>,
        0x16 authentication_data: Option<Bytes>,
    }
}

property_set! {
    /// §3.3.2.3.
    pub PublishProperties {
        0x01 payload_is_utf8: Option<bool>,
        0x02 message_expiry_seconds: Option<u32>,
        /// Resolved and removed by [`crate::Session`] and [`crate::Client`].
        0x23 topic_alias: Option<u16>,
        0x08 response_topic: Option<String>,
        0x09 correlation_data: Option<Bytes>,
        0x26 user_properties: Vec<(String, String)>,
        0x0B subscription_ids: Vec<SubscriptionId>,
        0x03 content_type: Option<String>,
    }
}

property_set! {
    /// Of every acknowledgement: PUBACK to PUBCOMP, SUBACK, UNSUBACK.
    pub AckProperties {
        0x1F reason_string: Option<String>,
        0x26 user_properties: Vec<(String, String)>,
    }
}

property_set! {
    /// §3.8.2.1.
    pub SubscribeProperties {
        0x0B subscription_id: Option<SubscriptionId>,
        0x26 user_properties: Vec<(String, String)>,
    }
}

property_set! {
    /// §3.10.2.1.
    pub UnsubscribeProperties {
        0x26 user_properties: Vec<(String, String)>,
    }
}

property_set! {
    /// §3.14.2.2.
    pub DisconnectProperties {
        0x11 session_expiry_seconds: Option<u32>,
        0x1F reason_string: Option<String>,
        0x26 user_properties: Vec<(String, String)>,
        0x1C server_reference: Option<String>,
    }
}

property_set! {
    /// §3.15.2.2.
    pub AuthProperties {
        0x15 authentication_method: Option<String>,
        0x16 authentication_data: Option<Bytes>,
        0x1F reason_string: Option<String>,
        0x26 user_properties: Vec<(String, String)>,
    }
}

/// How one property of a type is read (into an unset field) and written (if set).
trait PropertyValue {
    fn read(&mut self, source: &mut Reader) -> Result<(), Violation>;
    fn write(&self, id: u8, sink: &mut impl Sink);
}

/// The single value of a property that may occur once.
trait Single: Sized {
    fn read_value(source: &mut Reader) -> Result<Self, Violation>;
    fn write_value(&self, sink: &mut impl Sink);
}

impl<T: Single> PropertyValue for Option<T> {
    fn read(&mut self, source: &mut Reader) -> Result<(), Violation> {
        if self.is_some() {
            return Err(Violation::protocol("a property occurs twice"));
        }
        *self = Some(T::read_value(source)?);
        Ok(())
    }

    fn write(&self, id: u8, sink: &mut impl Sink) {
        if let Some(value) = self {
            sink.u8(id);
            value.write_value(sink);
        }
    }
}

impl PropertyValue for Vec<(String, String)> {
    fn read(&mut self, source: &mut Reader) -> Result<(), Violation> {
        if self.len() == USER_PROPERTIES_MAX {
            return Err(Violation::new(ReasonCode::QuotaExceeded, "too many user properties"));
        }
        let name = source.string()?.to_owned();
        self.push((name, source.string()?.to_owned()));
        Ok(())
    }

    fn write(&self, id: u8, sink: &mut impl Sink) {
        for (name, value) in self {
            sink.u8(id);
            sink.string(name);
            sink.string(value);
        }
    }
}

impl PropertyValue for Vec<SubscriptionId> {
    fn read(&mut self, source: &mut Reader) -> Result<(), Violation> {
        if self.len() == USER_PROPERTIES_MAX {
            return Err(Violation::new(ReasonCode::QuotaExceeded, "too many subscription identifiers"));
        }
        self.push(SubscriptionId::read_value(source)?);
        Ok(())
    }

    fn write(&self, id: u8, sink: &mut impl Sink) {
        for subscription_id in self {
            sink.u8(id);
            subscription_id.write_value(sink);
        }
    }
}

impl Single for bool {
    fn read_value(source: &mut Reader) -> Result<Self, Violation> {
        match source.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Violation::protocol("a flag property is neither 0 nor 1")),
        }
    }

    fn write_value(&self, sink: &mut impl Sink) {
        sink.u8(u8::from(*self));
    }
}

impl Single for Qos {
    fn read_value(source: &mut Reader) -> Result<Self, Violation> {
        match source.u8()? {
            0 => Ok(Self::AtMostOnce),
            1 => Ok(Self::AtLeastOnce),
            _ => Err(Violation::protocol("maximum QoS is neither 0 nor 1")),
        }
    }

    fn write_value(&self, sink: &mut impl Sink) {
        sink.u8(*self as u8);
    }
}

impl Single for u16 {
    fn read_value(source: &mut Reader) -> Result<Self, Violation> {
        source.u16()
    }

    fn write_value(&self, sink: &mut impl Sink) {
        sink.u16(*self);
    }
}

impl Single for NonZeroU16 {
    fn read_value(source: &mut Reader) -> Result<Self, Violation> {
        Self::new(source.u16()?).ok_or(Violation::protocol("receive maximum is 0"))
    }

    fn write_value(&self, sink: &mut impl Sink) {
        sink.u16(self.get());
    }
}

impl Single for u32 {
    fn read_value(source: &mut Reader) -> Result<Self, Violation> {
        source.u32()
    }

    fn write_value(&self, sink: &mut impl Sink) {
        sink.u32(*self);
    }
}

impl Single for NonZeroU32 {
    fn read_value(source: &mut Reader) -> Result<Self, Violation> {
        Self::new(source.u32()?).ok_or(Violation::protocol("maximum packet size is 0"))
    }

    fn write_value(&self, sink: &mut impl Sink) {
        sink.u32(self.get());
    }
}

impl Single for SubscriptionId {
    fn read_value(source: &mut Reader) -> Result<Self, Violation> {
        match source.varint()? {
            0 => Err(Violation::protocol("subscription identifier is 0")),
            id => Ok(Self(u32::try_from(id).expect("a variable byte integer has 28 bits"))),
        }
    }

    fn write_value(&self, sink: &mut impl Sink) {
        sink.varint(self.0 as usize);
    }
}

impl Single for String {
    fn read_value(source: &mut Reader) -> Result<Self, Violation> {
        Ok(source.string()?.to_owned())
    }

    fn write_value(&self, sink: &mut impl Sink) {
        sink.string(self);
    }
}

impl Single for Bytes {
    fn read_value(source: &mut Reader) -> Result<Self, Violation> {
        source.binary()
    }

    fn write_value(&self, sink: &mut impl Sink) {
        sink.binary(self);
    }
}
