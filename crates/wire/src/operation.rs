//! An operation, a row of a service's table, and a service.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderValue;
use kernel::{Context, ServiceError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::authorize::{Authorize, Resource};
use crate::envelope::Fault;
use crate::rest::Http;

/// One AWS action. Its file holds request, response, this, and tests.
pub trait Operation: 'static {
    /// What the handler works on.
    type Service: Send + Sync + 'static;
    /// The input, by its members' names on the wire.
    type Request: DeserializeOwned + Send;
    /// The output, by its members' names on the wire.
    type Response: Serialize;
    /// The service's errors.
    type Error: ServiceError;

    /// The operation's name in the API model.
    const NAME: &'static str;

    /// The IAM action: `firehose:PutRecord`.
    const ACTION: &'static str;

    /// What the action is performed on, for the authorisation.
    fn resource(cx: &Context, request: &Self::Request) -> Resource;

    /// Does it.
    fn handle(
        service: &Self::Service,
        cx: &Context,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, Self::Error>> + Send;
}

/// The way a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON: `X-Amz-Target: <target_prefix>.<Operation>`.
    Json {
        /// `1.0` or `1.1`.
        version: &'static str,
        /// `Firehose_20150804`.
        target_prefix: &'static str,
    },
    /// REST-JSON: method and path name the operation.
    RestJson,
    /// Query: `Action=…&Version=…` in, XML out.
    Query {
        /// `2011-06-15`.
        version: &'static str,
        /// XML namespace of the answer.
        namespace: &'static str,
    },
}

impl Protocol {
    pub(crate) fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json { version: "1.0", .. } => "application/x-amz-json-1.0",
            Self::Json { .. } => "application/x-amz-json-1.1",
            Self::RestJson => "application/json",
            Self::Query { .. } => "text/xml",
        })
    }
}

/// What a service is called and how it speaks. A constant of its crate.
#[derive(Debug)]
pub struct Descriptor {
    /// The name in a signature's scope: `firehose`.
    pub signing_name: &'static str,
    /// How it speaks.
    pub protocol: Protocol,
    /// The exception for a request that violates the model: `ValidationException`.
    pub validation_code: &'static str,
}

/// A row of a service's table.
pub struct Entry<S> {
    /// The operation's name.
    pub name: &'static str,
    /// The IAM action.
    pub action: &'static str,
    /// The REST-JSON binding, for services that speak it.
    pub http: Option<Http>,
    call: for<'a> fn(Call<'a, S>) -> BoxFuture<'a, Result<Bytes, Fault>>,
}

struct Call<'a, S> {
    service: &'a S,
    descriptor: &'static Descriptor,
    cx: &'a Context,
    input: Input,
    authorize: &'a dyn Authorize,
}

/// An operation's input before it is decoded.
pub enum Input {
    /// The text of a JSON object; empty means no members.
    Text(Bytes),
    /// Members gathered from several places.
    Members(Value),
}

impl<S: Send + Sync + 'static> Entry<S> {
    /// The row of an operation.
    pub const fn of<O: Operation<Service = S>>() -> Self {
        Self { name: O::NAME, action: O::ACTION, http: None, call: call::<O> }
    }

    /// The row of a REST-JSON operation.
    pub const fn rest<O: Operation<Service = S>>(http: Http) -> Self {
        Self { name: O::NAME, action: O::ACTION, http: Some(http), call: call::<O> }
    }
}

