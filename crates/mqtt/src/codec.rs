//! Bytes to packets and back: framing, the fixed header, and the primitive types of MQTT 5 §1.5.
//!
//! 1. **Nothing is copied that need not be**: a payload is a slice of the read buffer.
//! 2. **Nothing is allocated on a peer's word**: a length is believed once the bytes are there; the decoder
//!    never reserves, and counts of things are bounded by `limits`.
//! 3. **A bad first byte is refused at once**, an oversized packet at its header, before its body is read.
//! 4. **One definition of each layout**: lengths are found by writing to a [`Counter`].
//!
//! Bodies are in `v311` and `v5`.

use std::ops::Range;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

use crate::packet::{Connect, Packet, PacketId, Version};
use crate::reason::{ReasonCode, Violation};
use crate::{v5, v311};

/// The largest remaining length four bytes can say.
const REMAINING_BYTES_MAX: usize = 268_435_455;

/// Decodes the packets of one direction of one connection.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Set by CONNECT's protocol level, even when the rest of that packet is bad or the level is not one we
    /// speak: then it is the nearest version, in which to say so.
    pub version: Option<Version>,
    /// Bytes of a whole packet.
    pub packet_bytes_max: usize,
}

impl Decoder {
    /// For the server: the first packet must be CONNECT, and says the version.
    pub fn new(packet_bytes_max: usize) -> Self {
        Self { version: None, packet_bytes_max }
    }

    /// Takes one packet from the front of `input`, or nothing when it is not whole yet.
    ///
    /// # Errors
    /// What the peer did wrong. `input` is then of no more use, and the connection must end.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Packet>, Violation> {
        let Some(&first) = input.first() else { return Ok(None) };
        let kind = Kind::from_first_byte(first)?;
        match (kind, self.version) {
            (Kind::Connect, Some(_)) => return Err(Violation::protocol("a second CONNECT")),
            (Kind::Connect, None) | (_, Some(_)) => {}
            (_, None) => return Err(Violation::protocol("the first packet is not CONNECT")),
        }
        let Some((remaining_bytes, length_bytes)) = remaining_length(input.get(1..).unwrap_or_default())?
        else {
            return Ok(None);
        };
        let packet_bytes = 1 + length_bytes + remaining_bytes;
        if packet_bytes > self.packet_bytes_max {
            return Err(Violation::new(ReasonCode::PacketTooLarge, "a packet above the maximum packet size"));
        }
        if input.len() < packet_bytes {
            return Ok(None);
        }
        let mut body = input.split_to(packet_bytes);
        body.advance(1 + length_bytes);
        let packet = if kind == Kind::Connect {
            self.connect(&body)?
        } else if self.version == Some(Version::V5) {
            v5::decode(kind, first, Reader::new(body.freeze()))?
        } else {
            v311::decode(kind, first, Reader::new(body.freeze()))?
        };
        // MQTT-1.5.5-1 is of MQTT 5 alone; small 3.1.1 clients pad.
        if self.version == Some(Version::V5) && length_bytes > varint_bytes(remaining_bytes) {
            return Err(Violation::malformed("the remaining length is not in its shortest form"));
        }
        Ok(Some(packet))
    }

    /// CONNECT lives as long as the connection, so it is copied out of the read buffer.
    fn connect(&mut self, body: &[u8]) -> Result<Packet, Violation> {
        const UNSUPPORTED: Violation = Violation::new(
            ReasonCode::UnsupportedProtocolVersion,
            "a protocol version other than 3.1.1 and 5",
        );
        let mut source = Reader::new(Bytes::copy_from_slice(body));
        let name_is_mqtt = match source.string()? {
            "MQTT" => true,
            "MQIsdp" => false,
            _ => return Err(Violation::new(ReasonCode::UnsupportedProtocolVersion, "not MQTT")),
        };
        let connect: Connect = match (name_is_mqtt, source.u8()?) {
            (true, 4) => {
                self.version = Some(Version::V311);
                v311::connect(source)?
            }
            (true, 5) => {
                self.version = Some(Version::V5);
                v5::connect(source)?
            }
            (true, 6..) => {
                self.version = Some(Version::V5);
                return Err(UNSUPPORTED);
            }
            _ => {
                self.version = Some(Version::V311);
                return Err(UNSUPPORTED);
            }
        };
        Ok(Packet::Connect(Box::new(connect)))
    }
}

/// Why a packet of ours cannot be written.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EncodeError {
    #[error("a string, binary field or packet too long for its length prefix")]
    TooLong,
    #[error("an AUTH packet to an MQTT 3.1.1 peer")]
    NoSuchPacket,
}

/// Appends `packet` to `output`.
///
/// # Errors
/// See [`EncodeError`]; `output` is then as it was.
pub fn encode(packet: &Packet, version: Version, output: &mut BytesMut) -> Result<(), EncodeError> {
    let remaining_bytes = remaining_bytes(packet, version)?;
    output.reserve(1 + varint_bytes(remaining_bytes) + remaining_bytes);
    Sink::u8(output, first_byte(packet));
    output.varint(remaining_bytes);
    write(packet, version, output);
    Ok(())
}

/// Bytes of the whole packet on the wire.
///
/// # Errors
/// As [`encode`].
pub fn encoded_bytes(packet: &Packet, version: Version) -> Result<usize, EncodeError> {
    let remaining_bytes = remaining_bytes(packet, version)?;
    Ok(1 + varint_bytes(remaining_bytes) + remaining_bytes)
}

fn remaining_bytes(packet: &Packet, version: Version) -> Result<usize, EncodeError> {
    if version == Version::V311 && matches!(packet, Packet::Auth(_)) {
        return Err(EncodeError::NoSuchPacket);
    }
    let mut counter = Counter::default();
    write(packet, version, &mut counter);
    if counter.field_too_long || counter.bytes > REMAINING_BYTES_MAX {
        return Err(EncodeError::TooLong);
    }
    Ok(counter.bytes)
}

