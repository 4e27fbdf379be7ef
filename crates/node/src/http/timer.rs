//! `hyper`'s timers on the node's clock: what a test moves, it moves for all of a connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::rt::{Sleep, Timer};
use kernel::Clock;

/// Sleeps by a clock.
#[derive(Clone)]
pub(super) struct ConnectionTimer(Arc<dyn Clock>);

impl ConnectionTimer {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self(clock)
    }
}

impl Timer for ConnectionTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait(Mutex::new(self.0.sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(deadline.saturating_duration_since(Instant::now()))
    }
}

/// The lock is never contended: it makes the future `Sync`, which `hyper` asks for.
struct Wait(Mutex<BoxFuture<'static, ()>>);

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.get_mut().expect("no holder of this lock panics").poll_unpin(cx)
    }
}

impl Sleep for Wait {}
