//! Attacks: what a stranger, one tenant of the node against another, and hostile data must not be able to do.
//!
//! A test is named after what holds. `docs/security.md` lists attackers, assets and surfaces, which control there is, and which of these
//! tests proves it. That no operation is done without the right key is in `tests/api/credentials.rs`; that every operation of AWS's models
//! answers one tenant about another's resources as about none is in `tests/conformance/test_tenants.py`.

mod bombs;
mod deputies;
mod devices;
mod floods;
mod identities;
mod nesting;
mod objects;
mod seen;
#[expect(dead_code, reason = "shared with the tests of the API, which use all of it")]
#[path = "../api/signing.rs"]
mod signing;
mod tenants;