fn write(packet: &Packet, version: Version, sink: &mut impl Sink) {
    match version {
        Version::V311 => v311::write(packet, sink),
        Version::V5 => v5::write(packet, sink),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,
    Auth = 15,
}

impl Kind {
    /// Checks the reserved flags too (MQTT-2.2.2-2); PUBLISH checks its own.
    fn from_first_byte(first: u8) -> Result<Self, Violation> {
        let kind = match first >> 4 {
            1 => Self::Connect,
            2 => Self::Connack,
            3 => Self::Publish,
            4 => Self::Puback,
            5 => Self::Pubrec,
            6 => Self::Pubrel,
            7 => Self::Pubcomp,
            8 => Self::Subscribe,
            9 => Self::Suback,
            10 => Self::Unsubscribe,
            11 => Self::Unsuback,
            12 => Self::Pingreq,
            13 => Self::Pingresp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return Err(Violation::malformed("packet type 0")),
        };
        if kind != Self::Publish && first & 0x0F != kind.flags() {
            return Err(Violation::malformed("reserved flags of the fixed header"));
        }
        Ok(kind)
    }

    fn flags(self) -> u8 {
        match self {
            Self::Pubrel | Self::Subscribe | Self::Unsubscribe => 0b0010,
            _ => 0,
        }
    }
}

fn first_byte(packet: &Packet) -> u8 {
    let kind = match packet {
        Packet::Publish(publish) => {
            return (Kind::Publish as u8) << 4
                | u8::from(publish.dup) << 3
                | (publish.delivery.qos() as u8) << 1
                | u8::from(publish.retain);
        }
        Packet::Connect(_) => Kind::Connect,
        Packet::Connack(_) => Kind::Connack,
        Packet::Puback(_) => Kind::Puback,
        Packet::Pubrec(_) => Kind::Pubrec,
        Packet::Pubrel(_) => Kind::Pubrel,
        Packet::Pubcomp(_) => Kind::Pubcomp,
        Packet::Subscribe(_) => Kind::Subscribe,
        Packet::Suback(_) => Kind::Suback,
        Packet::Unsubscribe(_) => Kind::Unsubscribe,
        Packet::Unsuback(_) => Kind::Unsuback,
        Packet::Pingreq => Kind::Pingreq,
        Packet::Pingresp => Kind::Pingresp,
        Packet::Disconnect(_) => Kind::Disconnect,
        Packet::Auth(_) => Kind::Auth,
    };
    (kind as u8) << 4 | kind.flags()
}

/// The value and how many bytes it took; nothing when more bytes are needed.
fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Violation> {
    let mut value = 0;
    for (idx, &byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * idx);
        if byte & 0x80 == 0 {
            return Ok(Some((value, idx + 1)));
        }
    }
    if bytes.len() >= 4 {
        return Err(Violation::malformed("a length of more than four bytes"));
    }
    Ok(None)
}

fn varint_bytes(value: usize) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// A packet's body and how far it is read. Every read is checked against the end.
#[derive(Debug)]
pub(crate) struct Reader {
    body: Bytes,
    at: usize,
}

const SHORT: Violation = Violation::malformed("a packet ends within a field");

