//! ID tokens: signed JSON, verified against a provider's keys.
//!
//! 1. A claim is believed only of a token whose signature one of the provider's keys made, with the algorithm that key is for. Until
//!    then `iss` chooses the provider, and nothing else is looked at.
//! 2. Only signatures with public keys are known: `none` and the shared-key algorithms are no algorithms.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc7515>, <https://www.rfc-editor.org/rfc/rfc7517>, <https://www.rfc-editor.org/rfc/rfc7519>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>
//!
//! Differs from AWS: ES512 is unknown.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Timestamp;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Error;
use crate::entity::Tags;
use crate::limits::{JWKS_KEYS_MAX, KEYS_TRIED_MAX, TOKEN_SKEW_S};

/// The claim that tags a session.
const TAGS_CLAIM: &str = "https://aws.amazon.com/tags";

/// The claim that says who somebody is in the first place.
const SOURCE_IDENTITY_CLAIM: &str = "https://aws.amazon.com/source_identity";

/// A token whose signature is not verified yet.
pub(crate) struct Unverified<'a> {
    algorithm: String,
    key_id: Option<String>,
    signed: &'a str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// What a provider says of somebody.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claims {
    pub(crate) subject: String,
    pub(crate) audiences: Vec<String>,
    /// `azp`: whom the token was issued to.
    pub(crate) authorized_party: Option<String>,
    /// `amr`: how somebody signed in.
    pub(crate) methods: Vec<String>,
    pub(crate) tags: Tags,
    pub(crate) transitive_tag_keys: Vec<String>,
    pub(crate) source_identity: Option<String>,
}

/// A key of a provider's set.
#[derive(Debug)]
pub(crate) struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    P384(Vec<u8>),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct TagsClaim {
    #[serde(default)]
    principal_tags: std::collections::BTreeMap<String, OneOrMore>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

impl<'a> Unverified<'a> {
    /// # Errors
    /// `InvalidIdentityToken`.
    pub(crate) fn parse(token: &'a str) -> Result<Self, Error> {
        let invalid = || {
            Error::InvalidIdentityToken(
                "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
                    .to_owned(),
            )
        };
        let (signed, signature) = token.rsplit_once('.').ok_or_else(invalid)?;
        let (header, payload) = signed.split_once('.').ok_or_else(invalid)?;
        let header: Header =
            bytes(header).and_then(|header| serde_json::from_slice(&header).ok()).ok_or_else(invalid)?;
        let claims: Map<String, Value> =
            bytes(payload).and_then(|payload| serde_json::from_slice(&payload).ok()).ok_or_else(invalid)?;
        let signature = bytes(signature).ok_or_else(invalid)?;
        Ok(Self { algorithm: header.alg, key_id: header.kid, signed, signature, claims })
    }

    /// Whom the token says it is from.
    ///
    /// # Errors
    /// `InvalidIdentityToken`.
    pub(crate) fn issuer(&self) -> Result<&str, Error> {
        self.claims.get("iss").and_then(Value::as_str).ok_or_else(|| missing("iss"))
    }

    /// Whether one of these keys made the signature; none if the key that is named is not among them.
    pub(crate) fn is_signed_by(&self, keys: &[Key]) -> Option<bool> {
        let named = |key: &&Key| self.key_id.is_none() || key.id == self.key_id;
        let mut candidates = keys.iter().filter(named).take(KEYS_TRIED_MAX).peekable();
        candidates.peek()?;
        Some(candidates.any(|key| key.verifies(&self.algorithm, self.signed.as_bytes(), &self.signature)))
    }

    /// What it says, once its signature is verified.
    ///
    /// # Errors
    /// `InvalidIdentityToken`, `ExpiredTokenException`.
    pub(crate) fn claims(&self, now: Timestamp) -> Result<Claims, Error> {
        let now_s = now.as_millis().div_euclid(1000);
        let expires = self.seconds("exp")?.ok_or_else(|| missing("exp"))?;
        let issued = self.seconds("iat")?.ok_or_else(|| missing("iat"))?;
        if now_s >= expires {
            return Err(Error::ExpiredToken(format!(
                "Token expired: current date/time {now_s} must be before the expiration date/time {expires}"
            )));
        }
        let begins = self.seconds("nbf")?.unwrap_or(issued).max(issued);
        if begins > now_s + TOKEN_SKEW_S {
            let said = format!("Token is not valid yet: current date/time {now_s} must be after {begins}");
            return Err(Error::InvalidIdentityToken(said));
        }
        let subject =
            self.text("sub")?.filter(|subject| !subject.is_empty()).ok_or_else(|| missing("sub"))?;
        if subject.chars().count() > 255 {
            return Err(unreadable("sub"));
        }
        let audiences = self.texts("aud")?;
        if audiences.is_empty() {
            return Err(missing("aud"));
        }
        let (tags, transitive_tag_keys) = self.tags()?;
        Ok(Claims {
            subject,
            audiences,
            authorized_party: self.text("azp")?,
            methods: self.texts("amr")?,
            tags,
            transitive_tag_keys,
            source_identity: self.text(SOURCE_IDENTITY_CLAIM)?,
        })
    }

    /// Seconds since the epoch, which may have a fraction.
    fn seconds(&self, claim: &'static str) -> Result<Option<i64>, Error> {
        let Some(value) = self.claims.get(claim) else { return Ok(None) };
        if let Some(whole) = value.as_i64() {
            return Ok(Some(whole));
        }
        let seconds =
            value.as_f64().filter(|seconds| seconds.abs() < 1e15).ok_or_else(|| unreadable(claim))?;
        #[expect(clippy::cast_possible_truncation, reason = "it was checked to be far within the range")]
        let whole = seconds.floor() as i64;
        Ok(Some(whole))
    }

    fn text(&self, claim: &'static str) -> Result<Option<String>, Error> {
        match self.claims.get(claim) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(unreadable(claim)),
        }
    }

    fn texts(&self, claim: &'static str) -> Result<Vec<String>, Error> {
        let Some(value) = self.claims.get(claim) else { return Ok(Vec::new()) };
        let texts = OneOrMore::deserialize(value).map_err(|_| unreadable(claim))?;
        Ok(texts.into_vec())
    }

    fn tags(&self) -> Result<(Tags, Vec<String>), Error> {
        let Some(value) = self.claims.get(TAGS_CLAIM) else { return Ok(<_>::default()) };
        let claim = TagsClaim::deserialize(value).map_err(|_| unreadable(TAGS_CLAIM))?;
        let mut tags = Tags::new();
        for (key, values) in claim.principal_tags {
            let [value] = <[String; 1]>::try_from(values.into_vec()).map_err(|_| unreadable(TAGS_CLAIM))?;
            tags.insert(key, value);
        }
        Ok((tags, claim.transitive_tag_keys))
    }
}

