//! `DeleteDeliveryStream`: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_DeleteDeliveryStream.html>
//!
//! What is buffered and not delivered is discarded.
//!
//! Differs from AWS: the stream is gone at once; AWS takes a while in DELETING.
//! Differs from AWS: AllowForceDelete changes nothing, since there is no grant on a key that could be left behind.

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use super::{Empty, named};
use crate::constraint;
use crate::error::Error;
use crate::service::Firehose;

pub(super) struct DeleteDeliveryStream;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    delivery_stream_name: Option<String>,
    #[serde(rename = "AllowForceDelete")]
    _allow_force_delete: Option<bool>,
}

impl Operation for DeleteDeliveryStream {
    type Service = Firehose;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "DeleteDeliveryStream";
    const ACTION: &'static str = "firehose:DeleteDeliveryStream";

    fn resource(cx: &Context, request: &Request) -> Resource {
        named(cx, request.delivery_stream_name.as_deref().unwrap_or_default())
    }

    /// # Errors
    /// `ResourceNotFoundException`.
    async fn handle(service: &Firehose, cx: &Context, request: Request) -> Result<Empty, Error> {
        service.inner.delete(cx, &constraint::name(request.delivery_stream_name)?).await?;
        Ok(Empty {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_deleted_stream_leaves_nothing_to_the_next_of_its_name() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        world.put(&firehose, "a", &["old"]).await;
        let stream = firehose.inner.registry.all().remove(0);
        firehose.inner.intend(&stream).await.unwrap().unwrap();
        let deleted = world.call(&firehose, "DeleteDeliveryStream", json!({"DeliveryStreamName": "a"})).await;
        assert_eq!(deleted.unwrap(), json!({}));
        assert!(stream.state().deleted);
        assert!(firehose.inner.log.logs("firehose/").is_empty());
        assert!(firehose.inner.intents.list(&[]).await.unwrap().is_empty());

        world.create(&firehose, "a", json!({})).await;
        assert!(world.buffered(&firehose, "").await.is_empty());
        let firehose = world.start().await;
        world.deliver_all(&firehose).await;
        assert!(world.lake.keys().is_empty());
    }

    #[tokio::test]
    async fn an_unknown_stream_is_not_found() {
        let world = World::new();
        let firehose = world.start().await;
        let deleted = world.call(&firehose, "DeleteDeliveryStream", json!({"DeliveryStreamName": "a"})).await;
        assert_eq!(
            deleted.unwrap_err().to_string(),
            "ResourceNotFoundException: Firehose a under account 000000000000 not found."
        );
    }

    #[tokio::test]
    async fn a_log_left_behind_is_deleted_at_the_next_start() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let stream = firehose.inner.registry.all().remove(0);
        world.call(&firehose, "DeleteDeliveryStream", json!({"DeliveryStreamName": "a"})).await.unwrap();
        // A put that had found the stream before it was deleted, and appends after.
        firehose.inner.append(&stream, vec!["late".into()]).await.unwrap();
        assert_eq!(firehose.inner.log.logs("firehose/").len(), 1);
        world.start().await;
        assert!(firehose.inner.log.logs("firehose/").is_empty());
    }
}