impl Reader {
    pub(crate) fn new(body: Bytes) -> Self {
        Self { body, at: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.body.len()
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Violation> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Violation> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Violation> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn packet_id(&mut self) -> Result<PacketId, Violation> {
        PacketId::new(self.u16()?).ok_or(Violation::protocol("packet identifier 0"))
    }

    /// A variable byte integer in its shortest form (MQTT-1.5.5-1).
    pub(crate) fn varint(&mut self) -> Result<usize, Violation> {
        let (value, bytes) = remaining_length(self.unread())?.ok_or(SHORT)?;
        if bytes > varint_bytes(value) {
            return Err(Violation::malformed("a variable byte integer is not in its shortest form"));
        }
        self.at += bytes;
        Ok(value)
    }

    /// The next `bytes`, as a body of their own.
    pub(crate) fn sub(&mut self, bytes: usize) -> Result<Self, Violation> {
        let range = self.step(bytes)?;
        Ok(Self::new(self.body.slice(range)))
    }

    /// A slice of the read buffer.
    pub(crate) fn binary(&mut self) -> Result<Bytes, Violation> {
        let bytes = self.u16()?;
        let range = self.step(bytes.into())?;
        Ok(self.body.slice(range))
    }

    /// UTF-8 without U+0000 (MQTT-1.5.3-1, -2; MQTT-1.5.4-1, -2).
    pub(crate) fn string(&mut self) -> Result<&str, Violation> {
        let bytes = self.u16()?;
        let range = self.step(bytes.into())?;
        let text = std::str::from_utf8(self.body.get(range).unwrap_or_default())
            .map_err(|_| Violation::malformed("a string is not UTF-8"))?;
        if text.contains('\0') {
            return Err(Violation::malformed("a string has U+0000"));
        }
        Ok(text)
    }

    /// The payload: whatever is left.
    pub(crate) fn into_rest(self) -> Bytes {
        self.body.slice(self.at..)
    }

    /// Nothing may follow the last field.
    pub(crate) fn finish(&self) -> Result<(), Violation> {
        if self.is_empty() { Ok(()) } else { Err(Violation::malformed("bytes after the last field")) }
    }

    fn unread(&self) -> &[u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Violation> {
        let array = *self.unread().first_chunk().ok_or(SHORT)?;
        self.at += N;
        Ok(array)
    }

    fn step(&mut self, bytes: usize) -> Result<Range<usize>, Violation> {
        if bytes > self.body.len() - self.at {
            return Err(SHORT);
        }
        self.at += bytes;
        Ok(self.at - bytes..self.at)
    }
}

/// Where a packet is written: the output, or a [`Counter`].
pub(crate) trait Sink {
    fn slice(&mut self, bytes: &[u8]);
    fn field_too_long(&mut self);

    fn u8(&mut self, value: u8) {
        self.slice(&[value]);
    }

    fn u16(&mut self, value: u16) {
        self.slice(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.slice(&value.to_be_bytes());
    }

    fn varint(&mut self, mut value: usize) {
        while value > 0x7F {
            self.u8((value & 0x7F) as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8);
    }

    fn string(&mut self, text: &str) {
        self.binary(text.as_bytes());
    }

    fn binary(&mut self, bytes: &[u8]) {
        match u16::try_from(bytes.len()) {
            Ok(prefix) => {
                self.u16(prefix);
                self.slice(bytes);
            }
            Err(_) => self.field_too_long(),
        }
    }
}

impl Sink for BytesMut {
    fn slice(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }

    fn field_too_long(&mut self) {
        unreachable!("the counting pass found it");
    }
}

/// Counts what would be written.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    pub(crate) bytes: usize,
    pub(crate) field_too_long: bool,
}

impl Sink for Counter {
    fn slice(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
    }

    fn field_too_long(&mut self) {
        self.field_too_long = true;
    }
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU16, NonZeroU32};

    use proptest::prelude::*;

    use super::*;
    use crate::limits::{PACKET_BYTES_MAX, USER_PROPERTIES_MAX};
    use crate::packet::*;
    use crate::properties::*;
    use crate::reason::allowed;

    fn decoder(version: Version) -> Decoder {
        Decoder { version: Some(version), packet_bytes_max: PACKET_BYTES_MAX }
    }

    /// The first packet of `bytes`, to a server that awaits CONNECT or to either side later.
    fn decode(version: Option<Version>, bytes: &[u8]) -> Result<Option<Packet>, Violation> {
        Decoder { version, packet_bytes_max: PACKET_BYTES_MAX }.decode(&mut BytesMut::from(bytes))
    }

    fn encoded(packet: &Packet, version: Version) -> BytesMut {
        let mut output = BytesMut::new();
        encode(packet, version, &mut output).unwrap();
        assert_eq!(encoded_bytes(packet, version), Ok(output.len()));
        output
    }

    /// A packet of type and flags `first` around `body`.
    fn framed(first: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = BytesMut::from(&[first][..]);
        bytes.varint(body.len());
        bytes.slice(body);
        bytes.to_vec()
    }

    #[track_caller]
    fn check_bad(version: Version, first: u8, body: &[u8], reason: ReasonCode) {
        let violation = decode(Some(version), &framed(first, body)).unwrap_err();
        assert_eq!(violation.reason, reason, "{violation}");
    }

    #[track_caller]
    fn check_bad_connect(body: &[u8], reason: ReasonCode) {
        let violation = decode(None, &framed(0x10, body)).unwrap_err();
        assert_eq!(violation.reason, reason, "{violation}");
    }

    use ReasonCode::{
        MalformedPacket, PacketTooLarge, ProtocolError, QuotaExceeded, TopicAliasInvalid, TopicNameInvalid,
        UnsupportedProtocolVersion,
    };
    use Version::{V5, V311};

    #[test]
    fn mqtt_3_1_0_1_the_first_packet_is_connect_refused_at_its_first_byte() {
        assert_eq!(decode(None, &[0x30]).unwrap_err().reason, ProtocolError);
        assert_eq!(decode(None, &[0xC0, 0]).unwrap_err().reason, ProtocolError);
    }

    #[test]
    fn mqtt_3_1_0_2_a_second_connect_is_refused() {
        assert_eq!(decode(Some(V5), &[0x10]).unwrap_err().reason, ProtocolError);
        assert_eq!(decode(Some(V311), &[0x10]).unwrap_err().reason, ProtocolError);
    }

    #[test]
    fn cve_2023_0809_a_huge_first_packet_is_refused_at_its_header() {
        assert_eq!(decode(None, &[0x10, 0xFF, 0xFF, 0xFF, 0x7F]).unwrap_err().reason, PacketTooLarge);
    }

    #[test]
    fn a_length_is_not_believed_before_the_bytes_are_there() {
        let mut input = BytesMut::with_capacity(8);
        input.extend_from_slice(&[0x30, 0xFF, 0xFF, 0x07]);
        let capacity = input.capacity();
        assert_eq!(decoder(V5).decode(&mut input), Ok(None));
        assert_eq!((input.len(), input.capacity()), (4, capacity));
    }

    #[test]
    fn a_remaining_length_has_at_most_four_bytes() {
        for version in [V311, V5] {
            let bytes = [0x30, 0x80, 0x80, 0x80, 0x80];
            assert_eq!(decode(Some(version), &bytes).unwrap_err().reason, MalformedPacket);
        }
    }

    #[test]
    fn mqtt_1_5_5_1_lengths_have_their_shortest_form_in_mqtt_5() {
        let padded = [0xC0, 0x80, 0x00];
        assert_eq!(decode(Some(V5), &padded).unwrap_err().reason, MalformedPacket);
        assert_eq!(decode(Some(V311), &padded), Ok(Some(Packet::Pingreq)));
        // The property length of a PUBLISH.
        check_bad(V5, 0x30, &[0, 1, b'a', 0x80, 0x00], MalformedPacket);
    }

    #[test]
    fn mqtt_2_1_3_1_reserved_flags() {
        for first in
            [0x00, 0x0F, 0x11, 0x21, 0x41, 0x51, 0x60, 0x63, 0x72, 0x80, 0x92, 0xA0, 0xB1, 0xC8, 0xD1, 0xE1]
        {
            let violation = decode(Some(V5), &[first, 0]).unwrap_err();
            assert_eq!(violation.reason, MalformedPacket, "{first:#x}");
        }
        check_bad(V311, 0xF0, &[], MalformedPacket);
    }

    #[test]
    fn mqtt_3_3_1_4_qos_3_and_3_3_1_2_dup_on_qos_0() {
        for version in [V311, V5] {
            check_bad(version, 0x36, &[0, 1, b'a', 0, 1, 0], MalformedPacket);
            check_bad(version, 0x38, &[0, 1, b'a', 0], MalformedPacket);
        }
    }

    #[test]
    fn mqtt_2_2_1_3_a_packet_identifier_is_not_zero() {
        for version in [V311, V5] {
            check_bad(version, 0x32, &[0, 1, b'a', 0, 0, 0], ProtocolError);
            check_bad(version, 0x40, &[0, 0], ProtocolError);
            check_bad(version, 0x82, &[0, 0, 0, 0, 1, b'a', 0], ProtocolError);
        }
    }

    #[test]
    fn mqtt_1_5_4_strings_are_utf_8_without_nul() {
        for version in [V311, V5] {
            check_bad(version, 0x30, &[0, 1, 0xFF, 0], MalformedPacket);
            // A surrogate, U+D800.
            check_bad(version, 0x30, &[0, 3, 0xED, 0xA0, 0x80, 0], MalformedPacket);
            check_bad(version, 0x30, &[0, 1, 0, 0], MalformedPacket);
        }
    }

    #[test]
    fn mqtt_3_3_2_2_and_cve_2021_34432_topics_of_publish() {
        check_bad(V311, 0x30, &[0, 0], TopicNameInvalid);
        check_bad(V5, 0x30, &[0, 0, 0], ProtocolError);
        for version in [V311, V5] {
            check_bad(version, 0x30, &[0, 1, b'+', 0], TopicNameInvalid);
            check_bad(version, 0x30, &[0, 3, b'a', b'/', b'#', 0], TopicNameInvalid);
        }
    }

    #[test]
    fn mqtt_3_3_2_a_topic_alias_is_not_zero() {
        check_bad(V5, 0x30, &[0, 1, b'a', 3, 0x23, 0, 0], TopicAliasInvalid);
    }

    #[test]
    fn mqtt_3_3_2_14_a_response_topic_has_no_wildcard() {
        check_bad(V5, 0x30, &[0, 1, b'a', 4, 0x08, 0, 1, b'#'], ProtocolError);
        check_bad(V5, 0x30, &[0, 1, b'a', 3, 0x08, 0, 0], ProtocolError);
        // In a will: its properties, then its topic and payload.
        let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 5, 0b110, 0, 0, 0, 0, 1, b'c'];
        body.extend_from_slice(&[4, 0x08, 0, 1, b'+', 0, 1, b'w', 0, 0]);
        check_bad_connect(&body, ProtocolError);
    }

    #[test]
    fn a_field_never_reaches_past_its_packet() {
        for version in [V311, V5] {
            check_bad(version, 0x30, &[], MalformedPacket);
            check_bad(version, 0x30, &[0], MalformedPacket);
            check_bad(version, 0x30, &[0, 9, b'a'], MalformedPacket);
            check_bad(version, 0x32, &[0, 1, b'a', 1], MalformedPacket);
        }
        // A property length beyond the packet, and a property beyond the property length.
        check_bad(V5, 0x30, &[0, 1, b'a', 9], MalformedPacket);
        check_bad(V5, 0x30, &[0, 1, b'a', 2, 0x02, 0, 0, 0, 0], MalformedPacket);
    }

    #[test]
    fn nothing_follows_the_last_field() {
        for version in [V311, V5] {
            check_bad(version, 0xC0, &[0], MalformedPacket);
        }
        check_bad(V311, 0x40, &[0, 1, 0], MalformedPacket);
        check_bad(V311, 0xE0, &[0], MalformedPacket);
        check_bad(V5, 0x40, &[0, 1, 0, 0, 0], MalformedPacket);
    }

    #[test]
    fn mqtt_2_2_2_properties_occur_once_and_where_they_belong() {
        // Payload format indicator twice; a receive maximum in PUBLISH; one that does not exist.
        check_bad(V5, 0x30, &[0, 1, b'a', 4, 1, 0, 1, 0], ProtocolError);
        check_bad(V5, 0x30, &[0, 1, b'a', 3, 0x21, 0, 1], MalformedPacket);
        check_bad(V5, 0x30, &[0, 1, b'a', 1, 0x7F], MalformedPacket);
        // A flag of 2, a receive maximum of 0, a maximum packet size of 0, a subscription identifier of 0.
        check_bad(V5, 0x30, &[0, 1, b'a', 2, 1, 2], ProtocolError);
        let connect = |properties: &[u8]| {
            let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 0, properties.len() as u8];
            body.extend_from_slice(properties);
            body.extend_from_slice(&[0, 1, b'c']);
            body
        };
        check_bad_connect(&connect(&[0x21, 0, 0]), ProtocolError);
        check_bad_connect(&connect(&[0x27, 0, 0, 0, 0]), ProtocolError);
        check_bad_connect(&connect(&[0x16, 0, 0]), ProtocolError);
        check_bad_connect(&connect(&[0x23, 0, 1]), MalformedPacket);
        check_bad(V5, 0x82, &[0, 1, 2, 0x0B, 0, 0, 1, b'a', 0], ProtocolError);
    }

    #[test]
    fn cve_2021_41039_a_packet_of_user_properties_alone_is_bounded() {
        let mut publish = Publish {
            dup: false,
            delivery: Delivery::AtMostOnce,
            retain: false,
            message: Message::new("a", ""),
        };
        let properties = &mut publish.message.properties.user_properties;
        *properties = vec![(String::new(), String::new()); USER_PROPERTIES_MAX];
        let packet = Packet::Publish(publish.clone());
        assert_eq!(decode(Some(V5), &encoded(&packet, V5)), Ok(Some(packet)));
        publish.message.properties.user_properties.push((String::new(), String::new()));
        let bytes = encoded(&Packet::Publish(publish), V5);
        assert_eq!(decode(Some(V5), &bytes).unwrap_err().reason, QuotaExceeded);
    }

    #[test]
    fn cve_2023_3592_a_connect_with_a_will_and_bad_properties_is_refused() {
        // Will properties with a topic alias.
        let body =
            [0, 4, b'M', b'Q', b'T', b'T', 5, 0b110, 0, 0, 0, 0, 1, b'c', 3, 0x23, 0, 1, 0, 1, b'w', 0, 0];
        check_bad_connect(&body, MalformedPacket);
    }

    #[test]
    fn mqtt_3_1_2_connect_flags() {
        let body = |level: u8, flags: u8| {
            let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', level, flags, 0, 0];
            if level == 5 {
                body.push(0);
            }
            body.extend_from_slice(&[0, 1, b'c', 0, 1, b'x', 0, 1, b'y', 0, 1, b'z', 0, 1, b'p']);
            body
        };
        for level in [4, 5] {
            check_bad_connect(&body(level, 0b0000_0001), MalformedPacket);
            check_bad_connect(&body(level, 0b0001_1100), MalformedPacket);
            check_bad_connect(&body(level, 0b0000_1000), MalformedPacket);
            check_bad_connect(&body(level, 0b0010_0000), MalformedPacket);
        }
        // MQTT-3.1.2-22: a password without a user name, in 3.1.1 only.
        check_bad_connect(&body(4, 0b0100_0000), MalformedPacket);
        let body = [0, 4, b'M', b'Q', b'T', b'T', 5, 0x40, 0, 0, 0, 0, 1, b'c', 0, 1, b'p'];
        assert!(decode(None, &framed(0x10, &body)).unwrap().is_some());
    }

    #[test]
    fn mqtt_3_1_2_2_other_protocols_and_levels_are_refused_in_the_nearest_version() {
        for (name, level, nearest) in [
            ("MQIsdp", 3, Some(V311)),
            ("MQTT", 3, Some(V311)),
            ("MQTT", 6, Some(V5)),
            ("MQTT", 0x84, Some(V5)),
            ("HTTP", 4, None),
        ] {
            let mut body = BytesMut::new();
            body.string(name);
            body.slice(&[level, 2, 0, 0, 0, 1, b'c']);
            let mut decoder = Decoder::new(PACKET_BYTES_MAX);
            let violation = decoder.decode(&mut BytesMut::from(&framed(0x10, &body)[..])).unwrap_err();
            assert_eq!((violation.reason, decoder.version), (UnsupportedProtocolVersion, nearest), "{name}");
        }
    }

    #[test]
    fn mqtt_3_8_3_subscribe_has_filters_and_known_options() {
        check_bad(V311, 0x82, &[0, 1], ProtocolError);
        check_bad(V5, 0x82, &[0, 1, 0], ProtocolError);
        check_bad(V311, 0x82, &[0, 1, 0, 1, b'a', 3], MalformedPacket);
        check_bad(V311, 0x82, &[0, 1, 0, 1, b'a', 4], MalformedPacket);
        check_bad(V5, 0x82, &[0, 1, 0, 0, 1, b'a', 3], ProtocolError);
        check_bad(V5, 0x82, &[0, 1, 0, 0, 1, b'a', 0x30], ProtocolError);
        check_bad(V5, 0x82, &[0, 1, 0, 0, 1, b'a', 0x40], MalformedPacket);
        let shared = [&[0, 1, 0, 0, 10], &b"$share/g/a"[..], &[0b100]].concat();
        check_bad(V5, 0x82, &shared, ProtocolError);
        check_bad(V311, 0xA2, &[0, 1], ProtocolError);
    }

    #[test]
    fn aws_a_subscribe_has_at_most_8_filters_and_an_unsubscribe_50() {
        let filters = |count| [&[0, 1][..], &[0, 1, b'a', 0].repeat(count)].concat();
        assert!(decode(Some(V311), &framed(0x82, &filters(8))).is_ok());
        check_bad(V311, 0x82, &filters(9), QuotaExceeded);
        let filters = |count| [&[0, 1][..], &[0, 1, b'a'].repeat(count)].concat();
        assert!(decode(Some(V311), &framed(0xA2, &filters(50))).is_ok());
        check_bad(V311, 0xA2, &filters(51), QuotaExceeded);
    }

    #[test]
    fn acknowledgements_have_codes_of_their_own() {
        check_bad(V311, 0x20, &[0, 6], MalformedPacket);
        check_bad(V311, 0x20, &[2, 0], MalformedPacket);
        check_bad(V311, 0x20, &[1, 5], ProtocolError);
        check_bad(V311, 0x90, &[0, 1, 3], MalformedPacket);
        check_bad(V5, 0x20, &[0, 0x8E, 0], ProtocolError);
        check_bad(V5, 0x40, &[0, 1, 0x8E], ProtocolError);
        check_bad(V5, 0x62, &[0, 1, 0x87], ProtocolError);
        check_bad(V5, 0x90, &[0, 1, 0, 0x93], ProtocolError);
        check_bad(V5, 0xB0, &[0, 1, 0, 0x01], ProtocolError);
        check_bad(V5, 0xE0, &[0x10], ProtocolError);
        check_bad(V5, 0xF0, &[0x87], ProtocolError);
    }

    #[test]
    fn the_short_forms_of_mqtt_5_acknowledgements() {
        let ack = |reason| Packet::Puback(Ack::new(PacketId::MIN, reason));
        for (bytes, packet) in [
            (&[0x40, 2, 0, 1][..], ack(ReasonCode::Success)),
            (&[0x40, 3, 0, 1, 0x10], ack(ReasonCode::NoMatchingSubscribers)),
            (&[0xE0, 0], Packet::Disconnect(Disconnect::new(ReasonCode::Success))),
            (&[0xE0, 1, 0x8E], Packet::Disconnect(Disconnect::new(ReasonCode::SessionTakenOver))),
        ] {
            assert_eq!(encoded(&packet, V5), bytes);
            assert_eq!(decode(Some(V5), bytes), Ok(Some(packet)));
        }
        assert_eq!(decode(Some(V5), &[0x40, 4, 0, 1, 0, 0]), Ok(Some(ack(ReasonCode::Success))));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let mut output = BytesMut::new();
        let long = Connect::new(V5, "c".repeat(65_536));
        assert_eq!(encode(&Packet::Connect(Box::new(long)), V5, &mut output), Err(EncodeError::TooLong));
        let mut connect = Connect::new(V5, "c");
        connect.properties.user_properties.push((String::new(), "v".repeat(65_536)));
        assert_eq!(encode(&Packet::Connect(Box::new(connect)), V5, &mut output), Err(EncodeError::TooLong));
        let auth = Auth { reason: ReasonCode::Success, properties: AuthProperties::default() };
        assert_eq!(encode(&Packet::Auth(auth), V311, &mut output), Err(EncodeError::NoSuchPacket));
        assert!(output.is_empty());
    }

    #[test]
    fn a_payload_is_a_slice_of_the_read_buffer() {
        let mut input = BytesMut::from(&[0x30, 6, 0, 1, b'a', b'p', b'a', b'y'][..]);
        let at = input.as_ptr().wrapping_add(5);
        let Ok(Some(Packet::Publish(publish))) = decoder(V311).decode(&mut input) else { panic!() };
        assert_eq!((publish.message.payload.as_ref(), publish.message.payload.as_ptr()), (&b"pay"[..], at));
    }

    #[test]
    fn mqtt_3_1_1_failures_have_the_nearest_return_code() {
        for (reason, byte) in [
            (UnsupportedProtocolVersion, 1),
            (ReasonCode::ClientIdentifierNotValid, 2),
            (QuotaExceeded, 3),
            (ReasonCode::BadUserNameOrPassword, 4),
            (ReasonCode::NotAuthorized, 5),
        ] {
            let connack =
                Connack { session_present: false, reason, properties: ConnackProperties::default() };
            assert_eq!(encoded(&Packet::Connack(Box::new(connack)), V311), &[0x20, 2, 0, byte][..]);
        }
    }

    #[test]
    fn a_password_is_not_in_the_debug_form() {
        let mut connect = Connect::new(V311, "c");
        connect.password = Some(Password(Bytes::from_static(b"hunter2")));
        assert!(!format!("{connect:?}").contains("hunter2"));
    }

    // Strategies: every packet, every field.

    fn text() -> impl Strategy<Value = String> {
        "[a-z /é$]{0,8}"
    }

    fn topic() -> impl Strategy<Value = std::sync::Arc<str>> {
        "[a-z/$é]{1,10}".prop_map(|topic| topic.into())
    }

    fn blob() -> impl Strategy<Value = Bytes> {
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from)
    }

