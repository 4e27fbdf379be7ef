//! The tags of delivery streams, for the Resource Groups Tagging API.

use kernel::{Arn, Context};
use ports::{PortError, PortFuture, TagActions, Tagged, TaggedResource};

use crate::error::Error;
use crate::ops::{tag, untag};
use crate::service::Firehose;

impl Tagged for Firehose {
    fn service(&self) -> &'static str {
        "firehose"
    }

    fn actions(&self) -> Option<TagActions> {
        Some(TagActions { tag: "firehose:TagDeliveryStream", untag: "firehose:UntagDeliveryStream" })
    }

    fn tagged<'a>(&'a self, cx: &'a Context) -> PortFuture<'a, Vec<TaggedResource>> {
        Box::pin(async move {
            let streams = self.inner.registry.of_account(&cx.account);
            let mut found = Vec::new();
            for state in streams.iter().map(|stream| stream.state()).filter(|state| !state.deleted) {
                let stream = &state.stored.entity;
                if stream.region == cx.region && !stream.tags.is_empty() {
                    let tags = stream.tags.clone().into_iter().collect();
                    found.push(TaggedResource { arn: stream.arn().to_string(), tags });
                }
            }
            found.sort_by(|a, b| a.arn.cmp(&b.arn));
            Ok(found)
        })
    }

    fn tag<'a>(&'a self, cx: &'a Context, arn: &'a Arn, tags: &'a [(String, String)]) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let name = named(cx, arn).map_err(PortError::from_service)?;
            tag(self, cx, Some(name), tags).await.map_err(PortError::from_service)
        })
    }

    fn untag<'a>(&'a self, cx: &'a Context, arn: &'a Arn, keys: &'a [String]) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let name = named(cx, arn).map_err(PortError::from_service)?;
            untag(self, cx, Some(name), keys).await.map_err(PortError::from_service)
        })
    }
}

/// # Errors
/// `ResourceNotFoundException` for what is no delivery stream.
fn named(cx: &Context, arn: &Arn) -> Result<String, Error> {
    let none = || Error::NotFound { name: arn.resource().to_owned(), account: cx.account.to_string() };
    arn.resource().strip_prefix("deliverystream/").map(str::to_owned).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn streams_with_tags_are_listed_and_changed_by_arn() {
        let world = World::new();
        let firehose = world.start().await;
        let cx = wire::testing::context();
        for name in ["b", "a", "bare"] {
            world.create(&firehose, name, json!({})).await;
        }
        let arn = |name: &str| cx.arn("firehose", &format!("deliverystream/{name}"));
        let tags = [("k".to_owned(), "v".to_owned())];
        firehose.tag(&cx, &arn("b"), &tags).await.unwrap();
        firehose.tag(&cx, &arn("a"), &tags).await.unwrap();
        let listed = |found: Vec<TaggedResource>| -> Vec<String> {
            found.into_iter().map(|found| format!("{} {:?}", found.arn, found.tags)).collect()
        };
        let expect = [arn("a"), arn("b")].map(|arn| format!("{arn} [(\"k\", \"v\")]"));
        assert_eq!(listed(firehose.tagged(&cx).await.unwrap()), expect);
        let elsewhere = Context { region: "eu-west-1".parse().unwrap(), ..cx.clone() };
        assert!(firehose.tagged(&elsewhere).await.unwrap().is_empty());
        firehose.untag(&cx, &arn("a"), &["k".to_owned()]).await.unwrap();
        assert_eq!(firehose.tagged(&cx).await.unwrap().len(), 1);
        for (wrong, code) in [
            (arn("none"), "ResourceNotFoundException"),
            (cx.arn("firehose", "x"), "ResourceNotFoundException"),
        ] {
            assert_eq!(firehose.tag(&cx, &wrong, &tags).await.unwrap_err().code, code);
            assert_eq!(firehose.untag(&cx, &wrong, &["k".to_owned()]).await.unwrap_err().code, code);
        }
        let bad = [("aws:k".to_owned(), "v".to_owned())];
        assert_eq!(firehose.tag(&cx, &arn("a"), &bad).await.unwrap_err().code, "ValidationException");
    }
}
