//! Digests of a body: the MD5 behind an etag, `Content-MD5`, and the `x-amz-checksum-*` family.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
//!
//! 1. A body whose digest differs from what its sender says is never stored.
//! 2. The checksum of a multipart object is either of the whole content (`FULL_OBJECT`, CRCs only: the parts' CRCs combined) or of the
//!    parts' checksums (`COMPOSITE`, with the number of parts behind a hyphen).
//!
//! Differs from AWS: an object uploaded without a checksum gets none; AWS computes a CRC64NVME.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use md5::{Digest, Md5};
use s3s::TrailingHeaders;
use s3s::crypto::{self, Checksum as _};
use serde::{Deserialize, Serialize};

use crate::Error;

/// A checksum's algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

/// How the checksum of a multipart object is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ChecksumKind {
    FullObject,
    Composite,
}

/// A checksum as S3 tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    pub(crate) kind: ChecksumKind,
    /// Base64; of a composite one followed by `-` and the number of parts.
    pub(crate) value: String,
}

/// The checksums S3 knows, in the order in which `dto` structs name them.
pub(crate) const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64nvme, Algorithm::Sha1, Algorithm::Sha256];

impl Algorithm {
    /// `CRC32`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// `x-amz-checksum-crc32`.
    fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// # Errors
    /// `InvalidRequest` for an algorithm S3 does not have.
    pub(crate) fn parse(name: &str) -> Result<Self, Error> {
        ALGORITHMS.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name)).ok_or_else(
            || {
                Error::InvalidRequest(
                    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, \
                     SHA1, SHA256]"
                        .to_owned(),
                )
            },
        )
    }

    fn digest_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The reflected polynomial of a CRC.
    fn polynomial(self) -> Option<u64> {
        match self {
            Self::Crc32 => Some(0xEDB8_8320),
            Self::Crc32c => Some(0x82F6_3B78),
            Self::Crc64nvme => Some(0x9A6C_9329_AC4B_C9B5),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// The kind of a multipart upload that names none.
    ///
    /// # Errors
    /// `InvalidRequest` for a kind the algorithm cannot have.
    pub(crate) fn kind(self, wanted: Option<&str>) -> Result<ChecksumKind, Error> {
        let kind = match wanted {
            None if self == Self::Crc64nvme => ChecksumKind::FullObject,
            None | Some("COMPOSITE") => ChecksumKind::Composite,
            Some("FULL_OBJECT") => ChecksumKind::FullObject,
            Some(_) => {
                return Err(Error::InvalidRequest(
                    "Value for x-amz-checksum-type header is invalid.".to_owned(),
                ));
            }
        };
        let possible = match kind {
            ChecksumKind::FullObject => self.polynomial().is_some(),
            ChecksumKind::Composite => self != Self::Crc64nvme,
        };
        if possible {
            return Ok(kind);
        }
        let name = match kind {
            ChecksumKind::FullObject => "FULL_OBJECT",
            ChecksumKind::Composite => "COMPOSITE",
        };
        Err(Error::InvalidRequest(format!(
            "The {name} checksum type cannot be used with the {} checksum algorithm.",
            self.name().to_ascii_lowercase()
        )))
    }
}

enum Hasher {
    Crc32(crypto::Crc32),
    Crc32c(crypto::Crc32c),
    Crc64nvme(crypto::Crc64Nvme),
    Sha1(crypto::Sha1),
    Sha256(Box<crypto::Sha256>),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(crypto::Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(crypto::Crc32c::new()),
            Algorithm::Crc64nvme => Self::Crc64nvme(crypto::Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(crypto::Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Box::new(crypto::Sha256::new())),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(hasher) => hasher.update(bytes),
            Self::Crc64nvme(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc32(hasher) => hasher.finalize().to_vec(),
            Self::Crc32c(hasher) => hasher.finalize().to_vec(),
            Self::Crc64nvme(hasher) => hasher.finalize().to_vec(),
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
        }
    }
}

/// What a sender says of a body.
#[derive(Default)]
pub(crate) struct Expected {
    /// The MD5 that `Content-MD5` holds.
    md5: Option<Vec<u8>>,
    /// The algorithm named, if any.
    algorithm: Option<Algorithm>,
    /// The checksum a header holds.
    value: Option<String>,
    /// Where the checksum stands if it was announced to follow the body.
    trailers: Option<TrailingHeaders>,
    /// The length announced.
    length: Option<u64>,
}

impl Expected {
    /// What the headers of an upload say.
    ///
    /// # Errors
    /// `InvalidDigest`, `InvalidRequest`.
    pub(crate) fn new(said: Said<'_>) -> Result<Self, Error> {
        let decode =
            |text| STANDARD.decode(text).ok().filter(|md5| md5.len() == 16).ok_or(Error::InvalidDigest);
        let md5 = said.content_md5.map(decode).transpose()?;
        let announced = said
            .headers
            .get_all("x-amz-trailer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .find_map(|name| {
                let is = |algorithm: &Algorithm| algorithm.header().eq_ignore_ascii_case(name.trim());
                ALGORITHMS.into_iter().find(is)
            });
        let named = said.algorithm.map(Algorithm::parse).transpose()?;
        let trailers = said.trailers.filter(|_| announced.is_some() && said.given.is_none());
        let (algorithm, value) = match said.given {
            Some(given) => (Some(given.algorithm), Some(given.value)),
            None => (announced.or(named), None),
        };
        if let (Some(algorithm), Some(value)) = (algorithm, &value) {
            let whole = STANDARD.decode(value).is_ok_and(|digest| digest.len() == algorithm.digest_bytes());
            if !whole {
                return Err(Error::InvalidRequest(format!(
                    "Value for {} header is invalid.",
                    algorithm.header()
                )));
            }
        }
        let length = said.length.and_then(|length| u64::try_from(length).ok());
        Ok(Self { md5, algorithm, value, trailers, length })
    }

    /// The same, with the checksum of this algorithm computed if the sender names none.
    pub(crate) fn or_algorithm(self, algorithm: Option<Algorithm>) -> Self {
        Self { algorithm: self.algorithm.or(algorithm), ..self }
    }

    /// A copy within the store, whose checksum is computed anew with the same algorithm.
    pub(crate) fn copy(algorithm: Option<Algorithm>) -> Self {
        Self { algorithm, ..Self::default() }
    }

    /// The length announced.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }
}

/// The headers of an upload that speak of its body.
pub(crate) struct Said<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) content_md5: Option<&'a str>,
    /// The algorithm that a header names.
    pub(crate) algorithm: Option<&'a str>,
    /// The one `x-amz-checksum-*` header.
    pub(crate) given: Option<Checksum>,
    /// What follows the body.
    pub(crate) trailers: Option<TrailingHeaders>,
    /// Bytes.
    pub(crate) length: Option<i64>,
}

