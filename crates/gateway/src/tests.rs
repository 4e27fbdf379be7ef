//! The gateway through the borders its users see: sockets, and ports.

mod durability;
mod https;
mod protocol;
mod rates;
mod security;
mod sessions;