    fn user() -> impl Strategy<Value = Vec<(String, String)>> {
        prop::collection::vec((text(), text()), 0..3)
    }

    fn id() -> impl Strategy<Value = PacketId> {
        any::<NonZeroU16>()
    }

    fn qos() -> impl Strategy<Value = Qos> {
        prop::sample::select(vec![Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce])
    }

    fn subscription_id() -> impl Strategy<Value = SubscriptionId> {
        (1..=REMAINING_BYTES_MAX as u32).prop_map(SubscriptionId)
    }

    fn maybe<S: Strategy>(strategy: S) -> impl Strategy<Value = Option<S::Value>>
    where
        S::Value: Clone,
    {
        prop::option::of(strategy)
    }

    prop_compose! {
        fn message()(
            topic in topic(),
            payload in blob(),
            payload_is_utf8 in any::<Option<bool>>(),
            message_expiry_seconds in any::<Option<u32>>(),
            response_topic in maybe("[a-z/]{1,5}"),
            correlation_data in maybe(blob()),
            user_properties in user(),
            content_type in maybe(text()),
        ) -> Message {
            let properties = PublishProperties {
                payload_is_utf8,
                message_expiry_seconds,
                topic_alias: None,
                response_topic,
                correlation_data,
                user_properties,
                subscription_ids: Vec::new(),
                content_type,
            };
            Message { topic, payload, properties }
        }
    }