fn call<O: Operation>(call: Call<'_, O::Service>) -> BoxFuture<'_, Result<Bytes, Fault>> {
    Box::pin(async move {
        let request = decode::<O::Request>(call.input, call.descriptor)?;
        let resource = O::resource(call.cx, &request);
        if let Err(denied) = call.authorize.authorize(call.cx, O::ACTION, &resource) {
            let code = match call.descriptor.protocol {
                Protocol::Query { .. } => "AccessDenied",
                _ => "AccessDeniedException",
            };
            return Err(Fault::new(403, code, denied.to_string()));
        }
        let response =
            O::handle(call.service, call.cx, request).await.map_err(|error| Fault::from_service(&error))?;
        let text =
            serde_json::to_vec(&response).expect("responses have string keys and no failing Serialize");
        Ok(Bytes::from(text))
    })
}

fn decode<R: DeserializeOwned>(input: Input, descriptor: &Descriptor) -> Result<R, Fault> {
    let decoded = match input {
        Input::Text(text) if text.iter().all(u8::is_ascii_whitespace) => serde_json::from_str("{}"),
        // Only where a null is in the way is the whole text looked through: records are megabytes.
        Input::Text(text) => serde_json::from_slice(&text).or_else(|error| {
            if !error.to_string().starts_with("invalid type: null") {
                return Err(error);
            }
            serde_json::from_value(without_nulls(serde_json::from_slice(&text)?))
        }),
        Input::Members(members) => serde_json::from_value(without_nulls(members)),
    };
    decoded.map_err(|error| {
        let text = error.to_string();
        let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
        match missing {
            Some((member, _)) => Fault::new(400, descriptor.validation_code, null_member(member)),
            // What a type's own check says: `validation: <sentence>`.
            None => match text.strip_prefix("validation: ") {
                Some(sentence) => {
                    let sentence = sentence.split(" at line ").next().unwrap_or(sentence);
                    Fault::new(400, descriptor.validation_code, sentence)
                }
                None => Fault::new(400, unreadable(descriptor), text),
            },
        }
    })
}

/// The exception for an input that is not of the model's types; Query's services know no other than the validation's.
fn unreadable(descriptor: &Descriptor) -> &'static str {
    match descriptor.protocol {
        Protocol::Query { .. } => descriptor.validation_code,
        _ => "SerializationException",
    }
}

/// The same without the members that are null, which is how some clients say that there is none.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let given = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(given.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// Coral's sentence for a required member that is missing.
fn null_member(member: &str) -> String {
    let mut chars = member.chars();
    let lower: String =
        chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default();
    format!(
        "1 validation error detected: Value null at '{lower}' failed to satisfy constraint: Member must not be null"
    )
}

/// A service behind its table, without its type.
pub trait Service: Send + Sync {
    /// What it is called and how it speaks.
    fn descriptor(&self) -> &'static Descriptor;

    /// Names and bindings of its operations, in the order of the table.
    fn operations(&self) -> Vec<(&'static str, &'static str, Option<Http>)>;

    /// Decodes, authorises, handles; the output is JSON. None if there is no such operation.
    fn call<'a>(
        &'a self,
        cx: &'a Context,
        operation: &str,
        input: Input,
        authorize: &'a dyn Authorize,
    ) -> Option<BoxFuture<'a, Result<Bytes, Fault>>>;
}

struct Bound<S: 'static> {
    descriptor: &'static Descriptor,
    operations: &'static [Entry<S>],
    service: Arc<S>,
}

/// A service behind its table.
pub fn service<S: Send + Sync + 'static>(
    descriptor: &'static Descriptor,
    operations: &'static [Entry<S>],
    service: Arc<S>,
) -> Arc<dyn Service> {
    Arc::new(Bound { descriptor, operations, service })
}

impl<S: Send + Sync + 'static> Service for Bound<S> {
    fn descriptor(&self) -> &'static Descriptor {
        self.descriptor
    }

    fn operations(&self) -> Vec<(&'static str, &'static str, Option<Http>)> {
        self.operations.iter().map(|entry| (entry.name, entry.action, entry.http)).collect()
    }

    fn call<'a>(
        &'a self,
        cx: &'a Context,
        operation: &str,
        input: Input,
        authorize: &'a dyn Authorize,
    ) -> Option<BoxFuture<'a, Result<Bytes, Fault>>> {
        let entry = self.operations.iter().find(|entry| entry.name == operation)?;
        let service = &*self.service;
        Some((entry.call)(Call { service, descriptor: self.descriptor, cx, input, authorize }))
    }
}
