//! The three steps of a delivery. Between any two of them the node may die; the invariants are those of the crate.

use std::io::Write;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use kernel::{Context, ErrorKind};
use ports::{PortError, PutObject, RecordRange};
use store::log::Bounds;
use store::meta::{Batch, Expect};
use store::{LogError, Offset, TableError};

use crate::delivery::{DeliveryIntent, Extent};
use crate::delivery_stream::{Compression, DeliveryStream};
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
    #[error("the role could not be assumed")]
    Role(#[source] PortError),
    #[error("the object could not be put")]
    Object(#[from] PortError),
    #[error("the stream was deleted meanwhile")]
    Deleted,
    #[error("the stream could not be read anew")]
    Stream(#[source] Error),
}

/// What became of the records of an intent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// In the object.
    pub(crate) put: u64,
    /// Damaged on the disk, and in no object.
    pub(crate) lost: u64,
}

impl DeliverError {
    /// Why, down to the first cause.
    pub(crate) fn reason(&self) -> String {
        let mut reason = self.to_string();
        let mut said = reason.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            // A port's error has the sentence of the service's.
            if text != said {
                reason.push_str(": ");
                reason.push_str(&text);
                said = text;
            }
            cause = error.source();
        }
        reason
    }
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
            let page = self.page(stream, next, limits::READ_BYTES).await?;
            if page.records.is_empty() {
                return Ok((page.damaged > 0).then_some(bounds.next));
            }
            for record in page.records {
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

    /// Step 2: puts the object as the intent has it. Does nothing if the records were trimmed already, or if none can be read.
    pub(crate) async fn put_object(
        &self,
        stream: &Stream,
        intent: &DeliveryIntent,
    ) -> Result<Outcome, DeliverError> {
        if self.log.bounds(&stream.log).first.0 >= intent.records.next {
            return Ok(Outcome::default());
        }
        let state = stream.state();
        let (cx, other) = self.acting_for(&state.stored.entity, intent).map_err(DeliverError::Role)?;
        let permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let records = self.records(stream, &intent.records).await?;
        let put = records.len() as u64;
        let outcome = Outcome { put, lost: intent.records.next - intent.records.first - put };
        if put == 0 {
            return Ok(outcome);
        }
        // Both take long enough for an object of the largest size to hold up other tasks.
        let (body, content_encoding) = match intent.compression {
            Compression::Uncompressed => (kernel::blocking(move || concatenate(records)).await, None),
            Compression::Gzip => (kernel::blocking(move || gzip(records)).await, Some("gzip".to_owned())),
        };
        let object = PutObject {
            bucket: intent.bucket.clone(),
            key: intent.key.clone(),
            body,
            content_type: Some("application/octet-stream".to_owned()),
            content_encoding,
            records: Some(intent.records.clone()),
        };
        let answer = match (self.objects.put(&cx, object.clone()).await, other) {
            (Err(denied), Some(other)) if denied.kind == ErrorKind::Denied => {
                let answer = self.objects.put(&other, object).await;
                answer.map_err(|error| if error.kind == ErrorKind::Denied { denied } else { error })
            }
            (answer, _) => answer,
        };
        answer?;
        drop(permit);
        Ok(outcome)
    }

    /// In whose circumstances an intent is carried out: of the role that the stream names now, so that one that is gone can be
    /// replaced; and where that may not put there, of the role by which the intent was decided.
    fn acting_for(
        &self,
        stream: &DeliveryStream,
        intent: &DeliveryIntent,
    ) -> Result<(Context, Option<Context>), PortError> {
        let role = &stream.destination.role_arn;
        let present = self.acting_as(stream, role);
        if *role == intent.role {
            return present.map(|cx| (cx, None));
        }
        match (present, self.acting_as(stream, &intent.role)) {
            (Ok(present), earlier) => Ok((present, earlier.ok())),
            (Err(_), Ok(earlier)) => Ok((earlier, None)),
            (Err(error), Err(_)) => Err(error),
        }
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
            tracing::error!(stream = %stream.arn, records, key = intent.key, "records dropped after 24 hours");
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

    /// Those of the records that can be read.
    async fn records(&self, stream: &Stream, range: &RecordRange) -> Result<Vec<Bytes>, DeliverError> {
        let mut records = Vec::new();
        let mut next = range.first;
        while next < range.next {
            let page = self.page(stream, Offset(next), limits::READ_BYTES).await?;
            if stream.state().deleted {
                return Err(DeliverError::Deleted);
            }
            assert!(
                page.damaged > 0 || page.records.first().is_some_and(|record| record.offset.0 == next),
                "{} does not hold record {next} of an intent that is not delivered",
                stream.log
            );
            let Some(last) = page.records.last() else { break };
            next = last.offset.0 + 1;
            let wanted = page.records.into_iter().take_while(|record| record.offset.0 < range.next);
            records.extend(wanted.map(|record| record.payload));
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
mod tests;
