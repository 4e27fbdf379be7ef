//! A whole node in memory, and its clients: where tests stand.
//!
//! [`Sandbox`] is the real `Node` on memory stores, with a clock that only the test moves and chance from a seed, reached through
//! real sockets on loopback. [`Device`] is an MQTT client of it; [`client::Client`] calls its APIs.
//!
//! ```text
//! let mut sandbox = Sandbox::new().await;
//! let mut sensor = sandbox.device("sensor-1").await;
//! sensor.publish("plant/3/temp", r#"{"t": 21}"#).await;
//! sandbox.advance(Duration::from_secs(60));
//! sandbox.until("the object is there", async || …).await;
//! sandbox.crash().await;                                   // same stores, new node
//! ```
//!
//! 1. The node has a runtime of its own; a crash drops it with all that runs there, mid-await, which is what `kill -9` does.
//! 2. What was in the stores at that moment is all that the next node finds.
//! 3. Tests wait for a predicate, never for time: [`Sandbox::until`].

mod device;
pub mod flow;
mod halting;
mod http;
mod identity;
mod objects;
mod sandbox;
mod sql;

pub use device::{Closed, Device};
pub use halting::{Halt, Write};
pub use http::HttpConnection;
pub use identity::Identity;
pub use objects::elements;
pub use sandbox::{Sandbox, Setup};
pub use sql::Executed;
