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
}

/// The decision on an action.
pub trait Authorize: Send + Sync {
    /// # Errors
    /// [`Denied`] with AWS's sentence when the principal may not.
    fn authorize(&self, cx: &Context, action: &str, resource: &Resource) -> Result<(), Denied>;
}

/// The principal may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "User: {user} is not authorized to perform: {action} on resource: {resource} because no identity-based \
     policy allows the {action} action"
)]
pub struct Denied {
    /// The principal's ARN.
    pub user: String,
    /// `firehose:PutRecord`.
    pub action: String,
    /// ARN or `*`.
    pub resource: String,
}
