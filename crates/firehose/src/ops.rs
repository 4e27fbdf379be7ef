//! The operations: one row, one file each. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_Operations.html>

mod create_delivery_stream;
mod delete_delivery_stream;
mod describe_delivery_stream;
mod list_delivery_streams;
mod list_tags_for_delivery_stream;
mod put_record;
mod put_record_batch;
mod tag_delivery_stream;
mod untag_delivery_stream;
mod update_destination;

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Descriptor, Entry, Operation, Protocol, Resource};

use crate::constraint::Violations;
use crate::error::Error;
use crate::limits;
use crate::service::Firehose;

/// What the service is called and how it speaks.
pub static DESCRIPTOR: Descriptor = Descriptor {
    signing_name: "firehose",
    protocols: &[Protocol::Json { version: "1.1", target_prefix: "Firehose_20150804" }],
    validation_code: "ValidationException",
};

/// Every operation.
pub const OPERATIONS: &[Entry<Firehose>] = &[
    Entry::of::<create_delivery_stream::CreateDeliveryStream>(),
    Entry::of::<delete_delivery_stream::DeleteDeliveryStream>(),
    Entry::of::<describe_delivery_stream::DescribeDeliveryStream>(),
    Entry::of::<list_delivery_streams::ListDeliveryStreams>(),
    Entry::of::<list_tags_for_delivery_stream::ListTagsForDeliveryStream>(),
    Entry::of::<put_record::PutRecord>(),
    Entry::of::<put_record_batch::PutRecordBatch>(),
    Entry::of::<tag_delivery_stream::TagDeliveryStream>(),
    Entry::of::<untag_delivery_stream::UntagDeliveryStream>(),
    Entry::of::<update_destination::UpdateDestination>(),
];

/// An answer without members.
#[derive(Serialize)]
struct Empty {}

/// Adds tags, as TagDeliveryStream does.
///
/// # Errors
/// As TagDeliveryStream.
pub(crate) async fn tag(
    service: &Firehose,
    cx: &Context,
    name: Option<String>,
    tags: &[(String, String)],
) -> Result<(), Error> {
    let tag = |(key, value): &(String, String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
    let tags = Some(tags.iter().map(tag).collect());
    let request = tag_delivery_stream::Request { delivery_stream_name: name, tags };
    tag_delivery_stream::TagDeliveryStream::handle(service, cx, request).await.map(drop)
}

/// Removes tags, as UntagDeliveryStream does.
///
/// # Errors
/// As UntagDeliveryStream.
pub(crate) async fn untag(
    service: &Firehose,
    cx: &Context,
    name: Option<String>,
    keys: &[String],
) -> Result<(), Error> {
    let request =
        untag_delivery_stream::Request { delivery_stream_name: name, tag_keys: Some(keys.to_vec()) };
    untag_delivery_stream::UntagDeliveryStream::handle(service, cx, request).await.map(drop)
}

/// The stream a request names.
pub(crate) fn named(cx: &Context, name: &str) -> Resource {
    cx.arn("firehose", &format!("deliverystream/{name}")).into()
}

/// A tag on the wire.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

fn is_tag_text(text: &str) -> bool {
    let legal =
        |c: char| c.is_alphanumeric() || "_.:/=+-@%".contains(c) || (c.is_whitespace() && !c.is_control());
    text.chars().all(legal)
}

/// Tags as CreateDeliveryStream and TagDeliveryStream take them.
fn constrain_tags(tags: &[Tag], violations: &mut Violations) {
    let (key_max, value_max) = limits::TAG_CHARS_MAX;
    violations.length("tags", tags.len(), 1, limits::TAGS_MAX);
    for (n, tag) in tags.iter().enumerate() {
        let (key, value) = (format!("tags.{}.member.key", n + 1), format!("tags.{}.member.value", n + 1));
        violations.required(&key, tag.key.as_ref());
        if let Some(text) = &tag.key {
            let legal = is_tag_text(text) && !text.starts_with("aws:");
            violations.length(&key, text.chars().count(), 1, key_max);
            violations.pattern(&key, r"^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$", legal);
        }
        if let Some(text) = &tag.value {
            violations.length(&value, text.chars().count(), 0, value_max);
            violations.pattern(&value, r"^[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$", is_tag_text(text));
        }
    }
}
