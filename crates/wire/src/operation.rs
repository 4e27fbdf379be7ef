//! An operation, a row of a service's table, and a service.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use kernel::{Context, Principal, ServiceError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::authorize::{Authorize, Facts, Resource};
use crate::document::{Document, to_document};
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

    /// The service's own condition keys and their values: `("cloudwatch:namespace", ["App"])`.
    fn condition_keys(_request: &Self::Request) -> Vec<(&'static str, Vec<String>)> {
        Vec::new()
    }

    /// Does it.
    fn handle(
        service: &Self::Service,
        cx: &Context,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, Self::Error>> + Send;
}

/// A way in which a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON: `X-Amz-Target: <target_prefix>.<Operation>`. Bodies may be CBOR.
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
        /// Codes that are not the names of their errors: `("InvalidParameterValueException", "InvalidParameterValue")`.
        codes: &'static [(&'static str, &'static str)],
    },
    /// Smithy RPC v2 CBOR: `POST /service/<service>/operation/<Operation>`.
    /// <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>
    RpcV2Cbor {
        /// `GraniteServiceVersion20100801`.
        service: &'static str,
    },
}

/// What a service is called and how it speaks. A constant of its crate.
#[derive(Debug)]
pub struct Descriptor {
    /// The name in a signature's scope: `firehose`.
    pub signing_name: &'static str,
    /// How it speaks; the first is meant where a request does not say.
    pub protocols: &'static [Protocol],
    /// The exception for a request that violates the model: `ValidationException`.
    pub validation_code: &'static str,
}

impl Descriptor {
    /// Whether it speaks nothing but Query.
    fn is_query(&self) -> bool {
        self.protocols.iter().all(|protocol| matches!(protocol, Protocol::Query { .. }))
    }
}

/// Whether an operation may be called without a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Authentication {
    /// It may not: all but a few.
    Signature,
    /// It may, because its input proves who calls; it decides alone whether they may.
    Input,
}

/// A row of a service's table.
pub struct Entry<S> {
    /// The operation's name.
    pub name: &'static str,
    /// The IAM action.
    pub action: &'static str,
    /// The REST-JSON binding, for services that speak it.
    pub http: Option<Http>,
    authentication: Authentication,
    call: for<'a> fn(Call<'a, S>) -> BoxFuture<'a, Result<Output, Fault>>,
}

struct Call<'a, S> {
    service: &'a S,
    descriptor: &'static Descriptor,
    cx: &'a Context,
    input: Input,
    authentication: Authentication,
    authorize: &'a dyn Authorize,
}

/// An operation's input before it is decoded.
pub enum Input {
    /// The text of a JSON object; empty means no members.
    Text(Bytes),
    /// Members gathered from several places.
    Members(Value),
    /// Members of a form or of CBOR.
    Document(Opaque),
}

/// An operation's output: in JSON where its input was, else as a document.
pub enum Output {
    /// The text of a JSON value.
    Json(Bytes),
    /// What CBOR or XML is to be made of.
    Document(Opaque),
}

/// A document, of which only this crate knows how it is read and written.
pub struct Opaque(pub(crate) Document);

impl<S: Send + Sync + 'static> Entry<S> {
    /// The row of an operation.
    pub const fn of<O: Operation<Service = S>>() -> Self {
        Self {
            name: O::NAME,
            action: O::ACTION,
            http: None,
            authentication: Authentication::Signature,
            call: call::<O>,
        }
    }

    /// The row of a REST-JSON operation.
    pub const fn rest<O: Operation<Service = S>>(http: Http) -> Self {
        Self { http: Some(http), ..Self::of::<O>() }
    }

    /// The row of an operation that may be called without a signature, as [`kernel::Principal::Anonymous`], because its input proves who calls
    /// (`AssumeRoleWithWebIdentity`). No policy is asked then: the handler itself decides whether they may.
    pub const fn unsigned<O: Operation<Service = S>>() -> Self {
        Self { authentication: Authentication::Input, ..Self::of::<O>() }
    }
}

