//! The whole way of a message: device → rule → stream → object → SQL, on the real engine.
//!
//! What holds everywhere: a record that was acknowledged is visible at once, and exactly once, whatever dies in between.

mod crashes;
mod disk;
mod hot_read;
mod lake;
mod queries;
mod roles;
mod rules;
mod scripts;
mod simulation;
