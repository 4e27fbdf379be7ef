//! The Resource Groups Tagging API: one place to find resources by their tags and to tag many at once. It keeps nothing: tags are kept by
//! the service whose resource has them, and reached through [`ports::Tagged`].
//!
//! 1. A resource's tags are changed by whoever may `tag:TagResources` (`tag:UntagResources`) and the service's own action on the
//!    resource; who may `tag:GetResources` sees the tags of all.
//! 2. Resources come in the order of their ARNs, so that a page continues where the last one ended whatever was tagged meanwhile.
//!
//! Differs from AWS: tag policies are not here, and so no compliance details, GetComplianceSummary, DescribeReportCreation,
//! StartReportCreation and ListRequiredTags; a resource whose last tag was removed is not listed any more; a page's token does not expire;
//! identities are not among the resources.

mod constraint;
mod error;
mod limits;
mod ops;
mod resources;

use std::sync::Arc;

use ports::Tagged;
use wire::{Authorize, Descriptor, Protocol};

pub use error::Error;
pub use ops::OPERATIONS;

/// Resource Groups Tagging API: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/Welcome.html>
pub static DESCRIPTOR: Descriptor = Descriptor {
    signing_name: "tagging",
    protocols: &[
        Protocol::Json { version: "1.1", target_prefix: "ResourceGroupsTaggingAPI_20170126" },
        Protocol::RpcV2Cbor { service: "ResourceGroupsTaggingAPI_20170126" },
    ],
    validation_code: "InvalidParameterException",
};

/// The tags of every service's resources.
pub struct Tagging {
    services: Vec<Arc<dyn Tagged>>,
    authorize: Arc<dyn Authorize>,
}

impl Tagging {
    /// Over these services; `authorize` decides on their actions.
    pub fn new(services: Vec<Arc<dyn Tagged>>, authorize: Arc<dyn Authorize>) -> Self {
        Self { services, authorize }
    }
}

#[cfg(test)]
mod testing;
