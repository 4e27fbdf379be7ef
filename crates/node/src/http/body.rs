//! Bodies: of answers, of requests as they come, and of requests in memory.
//!
//! 1. A body has to move while the node waits for it ([`Paced`]); what the node itself does not take is nobody's fault.
//! 2. Bodies in memory share a room of fixed size. A body takes of it what has come, not what was announced, and gives it back with its last
//!    byte's use. One that finds no room waits a little and is then told to come back.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use kernel::{Clock, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wire::Fault;

use crate::limits::{BODY_TIMEOUT, BODY_WINDOW, BODY_WINDOW_BYTES_MIN, ROOM_TIMEOUT};

/// An answer's body.
pub(crate) type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// A body that is already whole.
pub(crate) fn full(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// Up to here the room of a body doubles.
const DOUBLING_KIB_MAX: usize = 1024;

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// It did not move. AWS's sentence.
    #[error(
        "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed."
    )]
    Stalled,
    /// The connection, or its framing, broke.
    #[error("the body broke off")]
    Off(#[source] hyper::Error),
}

/// A body that fails when it does not move.
pub(crate) struct Paced {
    body: Incoming,
    clock: Arc<dyn Clock>,
    /// Ends the present window; none before the first wait.
    window: Option<BoxFuture<'static, ()>>,
    /// Bytes that came in it.
    bytes: u64,
    /// Milliseconds of it that the node has waited, without the wait at hand.
    waited_ms: i64,
    waiting_since: Option<Timestamp>,
}

impl Paced {
    pub(super) fn new(body: Incoming, clock: Arc<dyn Clock>) -> Self {
        Self { body, clock, window: None, bytes: 0, waited_ms: 0, waiting_since: None }
    }

    /// The wait at hand, added to those before.
    fn waited_ms(&self, now: Timestamp) -> i64 {
        let at_hand = self.waiting_since.map_or(0, |since| now.as_millis() - since.as_millis());
        self.waited_ms + at_hand
    }

    /// Whether too little came in a window that is over now.
    fn is_stalled(&mut self, cx: &mut Context<'_>) -> bool {
        let now = self.clock.now();
        self.waiting_since.get_or_insert(now);
        loop {
            let clock = &self.clock;
            if self.window.get_or_insert_with(|| clock.sleep(BODY_WINDOW)).poll_unpin(cx).is_pending() {
                return false;
            }
            let most_of_it = i64::try_from(BODY_WINDOW.as_millis()).unwrap_or(i64::MAX) / 2;
            if self.bytes < BODY_WINDOW_BYTES_MIN && self.waited_ms(now) >= most_of_it {
                return true;
            }
            self.window = None;
            (self.bytes, self.waited_ms, self.waiting_since) = (0, 0, Some(now));
        }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            return if self.is_stalled(cx) { Poll::Ready(Some(Err(Broken::Stalled))) } else { Poll::Pending };
        };
        if self.waiting_since.is_some() {
            self.waited_ms = self.waited_ms(self.clock.now());
            self.waiting_since = None;
        }
        if let Some(Ok(frame)) = &frame {
            self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Broken::Off)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body in memory, and the room it was given.
pub(crate) struct Collected {
    pub(crate) bytes: Bytes,
    _room: Room,
}

/// Room of a source and of the whole port.
#[derive(Default)]
struct Room {
    kib: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Room {
    /// Makes it large enough for so many bytes.
    async fn grow(
        &mut self,
        bytes: usize,
        rooms: [&Arc<Semaphore>; 2],
        clock: &Arc<dyn Clock>,
    ) -> Result<(), Fault> {
        let wanted = bytes.div_ceil(1024);
        if wanted <= self.kib {
            return Ok(());
        }
        // Doubling, so that a large body has a few permits and not one for each of its pieces.
        let wanted = wanted.max((self.kib * 2).min(self.kib + DOUBLING_KIB_MAX)).max(16);
        let more = u32::try_from(wanted - self.kib).unwrap_or(u32::MAX);
        for room in rooms {
            let permit = match Arc::clone(room).try_acquire_many_owned(more) {
                Ok(permit) => permit,
                Err(_) => tokio::select! {
                    permit = Arc::clone(room).acquire_many_owned(more) => permit.expect("the semaphore is never closed"),
                    () = clock.sleep(ROOM_TIMEOUT) => {
                        let message = "The request has failed due to a temporary failure of the server.";
                        return Err(Fault::new(503, "ServiceUnavailable", message));
                    }
                },
            };
            self.permits.push(permit);
        }
        self.kib = wanted;
        Ok(())
    }
}

pub(super) async fn collect(
    body: Incoming,
    bytes_max: usize,
    rooms: [&Arc<Semaphore>; 2],
    clock: &Arc<dyn Clock>,
) -> Result<Collected, Fault> {
    let mut room = Room::default();
    // Unread, so that a client that waits for `100 Continue` does not send it at all.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    if body.is_end_stream() {
        return Ok(Collected { bytes: Bytes::new(), _room: room });
    }
    let by = clock.now() + BODY_TIMEOUT;
    let mut body = Paced::new(body, Arc::clone(clock));
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = first.as_ref().map_or(all.len(), Bytes::len) + data.len();
        if length > bytes_max {
            return Err(too_large());
        }
        if clock.now() > by {
            return Err(broken(&Broken::Stalled));
        }
        room.grow(length, rooms, clock).await?;
        // Most bodies are one piece, which needs no copy.
        if first.is_none() && all.is_empty() {
            first = Some(data);
            continue;
        }
        if let Some(first) = first.take() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
    }
    Ok(Collected { bytes: first.unwrap_or_else(|| all.freeze()), _room: room })
}