/// Digests of a body as it passes.
pub(crate) struct Sums {
    expected: Expected,
    md5: Md5,
    hasher: Option<(Algorithm, Hasher)>,
    length: u64,
}

/// The digests of a body that is as its sender says.
pub(crate) struct Verified {
    pub(crate) md5: Vec<u8>,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) length: u64,
}

impl Sums {
    pub(crate) fn new(expected: Expected) -> Self {
        let hasher = expected.algorithm.map(|algorithm| (algorithm, Hasher::new(algorithm)));
        Self { expected, md5: Md5::new(), hasher, length: 0 }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        Digest::update(&mut self.md5, bytes);
        if let Some((_, hasher)) = &mut self.hasher {
            hasher.update(bytes);
        }
    }

    /// The length so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Compares what passed with what was said.
    ///
    /// # Errors
    /// `BadDigest`, `IncompleteBody`, `InvalidRequest`.
    pub(crate) fn verify(self) -> Result<Verified, Error> {
        let Self { expected, md5, hasher, length } = self;
        if expected.length.is_some_and(|expected| expected != length) {
            return Err(Error::IncompleteBody);
        }
        let md5 = md5.finalize().to_vec();
        if expected.md5.is_some_and(|expected| expected != md5) {
            return Err(Error::BadDigest(
                "The Content-MD5 you specified did not match what we received.".to_owned(),
            ));
        }
        let Some((algorithm, hasher)) = hasher else { return Ok(Verified { md5, checksum: None, length }) };
        let value = STANDARD.encode(hasher.finish());
        let said = match (expected.value, &expected.trailers) {
            (None, Some(trailers)) => {
                let trailing = trailers
                    .read(|headers| Some(headers.get(algorithm.header())?.to_str().ok()?.trim().to_owned()));
                Some(trailing.flatten().ok_or(Error::IncompleteBody)?)
            }
            (said, _) => said,
        };
        if said.is_some_and(|said| said != value) {
            return Err(Error::BadDigest(format!(
                "The {} you specified did not match the calculated checksum.",
                algorithm.name()
            )));
        }
        let checksum = Some(Checksum { algorithm, kind: ChecksumKind::FullObject, value });
        Ok(Verified { md5, checksum, length })
    }
}

