//! IAM and IoT policy documents: parse, match, evaluate.
//!
//! ```text
//! text ── Document::parse ──► Document ─┬─ evaluate(documents, Request) ──► Decision
//!                                       └─ authorize(Policies, Caller, Request) ──► Verdict, with its reason
//!
//!    matching (globs, ${variables})   condition (operators)   principal (who is named)
//! ```
//!
//! Pure: the caller says what the request is ([`Request`]) and what is known about it ([`Context`], which is
//! both the values of policy variables and the condition keys). Nothing here knows a user, a certificate or a
//! clock. Both of AWS's engines are this one: an IoT policy is an IAM policy without principals.
//!
//! Invariants: 1. nothing is allowed but by an Allow that matches; 2. a Deny that matches outweighs every
//! Allow; 3. a value put in for a variable never acts as a wildcard; 4. matching takes time in proportion to
//! pattern times text at most; 5. a condition that cannot be understood does not parse, so that it can never be
//! skipped.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>,
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html>

mod authorize;
mod condition;
mod document;
mod evaluate;
mod limits;
mod matching;
mod principal;
mod public;
mod trust;

pub use authorize::{Policies, PolicyKind, ResourcePolicy, Silence, Verdict, authorize};
pub use condition::{Condition, Operator, Order, Quantifier};
pub use document::{Document, Effect, Element, Malformed, PrincipalKind, Principals, Statement, Version};
pub use evaluate::{Context, Decision, Request, evaluate};
pub use limits::IOT_DOCUMENT_CHARS_MAX;
pub use matching::Pattern;
pub use principal::Caller;
