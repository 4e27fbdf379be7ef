//! The actions a rule can have: one file and one row each.
//!
//! An [`Action`] is what the rule says, parsed once. For each message it gives an [`Effect`]: plain data, with every template
//! filled in, that can be kept in the queue and carried out by whoever finds it.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-rule-actions.html>

mod firehose;
mod republish;
mod s3;

use std::sync::Arc;

use bytes::Bytes;
use iotsql::{Message, Statement, Template, Variables};
use kernel::{Arn, Context};
use ports::{PortError, PortFuture};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::RENDERED_BYTES_MAX;
use crate::outside::Outside;
use crate::parameters::{Invalid, Parameters};

/// One kind of action.
pub(crate) struct Kind {
    /// The member of an action's structure that carries its parameters.
    pub(crate) name: &'static str,
    /// How failures name it.
    pub(crate) failed_action: &'static str,
    parse: fn(&Parameters<'_>) -> Result<Box<dyn Action>, Invalid>,
}

/// Every kind.
pub(crate) static KINDS: &[&Kind] = &[&firehose::KIND, &republish::KIND, &s3::KIND];

/// An action of a rule.
pub(crate) trait Action: Send + Sync {
    /// What to do about one message.
    ///
    /// # Errors
    /// A template gives nothing usable; says why.
    fn effect(&self, message: &Message<'_>, variables: &Variables) -> Result<Effect, String>;

    /// The stream, bucket or topic, as the rule writes it.
    fn resource(&self) -> &str;
}

/// What an action does about one message. Its body travels beside it, since the effects of a rule share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Effect {
    Firehose(firehose::Put),
    Republish(republish::Republish),
    S3(s3::Put),
}

/// What an effect is carried out on and for.
pub(crate) struct Input<'a> {
    /// The rule, acting as the action's role.
    pub(crate) cx: &'a Context,
    /// What SELECT made of the message, or the error document.
    pub(crate) body: &'a Bytes,
    /// Of the message.
    pub(crate) hops: u8,
}

/// Carrying out an effect.
pub(crate) trait Perform: Sync {
    fn kind(&self) -> &'static Kind;

    /// The stream, bucket or topic.
    fn resource(&self) -> &str;

    /// What was tried, as a sentence, and with what: `Failed to put S3 object.`, `Bucket: b, Key: "k"`.
    fn attempt(&self) -> (&'static str, String);

    fn perform<'a>(&'a self, outside: &'a Outside, input: &'a Input<'_>) -> PortFuture<'a, ()>;
}

impl Effect {
    pub(crate) fn as_perform(&self) -> &dyn Perform {
        match self {
            Self::Firehose(put) => put,
            Self::Republish(republish) => republish,
            Self::S3(put) => put,
        }
    }

    /// What the error action is told of a failure.
    pub(crate) fn failure(&self, topic: &str, error: &PortError) -> Failure {
        let perform = self.as_perform();
        let kind = perform.kind();
        let (attempt, details) = perform.attempt();
        let PortError { message, code, .. } = error;
        let status = error.kind.http_status();
        Failure {
            failed_action: kind.failed_action.into(),
            failed_resource: perform.resource().to_owned(),
            error_message: format!(
                "{attempt} The error received was {message} (Status Code: {status}; Error Code: {code}). \
                 Message arrived on: {topic}, Action: {}, {details}",
                kind.name
            ),
        }
    }
}

/// One element of the error document's `failures`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure {
    pub(crate) failed_action: std::borrow::Cow<'static, str>,
    pub(crate) failed_resource: String,
    pub(crate) error_message: String,
}

/// A parsed action and the role it acts as.
pub(crate) struct Parsed {
    pub(crate) kind: &'static Kind,
    pub(crate) role: Arn,
    pub(crate) action: Arc<dyn Action>,
}

/// A parameter with its templates filled in.
///
/// # Errors
/// It takes too much work or is too long; says so.
fn render(template: &Template, message: &Message<'_>, variables: &Variables) -> Result<String, String> {
    let text = template.render(message, variables).map_err(|failure| failure.to_string())?;
    if text.len() > RENDERED_BYTES_MAX {
        return Err(format!("it gives a text of more than {RENDERED_BYTES_MAX} bytes"));
    }
    Ok(text.into_owned())
}

/// Parses `{"firehose": {…}}`.
///
/// # Errors
/// It has not exactly one member, or one that is not run here, or with parameters the action does not take.
pub(crate) fn parse(path: &str, value: &Value, statement: &Statement) -> Result<Parsed, Invalid> {
    let members = Parameters::new(path.to_owned(), value, statement)?;
    let mut given = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let (Some((name, value)), None) = (given.next(), given.next()) else {
        return Err(Invalid::new(format!("'{path}' must have exactly one action.")));
    };
    let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
        let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        let shown: String = name.chars().take(64).collect();
        return Err(Invalid::new(format!(
            "The action '{shown}' at '{path}' is not supported; supported are {}.",
            known.join(", ")
        )));
    };
    let parameters = Parameters::new(members.path(name), value, statement)?;
    let role = parameters.role()?;
    let action = (kind.parse)(&parameters)?.into();
    Ok(Parsed { kind, role, action })
}