/// The checksum of an object made of parts; none if a part lacks its own.
pub(crate) fn of_parts<'a>(
    algorithm: Algorithm,
    kind: ChecksumKind,
    parts: impl Iterator<Item = (Option<&'a Checksum>, u64)>,
) -> Option<Checksum> {
    let mut digests = Vec::new();
    for (checksum, size) in parts {
        let checksum = checksum.filter(|checksum| checksum.algorithm == algorithm)?;
        digests.push((STANDARD.decode(&checksum.value).ok()?, size));
    }
    let value = match kind {
        ChecksumKind::Composite => {
            let mut hasher = Hasher::new(algorithm);
            for (digest, _) in &digests {
                hasher.update(digest);
            }
            format!("{}-{}", STANDARD.encode(hasher.finish()), digests.len())
        }
        ChecksumKind::FullObject => {
            let polynomial = algorithm.polynomial()?;
            let bits = algorithm.digest_bytes() * 8;
            let mut whole = 0;
            for (digest, size) in &digests {
                let crc = digest.iter().fold(0, |crc, byte| (crc << 8) | u64::from(*byte));
                whole = combine(polynomial, bits, whole, crc, *size);
            }
            let bytes = whole.to_be_bytes();
            STANDARD.encode(bytes.get(8 - bits / 8..).unwrap_or_default())
        }
    };
    Some(Checksum { algorithm, kind, value })
}

/// The CRC of `a` followed by `b`, from the CRC of each and the length of `b`: `crc(a) · x^(8·len) + crc(b)` over GF(2), modulo the
/// polynomial. All are bit-reflected, so the coefficient of `x^0` is the highest bit.
fn combine(polynomial: u64, bits: usize, a: u64, b: u64, b_bytes: u64) -> u64 {
    let one = 1u64 << (bits - 1);
    let multiply = |mut a: u64, mut b: u64| {
        let mut product = 0;
        while a != 0 {
            if a & one != 0 {
                product ^= b;
            }
            a = (a << 1) & (one | (one - 1));
            b = if b & 1 != 0 { (b >> 1) ^ polynomial } else { b >> 1 };
        }
        product
    };
    // x^8, squared once for each bit of the length.
    let mut power = one >> 8;
    let mut shifted = a;
    let mut length = b_bytes;
    while length != 0 {
        if length & 1 != 0 {
            shifted = multiply(power, shifted);
        }
        power = multiply(power, power);
        length >>= 1;
    }
    shifted ^ b
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checksum(algorithm: Algorithm, bytes: &[u8]) -> Checksum {
        let mut sums = Sums::new(Expected::copy(Some(algorithm)));
        sums.update(bytes);
        sums.verify().unwrap().checksum.unwrap()
    }

    #[test]
    fn checksums_are_those_of_the_specifications() {
        // The check values of the CRC catalogue, for "123456789".
        let check = |algorithm, hex: &str| {
            assert_eq!(checksum(algorithm, b"123456789").value, STANDARD.encode(hex::decode(hex).unwrap()));
        };
        check(Algorithm::Crc32, "cbf43926");
        check(Algorithm::Crc32c, "e3069283");
        check(Algorithm::Crc64nvme, "ae8b14860a799888");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn combined_crcs_are_the_crc_of_the_whole(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..5)) {
            for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64nvme] {
                let sums: Vec<_> = parts.iter().map(|part| (checksum(algorithm, part), part.len() as u64)).collect();
                let combined = of_parts(algorithm, ChecksumKind::FullObject, sums.iter().map(|(sum, len)| (Some(sum), *len)));
                prop_assert_eq!(combined.unwrap(), checksum(algorithm, &parts.concat()));
            }
        }
    }

    #[test]
    fn a_composite_checksum_is_of_the_parts_checksums() {
        let parts = [checksum(Algorithm::Crc32, b"a"), checksum(Algorithm::Crc32, b"b")];
        let joined: Vec<u8> = parts.iter().flat_map(|part| STANDARD.decode(&part.value).unwrap()).collect();
        let composite =
            of_parts(Algorithm::Crc32, ChecksumKind::Composite, parts.iter().map(|part| (Some(part), 1)));
        assert_eq!(composite.unwrap().value, format!("{}-2", checksum(Algorithm::Crc32, &joined).value));
    }
}
