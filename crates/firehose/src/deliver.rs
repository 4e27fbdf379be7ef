//! The three steps of a delivery. Between any two of them the node may die; the invariants are those of the crate.

use std::io::Write;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use kernel::{Context, ErrorKind, Principal};
use ports::{PortError, PutObject, RecordRange};
use store::log::Bounds;
use store::meta::{Batch, Expect};
use store::{LogError, Offset, TableError};

use crate::delivery::{DeliveryIntent, Extent};
use crate::delivery_stream::Compression;
use crate::error::Error;
use crate::limits;
use crate::registry::{State, Stream};
use crate::service::Inner;

/// Why a step failed. It is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliverError {
    #[error("the intake log could not")]
    Log(#[from] LogError),
    #[error("the delivery intent could not be stored")]
    Intent(#[from] TableError),
    #[error("the object could not be put")]
    Object(#[from] PortError),
    #[error("the stream was deleted meanwhile")]
    Deleted,
    #[error("the stream could not be read anew")]
    Stream(#[source] Error),
}

impl Inner {
    /// Step 1: decides what to deliver next and writes it down. None if there is nothing, or if the stream changed meanwhile.
    pub(crate) async fn intend(
        self: &Arc<Self>,
        stream: &Stream,
    ) -> Result<Option<Arc<DeliveryIntent>>, DeliverError> {
        let state = stream.state();
        let Some(intent) = self.decide(stream, &state).await? else { return Ok(None) };
        let entity = &state.stored.entity;
        let batch = Batch::default();
        let batch = self.streams.with_check(batch, &entity.parts(), Expect::At(state.stored.revision));
        let batch = self.intents.with_check(batch, &entity.intent_parts(), Expect::Absent);
        let batch = self.intents.with_put(batch, &entity.intent_parts(), &intent);
        match self.streams.commit(batch).await {
            Ok(_) => {
                let intent = Arc::new(intent);
                stream.set_delivering(Some(Arc::clone(&intent)));
                Ok(Some(intent))
            }
            Err(TableError::Conflict) => {
                // The stream was updated or deleted, or an earlier commit of ours did happen though it said otherwise.
                let (account, region) = (&entity.account, &entity.region);
                self.refresh(account, region, &entity.name).await.map_err(DeliverError::Stream)?;
                let found = self.intents.get(&entity.intent_parts()).await?;
                stream.set_delivering(found.map(|found| Arc::new(found.entity)));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The next object: everything there is, as far as one reaches. None if there is nothing, or if the log was deleted.
    async fn decide(&self, stream: &Stream, state: &State) -> Result<Option<DeliveryIntent>, DeliverError> {
        // In this order: what has an oldest record has bounds that are not empty.
        let Some(oldest_at) = self.log.oldest(&stream.log) else { return Ok(None) };
        let bounds = self.log.bounds(&stream.log);
        let next = if Extent::is_one(bounds.bytes, oldest_at, self.clock.now()) {
            bounds.next
        } else {
            match self.end_of_object(stream, bounds).await? {
                Some(next) => next,
                None => return Ok(None),
            }
        };
        let target = &state.target;
        Ok(Some(DeliveryIntent {
            records: RecordRange { log: stream.log.to_string(), first: bounds.first.0, next: next.0 },
            oldest_at,
            version: state.stored.entity.version,
            role: target.role.clone(),
            bucket: target.bucket.clone(),
            key: target.key.key(&stream.log, bounds.first, oldest_at),
            compression: target.compression,
        }))
    }

    /// The offset behind the object that begins with the oldest record. None if the log is deleted meanwhile.
    async fn end_of_object(&self, stream: &Stream, bounds: Bounds) -> Result<Option<Offset>, DeliverError> {
        let mut next = bounds.first;
        let mut extent: Option<Extent> = None;
        while next < bounds.next {
            let page = self.log.read(&stream.log, next, limits::READ_BYTES).await?;
            if page.is_empty() {
                return Ok(None);
            }
            for record in page {
                let fits = match &mut extent {
                    Some(extent) => extent.takes(&record),
                    none => {
                        *none = Some(Extent::of(&record));
                        true
                    }
                };
                if !fits {
                    return Ok(Some(next));
                }
                next = Offset(record.offset.0 + 1);
            }
        }
        Ok(Some(next))
    }

    /// Step 2: puts the object as the intent has it. Does nothing if the records were trimmed already.
    pub(crate) async fn put_object(
        &self,
        stream: &Stream,
        intent: &DeliveryIntent,
    ) -> Result<(), DeliverError> {
        if self.log.bounds(&stream.log).first.0 >= intent.records.next {
            return Ok(());
        }
        let permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let records = self.records(stream, &intent.records).await?;
        // Both take long enough for an object of the largest size to hold up other tasks.
        let (body, content_encoding) = match intent.compression {
            Compression::Uncompressed => (kernel::blocking(move || concatenate(records)).await, None),
            Compression::Gzip => (kernel::blocking(move || gzip(records)).await, Some("gzip".to_owned())),
        };
        let state = stream.state();
        let entity = &state.stored.entity;
        let principal = Principal::Role {
            account: entity.account.clone(),
            role: intent.role.clone(),
            session: "firehose".to_owned(),
        };
        let cx = Context::service(entity.account.clone(), entity.region.clone(), "firehose.amazonaws.com")
            .with_principal(principal);
        let object = PutObject {
            bucket: intent.bucket.clone(),
            key: intent.key.clone(),
            body,
            content_type: Some("application/octet-stream".to_owned()),
            content_encoding,
            records: Some(intent.records.clone()),
        };
        self.objects.put(&cx, object).await?;
        drop(permit);
        Ok(())
    }

    /// Step 3: trims the log and forgets the intent.
    pub(crate) async fn conclude(
        &self,
        stream: &Stream,
        intent: &DeliveryIntent,
    ) -> Result<(), DeliverError> {
        self.log.trim(&stream.log, Offset(intent.records.next)).await?;
        self.intents.delete(&stream.state().stored.entity.intent_parts()).await?;
        stream.set_delivering(None);
        Ok(())
    }

    /// What follows a failed step 2: records older than a day are dropped; an intent whose bucket does not exist is forgotten
    /// when the stream has another destination since. Otherwise nothing: the intent stays.
    ///
    /// An intent may be forgotten only where its object certainly does not exist: in a bucket that does not.
    pub(crate) async fn after_failure(
        &self,
        stream: &Stream,
        intent: &DeliveryIntent,
        error: &DeliverError,
    ) -> Result<(), DeliverError> {
        stream.cells.failed_attempts.add(1);
        let state = stream.state();
        if self.clock.now().since(intent.oldest_at) > limits::RETENTION {
            let records = intent.records.next - intent.records.first;
            tracing::error!(
                stream = stream.name,
                records,
                key = intent.key,
                "records dropped after 24 hours"
            );
            stream.cells.dropped_records.add(records);
            return self.conclude(stream, intent).await;
        }
        let no_bucket = matches!(error, DeliverError::Object(e) if e.kind == ErrorKind::NotFound);
        if no_bucket && state.stored.entity.version != intent.version {
            self.intents.delete(&state.stored.entity.intent_parts()).await?;
            stream.set_delivering(None);
        }
        Ok(())
    }

    async fn records(&self, stream: &Stream, range: &RecordRange) -> Result<Vec<Bytes>, DeliverError> {
        let mut records = Vec::new();
        let mut next = range.first;
        while next < range.next {
            let read = self.log.read(&stream.log, Offset(next), limits::READ_BYTES).await?;
            if stream.state().deleted {
                return Err(DeliverError::Deleted);
            }
            assert!(
                read.first().is_some_and(|record| record.offset.0 == next),
                "{} does not hold record {next} of an intent that is not delivered",
                stream.log
            );
            let wanted = read.into_iter().take_while(|record| record.offset.0 < range.next);
            records.extend(wanted.map(|record| record.payload));
            next = range.first + records.len() as u64;
        }
        Ok(records)
    }
}

fn concatenate(mut records: Vec<Bytes>) -> Bytes {
    if records.len() == 1 {
        return records.remove(0);
    }
    let mut body = BytesMut::with_capacity(records.iter().map(Bytes::len).sum());
    for record in records {
        body.put(record);
    }
    body.freeze()
}

fn gzip(records: Vec<Bytes>) -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    let in_memory = "writing to memory does not fail";
    for record in records {
        encoder.write_all(&record).expect(in_memory);
    }
    encoder.finish().expect(in_memory).into()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use ports::Buffered;
    use serde_json::json;
    use store::Entity;

    use super::*;
    use crate::service::Firehose;
    use crate::testing::World;

    /// How far a delivery comes before the node is killed.
    #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
    enum Kill {
        BeforeIntent,
        AfterIntent,
        AfterPut,
        AfterTrim,
    }

    async fn deliver_until(firehose: &Firehose, kill: Kill) {
        let inner = &firehose.inner;
        let stream = inner.registry.all().remove(0);
        if kill == Kill::BeforeIntent {
            return;
        }
        let intent = inner.intend(&stream).await.unwrap().unwrap();
        if kill >= Kill::AfterPut {
            inner.put_object(&stream, &intent).await.unwrap();
        }
        if kill >= Kill::AfterTrim {
            inner.log.trim(&stream.log, Offset(intent.records.next)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn killed_anywhere_each_record_is_in_one_object() {
        for kill in [Kill::BeforeIntent, Kill::AfterIntent, Kill::AfterPut, Kill::AfterTrim] {
            let world = World::new();
            world.lake.add_bucket("other");
            let firehose = world.start().await;
            world.create(&firehose, "a", json!({"Prefix": "p/"})).await;
            world.put(&firehose, "a", &["1", "2"]).await;
            deliver_until(&firehose, kill).await;
            drop(firehose);

            let firehose = world.start().await;
            world.put(&firehose, "a", &["3"]).await;
            world.update(&firehose, "a", json!({"BucketARN": "arn:aws:s3:::other", "Prefix": "q/"})).await;
            world.deliver_all(&firehose).await;
            let keys = world.lake.keys();
            if kill == Kill::BeforeIntent {
                assert_eq!(world.lake.contents(), ["123"]);
                assert!(keys[0].starts_with("other/q/2017/08/26/07/a-2-2017-08-26-07-47-12-"), "{keys:?}");
            } else {
                assert_eq!(world.lake.contents(), ["12", "3"], "{kill:?}");
                assert!(keys[0].starts_with("lake/p/2017/08/26/07/a-1-2017-08-26-07-47-12-"), "{keys:?}");
                assert!(keys[1].starts_with("other/q/2017/08/26/07/a-2-2017-08-26-07-47-12-"), "{keys:?}");
            }
            let left = world.meta.scan(DeliveryIntent::TABLE.as_bytes(), None, 10).await.unwrap();
            assert!(left.is_empty(), "{kill:?}");
        }
    }

    #[tokio::test]
    async fn an_object_is_the_concatenation_of_its_records_and_tells_which() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        world.put(&firehose, "a", &["abc"; 3]).await;
        world.deliver_all(&firehose).await;
        world.put(&firehose, "a", &["d"]).await;
        world.deliver_all(&firehose).await;
        let objects = world.lake.objects();
        let mut found: Vec<_> = objects.iter().map(|o| (&o.body[..], o.records.clone().unwrap())).collect();
        found.sort_by_key(|(_, range)| range.first);
        let log = firehose.inner.registry.all()[0].log.to_string();
        let range = |first, next| RecordRange { log: log.clone(), first, next };
        assert_eq!(found, [(&b"abcabcabc"[..], range(0, 3)), (&b"d"[..], range(3, 4))]);
        assert_eq!(objects[0].content_type.as_deref(), Some("application/octet-stream"));
        assert_eq!(objects[0].content_encoding, None);
    }

    #[tokio::test]
    async fn a_gzip_object_decodes() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({"CompressionFormat": "GZIP"})).await;
        world.put(&firehose, "a", &["abc\n"; 100]).await;
        world.deliver_all(&firehose).await;
        let object = world.lake.objects().remove(0);
        assert!(object.key.ends_with(".gz"), "{}", object.key);
        assert_eq!(object.content_encoding.as_deref(), Some("gzip"));
        let mut decoded = String::new();
        flate2::read::GzDecoder::new(&object.body[..]).read_to_string(&mut decoded).unwrap();
        assert_eq!(decoded, "abc\n".repeat(100));
    }

    #[tokio::test]
    async fn an_update_between_decision_and_intent_is_seen() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({"Prefix": "p/"})).await;
        world.put(&firehose, "a", &["1"]).await;
        // Another view of the same stream, which has not heard of the update.
        let stale = world.start().await;
        world.update(&firehose, "a", json!({"Prefix": "q/"})).await;
        let stream = stale.inner.registry.all().remove(0);
        assert_eq!(stale.inner.intend(&stream).await.unwrap(), None);
        let intent = stale.inner.intend(&stream).await.unwrap().unwrap();
        assert!(intent.key.starts_with("q/"), "{}", intent.key);
        // And now one that has not heard of the intent.
        let stream = firehose.inner.registry.all().remove(0);
        assert_eq!(firehose.inner.intend(&stream).await.unwrap(), None);
        assert_eq!(stream.delivering(), Some(intent));
    }

    #[tokio::test]
    async fn catching_up_is_bounded() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let record = Bytes::from(vec![b'x'; limits::RECORD_BYTES_MAX]);
        let stream = firehose.inner.registry.all().remove(0);
        firehose.inner.append(&stream, vec![record; 132]).await.unwrap();
        let intent = firehose.inner.intend(&stream).await.unwrap().unwrap();
        // 131 records of 1,000 KiB are the most that 128 MiB hold.
        assert_eq!((intent.records.first, intent.records.next), (0, 131));
    }

    #[tokio::test]
    async fn a_backlog_is_cut_by_the_hour() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        for n in ["1", "2", "3", "4"] {
            world.put(&firehose, "a", &[n]).await;
            world.clock.advance(limits::OBJECT_SPAN.mul_f64(0.6));
        }
        let foretold: Vec<_> = firehose.buffered(&wire::testing::context(), "lake", "").await.unwrap();
        world.deliver_all(&firehose).await;
        assert_eq!(world.lake.contents(), ["12", "34"]);
        let delivered: Vec<_> =
            world.lake.objects().into_iter().map(|o| (o.key, o.records.unwrap())).collect();
        assert_eq!(foretold.into_iter().map(|run| (run.key, run.range)).collect::<Vec<_>>(), delivered);
    }

    #[tokio::test]
    async fn a_stream_deleted_while_a_backlog_is_measured_delivers_nothing() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        world.put(&firehose, "a", &["1"]).await;
        world.clock.advance(limits::OBJECT_SPAN * 2);
        let stream = firehose.inner.registry.all().remove(0);
        world.log.trim_before_page(Offset(1));
        assert_eq!(firehose.inner.intend(&stream).await.unwrap(), None);
    }
}
