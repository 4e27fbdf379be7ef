//! The operations of the data plane.

mod get_retained_message;
mod list_retained_messages;
mod publish;

use wire::{Body, Entry, Http, Param};

use crate::Gateway;
use crate::ops::get_retained_message::GetRetainedMessage;
use crate::ops::list_retained_messages::ListRetainedMessages;
use crate::ops::publish::Publish;
pub(crate) use crate::ops::publish::Request as PublishRequest;

/// Every operation that is served.
pub const OPERATIONS: &[Entry<Gateway>] = &[
    Entry::rest::<Publish>(
        Http::new("POST", "/topics/{topic+}")
            .query(&[
                Param::number("qos"),
                Param::flag("retain"),
                Param::text("contentType"),
                Param::text("responseTopic"),
                Param::number("messageExpiry"),
            ])
            .headers(&[
                Param::text("x-amz-mqtt5-user-properties").member("userProperties"),
                Param::text("x-amz-mqtt5-payload-format-indicator").member("payloadFormatIndicator"),
                Param::text("x-amz-mqtt5-correlation-data").member("correlationData"),
            ])
            .body(Body::Raw("payload")),
    ),
    Entry::rest::<GetRetainedMessage>(Http::new("GET", "/retainedMessage/{topic+}")),
    Entry::rest::<ListRetainedMessages>(
        Http::new("GET", "/retainedMessage").query(&[Param::number("maxResults"), Param::text("nextToken")]),
    ),
];
