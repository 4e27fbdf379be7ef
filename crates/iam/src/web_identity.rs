//! Assuming a role by the token of an identity provider: the request is signed by nobody, the token says who it is.
//!
//! 1. The provider must be one of the role's account, the token signed by it and of its time, and its audience one of the provider's
//!    client ids, before the trust policy is asked.
//! 2. The trust policy decides in every mode of the node: whoever asks is nobody of the account yet.
//! 3. Whether there is such a role is not told to those who may not assume it.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif>
//!
//! Differs from AWS: the provider's condition keys (`PROVIDER:sub`, `PROVIDER:aud`, `PROVIDER:amr`) are the trust policy's alone; the
//! session does not keep them. There are no OAuth 2.0 providers, which ProviderId would name.

use std::sync::Arc;

use kernel::{AccountId, Arn, Context, Session};
use policy::{Caller, ResourcePolicy, Silence};
use wire::authorize::Denied;

use crate::audit::Missing;
use crate::authorize::Subject;
use crate::directory::{Held, HeldRole};
use crate::entity::{Named, OidcProvider, Role};
use crate::limits::{SESSION_S_MAX, SESSION_S_MIN};
use crate::names::Number;
use crate::oidc::token::{Claims, Unverified};
use crate::sts::{Assumed, duration, packed_percent};
use crate::{Error, Iam};

/// What AssumeRoleWithWebIdentity is asked.
pub(crate) struct AssumeWithToken {
    pub(crate) role: String,
    pub(crate) session: String,
    pub(crate) token: String,
    pub(crate) duration: Option<Number>,
    pub(crate) policy: Option<String>,
    pub(crate) policy_arns: Vec<String>,
}

/// Who assumed it, as the provider says.
pub(crate) struct Vouched {
    pub(crate) assumed: Assumed,
    pub(crate) provider: String,
    pub(crate) subject: String,
    pub(crate) audience: String,
}

impl Iam {
    /// # Errors
    /// `InvalidIdentityToken`, `ExpiredTokenException`, `IDPCommunicationError`, `AccessDenied`, `ValidationError`,
    /// `MalformedPolicyDocument`.
    pub(crate) async fn assume_role_with_token(
        &self,
        cx: &Context,
        assume: AssumeWithToken,
    ) -> Result<Vouched, Error> {
        let asked = match assume.duration {
            Some(number) => Some(number.within("durationSeconds", SESSION_S_MIN, SESSION_S_MAX)?),
            None => None,
        };
        let token = Unverified::parse(&assume.token)?;
        let account = account_of(&assume.role)?;
        let provider = self.provider_of(&account, token.issuer()?)?;
        self.key_sets.verify(&account, &provider.entity, &token).await?;
        let claims = token.claims(self.clock.now())?;
        let audience = audience(&claims, &provider.entity)?;
        let found = self.directory().by_arn::<Role>(&assume.role).map(|(_, held)| Arc::clone(held));
        let role = found.ok_or_else(not_authorized)?;
        let provider_arn = provider.entity.arn(&account);
        self.check_web_trust(
            cx,
            (&account, &role),
            (&provider.entity, &provider_arn),
            (&claims, &audience, &assume.session),
        )?;
        let seconds = duration(asked, role.entity.session_s_max, None)?;
        self.check_limits(&account, assume.policy.as_deref(), &assume.policy_arns)?;
        let packed_percent = packed_percent(assume.policy.as_deref(), &assume.policy_arns, &claims.tags);
        let session = Session {
            role: crate::authorize::role_arn(&account, &role.entity),
            account,
            role_id: role.entity.id.clone(),
            name: assume.session,
            issued_at: self.clock.now(),
            policy: assume.policy,
            policy_arns: assume.policy_arns,
            tags: claims.tags,
            transitive_tag_keys: claims.transitive_tag_keys,
            source_identity: claims.source_identity,
        };
        let assumed = Assumed { session, seconds, packed_percent };
        Ok(Vouched { assumed, provider: provider_arn, subject: claims.subject, audience })
    }

