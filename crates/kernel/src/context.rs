//! The circumstances of a request: first argument of every operation and every port.

use crate::{AccountId, Arn, Principal, Region};

/// Who asks, on which account and region, and under which request id.
#[derive(Clone, Debug)]
pub struct Context {
    /// The authenticated caller.
    pub principal: Principal,
    /// The account whose resources are meant.
    pub account: AccountId,
    /// The region whose resources are meant; any region is served and kept apart from the others.
    pub region: Region,
    /// The id under which the answer, the log and an error name this request.
    pub request_id: String,
    /// The caller's address without port, when it came over a network.
    pub source_ip: Option<String>,
    /// Whether the request came over TLS.
    pub secure: bool,
}

impl Context {
    /// The context of work that a service of this node does by itself.
    pub fn service(account: AccountId, region: Region, name: &'static str) -> Self {
        let principal = Principal::Service { account: account.clone(), name };
        Self { principal, account, region, request_id: String::new(), source_ip: None, secure: false }
    }

    /// The same circumstances with another principal: how a rule acts as its role.
    pub fn with_principal(&self, principal: Principal) -> Self {
        Self { principal, ..self.clone() }
    }

    /// An ARN in this account and region.
    pub fn arn(&self, service: &str, resource: &str) -> Arn {
        Arn::new(service, self.region.as_str(), self.account.as_str(), resource)
    }
}
