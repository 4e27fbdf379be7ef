//! What a connection is doing, so that one which does nothing can be ended.
//!
//! One timer for each connection looks every few seconds; what is noted for it costs nothing as long as all goes well.
//!
//! 1. *Idle*: no request for a while, from the beginning or since the last one was answered.
//! 2. *Stalled*: a write waits for a reader that does not read, or a begun answer is not asked for (a closed window of HTTP/2).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use kernel::{Clock, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Body;
use crate::limits::{ANSWER_TIMEOUT, HEAD_TIMEOUT, IDLE_TIMEOUT, LOOK_EVERY, WRITE_TIMEOUT};

/// Stands for: not now.
const NEVER: i64 = i64::MIN;

/// What a connection is doing. Instants are milliseconds since the epoch.
pub(super) struct Activity {
    clock: Arc<dyn Clock>,
    /// Requests whose answer is not finished.
    requests: AtomicUsize,
    /// Requests there have been.
    begun: AtomicUsize,
    idle_since: AtomicI64,
    /// Answers of which some is still to come.
    answers: AtomicUsize,
    /// When some answer was last asked for more.
    asked_at: AtomicI64,
    /// Since when a write waits.
    blocked_since: AtomicI64,
}

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may be told so.
    Idle,
    /// It would not hear it.
    Stalled,
}

impl Activity {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let now = clock.now().as_millis();
        Arc::new(Self {
            clock,
            requests: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            idle_since: AtomicI64::new(now),
            answers: AtomicUsize::new(0),
            asked_at: AtomicI64::new(now),
            blocked_since: AtomicI64::new(NEVER),
        })
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millis()
    }

    /// A request begins; it ends when what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Begun {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        Begun(Arc::clone(self))
    }

    /// Idleness counts anew from now.
    pub(super) fn restart(&self) {
        self.idle_since.store(self.now(), Ordering::Relaxed);
    }

    /// Completes when the connection has to end.
    pub(super) async fn verdict(&self) -> Verdict {
        loop {
            self.clock.sleep(LOOK_EVERY).await;
            if let Some(verdict) = self.look(self.clock.now()) {
                return verdict;
            }
        }
    }

    fn look(&self, now: Timestamp) -> Option<Verdict> {
        let for_long = |since: &AtomicI64, limit: Duration| {
            let since = since.load(Ordering::Relaxed);
            since != NEVER && now.since(Timestamp::from_millis(since)) >= limit
        };
        if for_long(&self.blocked_since, WRITE_TIMEOUT)
            || (self.answers.load(Ordering::Relaxed) > 0 && for_long(&self.asked_at, ANSWER_TIMEOUT))
        {
            return Some(Verdict::Stalled);
        }
        let patience = if self.begun.load(Ordering::Relaxed) == 0 { HEAD_TIMEOUT } else { IDLE_TIMEOUT };
        let idle = self.requests.load(Ordering::Relaxed) == 0 && for_long(&self.idle_since, patience);
        idle.then_some(Verdict::Idle)
    }
}

/// A request that is being answered.
pub(super) struct Begun(Arc<Activity>);

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.restart();
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer's body that notes when it is asked for more.
pub(super) struct Tracked {
    body: Body,
    begun: Begun,
}

impl Tracked {
    pub(super) fn new(body: Body, begun: Begun) -> Self {
        let activity = &begun.0;
        activity.asked_at.store(activity.now(), Ordering::Relaxed);
        activity.answers.fetch_add(1, Ordering::Relaxed);
        Self { body, begun }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.begun.0.answers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let activity = &self.begun.0;
        activity.asked_at.store(activity.now(), Ordering::Relaxed);
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_pending() {
            // The node is what is slow: it looks for itself again when there is more.
            let activity = &self.begun.0;
            activity.asked_at.store(NEVER, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that notes when a write has to wait.
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    fn note<T>(&self, polled: Poll<T>) -> Poll<T> {
        let blocked_since = &self.activity.blocked_since;
        let blocked = blocked_since.load(Ordering::Relaxed) != NEVER;
        match (&polled, blocked) {
            (Poll::Pending, false) => blocked_since.store(self.activity.now(), Ordering::Relaxed),
            (Poll::Ready(_), true) => blocked_since.store(NEVER, Ordering::Relaxed),
            _ => {}
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.note(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use kernel::ManualClock;

    use super::*;
    use crate::http::full;

    fn after(clock: &ManualClock, activity: &Activity, seconds: u64) -> Option<Verdict> {
        clock.advance(Duration::from_secs(seconds));
        activity.look(clock.now())
    }

    #[test]
    fn a_connection_without_requests_is_idle_sooner_than_one_between_them() {
        let clock = ManualClock::new(Timestamp::from_millis(0));
        let activity = Activity::new(Arc::new(clock.clone()));
        assert_eq!(after(&clock, &activity, 19), None);
        assert_eq!(after(&clock, &activity, 1), Some(Verdict::Idle));
        let request = activity.begin();
        assert_eq!(after(&clock, &activity, 3600), None);
        drop(request);
        assert_eq!(after(&clock, &activity, 59), None);
        assert_eq!(after(&clock, &activity, 1), Some(Verdict::Idle));
    }

    #[test]
    fn an_answer_that_nobody_asks_for_is_stalled() {
        let clock = ManualClock::new(Timestamp::from_millis(0));
        let activity = Activity::new(Arc::new(clock.clone()));
        let answer = Tracked::new(full(Bytes::from_static(b"x")), activity.begin());
        assert_eq!(after(&clock, &activity, 59), None);
        assert_eq!(after(&clock, &activity, 1), Some(Verdict::Stalled));
        drop(answer);
        assert_eq!(activity.look(clock.now()), None);
    }
}
