//! Every operation over HTTP: who is let in, what is said to those who are not, and how long lists are read.
//!
//! What an operation does is tested in its own file; here stands what all of them have in common.

mod accounts;
mod credentials;
mod envelopes;
mod front_door;
mod http2;
mod metrics;
mod operations_document;
mod pages;
mod pass_role;
mod quotas;
mod requests;
mod reset;
mod s3_access;
mod s3_auth;
mod s3_bodies;
mod s3_bombs;
mod s3_hosts;
mod s3_presigned;
mod signing;
mod slow_clients;
mod tls;
mod unknown_operations;
mod web_identity;
