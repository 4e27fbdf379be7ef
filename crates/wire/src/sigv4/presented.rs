//! The two places in which a request shows its signature: a header, and the query string.

use http::HeaderMap;

use super::canonical::value;
use super::{ALGORITHM, EXPIRES_MAX_S, Scope, header};
use crate::envelope::Fault;

/// A signature as a request shows it.
pub(super) struct Presented {
    pub(super) scope: Scope,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    /// `20170826T074712Z`.
    pub(super) date: String,
    /// Seconds a presigned request lives; none for a header signature.
    pub(super) expires_s: Option<i64>,
}

pub(super) fn incomplete(message: impl Into<String>) -> Fault {
    Fault::new(400, "IncompleteSignatureException", message)
}

pub(super) fn from_header(authorization: &str, headers: &HeaderMap) -> Result<Presented, Fault> {
    let Some(fields) = authorization.strip_prefix(ALGORITHM) else {
        return Err(incomplete(format!(
            "'{authorization}' not a valid authorization header, only {ALGORITHM} is supported."
        )));
    };
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    };
    let missing = |name: &str| {
        incomplete(format!("Authorization header requires '{name}' parameter. Authorization={ALGORITHM}"))
    };
    let credential = field("Credential").ok_or_else(|| missing("Credential"))?;
    let signature = field("Signature").ok_or_else(|| missing("Signature"))?;
    let signed_headers = field("SignedHeaders").ok_or_else(|| missing("SignedHeaders"))?;
    let date = header(headers, "x-amz-date").or_else(|| header(headers, "date")).ok_or_else(|| {
        incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    })?;
    Ok(Presented {
        scope: Scope::parse(&credential).ok_or_else(|| {
            incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
        })?,
        signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
        signature,
        date: date.to_owned(),
        expires_s: None,
    })
}

pub(super) fn from_query(query: &[(String, String)]) -> Result<Presented, Fault> {
    let field = |name: &str| {
        value(query, name).ok_or_else(|| {
            incomplete(format!(
                "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
            ))
        })
    };
    if field("X-Amz-Algorithm")? != ALGORITHM {
        return Err(incomplete(format!("X-Amz-Algorithm only supports {ALGORITHM}.")));
    }
    let expires_s = match value(query, "X-Amz-Expires") {
        None => 15 * 60,
        Some(text) => text
            .parse()
            .ok()
            .filter(|seconds| (1..=EXPIRES_MAX_S).contains(seconds))
            .ok_or_else(|| incomplete("X-Amz-Expires must be a number of seconds from 1 to 604800."))?,
    };
    Ok(Presented {
        scope: Scope::parse(field("X-Amz-Credential")?).ok_or_else(|| {
            incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
        })?,
        signed_headers: field("X-Amz-SignedHeaders")?.split(';').map(str::to_owned).collect(),
        signature: field("X-Amz-Signature")?.to_owned(),
        date: field("X-Amz-Date")?.to_owned(),
        expires_s: Some(expires_s),
    })
}
