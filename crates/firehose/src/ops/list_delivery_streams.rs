//! `ListDeliveryStreams`: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ListDeliveryStreams.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::constraint::Violations;
use crate::error::Error;
use crate::limits;
use crate::service::Firehose;

pub(super) struct ListDeliveryStreams;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    /// 1–10,000; 10 when omitted.
    limit: Option<i64>,
    /// Every stream is DirectPut.
    delivery_stream_type: Option<String>,
    /// Need not exist.
    exclusive_start_delivery_stream_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    delivery_stream_names: Vec<String>,
    has_more_delivery_streams: bool,
}

impl Operation for ListDeliveryStreams {
    type Service = Firehose;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListDeliveryStreams";
    const ACTION: &'static str = "firehose:ListDeliveryStreams";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationException`.
    async fn handle(service: &Firehose, cx: &Context, request: Request) -> Result<Response, Error> {
        let (max, default) = limits::LIST_MAX_AND_DEFAULT;
        let mut violations = Violations::default();
        if let Some(limit) = request.limit {
            violations.range("limit", limit, (1, max));
        }
        if let Some(kind) = &request.delivery_stream_type {
            let types = ["DirectPut", "KinesisStreamAsSource", "MSKAsSource", "DatabaseAsSource"];
            violations.one_of("deliveryStreamType", kind, &types);
        }
        violations.finish()?;
        if request.delivery_stream_type.is_some_and(|kind| kind != "DirectPut") {
            return Ok(Response { delivery_stream_names: Vec::new(), has_more_delivery_streams: false });
        }
        let limit = request.limit.and_then(|limit| limit.try_into().ok()).unwrap_or(default);
        let after = request.exclusive_start_delivery_stream_name;
        let mut names = service.inner.registry.names(&cx.account, &cx.region, after.as_deref(), limit + 1);
        let has_more_delivery_streams = names.len() > limit;
        names.truncate(limit);
        Ok(Response { delivery_stream_names: names, has_more_delivery_streams })
    }
}

#[cfg(test)]
mod tests {
    use kernel::Region;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::World;

    async fn names(world: &World, firehose: &Firehose, request: Value) -> (Vec<String>, bool) {
        let listed = world.call(firehose, "ListDeliveryStreams", request).await.unwrap();
        let names = listed["DeliveryStreamNames"].as_array().unwrap();
        let names = names.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        (names, listed["HasMoreDeliveryStreams"].as_bool().unwrap())
    }

    #[tokio::test]
    async fn names_are_in_order_and_in_pages() {
        let world = World::new();
        let firehose = world.start().await;
        for n in (0..12).rev() {
            world.create(&firehose, &format!("s{n:02}"), json!({})).await;
        }
        let (page, more) = names(&world, &firehose, json!({})).await;
        assert_eq!((page.len(), page[0].as_str(), more), (10, "s00", true));
        let rest = json!({"ExclusiveStartDeliveryStreamName": page[9]});
        assert_eq!(names(&world, &firehose, rest).await, (vec!["s10".to_owned(), "s11".to_owned()], false));
        let other = json!({"DeliveryStreamType": "MSKAsSource"});
        assert_eq!(names(&world, &firehose, other).await, (vec![], false));
        let exact = json!({"Limit": 12, "DeliveryStreamType": "DirectPut"});
        assert!(!names(&world, &firehose, exact).await.1);
    }

    #[tokio::test]
    async fn ten_thousand_streams_in_two_regions() {
        let world = World::new();
        let firehose = world.start().await;
        let regions: [Region; 2] = ["us-east-1".parse().unwrap(), "eu-west-1".parse().unwrap()];
        for region in &regions {
            for n in 0..500 {
                let request = json!({"DeliveryStreamName": format!("s{n}"), "S3DestinationConfiguration":
                    {"RoleARN": "arn:aws:iam::1:role/r", "BucketARN": "arn:aws:s3:::lake"}});
                world.call_in(&firehose, region, "CreateDeliveryStream", request).await.unwrap();
            }
        }
        // The others as an earlier run of the node would have left them.
        for created in firehose.inner.registry.all() {
            for n in 1..10 {
                let mut entity = created.state().stored.entity.clone();
                entity.name = format!("{}-{n}", entity.name);
                firehose.inner.streams.insert(&entity.parts(), &entity).await.unwrap();
            }
        }
        let firehose = world.start().await;
        assert_eq!(firehose.inner.registry.all().len(), 10_000);
        let mut all = Vec::new();
        loop {
            let request = match all.last() {
                Some(last) => json!({"Limit": 999, "ExclusiveStartDeliveryStreamName": last}),
                None => json!({"Limit": 999}),
            };
            let (page, more) = names(&world, &firehose, request).await;
            all.extend(page);
            if !more {
                break;
            }
        }
        assert_eq!(all.len(), 5_000);
        assert!(all.is_sorted());
    }

    #[tokio::test]
    async fn a_limit_out_of_range_is_refused() {
        let world = World::new();
        let firehose = world.start().await;
        let request = json!({"Limit": 10_001, "DeliveryStreamType": "x"});
        let fault = world.call(&firehose, "ListDeliveryStreams", request).await.unwrap_err();
        assert_eq!(
            fault.message,
            "2 validation errors detected: Value at 'limit' failed to satisfy constraint: Member must have value less \
             than or equal to 10000; Value at 'deliveryStreamType' failed to satisfy constraint: Member must satisfy \
             enum value set: [DirectPut, KinesisStreamAsSource, MSKAsSource, DatabaseAsSource]"
        );
    }
}