fn missing(claim: &str) -> Error {
    Error::InvalidIdentityToken(format!("Missing a required claim: {claim}"))
}

fn unreadable(claim: &str) -> Error {
    Error::InvalidIdentityToken(format!("The claim {claim} is not valid."))
}

impl Key {
    fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        if self.algorithm.as_deref().is_some_and(|own| own != algorithm) {
            return false;
        }
        let rsa = |parameters| match &self.material {
            Material::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(parameters, signed, signature).is_ok()
            }
            _ => false,
        };
        match (algorithm, &self.material) {
            ("RS256", _) => rsa(&RSA_PKCS1_2048_8192_SHA256),
            ("RS384", _) => rsa(&RSA_PKCS1_2048_8192_SHA384),
            ("RS512", _) => rsa(&RSA_PKCS1_2048_8192_SHA512),
            ("ES256", Material::P256(point)) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
            }
            ("ES384", Material::P384(point)) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(signed, signature).is_ok()
            }
            _ => false,
        }
    }

    /// None for keys of kinds that are not known, or not for signatures.
    fn of(jwk: Jwk) -> Option<Self> {
        if jwk.usage.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let number = |text: Option<String>| {
            let number = bytes(&text?)?;
            // Some write a leading zero, which the verification does not take.
            let from = number.iter().position(|byte| *byte != 0)?;
            number.get(from..).map(<[u8]>::to_vec)
        };
        let point = |x: Option<String>, y: Option<String>, length: usize| {
            let (x, y) = (bytes(&x?)?, bytes(&y?)?);
            (x.len() == length && y.len() == length).then(|| [&[4][..], &x, &y].concat())
        };
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa { n: number(jwk.n)?, e: number(jwk.e)? },
            ("EC", Some("P-256")) => Material::P256(point(jwk.x, jwk.y, 32)?),
            ("EC", Some("P-384")) => Material::P384(point(jwk.x, jwk.y, 48)?),
            _ => return None,
        };
        Some(Self { id: jwk.kid, algorithm: jwk.alg, material })
    }
}

