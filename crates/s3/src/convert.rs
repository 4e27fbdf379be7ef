//! Between the shapes of the wire (`s3s::dto`) and ours.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use futures::{StreamExt, TryStreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use kernel::{AccountId, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto;
use s3s::dto::{ETag, ETagCondition, StreamingBlob};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::checksum::{ALGORITHMS, Checksum, ChecksumKind};
use crate::condition::Tags;
use crate::content::{Incoming, Outgoing};

/// What a listing with `encoding-type=url` leaves as it is.
const URL: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

pub(crate) fn etag(etag: &str) -> ETag {
    ETag::Strong(etag.to_owned())
}

pub(crate) fn time(at: Timestamp) -> dto::Timestamp {
    let since_epoch = Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or(0));
    (SystemTime::UNIX_EPOCH + since_epoch).into()
}

pub(crate) fn timestamp(at: &dto::Timestamp) -> Timestamp {
    let mut text = Vec::new();
    let written = at.format(dto::TimestampFormat::EpochSeconds, &mut text);
    let seconds = written.ok().and_then(|()| String::from_utf8(text).ok()?.parse::<f64>().ok());
    // `as` saturates, so an absurd instant stays absurd instead of wrapping.
    Timestamp::from_millis((seconds.unwrap_or_default() * 1000.0).round() as i64)
}

pub(crate) fn tags(condition: Option<ETagCondition>) -> Option<Tags> {
    Some(match condition? {
        ETagCondition::Any => Tags::Any,
        // A list, `"a", "b"`, arrives as one etag without its outer quotation marks.
        ETagCondition::ETag(tag) => {
            Tags::These(tag.value().split(',').map(|tag| tag.trim().trim_matches('"').to_owned()).collect())
        }
    })
}

pub(crate) fn metadata(metadata: Option<dto::Metadata>) -> BTreeMap<String, String> {
    metadata.unwrap_or_default().into_iter().collect()
}

pub(crate) fn metadata_out(metadata: &BTreeMap<String, String>) -> Option<dto::Metadata> {
    (!metadata.is_empty()).then(|| metadata.clone().into_iter().collect())
}

/// The canonical user id of an account: 64 hex digits.
pub(crate) fn owner_id(account: &AccountId) -> String {
    hex::encode(Sha256::digest(account.as_str()))
}

pub(crate) fn owner(account: &AccountId) -> dto::Owner {
    dto::Owner { display_name: None, id: Some(owner_id(account)) }
}

/// Text of a listing, escaped if the client asked for it.
pub(crate) struct Encoding(Option<dto::EncodingType>);

impl Encoding {
    /// # Errors
    /// `InvalidArgument`.
    pub(crate) fn new(wanted: Option<dto::EncodingType>) -> Result<Self, Error> {
        if wanted.as_ref().is_some_and(|wanted| wanted.as_str() != dto::EncodingType::URL) {
            return Err(Error::argument("Invalid Encoding Method specified in Request"));
        }
        Ok(Self(wanted))
    }

    pub(crate) fn text(&self, text: &str) -> String {
        match self.0 {
            Some(_) => utf8_percent_encode(text, URL).to_string(),
            None => text.to_owned(),
        }
    }

    pub(crate) fn named(self) -> Option<dto::EncodingType> {
        self.0
    }
}

/// The number of lines a client asks for, at most `max`.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn page_size(wanted: Option<i32>, name: &str, max: usize) -> Result<usize, Error> {
    let Some(wanted) = wanted else { return Ok(max) };
    usize::try_from(wanted)
        .map(|wanted| wanted.min(max))
        .map_err(|_| Error::argument(format!("Argument {name} must be an integer between 0 and 2147483647")))
}

pub(crate) fn count(n: usize) -> Option<i32> {
    i32::try_from(n).ok()
}

pub(crate) fn length(n: u64) -> Option<i64> {
    i64::try_from(n).ok()
}

/// A text that is there and not empty.
pub(crate) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// The encoding of the content; `aws-chunked` is that of the request.
pub(crate) fn content_encoding(text: Option<String>) -> Option<String> {
    let text = text?;
    let codings: Vec<&str> =
        text.split(',').map(str::trim).filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked")).collect();
    given(Some(codings.join(",")))
}

/// The body of a request; its errors are those that `s3s` finds while it verifies the payload.
pub(crate) fn incoming(body: Option<StreamingBlob>) -> Incoming {
    match body {
        Some(body) => body.map_err(|error| body_error(error.as_ref())).boxed(),
        None => futures::stream::empty().boxed(),
    }
}

