//! Tags: from every service whose resources carry some, for the tagging API.

use kernel::Context;

use crate::PortFuture;

/// A resource and its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedResource {
    /// The resource's ARN.
    pub arn: String,
    /// Keys and values, ordered by key.
    pub tags: Vec<(String, String)>,
}

/// The tags of one service's resources. Implemented by each service whose resources can be tagged.
pub trait Tagged: Send + Sync {
    /// The service as ARNs name it: `firehose`.
    fn service(&self) -> &'static str;

    /// The IAM actions that whoever calls [`Tagged::tag`] and [`Tagged::untag`] has to be allowed on the resource. None where the
    /// service decides by itself, because its resources have policies of their own.
    fn actions(&self) -> Option<TagActions>;

    /// Every resource of the account and region of `cx` that has a tag, in the order of ARNs.
    fn tagged<'a>(&'a self, cx: &'a Context) -> PortFuture<'a, Vec<TaggedResource>>;

    /// Adds tags to a resource and replaces those of the same keys.
    ///
    /// # Errors
    /// The service's own: `NotFound` when there is no such resource, `Invalid` for a bad tag or too many.
    fn tag<'a>(
        &'a self,
        cx: &'a Context,
        arn: &'a kernel::Arn,
        tags: &'a [(String, String)],
    ) -> PortFuture<'a, ()>;

    /// Removes tags; silent about keys that are not there.
    ///
    /// # Errors
    /// The service's own: `NotFound` when there is no such resource.
    fn untag<'a>(&'a self, cx: &'a Context, arn: &'a kernel::Arn, keys: &'a [String]) -> PortFuture<'a, ()>;
}

/// The IAM actions of a change of tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagActions {
    /// `firehose:TagDeliveryStream`
    pub tag: &'static str,
    /// `firehose:UntagDeliveryStream`
    pub untag: &'static str,
}
