//! The roles that services act through: asked by rules, firehose, and whoever is given a role.

use kernel::Context;

use crate::PortError;

/// The roles that services act through. Implemented by `iam`, from memory.
pub trait Roles: Send + Sync {
    /// The circumstances of `cx` with a session of `role` as principal, named `session`, for `service`
    /// (`firehose.amazonaws.com`), which acts for the resource `on_behalf_of`: a delivery stream, a rule. What the session may is
    /// decided when it is used.
    ///
    /// # Errors
    /// `Denied` with the code `AccessDenied` when there is no such role, or its trust policy does not let the service act for
    /// that resource.
    fn assume(
        &self,
        cx: &Context,
        role: &kernel::Arn,
        service: &'static str,
        session: &str,
        on_behalf_of: &kernel::Arn,
    ) -> Result<Context, PortError>;

    /// Changes whenever a role, a policy or anything else does that decisions are made from. Within one epoch and one second of the
    /// clock, to which the condition keys about time are exact, the same question has the same answer.
    fn epoch(&self) -> u64;

    /// Whether the caller may hand `role` to `service`: asked when a resource that names a role is created or changed.
    ///
    /// # Errors
    /// `Denied` with AWS's sentence about `iam:PassRole`, or about a role of another account.
    fn check_pass_role(&self, cx: &Context, role: &kernel::Arn, service: &str) -> Result<(), PortError>;
}