    fn provider_of(&self, account: &AccountId, issuer: &str) -> Result<Arc<Held<OidcProvider>>, Error> {
        let url = issuer.strip_prefix("https://").unwrap_or_default();
        let url = url.strip_suffix('/').unwrap_or(url);
        self.entity::<OidcProvider>(account, url).map_err(|_| {
            let shown: String = issuer.chars().take(255).collect();
            let said = format!("No OpenIDConnect provider found in your account for {shown}");
            Error::InvalidIdentityToken(said)
        })
    }

    /// Invariant 2.
    fn check_web_trust(
        &self,
        cx: &Context,
        (account, role): (&AccountId, &HeldRole),
        (provider, provider_arn): (&OidcProvider, &str),
        (claims, audience, session): (&Claims, &str, &str),
    ) -> Result<(), Error> {
        let key = |name: &str| format!("{}:{name}", provider.url);
        let mut context = policy::Context::new()
            .with("aws:FederatedProvider", provider_arn)
            .with("sts:RoleSessionName", session)
            .with("aws:ResourceAccount", account.as_str())
            .with(&key("sub"), claims.subject.as_str())
            .with(&key("aud"), audience);
        if !claims.methods.is_empty() {
            context = context.with_values(&key("amr"), claims.methods.iter().map(String::as_str));
        }
        // An audience beside the party that the token was issued to has a key of its own.
        if claims.authorized_party.as_deref() == Some(audience) {
            context = context.with_values(&key("oaud"), claims.audiences.iter().map(String::as_str));
        }
        if let Some(identity) = &claims.source_identity {
            context = context.with("sts:SourceIdentity", identity.as_str());
        }
        for (key, value) in &claims.tags {
            context = context.with(&format!("aws:RequestTag/{key}"), value.as_str());
        }
        context = context
            .with_values("aws:TagKeys", claims.tags.keys().map(String::as_str))
            .with_values("sts:TransitiveTagKeys", claims.transitive_tag_keys.iter().map(String::as_str));
        let caller = Caller::Federated { provider: provider_arn.to_owned() };
        let subject = Subject::without_policies(caller, self.circumstances(cx, context));
        let trust = role.trust();
        let trust =
            ResourcePolicy { document: Some(&trust), owner: account.as_str(), silence: Silence::Refuses };
        let arn = role.entity.arn(account);
        let actions = [
            ("sts:AssumeRoleWithWebIdentity", true),
            ("sts:TagSession", !claims.tags.is_empty()),
            ("sts:SetSourceIdentity", claims.source_identity.is_some()),
        ];
        for (action, _) in actions.into_iter().filter(|(_, needed)| *needed) {
            let verdict = subject.decide(action, &arn, Some(trust));
            if !verdict.is_allowed() {
                let reason = verdict.reason(action).unwrap_or_default();
                let user = provider_arn.to_owned();
                let denied = Denied { user, action: action.to_owned(), resource: arn, reason };
                self.refused(cx, denied, account.as_str(), Missing::nothing());
                return Err(not_authorized());
            }
        }
        Ok(())
    }
}

/// AWS's sentence, which tells neither whether there is such a role nor why it may not be assumed.
fn not_authorized() -> Error {
    Error::AccessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity".to_owned())
}

/// The account of a role's ARN.
fn account_of(role: &str) -> Result<AccountId, Error> {
    let arn = role.parse::<Arn>().ok().filter(|arn| arn.service() == "iam");
    let account = arn.and_then(|arn| arn.account().parse().ok());
    account.ok_or_else(|| Error::Validation(format!("{role} is invalid")))
}

/// The audience for which the provider is registered: whom the token was issued to, or one of those it is for.
///
/// # Errors
/// `InvalidIdentityToken`.
fn audience(claims: &Claims, provider: &OidcProvider) -> Result<String, Error> {
    let registered = |audience: &&String| provider.client_ids.contains(*audience);
    let party = claims.authorized_party.as_ref();
    let found = match party {
        Some(party) if claims.audiences.len() > 1 || !claims.audiences.contains(party) => {
            Some(party).filter(registered)
        }
        _ => claims.audiences.iter().find(registered),
    };
    found.cloned().ok_or_else(|| Error::InvalidIdentityToken("Incorrect token audience".to_owned()))
}