    prop_compose! {
        fn publish()(
            (dup, retain) in any::<(bool, bool)>(),
            (qos, id) in (qos(), id()),
            mut message in message(),
            topic_alias in maybe(1..=u16::MAX),
            by_alias in any::<bool>(),
            subscription_ids in prop::collection::vec(subscription_id(), 0..3),
        ) -> Packet {
            if by_alias && topic_alias.is_some() {
                message.topic = "".into();
            }
            message.properties.topic_alias = topic_alias;
            message.properties.subscription_ids = subscription_ids;
            let delivery = match qos {
                Qos::AtMostOnce => Delivery::AtMostOnce,
                Qos::AtLeastOnce => Delivery::AtLeastOnce(id),
                Qos::ExactlyOnce => Delivery::ExactlyOnce(id),
            };
            Packet::Publish(Publish { dup: dup && qos != Qos::AtMostOnce, delivery, retain, message })
        }
    }

    prop_compose! {
        fn connect()(
            clean_start in any::<bool>(),
            keep_alive_seconds in any::<u16>(),
            client_id in text(),
            user_name in maybe(text()),
            password in maybe(blob()),
            will in maybe((message(), qos(), any::<bool>(), any::<u32>())),
            session_expiry_seconds in any::<Option<u32>>(),
            (receive_maximum, maximum_packet_size) in any::<(Option<NonZeroU16>, Option<NonZeroU32>)>(),
            topic_alias_maximum in any::<Option<u16>>(),
            (request_response_information, request_problem_information)
                in any::<(Option<bool>, Option<bool>)>(),
            user_properties in user(),
            authentication in maybe((text(), maybe(blob()))),
        ) -> Packet {
            let (authentication_method, authentication_data) = authentication.unzip();
            Packet::Connect(Box::new(Connect {
                version: V5,
                clean_start,
                keep_alive_seconds,
                client_id,
                user_name,
                password: password.map(Password),
                will: will.map(|(message, qos, retain, delay_seconds)| Will { message, qos, retain, delay_seconds }),
                properties: ConnectProperties {
                    session_expiry_seconds,
                    receive_maximum,
                    maximum_packet_size,
                    topic_alias_maximum,
                    request_response_information,
                    request_problem_information,
                    user_properties,
                    authentication_method,
                    authentication_data: authentication_data.flatten(),
                },
            }))
        }
    }

