//! `ListRetainedMessages`: <https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_ListRetainedMessages.html>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Context;
use mqtt::Qos;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::limits::RETAINED_PAGE_MAX;
use crate::{Error, Gateway};

pub(super) struct ListRetainedMessages;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// 1–200.
    max_results: Option<i64>,
    /// The last topic of the page before, encoded.
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    retained_topics: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    topic: String,
    payload_size: usize,
    qos: u8,
    /// Milliseconds since the epoch.
    last_modified_time: i64,
}

impl Operation for ListRetainedMessages {
    type Service = Gateway;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListRetainedMessages";
    const ACTION: &'static str = "iot:ListRetainedMessages";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(gateway: &Gateway, cx: &Context, request: Request) -> Result<Response, Error> {
        let limit = match request.max_results.map(usize::try_from) {
            None => RETAINED_PAGE_MAX,
            Some(Ok(limit)) if (1..=RETAINED_PAGE_MAX).contains(&limit) => limit,
            Some(_) => {
                return Err(Error::InvalidRequest(format!("maxResults is 1 to {RETAINED_PAGE_MAX}.")));
            }
        };
        let after = match request.next_token {
            None => None,
            Some(token) => {
                let topic =
                    URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                Some(topic.ok_or_else(|| Error::InvalidRequest("The nextToken is not valid.".to_owned()))?)
            }
        };
        let broker = gateway.known_broker(&cx.account, &cx.region);
        let page = broker.map(|broker| broker.retained.page(after.as_deref(), limit + 1));
        let mut page = page.unwrap_or_default();
        let more = page.len() > limit;
        page.truncate(limit);
        let last = page.last().map(|entry| URL_SAFE_NO_PAD.encode(entry.outbound.message.topic.as_bytes()));
        let retained_topics = page
            .into_iter()
            .map(|entry| Summary {
                topic: entry.outbound.message.topic.as_ref().to_owned(),
                payload_size: entry.outbound.message.payload.len(),
                qos: u8::from(entry.qos != Qos::AtMostOnce),
                last_modified_time: entry.outbound.received_at.as_millis(),
            })
            .collect();
        Ok(Response { retained_topics, next_token: last.filter(|_| more) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wire::{service, testing};

    use crate::testing::Node;
    use crate::{DESCRIPTOR, OPERATIONS};

    #[tokio::test]
    async fn pages_are_in_the_order_of_topics() {
        let node = Node::start().await;
        let iot_data = service(&DESCRIPTOR, OPERATIONS, std::sync::Arc::clone(&node.gateway));
        let call = |operation, input| testing::call(&*iot_data, operation, input);
        for topic in ["c", "a", "b"] {
            let input = json!({"topic": topic, "payload": "aGk=", "qos": 1, "retain": true});
            call("Publish", input).await.unwrap();
        }
        let page = call("ListRetainedMessages", json!({"maxResults": 2})).await.unwrap();
        let topics: Vec<_> = page["retainedTopics"].as_array().unwrap().iter().map(|t| &t["topic"]).collect();
        assert_eq!(topics, ["a", "b"]);
        assert_eq!(page["retainedTopics"][0]["payloadSize"], 2);
        let rest = call("ListRetainedMessages", json!({"nextToken": page["nextToken"]})).await.unwrap();
        assert_eq!(rest["retainedTopics"][0]["topic"], "c");
        assert_eq!(rest.get("nextToken"), None);
        for bad in [json!({"maxResults": 0}), json!({"maxResults": 201}), json!({"nextToken": "?"})] {
            assert_eq!(call("ListRetainedMessages", bad).await.unwrap_err().code, "InvalidRequestException");
        }
    }
}
