//! `UpdateDestination`: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_UpdateDestination.html>
//!
//! Members that are absent keep their values; BufferingHints and ProcessingConfiguration are replaced whole. A refused update
//! leaves everything as it was, the version too. A delivery under way goes where it was going.
//!
//! Differs from AWS: an update is effective for the next delivery, not within minutes.

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use super::describe_delivery_stream::DESTINATION_ID;
use super::{Empty, named};
use crate::configuration::S3Configuration;
use crate::constraint::Violations;
use crate::delivery_stream::{DeliveryStream, Target};
use crate::error::Error;
use crate::limits;
use crate::service::Firehose;

pub(super) struct UpdateDestination;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    delivery_stream_name: Option<String>,
    current_delivery_stream_version_id: Option<String>,
    destination_id: Option<String>,
    s3_destination_update: Option<S3Configuration>,
    extended_s3_destination_update: Option<S3Configuration>,
    #[serde(flatten)]
    others: Others,
}

/// Members that are refused when they are given.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Others {
    http_endpoint_destination_update: Option<Value>,
    redshift_destination_update: Option<Value>,
    elasticsearch_destination_update: Option<Value>,
    amazonopensearchservice_destination_update: Option<Value>,
    amazon_open_search_serverless_destination_update: Option<Value>,
    splunk_destination_update: Option<Value>,
    snowflake_destination_update: Option<Value>,
    iceberg_destination_update: Option<Value>,
}

impl Others {
    fn count(&self) -> usize {
        [
            &self.http_endpoint_destination_update,
            &self.redshift_destination_update,
            &self.elasticsearch_destination_update,
            &self.amazonopensearchservice_destination_update,
            &self.amazon_open_search_serverless_destination_update,
            &self.splunk_destination_update,
            &self.snowflake_destination_update,
            &self.iceberg_destination_update,
        ]
        .into_iter()
        .flatten()
        .count()
    }
}

impl Request {
    /// The first layer of validation.
    fn constrain(&self) -> Result<(), Error> {
        let updates = [
            ("s3DestinationUpdate", self.s3_destination_update.as_ref()),
            ("extendedS3DestinationUpdate", self.extended_s3_destination_update.as_ref()),
        ];
        for update in updates.iter().filter_map(|(_, update)| *update) {
            update.check_role()?;
        }
        let mut violations = Violations::default();
        violations.name(self.delivery_stream_name.as_ref());
        let version = "currentDeliveryStreamVersionId";
        violations.required(version, self.current_delivery_stream_version_id.as_ref());
        if let Some(given) = &self.current_delivery_stream_version_id {
            violations.length(version, given.chars().count(), 1, 50);
            violations.pattern(version, "[0-9]+", given.chars().all(|c| c.is_ascii_digit()));
        }
        violations.required("destinationId", self.destination_id.as_ref());
        if let Some(given) = &self.destination_id {
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
            violations.length("destinationId", given.chars().count(), 1, limits::DESTINATION_ID_CHARS_MAX);
            violations.pattern("destinationId", "[a-zA-Z0-9-]+", given.chars().all(legal));
        }
        for (path, update) in updates {
            if let Some(update) = update {
                update.constrain(path, &mut violations);
            }
        }
        violations.finish()
    }

    /// The one update, which must be of S3.
    fn into_update(self) -> Result<S3Configuration, Error> {
        if self.others.http_endpoint_destination_update.is_some() {
            return Err(Error::invalid(
                "Changing the destination type to or from HttpEndpoint is not supported at this time",
            ));
        }
        let plain = self.s3_destination_update.map(S3Configuration::plain);
        let mut s3: Vec<_> = plain.into_iter().chain(self.extended_s3_destination_update).collect();
        match (s3.pop(), s3.len() + self.others.count()) {
            (Some(update), 0) => Ok(update),
            (None, 1) => {
                Err(Error::invalid("Changing the destination type from S3 is not supported here yet."))
            }
            _ => Err(Error::invalid("Exactly one destination configuration is supported for a Firehose")),
        }
    }
}

impl Operation for UpdateDestination {
    type Service = Firehose;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "UpdateDestination";
    const ACTION: &'static str = "firehose:UpdateDestination";

    fn resource(cx: &Context, request: &Request) -> Resource {
        named(cx, request.delivery_stream_name.as_deref().unwrap_or_default())
    }

