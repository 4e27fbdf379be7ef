//! The operations of STS.

mod get_caller_identity;

use get_caller_identity::GetCallerIdentity;
use wire::Entry;

use crate::Iam;

/// Every operation that is served.
pub const OPERATIONS: &[Entry<Iam>] = &[Entry::of::<GetCallerIdentity>()];