fn call<O: Operation>(call: Call<'_, O::Service>) -> BoxFuture<'_, Result<Output, Fault>> {
    Box::pin(async move {
        let json = !matches!(call.input, Input::Document(_));
        let request = decode::<O::Request>(call.input, call.descriptor)?;
        let proves_itself =
            call.authentication == Authentication::Input && call.cx.principal == Principal::Anonymous;
        if !proves_itself {
            let resource = O::resource(call.cx, &request);
            let keys = O::condition_keys(&request);
            let authorized = if keys.is_empty() {
                call.authorize.authorize(call.cx, O::ACTION, &resource)
            } else {
                let facts = Facts { keys: &keys, ..Facts::default() };
                call.authorize.authorize_with(call.cx, O::ACTION, &resource, &facts)
            };
            authorized.map_err(|denied| {
                let code = if call.descriptor.is_query() { "AccessDenied" } else { "AccessDeniedException" };
                Fault::new(403, code, denied.to_string())
            })?;
        }
        let response =
            O::handle(call.service, call.cx, request).await.map_err(|error| Fault::from_service(&error))?;
        Ok(if json {
            let text =
                serde_json::to_vec(&response).expect("responses have string keys and no failing Serialize");
            Output::Json(text.into())
        } else {
            let document = to_document(&response);
            Output::Document(Opaque(document.expect("responses have string keys and no failing Serialize")))
        })
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
        Input::Document(Opaque(document)) => {
            return R::deserialize(document).map_err(|error| undecodable(&error.to_string(), descriptor));
        }
    };
    decoded.map_err(|error| undecodable(&error.to_string(), descriptor))
}

fn undecodable(text: &str, descriptor: &Descriptor) -> Fault {
    let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    if let Some((member, _)) = missing {
        return Fault::new(400, descriptor.validation_code, null_member(member));
    }
    // What a type's own check says: `validation: <sentence>`.
    match text.strip_prefix("validation: ") {
        Some(sentence) => {
            let sentence = sentence.split(" at line ").next().unwrap_or(sentence);
            Fault::new(400, descriptor.validation_code, sentence)
        }
        None => Fault::new(400, unreadable(descriptor), text),
    }
}

/// The exception for an input that is not of the model's types; Query's services know no other than the validation's.
fn unreadable(descriptor: &Descriptor) -> &'static str {
    if descriptor.is_query() { descriptor.validation_code } else { "SerializationException" }
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

    /// Whether an operation may be called without a signature.
    fn is_unsigned(&self, operation: &str) -> bool;

    /// Decodes, authorises, handles. None if there is no such operation.
    fn perform<'a>(
        &'a self,
        cx: &'a Context,
        operation: &str,
        input: Input,
        authorize: &'a dyn Authorize,
    ) -> Option<BoxFuture<'a, Result<Output, Fault>>>;

    /// The same for callers in process, whose output is JSON.
    fn call<'a>(
        &'a self,
        cx: &'a Context,
        operation: &str,
        input: Input,
        authorize: &'a dyn Authorize,
    ) -> Option<BoxFuture<'a, Result<Bytes, Fault>>> {
        let performed = self.perform(cx, operation, input, authorize)?;
        Some(Box::pin(async move {
            match performed.await? {
                Output::Json(text) => Ok(text),
                Output::Document(_) => unreachable!("callers in process give JSON"),
            }
        }))
    }
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

    fn is_unsigned(&self, operation: &str) -> bool {
        let entry = self.operations.iter().find(|entry| entry.name == operation);
        entry.is_some_and(|entry| entry.authentication == Authentication::Input)
    }

    fn perform<'a>(
        &'a self,
        cx: &'a Context,
        operation: &str,
        input: Input,
        authorize: &'a dyn Authorize,
    ) -> Option<BoxFuture<'a, Result<Output, Fault>>> {
        let entry = self.operations.iter().find(|entry| entry.name == operation)?;
        let (service, descriptor, authentication) = (&*self.service, self.descriptor, entry.authentication);
        Some((entry.call)(Call { service, descriptor, cx, input, authentication, authorize }))
    }
}
