//! Policies as clients send them: checked before they are kept, and URL-encoded when they are answered.

use kernel::AccountId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use policy::{Document, Malformed, PrincipalKind, Principals};

use crate::Error;
use crate::directory::Directory;
use crate::entity::{Role, User};
use crate::limits::{DOCUMENT_CHARS_MAX, POLICY_CHARS_MAX, TRUST_CHARS_MAX};

/// What RFC 3986 calls unreserved stays.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A document as answers carry it.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Characters without white space: what quotas count.
pub(crate) fn size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// # Errors
/// `MalformedPolicyDocument`.
pub(crate) fn check_identity(text: &str) -> Result<Document, Error> {
    let document = Document::parse_identity(text, DOCUMENT_CHARS_MAX)?;
    let alphanumeric = |sid: &String| sid.chars().all(|c| c.is_ascii_alphanumeric());
    if document.statements.iter().filter_map(|statement| statement.sid.as_ref()).all(alphanumeric) {
        return Ok(document);
    }
    let said = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*";
    Err(Error::MalformedPolicyDocument(said.to_owned()))
}

/// # Errors
/// `MalformedPolicyDocument`, `LimitExceeded`.
pub(crate) fn check_managed(text: &str) -> Result<(), Error> {
    check_identity(text)?;
    if size(text) > POLICY_CHARS_MAX {
        return Err(Error::quota("PolicySize", POLICY_CHARS_MAX));
    }
    Ok(())
}

/// # Errors
/// `MalformedPolicyDocument`, for users and roles of this account that are not there too; `LimitExceeded`.
pub(crate) fn check_trust(text: &str, account: &AccountId, directory: &Directory) -> Result<(), Error> {
    let document = Document::parse_trust(text)?;
    if size(text) > TRUST_CHARS_MAX {
        return Err(Error::quota("ACLSizePerRole", TRUST_CHARS_MAX));
    }
    for statement in &document.statements {
        let Some(Principals::AnyOf(list) | Principals::NoneOf(list)) = &statement.principal else { continue };
        for (kind, value) in list {
            let (valid, kind) = match kind {
                PrincipalKind::Aws => (is_principal(value, account, directory), "AWS"),
                PrincipalKind::Service => (value.contains('.') && !value.contains('*'), "SERVICE"),
                PrincipalKind::Federated => (!value.is_empty() && value != "*", "FEDERATED"),
                PrincipalKind::CanonicalUser => (false, "CANONICALUSER"),
            };
            if !valid {
                let said = format!("Invalid principal in policy: \"{kind}\":\"{value}\"");
                return Err(Error::MalformedPolicyDocument(said));
            }
        }
    }
    Ok(())
}

fn is_principal(value: &str, account: &AccountId, directory: &Directory) -> bool {
    if value == "*" || value.parse::<AccountId>().is_ok() {
        return true;
    }
    let mut parts = value.splitn(6, ':');
    let head = [parts.next(), parts.next(), parts.next(), parts.next()];
    let (Some(owner), Some(resource)) = (parts.next(), parts.next()) else { return false };
    if owner.parse::<AccountId>().is_err() || value.contains('*') {
        return false;
    }
    let ours = owner == account.as_str();
    match head {
        [Some("arn"), Some("aws"), Some("iam"), Some("")] => match resource.split_once('/') {
            None => resource == "root",
            Some(("user", _)) => !ours || directory.by_arn::<User>(value).is_some(),
            Some(("role", _)) => !ours || directory.by_arn::<Role>(value).is_some(),
            Some(_) => false,
        },
        [Some("arn"), Some("aws"), Some("sts"), Some("")] => resource.starts_with("assumed-role/"),
        _ => false,
    }
}

/// The text of a session policy.
///
/// # Errors
/// `MalformedPolicyDocument`.
pub(crate) fn check_session(text: &str) -> Result<(), Error> {
    Document::parse_identity(text, DOCUMENT_CHARS_MAX).map(drop).map_err(|malformed| match malformed {
        Malformed::NotJson => Error::MalformedPolicyDocument("This policy contains invalid Json".to_owned()),
        other => Error::from(other),
    })
}