fn too_large() -> Fault {
    Fault::new(413, "RequestEntityTooLargeException", "The request is larger than any operation takes.")
}

fn broken(error: &Broken) -> Fault {
    match error {
        Broken::Stalled => Fault::new(408, "RequestTimeoutException", error.to_string()),
        Broken::Off(_) => Fault::new(
            400,
            "IncompleteBody",
            "The body ended before its length, or is not framed as it should be.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use kernel::ManualClock;

    use super::*;

    /// Polls once; what is not ready then waits.
    fn poll<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        match future.poll_unpin(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_body_takes_room_for_what_has_come_and_gives_it_back() {
        let manual = ManualClock::new(Timestamp::from_millis(0));
        let clock: Arc<dyn Clock> = Arc::new(manual.clone());
        let (source, port) = (Arc::new(Semaphore::new(64)), Arc::new(Semaphore::new(1000)));
        let grow = |room: &mut Room, bytes| {
            let mut growing = Box::pin(room.grow(bytes, [&source, &port], &clock));
            poll(&mut growing)
        };
        let mut first = Room::default();
        assert_eq!(grow(&mut first, 1), Some(Ok(())));
        assert_eq!((source.available_permits(), port.available_permits()), (48, 984));
        // Within what it has, it takes nothing; beyond, it doubles.
        assert_eq!(grow(&mut first, 16 * 1024), Some(Ok(())));
        assert_eq!(source.available_permits(), 48);
        assert_eq!(grow(&mut first, 16 * 1024 + 1), Some(Ok(())));
        assert_eq!(source.available_permits(), 32);
        // A second one waits for the source's room, though the port has more, and is then told to come back.
        let mut second = Room::default();
        let mut growing = Box::pin(second.grow(40 * 1024, [&source, &port], &clock));
        assert_eq!(poll(&mut growing), None);
        manual.advance(ROOM_TIMEOUT);
        let refused = poll(&mut growing).expect("it has waited long enough").unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (503, "ServiceUnavailable"));
        drop(growing);
        drop(first);
        assert_eq!((source.available_permits(), port.available_permits()), (64, 1000));
        assert_eq!(grow(&mut second, 40 * 1024), Some(Ok(())));
    }
}