    prop_compose! {
        fn connack()(
            session_present in any::<bool>(),
            reason in prop::sample::select(allowed::CONNACK),
            session_expiry_seconds in any::<Option<u32>>(),
            (receive_maximum, maximum_packet_size) in any::<(Option<NonZeroU16>, Option<NonZeroU32>)>(),
            maximum_qos in maybe(prop::sample::select(vec![Qos::AtMostOnce, Qos::AtLeastOnce])),
            [retain_available, wildcard_subscription_available, subscription_ids_available,
                shared_subscription_available] in any::<[Option<bool>; 4]>(),
            [assigned_client_id, reason_string, response_information, server_reference,
                authentication_method] in [maybe(text()), maybe(text()), maybe(text()), maybe(text()), maybe(text())],
            (topic_alias_maximum, server_keep_alive_seconds) in any::<(Option<u16>, Option<u16>)>(),
            user_properties in user(),
            authentication_data in maybe(blob()),
        ) -> Packet {
            Packet::Connack(Box::new(Connack {
                session_present: session_present && !reason.is_failure(),
                reason,
                properties: ConnackProperties {
                    session_expiry_seconds,
                    receive_maximum,
                    maximum_qos,
                    retain_available,
                    maximum_packet_size,
                    assigned_client_id,
                    topic_alias_maximum,
                    reason_string,
                    user_properties,
                    wildcard_subscription_available,
                    subscription_ids_available,
                    shared_subscription_available,
                    server_keep_alive_seconds,
                    response_information,
                    server_reference,
                    authentication_method,
                    authentication_data,
                },
            }))
        }
    }