fn body_error(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    // The types are private to `s3s`.
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        return Error::XAmzContentSHA256Mismatch;
    }
    if text.contains("SignatureMismatch") {
        return Error::SignatureDoesNotMatch;
    }
    tracing::debug!(error = text, "body cut short");
    Error::IncompleteBody
}

/// The body of an answer.
pub(crate) fn outgoing(body: Outgoing) -> StreamingBlob {
    let frames = body.map(|chunk| {
        if let Err(error) = &chunk {
            tracing::error!(error = error as &dyn std::error::Error, "body cut short");
        }
        chunk.map(Frame::data)
    });
    StreamingBlob::from(s3s::Body::http_body_unsync(StreamBody::new(frames)))
}

/// The one checksum among the values of the five headers.
///
/// # Errors
/// `InvalidRequest` when there are several.
pub(crate) fn checksum(values: [Option<String>; 5]) -> Result<Option<Checksum>, Error> {
    let mut found = ALGORITHMS.into_iter().zip(values).filter_map(|(algorithm, value)| {
        value.map(|value| Checksum { algorithm, kind: ChecksumKind::FullObject, value })
    });
    let first = found.next();
    if found.next().is_some() {
        return Err(Error::InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.".to_owned(),
        ));
    }
    Ok(first)
}

/// The values of the five members, of which at most one is there.
pub(crate) fn checksum_members(checksum: Option<&Checksum>) -> [Option<String>; 5] {
    ALGORITHMS.map(|algorithm| {
        checksum.filter(|checksum| checksum.algorithm == algorithm).map(|checksum| checksum.value.clone())
    })
}

pub(crate) fn checksum_type(checksum: Option<&Checksum>) -> Option<dto::ChecksumType> {
    checksum.map(|checksum| kind(checksum.kind))
}

pub(crate) fn kind(kind: ChecksumKind) -> dto::ChecksumType {
    dto::ChecksumType::from_static(match kind {
        ChecksumKind::FullObject => dto::ChecksumType::FULL_OBJECT,
        ChecksumKind::Composite => dto::ChecksumType::COMPOSITE,
    })
}

/// # Errors
/// `InvalidArgument`: there are no versions but the one without a name.
pub(crate) fn check_version(version_id: Option<&str>) -> Result<(), Error> {
    match version_id {
        None | Some("null") => Ok(()),
        Some(_) => Err(Error::argument("Invalid version id specified")),
    }
}

/// # Errors
/// `AccessControlListNotSupported` for all but what a bucket without lists allows.
pub(crate) fn check_acl(acl: Option<&str>) -> Result<(), Error> {
    match acl {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        Some(_) => Err(Error::AccessControlListNotSupported),
    }
}

/// # Errors
/// `NotImplemented` for storage classes but the standard one.
pub(crate) fn check_storage_class(class: Option<&dto::StorageClass>) -> Result<(), Error> {
    match class.map(dto::StorageClass::as_str) {
        None | Some(dto::StorageClass::STANDARD) => Ok(()),
        Some(_) => Err(Error::NotImplemented),
    }
}

/// The checksum an input's headers give.
macro_rules! checksum_of {
    ($input:expr) => {
        $crate::convert::checksum([
            $input.checksum_crc32.take(),
            $input.checksum_crc32c.take(),
            $input.checksum_crc64nvme.take(),
            $input.checksum_sha1.take(),
            $input.checksum_sha256.take(),
        ])
    };
}

/// Sets the members of an output that tell a checksum.
macro_rules! set_checksum {
    ($output:expr, $checksum:expr) => {
        [
            $output.checksum_crc32,
            $output.checksum_crc32c,
            $output.checksum_crc64nvme,
            $output.checksum_sha1,
            $output.checksum_sha256,
        ] = $crate::convert::checksum_members($checksum)
    };
}

/// Refuses an input that has one of these members.
macro_rules! refuse {
    ($input:expr, $error:expr; $($member:ident),+ $(,)?) => {
        if $($input.$member.is_some())||+ {
            return Err($error);
        }
    };
}

/// What the headers of an upload say of an object.
macro_rules! described_by {
    ($input:expr) => {
        $crate::object::Described {
            content_type: $crate::convert::given($input.content_type.take()),
            content_encoding: $crate::convert::content_encoding($input.content_encoding.take()),
            content_language: $crate::convert::given($input.content_language.take()),
            content_disposition: $crate::convert::given($input.content_disposition.take()),
            cache_control: $crate::convert::given($input.cache_control.take()),
            expires: $input.expires.as_ref().map($crate::convert::timestamp),
            metadata: $crate::convert::metadata($input.metadata.take()),
            tags: $crate::tags::of_header($input.tagging.take().as_deref())?,
        }
        .check()
    };
}

pub(crate) use {checksum_of, described_by, refuse, set_checksum};
