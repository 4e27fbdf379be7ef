//! `firehose`: puts what SELECT made into a delivery stream.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/kinesis-firehose-rule-action.html>
//!
//! With `batchMode` the output must be an array and each element becomes a record; the separator follows each. AWS does not say
//! what becomes of any other output; here the action fails.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use iotsql::{Message, Template, Value, Variables};
use kernel::ErrorKind;
use ports::{PortError, PortFuture, PutAs};
use serde::{Deserialize, Serialize};

use super::{Action, Effect, Input, Kind, Perform, render};
use crate::outside::Outside;
use crate::parameters::{Invalid, Parameters};

pub(super) static KIND: Kind = Kind { name: "firehose", failed_action: "FirehoseAction", parse };

/// What may follow a record.
const SEPARATORS: [&str; 4] = ["\n", "\t", "\r\n", ","];

struct FirehoseAction {
    delivery_stream: Template,
    resource: String,
    separator: &'static str,
    batch: bool,
    sql_version: &'static str,
}

/// Records for a delivery stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Put {
    pub(crate) delivery_stream: String,
    /// Empty for none.
    separator: Cow<'static, str>,
    batch: bool,
    /// By which the elements of a batch are written.
    sql_version: Cow<'static, str>,
}

fn parse(parameters: &Parameters<'_>) -> Result<Box<dyn Action>, Invalid> {
    let (delivery_stream, text) = parameters.required_template("deliveryStreamName")?;
    let separator = match parameters.text("separator")? {
        None => "",
        Some(given) => SEPARATORS.into_iter().find(|separator| *separator == given).ok_or_else(|| {
            let shown: String = given.chars().take(64).collect();
            let constraint = r"Member must satisfy regular expression pattern: ([\n\t])|(\r\n)|(,)";
            Invalid::constraint(&format!("'{shown}'"), &parameters.path("separator"), constraint)
        })?,
    };
    Ok(Box::new(FirehoseAction {
        delivery_stream,
        resource: text.to_owned(),
        separator,
        batch: parameters.flag("batchMode")?,
        sql_version: parameters.statement().version().name(),
    }))
}

impl Action for FirehoseAction {
    fn effect(&self, message: &Message<'_>, variables: &Variables) -> Result<Effect, String> {
        let delivery_stream = render(&self.delivery_stream, message, variables)?;
        Ok(Effect::Firehose(Put {
            delivery_stream,
            separator: Cow::Borrowed(self.separator),
            batch: self.batch,
            sql_version: Cow::Borrowed(self.sql_version),
        }))
    }

    fn resource(&self) -> &str {
        &self.resource
    }
}

impl Put {
    /// What the role must be allowed.
    pub(crate) fn put_as(&self) -> PutAs {
        if self.batch { PutAs::Batch } else { PutAs::Record }
    }

    /// The records that the output makes.
    ///
    /// # Errors
    /// A batch is no array.
    pub(crate) fn records(&self, output: &Bytes) -> Result<Vec<Bytes>, PortError> {
        if !self.batch {
            return Ok(vec![self.separated(output.clone())]);
        }
        let Some(Value::Array(elements)) = Value::from_json(output) else {
            let sentence = "The output of a rule whose action has batchMode must be a JSON array.";
            return Err(PortError::new(ErrorKind::Invalid, "InvalidArgumentException", sentence));
        };
        let version = self.sql_version.parse().unwrap_or_default();
        Ok(elements.iter().map(|element| self.separated(element.to_json(version).into())).collect())
    }

    fn separated(&self, record: Bytes) -> Bytes {
        if self.separator.is_empty() {
            return record;
        }
        let mut out = BytesMut::with_capacity(record.len() + self.separator.len());
        out.put(record);
        out.put(self.separator.as_bytes());
        out.freeze()
    }
}

impl Perform for Put {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn resource(&self) -> &str {
        &self.delivery_stream
    }

    fn attempt(&self) -> (&'static str, String) {
        ("Failed to put records to Firehose.", format!("Delivery stream: {}", self.delivery_stream))
    }

    fn perform<'a>(&'a self, outside: &'a Outside, input: &'a Input<'_>) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let records = self.records(input.body)?;
            if records.is_empty() {
                return Ok(());
            }
            outside.records.put_records(input.cx, self.put_as(), &self.delivery_stream, records).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(separator: &'static str, batch: bool) -> Put {
        Put {
            delivery_stream: "s".to_owned(),
            separator: Cow::Borrowed(separator),
            batch,
            sql_version: Cow::Borrowed("2015-10-08"),
        }
    }

    #[test]
    fn the_separator_follows_each_record() {
        let output = Bytes::from_static(br#"[{"a":5.0},"x"]"#);
        assert_eq!(put("\r\n", false).records(&output).unwrap(), ["[{\"a\":5.0},\"x\"]\r\n"]);
        assert_eq!(put(",", true).records(&output).unwrap(), ["{\"a\":5.0},", "\"x\","]);
        assert_eq!(put("", true).records(&Bytes::from_static(b"[]")).unwrap(), [""; 0]);
    }

    #[test]
    fn without_separator_the_output_is_not_copied() {
        let output = Bytes::from(b"binary \xff".to_vec());
        assert_eq!(put("", false).records(&output).unwrap()[0].as_ptr(), output.as_ptr());
    }

    #[test]
    fn a_batch_is_an_array() {
        for output in [&b"{}"[..], b"7", b"\xff", b""] {
            let error = put("\n", true).records(&Bytes::from_static(output)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Invalid);
        }
    }
}