    fn ack_properties() -> impl Strategy<Value = AckProperties> {
        (maybe(text()), user())
            .prop_map(|(reason_string, user_properties)| AckProperties { reason_string, user_properties })
    }

    fn ack(allowed: &'static [ReasonCode]) -> impl Strategy<Value = Ack> {
        (id(), prop::sample::select(allowed), ack_properties())
            .prop_map(|(packet_id, reason, properties)| Ack { packet_id, reason, properties })
    }

    fn codes(allowed: &'static [ReasonCode]) -> impl Strategy<Value = Vec<ReasonCode>> {
        prop::collection::vec(prop::sample::select(allowed), 1..=8)
    }

    prop_compose! {
        fn subscription()(
            filter in text(),
            qos in qos(),
            (no_local, retain_as_published) in any::<(bool, bool)>(),
            retain_handling in prop::sample::select(
                vec![RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend]),
        ) -> Subscription {
            let options = SubscriptionOptions { qos, no_local, retain_as_published, retain_handling };
            Subscription { filter, options }
        }
    }

    fn subscribe() -> impl Strategy<Value = Packet> {
        (id(), prop::collection::vec(subscription(), 1..=8), maybe(subscription_id()), user()).prop_map(
            |(packet_id, subscriptions, subscription_id, user_properties)| {
                let properties = SubscribeProperties { subscription_id, user_properties };
                Packet::Subscribe(Subscribe { packet_id, subscriptions, properties })
            },
        )
    }

    fn unsubscribe() -> impl Strategy<Value = Packet> {
        (id(), prop::collection::vec(text(), 1..=8), user()).prop_map(
            |(packet_id, filters, user_properties)| {
                let properties = UnsubscribeProperties { user_properties };
                Packet::Unsubscribe(Unsubscribe { packet_id, filters, properties })
            },
        )
    }

    prop_compose! {
        fn disconnect()(
            reason in prop::sample::select(allowed::DISCONNECT),
            session_expiry_seconds in any::<Option<u32>>(),
            (reason_string, server_reference) in (maybe(text()), maybe(text())),
            user_properties in user(),
        ) -> Packet {
            let properties =
                DisconnectProperties { session_expiry_seconds, reason_string, user_properties, server_reference };
            Packet::Disconnect(Disconnect { reason, properties })
        }
    }

    prop_compose! {
        fn auth()(
            reason in prop::sample::select(allowed::AUTH),
            (authentication_method, reason_string) in (maybe(text()), maybe(text())),
            authentication_data in maybe(blob()),
            user_properties in user(),
        ) -> Packet {
            let properties =
                AuthProperties { authentication_method, authentication_data, reason_string, user_properties };
            Packet::Auth(Auth { reason, properties })
        }
    }

