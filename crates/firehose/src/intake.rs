//! Records in: one append, answered when it is durable. Reads nothing but memory.

use bytes::Bytes;
use kernel::Context;
use ports::{PortError, PortFuture, PutRecords};
use store::Offset;

use crate::error::Error;
use crate::limits;
use crate::registry::Stream;
use crate::service::{Firehose, Inner};

impl Inner {
    /// Appends records to a stream's intake. All or none.
    ///
    /// # Errors
    /// `ServiceUnavailableException` when the log is full.
    pub(crate) async fn append(&self, stream: &Stream, records: Vec<Bytes>) -> Result<Offset, Error> {
        let records = match &stream.state().target.delimiter {
            None => records,
            Some(delimiter) => {
                records.into_iter().map(|record| [&record[..], delimiter].concat().into()).collect()
            }
        };
        let (count, bytes) = (records.len() as u64, records.iter().map(|r| r.len() as u64).sum());
        let first = self.log.append(&stream.log, records).await?;
        stream.cells.incoming_records.add(count);
        stream.cells.incoming_bytes.add(bytes);
        Ok(first)
    }
}

impl PutRecords for Firehose {
    fn put_records<'a>(
        &'a self,
        cx: &'a Context,
        delivery_stream: &'a str,
        records: Vec<Bytes>,
    ) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let stream = self.inner.stream(cx, delivery_stream).map_err(PortError::from_service)?;
            if records.iter().any(|record| record.len() > limits::RECORD_BYTES_MAX) {
                let sentence = format!("A record has more than {} bytes.", limits::RECORD_BYTES_MAX);
                return Err(PortError::from_service(Error::invalid(sentence)));
            }
            self.inner.append(&stream, records).await.map_err(PortError::from_service)?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use kernel::ErrorKind;
    use wire::testing::context;

    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn the_port_puts_into_the_callers_stream_and_no_other() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", serde_json::json!({})).await;
        firehose.put_records(&context(), "a", vec![Bytes::from_static(b"x"); 3]).await.unwrap();
        assert_eq!(world.buffered(&firehose, "").await, ["x", "x", "x"]);

        let elsewhere = Context { region: "eu-west-1".parse().unwrap(), ..context() };
        let error = firehose.put_records(&elsewhere, "a", vec![Bytes::new()]).await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str(), error.message.as_str()),
            (
                ErrorKind::NotFound,
                "ResourceNotFoundException",
                "Firehose a under account 000000000000 not found."
            )
        );
        let large = vec![Bytes::from(vec![0; limits::RECORD_BYTES_MAX + 1])];
        let error = firehose.put_records(&context(), "a", large).await.unwrap_err();
        assert_eq!(error.message, "A record has more than 1024000 bytes.");
    }

    #[tokio::test]
    async fn a_full_log_slows_the_caller_down() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", serde_json::json!({})).await;
        world.log.fill();
        let error = firehose.put_records(&context(), "a", vec![Bytes::new()]).await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Unavailable, "Slow down."));
    }
}