    /// # Errors
    /// `ResourceNotFoundException`, `ConcurrentModificationException`, `InvalidArgumentException`, `ValidationException`,
    /// `AccessDeniedException`.
    async fn handle(service: &Firehose, cx: &Context, request: Request) -> Result<Empty, Error> {
        request.constrain()?;
        let name = request.delivery_stream_name.clone().unwrap_or_default();
        let specified = request.current_delivery_stream_version_id.clone().unwrap_or_default();
        let destination_id = request.destination_id.clone().unwrap_or_default();
        let not_found = |error| match error {
            Error::NotFound { name, account } => Error::UpdateNotFound { name, account },
            error => error,
        };
        service.inner.stream(cx, &name).map_err(not_found)?;
        let update = request.into_update()?;
        let now = service.inner.clock.now();
        let change = |stream: &mut DeliveryStream| {
            let current = stream.version;
            if specified.parse() != Ok(current) {
                let (name, specified) = (stream.name.clone(), specified.clone());
                return Err(Error::ConcurrentModification { name, current, specified });
            }
            if destination_id != DESTINATION_ID {
                return Err(Error::invalid(format!("Destination Id {destination_id} not found")));
            }
            stream.destination = update.clone().merge_into(stream.destination.clone())?;
            if update.names_role() {
                service.inner.check_role(cx, stream)?;
            }
            stream.version += 1;
            stream.updated_at = Some(now);
            Target::of(stream).map(drop)
        };
        service.inner.update(cx, &name, change).await.map_err(not_found)?;
        Ok(Empty {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{World, merged};

    fn request(members: Value) -> Value {
        let base = json!({"DeliveryStreamName": "a", "CurrentDeliveryStreamVersionId": "1",
                          "DestinationId": "destinationId-000000000001"});
        merged(base, members)
    }

    async fn described(world: &World, firehose: &Firehose) -> Value {
        let request = json!({"DeliveryStreamName": "a"});
        let described = world.call(firehose, "DescribeDeliveryStream", request).await.unwrap();
        described["DeliveryStreamDescription"].clone()
    }

    #[tokio::test]
    async fn what_is_absent_stays_and_the_version_grows() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({"Prefix": "p/", "CompressionFormat": "GZIP"})).await;
        world.clock.advance(std::time::Duration::from_secs(1));
        let hints = json!({"SizeInMBs": 1, "IntervalInSeconds": 60});
        let update = request(json!({"ExtendedS3DestinationUpdate": {"BufferingHints": hints}}));
        assert_eq!(world.call(&firehose, "UpdateDestination", update.clone()).await.unwrap(), json!({}));
        let description = described(&world, &firehose).await;
        let destination = &description["Destinations"][0]["ExtendedS3DestinationDescription"];
        assert_eq!(
            (&destination["Prefix"], &destination["CompressionFormat"]),
            (&json!("p/"), &json!("GZIP"))
        );
        assert_eq!(destination["BufferingHints"], hints);
        assert_eq!(description["VersionId"], "2");
        assert_eq!(description["LastUpdateTimestamp"], 1_503_733_633.345);

        let fault = world.call(&firehose, "UpdateDestination", update).await.unwrap_err();
        assert_eq!(
            fault.to_string(),
            "ConcurrentModificationException: Cannot update firehose: a since the current version id: 2 and specified \
             version id: 1 do not match"
        );
    }

    #[tokio::test]
    async fn a_role_that_is_given_is_one_that_the_caller_may_pass() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let before = described(&world, &firehose).await;
        world.roles.set_forbidden("iam:PassRole", true);
        let role = json!({"RoleARN": "arn:aws:iam::000000000000:role/other"});
        let update = request(json!({"ExtendedS3DestinationUpdate": role}));
        let fault = world.call(&firehose, "UpdateDestination", update).await.unwrap_err();
        assert_eq!((fault.status, fault.code.as_str()), (400, "AccessDeniedException"));
        assert_eq!(described(&world, &firehose).await, before);
        world.update(&firehose, "a", json!({"Prefix": "p/"})).await;
    }

    #[tokio::test]
    async fn a_refused_update_changes_nothing() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({"Prefix": "p/"})).await;
        let before = described(&world, &firehose).await;
        let s3 = json!({"Prefix": "q/"});
        for (members, expect) in [
            (
                json!({"DeliveryStreamName": "b", "S3DestinationUpdate": s3}),
                "ResourceNotFoundException: Firehose b under accountId 000000000000 not found",
            ),
            (
                json!({"DestinationId": "destinationId-2", "S3DestinationUpdate": s3}),
                "InvalidArgumentException: Destination Id destinationId-2 not found",
            ),
            (
                json!({}),
                "InvalidArgumentException: Exactly one destination configuration is supported for a Firehose",
            ),
            (
                json!({"S3DestinationUpdate": s3, "ExtendedS3DestinationUpdate": s3}),
                "InvalidArgumentException: Exactly one destination configuration is supported for a Firehose",
            ),
            (
                json!({"HttpEndpointDestinationUpdate": {}}),
                "InvalidArgumentException: Changing the destination type to or from HttpEndpoint is not supported at \
                 this time",
            ),
            (
                json!({"SplunkDestinationUpdate": {}}),
                "InvalidArgumentException: Changing the destination type from S3 is not supported here yet.",
            ),
            (
                json!({"S3DestinationUpdate": {"Prefix": "q/", "CompressionFormat": "ZIP"}}),
                "InvalidArgumentException: The compression format ZIP is not supported here yet.",
            ),
            (
                json!({"S3DestinationUpdate": {"RoleARN": "x"}}),
                "InvalidParameterValueException: Invalid role ARN.",
            ),
            (
                json!({"S3DestinationUpdate": {"BufferingHints": {"SizeInMBs": 0}}}),
                "ValidationException: 1 validation error detected: Value at \
                 's3DestinationUpdate.bufferingHints.sizeInMBs' failed to satisfy constraint: Member must have value \
                 greater than or equal to 1",
            ),
            (
                json!({"CurrentDeliveryStreamVersionId": "x", "DestinationId": "a b"}),
                "ValidationException: 2 validation errors detected: Value at 'currentDeliveryStreamVersionId' failed to \
                 satisfy constraint: Member must satisfy regular expression pattern: [0-9]+; Value at 'destinationId' \
                 failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9-]+",
            ),
        ] {
            let fault = world.call(&firehose, "UpdateDestination", request(members)).await.unwrap_err();
            assert_eq!(fault.to_string(), expect);
        }
        assert_eq!(described(&world, &firehose).await, before);
    }
}