    fn packets() -> impl Strategy<Value = Packet> {
        prop_oneof![
            connect(),
            connack(),
            publish(),
            ack(allowed::PUBACK).prop_map(Packet::Puback),
            ack(allowed::PUBACK).prop_map(Packet::Pubrec),
            ack(allowed::PUBREL).prop_map(Packet::Pubrel),
            ack(allowed::PUBREL).prop_map(Packet::Pubcomp),
            subscribe(),
            (id(), codes(allowed::SUBACK), ack_properties()).prop_map(|(packet_id, codes, properties)| {
                Packet::Suback(Suback { packet_id, codes, properties })
            }),
            unsubscribe(),
            (id(), codes(allowed::UNSUBACK), ack_properties()).prop_map(|(packet_id, codes, properties)| {
                Packet::Unsuback(Unsuback { packet_id, codes, properties })
            }),
            Just(Packet::Pingreq),
            Just(Packet::Pingresp),
            disconnect(),
            auth(),
        ]
    }

    /// What MQTT 3.1.1 can say of a packet; nothing when it has no such packet.
    fn in_v311(mut packet: Packet) -> Option<Packet> {
        match &mut packet {
            Packet::Connect(connect) => {
                connect.version = V311;
                connect.properties = ConnectProperties::default();
                connect.user_name.get_or_insert_default();
                if let Some(will) = &mut connect.will {
                    will.message.properties = PublishProperties::default();
                    will.delay_seconds = 0;
                }
            }
            Packet::Connack(connack) => {
                connack.properties = ConnackProperties::default();
                connack.reason = match connack.reason {
                    ReasonCode::Banned | ReasonCode::BadAuthenticationMethod => ReasonCode::NotAuthorized,
                    reason @ (ReasonCode::Success
                    | UnsupportedProtocolVersion
                    | ReasonCode::ClientIdentifierNotValid
                    | ReasonCode::BadUserNameOrPassword
                    | ReasonCode::NotAuthorized) => reason,
                    _ => ReasonCode::ServerUnavailable,
                };
            }
            Packet::Publish(publish) => {
                publish.message.properties = PublishProperties::default();
                if publish.message.topic.is_empty() {
                    publish.message.topic = "alias".into();
                }
            }
            Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
                *ack = Ack::new(ack.packet_id, ReasonCode::Success);
            }
            Packet::Subscribe(subscribe) => {
                subscribe.properties = SubscribeProperties::default();
                for subscription in &mut subscribe.subscriptions {
                    subscription.options = SubscriptionOptions::new(subscription.options.qos);
                }
            }
            Packet::Suback(suback) => {
                suback.properties = AckProperties::default();
                for code in &mut suback.codes {
                    if code.is_failure() {
                        *code = ReasonCode::UnspecifiedError;
                    }
                }
            }
            Packet::Unsubscribe(unsubscribe) => unsubscribe.properties = UnsubscribeProperties::default(),
            Packet::Unsuback(unsuback) => {
                unsuback.codes.clear();
                unsuback.properties = AckProperties::default();
            }
            Packet::Disconnect(disconnect) => *disconnect = Disconnect::new(ReasonCode::Success),
            Packet::Auth(_) => return None,
            Packet::Pingreq | Packet::Pingresp => {}
        }
        Some(packet)
    }

    fn version_before(packet: &Packet, version: Version) -> Option<Version> {
        (!matches!(packet, Packet::Connect(_))).then_some(version)
    }

    proptest! {
        #[test]
        fn every_packet_survives_the_wire_in_mqtt_5(packet in packets()) {
            let bytes = encoded(&packet, V5);
            prop_assert_eq!(decode(version_before(&packet, V5), &bytes), Ok(Some(packet)));
        }

        #[test]
        fn every_packet_survives_the_wire_in_mqtt_3_1_1(packet in packets().prop_filter_map("no AUTH", in_v311)) {
            let bytes = encoded(&packet, V311);
            prop_assert_eq!(decode(version_before(&packet, V311), &bytes), Ok(Some(packet)));
        }

        #[test]
        fn packets_arrive_whole_however_the_stream_is_split(
            mut sent in prop::collection::vec(packets(), 1..6),
            chunk_bytes in 1usize..40,
        ) {
            sent.retain(|packet| !matches!(packet, Packet::Connect(_)));
            let stream: Vec<u8> = sent.iter().flat_map(|packet| encoded(packet, V5)).collect();
            let mut decoder = decoder(V5);
            let mut input = BytesMut::new();
            let mut received = Vec::new();
            for chunk in stream.chunks(chunk_bytes) {
                input.extend_from_slice(chunk);
                while let Some(packet) = decoder.decode(&mut input).unwrap() {
                    received.push(packet);
                }
            }
            prop_assert!(input.is_empty());
            prop_assert_eq!(received, sent);
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
            version in prop::sample::select(vec![None, Some(V311), Some(V5)]),
        ) {
            let mut decoder = Decoder { version, packet_bytes_max: 1024 };
            let mut input = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = decoder.decode(&mut input) {}
        }

        /// Damaged packets go deeper than noise. What is still accepted must be sayable again.
        #[test]
        fn no_damaged_packet_makes_the_decoder_panic(
            packet in packets(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            version in prop::sample::select(vec![None, Some(V311), Some(V5)]),
        ) {
            let mut bytes = encoded(&packet, V5);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let mut decoder = Decoder { version, packet_bytes_max: 1024 };
            if let Ok(Some(packet)) = decoder.decode(&mut bytes) {
                let version = decoder.version.unwrap();
                let again = encoded(&packet, version);
                prop_assert_eq!(decode(version_before(&packet, version), &again), Ok(Some(packet)));
            }
        }
    }
}
