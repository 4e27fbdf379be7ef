//! The bytes of objects: written to blobs under opaque names, read back from one blob or from the blobs of an object's parts.
//!
//! 1. A blob's name, `objects/<2 hex>/<30 hex>`, is drawn at random and used once.
//! 2. A body that is not what its sender says is discarded before it becomes a blob.
//! 3. At most [`BUFFERED_BYTES_MAX`] plus the writes in flight of a body are in memory.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStoreExt, PutMode, PutOptions, PutPayload, WriteMultipart};
use serde::{Deserialize, Serialize};

use crate::checksum::{Checksum, Expected, Sums, Verified};
use crate::limits::{BUFFERED_BYTES_MAX, PUT_BYTES_MAX, WRITE_BYTES, WRITES_IN_FLIGHT_MAX};
use crate::{Error, S3};

/// Where the bytes of an object are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    /// In this blob.
    Blob(String),
    /// In the parts of this completed upload, in the order of their numbers.
    Parts(String),
}

/// A body on its way in.
pub(crate) type Incoming = BoxStream<'static, Result<Bytes, Error>>;

/// A body on its way out.
pub(crate) type Outgoing = BoxStream<'static, Result<Bytes, Error>>;

/// A blob just written, which no entity names yet.
pub(crate) struct Written {
    pub(crate) blob: String,
    pub(crate) size: u64,
    /// The MD5 in hex.
    pub(crate) etag: String,
    pub(crate) checksum: Option<Checksum>,
}

/// Why content cannot be read.
pub(crate) enum ReadError {
    /// It was replaced or deleted since its entity was read.
    Gone,
    /// The blob store could not.
    Failed(Error),
}

impl S3 {
    /// Writes a body to a new blob; durable when it resolves.
    ///
    /// # Errors
    /// `EntityTooLarge`, `BadDigest`, `IncompleteBody`, those of the body, `ServiceUnavailable`.
    pub(crate) async fn write(&self, mut body: Incoming, expected: Expected) -> Result<Written, Error> {
        if expected.length().is_some_and(|length| length > PUT_BYTES_MAX) {
            return Err(Error::EntityTooLarge);
        }
        let mut sums = Sums::new(expected);
        let mut chunks: Vec<Bytes> = Vec::new();
        while let Some(chunk) = body.try_next().await? {
            sums.update(&chunk);
            chunks.push(chunk);
            if sums.length() > BUFFERED_BYTES_MAX {
                return self.write_streamed(chunks, body, sums).await;
            }
        }
        let verified = sums.verify()?;
        loop {
            let blob = self.new_blob_name();
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            let payload: PutPayload = chunks.iter().cloned().collect();
            match self.blobs.put_opts(&Path::from(blob.as_str()), payload, options).await {
                Ok(_) => return Ok(written(blob, verified)),
                Err(object_store::Error::AlreadyExists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn write_streamed(
        &self,
        chunks: Vec<Bytes>,
        mut body: Incoming,
        mut sums: Sums,
    ) -> Result<Written, Error> {
        let mut blob = self.new_blob_name();
        while self.blobs.head(&Path::from(blob.as_str())).await.is_ok() {
            blob = self.new_blob_name();
        }
        let upload = self.blobs.put_multipart(&Path::from(blob.as_str())).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, WRITE_BYTES);
        for chunk in chunks {
            writer.put(chunk);
        }
        let passed = async {
            while let Some(chunk) = body.try_next().await? {
                sums.update(&chunk);
                if sums.length() > PUT_BYTES_MAX {
                    return Err(Error::EntityTooLarge);
                }
                writer.wait_for_capacity(WRITES_IN_FLIGHT_MAX).await?;
                writer.put(chunk);
            }
            sums.verify()
        };
        match passed.await {
            Ok(verified) => {
                writer.finish().await?;
                Ok(written(blob, verified))
            }
            Err(error) => {
                if let Err(error) = writer.abort().await {
                    tracing::warn!(%error, blob, "unfinished blob not removed");
                }
                Err(error)
            }
        }
    }

    fn new_blob_name(&self) -> String {
        let id = hex::encode(self.entropy.bytes::<16>());
        let (shard, rest) = id.split_at(2);
        format!("objects/{shard}/{rest}")
    }

    /// Deletes blobs that no entity names any more. What cannot be deleted now is left to the reconciler.
    pub(crate) async fn discard(&self, blobs: &[String]) {
        for blob in blobs {
            match self.blobs.delete(&Path::from(blob.as_str())).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => tracing::warn!(%error, blob, "blob not deleted"),
            }
        }
    }

    /// The bytes `range` of a content, which must be inside it.
    pub(crate) async fn read(&self, content: &Content, range: Range<u64>) -> Result<Outgoing, ReadError> {
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        let mut segments = match content {
            Content::Blob(blob) => vec![(blob.clone(), range)],
            Content::Parts(upload_id) => self.segments(upload_id, range).await?,
        }
        .into_iter();
        // The first is opened now, so that an object replaced a moment ago is noticed while there still is an answer to choose.
        let Some((blob, range)) = segments.next() else { return Err(ReadError::Gone) };
        let first = open(&*self.blobs, &blob, range).await?;
        let blobs = std::sync::Arc::clone(&self.blobs);
        let rest = stream::iter(segments).then(move |(blob, range)| {
            let blobs = std::sync::Arc::clone(&blobs);
            async move {
                open(&*blobs, &blob, range).await.map_err(|error| match error {
                    ReadError::Gone => Error::Internal("the object was replaced while it was read".into()),
                    ReadError::Failed(error) => error,
                })
            }
        });
        Ok(first.chain(rest.try_flatten()).boxed())
    }

    /// The blobs of an upload's parts and the range of each that make up `range` of the whole.
    async fn segments(
        &self,
        upload_id: &str,
        range: Range<u64>,
    ) -> Result<Vec<(String, Range<u64>)>, ReadError> {
        let parts = self.parts.list(&[upload_id]).await.map_err(|error| ReadError::Failed(error.into()))?;
        let mut segments = Vec::new();
        let mut start = 0;
        for (_, part) in parts {
            let part = part.entity;
            let end = start + part.size;
            let from = range.start.max(start);
            let to = range.end.min(end);
            if from < to {
                segments.push((part.blob, from - start..to - start));
            }
            start = end;
        }
        if start < range.end { Err(ReadError::Gone) } else { Ok(segments) }
    }
}

fn written(blob: String, verified: Verified) -> Written {
    Written { blob, size: verified.length, etag: hex::encode(&verified.md5), checksum: verified.checksum }
}

async fn open(
    blobs: &dyn object_store::ObjectStore,
    blob: &str,
    range: Range<u64>,
) -> Result<Outgoing, ReadError> {
    let small = range.end - range.start <= BUFFERED_BYTES_MAX;
    let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
    let failed = |error| match error {
        object_store::Error::NotFound { .. } => ReadError::Gone,
        error => ReadError::Failed(error.into()),
    };
    let found = blobs.get_opts(&Path::from(blob), options).await.map_err(failed)?;
    if small {
        let bytes = found.bytes().await.map_err(failed)?;
        return Ok(stream::once(async move { Ok(bytes) }).boxed());
    }
    Ok(found.into_stream().map_err(Error::from).boxed())
}
