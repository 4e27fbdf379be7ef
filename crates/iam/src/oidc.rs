//! OpenID Connect providers: whom an account trusts to say who somebody is, and how what they say is verified.
//!
//! ```text
//! token ─token.rs─► claims ─► the account's provider ─key_sets.rs─► its keys ─token.rs─► verified claims ─► web_identity.rs
//! ```
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>
//!
//! Differs from AWS: a provider's URL may have a port. Without thumbprints AWS takes that of the provider's certificate authority;
//! here a provider without them needs a certificate of an authority that everybody trusts.

pub(crate) mod key_sets;
pub(crate) mod token;

use std::sync::Arc;

use kernel::{AccountId, Context};
use serde::Deserialize;
use wire::Resource;

use crate::change::Described;
use crate::directory::{Directory, Held};
use crate::entity::{Named, OidcProvider};
use crate::limits::{CLIENT_IDS_MAX, THUMBPRINTS_MAX};
use crate::names::{List, violated};
use crate::{Error, Iam};

/// What the ARN of a provider begins with, after the account.
const KIND: &str = "oidc-provider/";

/// A provider's ARN: 20–2,048 characters.
#[derive(Clone, Debug)]
pub(crate) struct ProviderArn(pub(crate) String);

impl<'de> Deserialize<'de> for ProviderArn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = String::deserialize(deserializer)?;
        crate::names::check_length(&value, "openIDConnectProviderArn", 20, 2048)?;
        Ok(Self(value))
    }
}

/// The ARN that a request is about.
pub(crate) fn on_provider(arn: &ProviderArn) -> Resource {
    arn.0.parse().map_or(Resource::Any, Resource::Arn)
}

/// The ARN that a new provider will have.
pub(crate) fn on_new_provider(cx: &Context, url: &str) -> Resource {
    let url = url.strip_prefix("https://").unwrap_or(url);
    format!("arn:aws:iam::{}:{KIND}{url}", cx.account).parse().map_or(Resource::Any, Resource::Arn)
}

/// A provider's URL without its scheme, as ARNs and condition keys have it.
///
/// # Errors
/// `ValidationError`.
pub(crate) fn url(text: &str) -> Result<String, Error> {
    let invalid = || Error::Validation("Invalid Open ID Connect Provider URL".to_owned());
    let rest = text.strip_prefix("https://").ok_or_else(invalid)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let port = host.split_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|port| port != 0));
    let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%/".contains(c);
    if named && port && path.chars().all(legal) && text.chars().count() <= 255 {
        return Ok(rest.to_owned());
    }
    Err(invalid())
}

/// # Errors
/// `ValidationError` for what is no SHA-1 in hex, `InvalidInput` for too many.
pub(crate) fn thumbprints(list: &List<String>) -> Result<Vec<String>, Error> {
    if list.0.len() > THUMBPRINTS_MAX {
        let said = format!("Thumbprint list must contain fewer than {THUMBPRINTS_MAX} entries.");
        return Err(Error::InvalidInput(said));
    }
    for thumbprint in &list.0 {
        let constraint = match thumbprint.chars().count() {
            0..40 => "Member must have length greater than or equal to 40",
            40 if thumbprint.chars().all(|c| c.is_ascii_hexdigit()) => continue,
            40 => "Member must satisfy regular expression pattern: [0-9a-fA-F]{40}",
            _ => "Member must have length less than or equal to 40",
        };
        let shown: String = thumbprint.chars().take(200).collect();
        return Err(Error::Validation(violated(&shown, "thumbprintList", constraint)));
    }
    let mut all: Vec<String> = list.0.iter().map(|thumbprint| thumbprint.to_lowercase()).collect();
    all.sort();
    all.dedup();
    Ok(all)
}

impl OidcProvider {
    /// # Errors
    /// `LimitExceeded`.
    pub(crate) fn add_client_id(&mut self, id: String) -> Result<(), Error> {
        if !self.client_ids.contains(&id) {
            self.client_ids.push(id);
        }
        if self.client_ids.len() > CLIENT_IDS_MAX {
            return Err(Error::quota("ClientIdsPerOpenIdConnectProvider", CLIENT_IDS_MAX));
        }
        Ok(())
    }
}

