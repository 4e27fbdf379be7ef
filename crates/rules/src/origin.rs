//! Where a message came from: all that a template of the error action may ask of it, in a form that can be kept.

use iotsql::Payload;
use kernel::{AccountId, Context, Principal};
use mqtt::BasicIngest;
use serde::{Deserialize, Serialize};

use crate::properties::{self, Properties};

/// A message without its payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Origin {
    /// As it was published.
    pub(crate) topic: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_ip: Option<String>,
    /// Of the request that published it.
    pub(crate) trace_id: String,
    /// When it was evaluated.
    pub(crate) timestamp_ms: i64,
    pub(crate) hops: u8,
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub(crate) properties: Properties,
}

impl Origin {
    pub(crate) fn new(cx: &Context, message: &ports::Message, timestamp_ms: i64) -> Self {
        Self {
            topic: message.topic.clone(),
            client_id: message.client_id.clone(),
            principal: principal(&cx.principal).map(str::to_owned),
            source_ip: cx.source_ip.clone(),
            trace_id: cx.request_id.clone(),
            timestamp_ms,
            hops: message.hops,
            properties: Properties(message.properties.clone()),
        }
    }

    /// The message again, as statements and templates see it.
    pub(crate) fn to_sql<'a>(
        &'a self,
        account: &'a AccountId,
        payload: &'a Payload,
        random: &'a (dyn Fn() -> u128 + Sync),
    ) -> iotsql::Message<'a> {
        iotsql::Message {
            topic: topic(&self.topic),
            payload,
            timestamp_ms: self.timestamp_ms,
            account_id: account.as_str(),
            client_id: self.client_id.as_deref(),
            principal: self.principal.as_deref(),
            source_ip: self.source_ip.as_deref().and_then(|ip| ip.parse().ok()),
            trace_id: trace_id(self.client_id.as_deref(), &self.trace_id),
            properties: properties::of_sql(&self.properties.0),
            random,
        }
    }
}

/// A published message, as statements and templates see it.
pub(crate) fn to_sql<'a>(
    cx: &'a Context,
    message: &'a ports::Message,
    payload: &'a Payload,
    timestamp_ms: i64,
    random: &'a (dyn Fn() -> u128 + Sync),
) -> iotsql::Message<'a> {
    iotsql::Message {
        topic: topic(&message.topic),
        payload,
        timestamp_ms,
        account_id: cx.account.as_str(),
        client_id: message.client_id.as_deref(),
        principal: principal(&cx.principal),
        source_ip: cx.source_ip.as_deref().and_then(|ip| ip.parse().ok()),
        trace_id: trace_id(message.client_id.as_deref(), &cx.request_id),
        properties: properties::of_sql(&message.properties),
        random,
    }
}

/// The topic as SQL sees it: without `$aws/rules/RULE/`.
fn topic(published: &str) -> &str {
    BasicIngest::parse(published).map_or(published, |basic_ingest| basic_ingest.topic)
}

/// What `principal()` says: <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html#iot-function-principal>
fn principal(principal: &Principal) -> Option<&str> {
    match principal {
        Principal::Certificate { certificate_id, .. } => Some(certificate_id),
        Principal::Root { account } => Some(account.as_str()),
        Principal::User { id, .. } => Some(id),
        Principal::Session(session) => Some(&session.role_id),
        Principal::Service { .. } | Principal::Role { .. } | Principal::Anonymous => None,
    }
}

fn trace_id<'a>(client_id: Option<&str>, request_id: &'a str) -> Option<&'a str> {
    client_id.is_some().then_some(request_id).filter(|id| !id.is_empty())
}
