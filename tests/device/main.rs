//! MQTT and HTTPS publish as a device sees them: over real sockets, and over TLS with certificates made through the API.
//!
//! Names carry the statement of the specification where there is one: `mqtt_3_1_2_24_…` is section 3.1.2.24 or conformance statement
//! MQTT-3.1.2-24 of MQTT 3.1.1; `v5_…` is MQTT 5.

mod authorities;
mod certificates;
mod common;
mod data_plane;
mod hostile;
mod https;
mod keep_alive;
mod policies;
mod publishing;
mod sessions;
mod tenants;
mod wills;