impl Iam {
    /// The account's provider with this ARN.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub(crate) fn oidc_provider(
        &self,
        cx: &Context,
        arn: &ProviderArn,
    ) -> Result<Arc<Held<OidcProvider>>, Error> {
        let url = own_url(&cx.account, arn)?;
        self.entity::<OidcProvider>(&cx.account, url)
    }

    /// Changes a provider; its keys are fetched again when they are needed.
    ///
    /// # Errors
    /// `NoSuchEntity`, and what `change` finds.
    pub(crate) async fn update_provider(
        &self,
        cx: &Context,
        arn: &ProviderArn,
        change: impl FnOnce(&mut OidcProvider, &Directory) -> Result<(), Error> + Send,
    ) -> Result<Arc<Held<OidcProvider>>, Error> {
        let url = own_url(&cx.account, arn)?;
        let held = self.update::<OidcProvider>(&cx.account, url, change).await?;
        self.key_sets.forget(&cx.account, url);
        Ok(held)
    }

    /// Forgets a provider, if there is one.
    pub(crate) async fn remove_provider(&self, cx: &Context, arn: &ProviderArn) -> Result<(), Error> {
        let Ok(url) = own_url(&cx.account, arn) else { return Ok(()) };
        match self.remove::<OidcProvider>(&cx.account, url, |_, _| Ok(())).await {
            Ok(()) | Err(Error::NoSuchEntity(_)) => {}
            Err(error) => return Err(error),
        }
        self.key_sets.forget(&cx.account, url);
        Ok(())
    }
}

/// The URL in an ARN of the account's.
fn own_url<'a>(account: &AccountId, arn: &'a ProviderArn) -> Result<&'a str, Error> {
    let url = arn.0.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_prefix(account.as_str()));
    let url = url.and_then(|rest| rest.strip_prefix(':')).and_then(|rest| rest.strip_prefix(KIND));
    url.ok_or_else(|| Error::NoSuchEntity(format!("OpenIDConnect Provider not found for arn {}", arn.0)))
}

impl Named for OidcProvider {
    const KIND: &'static str = "oidc-provider";

    fn name(&self) -> &str {
        &self.url
    }

    fn path(&self) -> &str {
        "/"
    }
}

impl Described for OidcProvider {
    const QUOTA: (&'static str, usize) =
        ("OpenIdConnectProvidersPerAccount", crate::limits::OIDC_PROVIDERS_MAX);

    fn missing(name: &str) -> String {
        format!("OpenIDConnect Provider not found for url https://{name}")
    }

    fn exists(name: &str) -> String {
        format!("Provider with url https://{name} already exists.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_https_and_has_neither_query_nor_user() {
        for (given, kept) in [
            ("https://token.actions.githubusercontent.com", "token.actions.githubusercontent.com"),
            ("https://oidc.eks.eu-west-1.amazonaws.com/id/AB12", "oidc.eks.eu-west-1.amazonaws.com/id/AB12"),
            ("https://example.com/", "example.com"),
            ("https://localhost:8443/a", "localhost:8443/a"),
        ] {
            assert_eq!(url(given).unwrap(), kept);
        }
        let long = format!("https://example.com/{}", "a".repeat(240));
        for bad in [
            "http://example.com",
            "example.com",
            "https://",
            "https:///path",
            "https://a@b",
            "https://example.com?x=1",
            "https://example.com/#x",
            "https://example.com:0",
            "https://example.com:port",
            "https://exa mple.com",
            &long,
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_thumbprint_is_forty_hex_digits() {
        let one = "990F4193972F2BECF12DDEDA5237F9C952F20D9E".to_owned();
        assert_eq!(thumbprints(&List(vec![one.clone(), one.to_lowercase()])).unwrap(), [one.to_lowercase()]);
        for bad in ["", "abc", &"g".repeat(40), &"a".repeat(41)] {
            assert!(thumbprints(&List(vec![bad.to_owned()])).is_err(), "{bad}");
        }
        assert!(thumbprints(&List(vec![one; THUMBPRINTS_MAX + 1])).is_err());
    }
}
