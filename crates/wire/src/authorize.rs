//! Who a key belongs to, and whether they may: the two questions asked of `iam` for every request.

use kernel::{Arn, Context, Principal, Secret};

/// What an action is performed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// One resource.
    Arn(Arn),
    /// Actions that name none, such as listing.
    Any,
}

impl From<Arn> for Resource {
    fn from(arn: Arn) -> Self {
        Self::Arn(arn)
    }
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Arn(arn) => arn.fmt(f),
            Self::Any => f.write_str("*"),
        }
    }
}

/// An access key's other half.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The secret access key.
    pub secret: Secret<String>,
    /// Whom it authenticates.
    pub principal: Principal,
}

/// The access keys of the node.
pub trait Credentials: Send + Sync {
    /// The secret and owner of an active access key, from memory.
    fn find(&self, access_key_id: &str) -> Option<Credential>;

    /// The secret and owner of temporary credentials, which are of use only with their token.
    ///
    /// # Errors
    /// [`Unusable`] for a token that is not ours, not this key's, or over.
    fn find_temporary(&self, _access_key_id: &str, _token: &str) -> Result<Credential, Unusable> {
        Err(Unusable::Invalid)
    }
}

/// Why temporary credentials are of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Not ours, or not this key's.
    Invalid,
    /// Over.
    Expired,
}

/// The decision on an action.
pub trait Authorize: Send + Sync {
    /// # Errors
    /// [`Denied`] with AWS's sentence when the principal may not.
    fn authorize(&self, cx: &Context, action: &str, resource: &Resource) -> Result<(), Denied>;

    /// The same where more is known than the request's circumstances: who owns the resource, what its own policy says, and the
    /// service's condition keys.
    ///
    /// # Errors
    /// As [`Authorize::authorize`].
    fn authorize_with(
        &self,
        cx: &Context,
        action: &str,
        resource: &Resource,
        _facts: &Facts<'_>,
    ) -> Result<(), Denied> {
        self.authorize(cx, action, resource)
    }
}

/// What a service knows about a request that its circumstances do not tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The account that owns the resource; the caller's if none is given.
    pub owner: Option<&'a str>,
    /// The text of the policy attached to the resource.
    pub resource_policy: Option<&'a str>,
    /// Condition keys and their values: `("s3:prefix", ["raw/"])`.
    pub keys: &'a [(&'a str, Vec<String>)],
}

/// The principal may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("User: {user} is not authorized to perform: {action} on resource: {resource} {reason}")]
pub struct Denied {
    /// The principal's ARN.
    pub user: String,
    /// `firehose:PutRecord`.
    pub action: String,
    /// ARN or `*`.
    pub resource: String,
    /// `because no identity-based policy allows the firehose:PutRecord action`, or which kind of policy denies.
    pub reason: String,
}

impl Denied {
    /// Nothing allows it.
    pub fn implicit(cx: &Context, action: &str, resource: &Resource) -> Self {
        let reason = format!("because no identity-based policy allows the {action} action");
        Self { user: cx.principal.arn(), action: action.to_owned(), resource: resource.to_string(), reason }
    }
}
