//! Records in: one append, answered when it is durable. Reads nothing but memory.

use bytes::Bytes;
use kernel::{Context, ErrorKind};
use ports::{PortError, PortFuture, PutAs, PutRecords};
use store::Offset;

use crate::allowed::Moment;
use crate::error::Error;
use crate::limits;
use crate::ops::named;
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

    /// Whether the caller of the port may put into the stream of this name, which may not be there.
    fn check_put(
        &self,
        cx: &Context,
        put_as: PutAs,
        name: &str,
        stream: Option<&Stream>,
    ) -> Result<(), PortError> {
        let at = Moment::new(self.roles.epoch(), self.clock.now());
        if stream.is_some_and(|stream| stream.allowed.contains(at, cx, put_as)) {
            return Ok(());
        }
        let action = match put_as {
            PutAs::Record => "firehose:PutRecord",
            PutAs::Batch => "firehose:PutRecordBatch",
        };
        self.authorize.authorize(cx, action, &named(cx, name)).map_err(|denied| {
            PortError::new(ErrorKind::Denied, "AccessDeniedException", denied.to_string())
        })?;
        if let Some(stream) = stream {
            stream.allowed.insert(at, cx, put_as);
        }
        Ok(())
    }
}

impl PutRecords for Firehose {
    fn put_records<'a>(
        &'a self,
        cx: &'a Context,
        put_as: PutAs,
        delivery_stream: &'a str,
        records: Vec<Bytes>,
    ) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let stream = self.inner.stream(cx, delivery_stream);
            self.inner.check_put(cx, put_as, delivery_stream, stream.as_deref().ok())?;
            let stream = stream.map_err(PortError::from_service)?;
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
    use wire::testing::context;

    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn the_port_puts_into_the_callers_stream_and_no_other() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", serde_json::json!({})).await;
        firehose
            .put_records(&context(), PutAs::Record, "a", vec![Bytes::from_static(b"x"); 3])
            .await
            .unwrap();
        assert_eq!(world.buffered(&firehose, "").await, ["x", "x", "x"]);

        let elsewhere = Context { region: "eu-west-1".parse().unwrap(), ..context() };
        let error =
            firehose.put_records(&elsewhere, PutAs::Record, "a", vec![Bytes::new()]).await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str(), error.message.as_str()),
            (
                ErrorKind::NotFound,
                "ResourceNotFoundException",
                "Firehose a under account 000000000000 not found."
            )
        );
        let large = vec![Bytes::from(vec![0; limits::RECORD_BYTES_MAX + 1])];
        let error = firehose.put_records(&context(), PutAs::Record, "a", large).await.unwrap_err();
        assert_eq!(error.message, "A record has more than 1024000 bytes.");
    }

    #[tokio::test]
    async fn the_port_puts_for_whoever_may_and_remembers_it_until_something_changes() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", serde_json::json!({})).await;
        let role: kernel::Arn = "arn:aws:iam::000000000000:role/rule".parse().unwrap();
        let (account, session) = (context().account, "s".to_owned());
        let principal = kernel::Principal::Role { account, role, session };
        let cx = Context { principal, secure: true, ..context() };
        let decisions = || world.roles.decisions.load(std::sync::atomic::Ordering::SeqCst);
        let put = async |put_as, stream| {
            let before = decisions();
            let put = firehose.put_records(&cx, put_as, stream, vec![Bytes::from_static(b"x")]).await;
            (put.map_err(|error| (error.kind, error.code, error.message)), decisions() - before)
        };
        for asked in [1, 0, 0] {
            assert_eq!(put(PutAs::Record, "a").await, (Ok(()), asked));
        }
        assert_eq!(put(PutAs::Batch, "a").await.1, 1, "another action is another question");
        // Policies may speak of the time, to the second.
        world.clock.advance(std::time::Duration::from_secs(1));
        assert_eq!(put(PutAs::Record, "a").await, (Ok(()), 1));
        world.roles.set_forbidden("firehose:PutRecord", true);
        for stream in ["a", "none"] {
            let sentence = format!(
                "User: arn:aws:sts::000000000000:assumed-role/rule/s is not authorized to perform: firehose:PutRecord on \
                 resource: arn:aws:firehose:us-east-1:000000000000:deliverystream/{stream} because no identity-based \
                 policy allows the firehose:PutRecord action"
            );
            let denied = (ErrorKind::Denied, "AccessDeniedException".to_owned(), sentence);
            assert_eq!(put(PutAs::Record, stream).await, (Err(denied), 1));
        }
        assert_eq!(put(PutAs::Batch, "a").await.0, Ok(()));
        world.roles.set_forbidden("firehose:PutRecord", false);
        assert_eq!(put(PutAs::Record, "a").await, (Ok(()), 1));
        assert_eq!(world.buffered(&firehose, "").await.len(), 7);
    }

    #[tokio::test]
    async fn a_full_log_slows_the_caller_down() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", serde_json::json!({})).await;
        world.log.fill();
        let error =
            firehose.put_records(&context(), PutAs::Record, "a", vec![Bytes::new()]).await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Unavailable, "Slow down."));
    }
}