/// The keys of a set that are for signatures of known kinds; none if it is no set.
pub(crate) fn key_set(text: &[u8]) -> Option<Vec<Key>> {
    let set: Value = serde_json::from_slice(text).ok()?;
    let keys = set.get("keys")?.as_array()?;
    let known =
        keys.iter().take(JWKS_KEYS_MAX).filter_map(|key| Jwk::deserialize(key).ok()).filter_map(Key::of);
    Some(known.collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::json;

    use super::*;

    pub(crate) fn encode(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A provider's key.
    pub(crate) struct Signer(EcdsaKeyPair, String);

    impl Signer {
        pub(crate) fn new(id: &str) -> Self {
            let random = SystemRandom::new();
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            let pair =
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
            Self(pair, id.to_owned())
        }

        pub(crate) fn jwk(&self) -> Value {
            let point = self.0.public_key().as_ref();
            let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
            json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.1, "x": x, "y": y})
        }

        pub(crate) fn sign(&self, claims: &Value) -> String {
            self.sign_with(&json!({"alg": "ES256", "kid": self.1}), claims)
        }

        pub(crate) fn sign_with(&self, header: &Value, claims: &Value) -> String {
            let signed = format!(
                "{}.{}",
                encode(header.to_string().as_bytes()),
                encode(claims.to_string().as_bytes())
            );
            let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            format!("{signed}.{}", encode(signature.as_ref()))
        }
    }

    fn keys(jwks: &[Value]) -> Vec<Key> {
        key_set(json!({"keys": jwks}).to_string().as_bytes()).unwrap()
    }

    fn claims() -> Value {
        json!({"iss": "https://idp", "sub": "me", "aud": "app", "exp": 2_000, "iat": 1_000})
    }

    #[test]
    fn only_the_key_that_is_named_and_its_own_algorithm_verify() {
        let (signer, other) = (Signer::new("1"), Signer::new("2"));
        let token = signer.sign(&claims());
        let parsed = Unverified::parse(&token).unwrap();
        assert_eq!(parsed.issuer().unwrap(), "https://idp");
        assert_eq!(parsed.is_signed_by(&keys(&[other.jwk(), signer.jwk()])), Some(true));
        assert_eq!(parsed.is_signed_by(&keys(&[other.jwk()])), None);
        let mut forged = other.jwk();
        forged["kid"] = "1".into();
        assert_eq!(parsed.is_signed_by(&keys(&[forged])), Some(false));
        for algorithm in ["none", "HS256", "RS256", "ES384", ""] {
            let token = signer.sign_with(&json!({"alg": algorithm}), &claims());
            let mut key = signer.jwk();
            key.as_object_mut().unwrap().remove("alg");
            let signed = Unverified::parse(&token).unwrap().is_signed_by(&keys(&[key]));
            assert_eq!(signed, Some(false), "{algorithm}");
        }
        let (head, signature) = token.rsplit_once('.').unwrap();
        let unsigned = format!("{head}.");
        assert_eq!(Unverified::parse(&unsigned).unwrap().is_signed_by(&keys(&[signer.jwk()])), Some(false));
        let payload = encode(json!({"iss": "https://idp", "sub": "root"}).to_string().as_bytes());
        let changed = format!("{}.{payload}.{signature}", head.split('.').next().unwrap());
        assert_eq!(Unverified::parse(&changed).unwrap().is_signed_by(&keys(&[signer.jwk()])), Some(false));
    }

    /// <https://www.rfc-editor.org/rfc/rfc7515#appendix-A.2>
    #[test]
    fn the_example_of_rfc_7515_verifies() {
        let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
        let parsed = Unverified::parse(token).unwrap();
        let key = json!({"kty": "RSA", "n": n, "e": "AQAB"});
        assert_eq!(parsed.is_signed_by(&keys(std::slice::from_ref(&key))), Some(true));
        let mut encryption = key;
        encryption["use"] = "enc".into();
        assert_eq!(parsed.is_signed_by(&keys(&[encryption])), None);
    }

    #[test]
    fn claims_are_required_and_of_their_time() {
        let now = Timestamp::from_millis(1_500_000);
        let signer = Signer::new("1");
        let read = |claims: &Value| {
            let token = signer.sign(claims);
            Unverified::parse(&token).unwrap().claims(now).map_err(|error| error.to_string())
        };
        let found = read(&claims()).unwrap();
        assert_eq!(
            (found.subject.as_str(), found.audiences.as_slice()),
            ("me", ["app".to_owned()].as_slice())
        );
        for required in ["sub", "aud", "exp", "iat"] {
            let mut without = claims();
            without.as_object_mut().unwrap().remove(required);
            assert_eq!(read(&without).unwrap_err(), format!("Missing a required claim: {required}"));
        }
        let with = |claim: &str, value: Value| {
            let mut claims = claims();
            claims[claim] = value;
            read(&claims)
        };
        assert_eq!(
            with("exp", json!(1_500)).unwrap_err(),
            "Token expired: current date/time 1500 must be before the expiration date/time 1500"
        );
        assert!(with("exp", json!(1_500.5)).is_err() && with("exp", json!(1_501.5)).is_ok());
        assert!(with("nbf", json!(1_500 + TOKEN_SKEW_S)).is_ok());
        assert!(with("nbf", json!(1_501 + TOKEN_SKEW_S)).is_err());
        assert!(with("iat", json!(1_501 + TOKEN_SKEW_S)).is_err());
        for (claim, value) in [
            ("sub", json!(1)),
            ("sub", json!("")),
            ("aud", json!([1])),
            ("aud", json!([])),
            ("exp", json!("x")),
            ("exp", json!(1e300)),
        ] {
            assert!(with(claim, value.clone()).is_err(), "{claim} {value}");
        }
        let tagged = json!({"principal_tags": {"team": ["a"], "room": "b"}, "transitive_tag_keys": ["team"]});
        let found = with(TAGS_CLAIM, tagged).unwrap();
        assert_eq!((found.tags["team"].as_str(), found.tags["room"].as_str()), ("a", "b"));
        assert_eq!(found.transitive_tag_keys, ["team"]);
        assert!(with(TAGS_CLAIM, json!({"principal_tags": {"team": ["a", "b"]}})).is_err());
    }

    #[test]
    fn what_is_no_token_or_no_set_of_keys_is_refused() {
        for bad in ["", "a", "a.b", "a.b.c", "..", "e30.e30.", "e30.e30.e30", "€.€.€"] {
            let parsed = Unverified::parse(bad);
            assert!(parsed.is_err() || parsed.is_ok_and(|token| token.issuer().is_err()), "{bad}");
        }
        for bad in ["", "[]", "{}", r#"{"keys": 1}"#] {
            assert!(key_set(bad.as_bytes()).is_none(), "{bad}");
        }
        let odd = json!({"keys": [1, {}, {"kty": "oct", "k": "AA"}, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "RSA", "n": "", "e": "AQAB"}]});
        assert!(key_set(odd.to_string().as_bytes()).unwrap().is_empty());
    }

    /// Tokens come from anybody, and sets of keys from whoever answers.
    #[test]
    fn what_is_broken_in_any_way_is_refused_and_nothing_worse() {
        let (signer, entropy) = (Signer::new("1"), kernel::Entropy::seeded(1));
        let token = signer.sign(&claims());
        let set = json!({"keys": [signer.jwk()]}).to_string();
        let keys = key_set(set.as_bytes()).unwrap();
        let broken = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..=entropy.below(3) {
                let at = usize::try_from(entropy.below(bytes.len() as u64)).unwrap();
                match entropy.below(3) {
                    0 => drop(bytes.remove(at)),
                    1 => bytes
                        .insert(at, b"\"{}[],.:=-0aZ\x00\xff"[usize::try_from(entropy.below(15)).unwrap()]),
                    _ => bytes[at] ^= 1 << entropy.below(8),
                }
            }
            String::from_utf8_lossy(&bytes).into_owned()
        };
        for _ in 0..5_000 {
            let token = broken(&token);
            if let Ok(parsed) = Unverified::parse(&token) {
                parsed.issuer().ok();
                parsed.claims(Timestamp::EPOCH).ok();
                // Base64 has bits to spare at the end of what it writes.
                parsed.is_signed_by(&keys);
            }
            if let Some(keys) = key_set(broken(&set).as_bytes()) {
                Unverified::parse(&token).ok().and_then(|parsed| parsed.is_signed_by(&keys));
            }
        }
    }
}
