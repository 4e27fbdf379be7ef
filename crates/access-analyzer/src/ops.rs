//! The operations, and what several of them share.

mod get_generated_policy;
mod list_policy_generations;
mod start_policy_generation;

use serde_json::{Map, Value, json};
use wire::{Entry, Http, Param};

use crate::AccessAnalyzer;
use crate::generation::Generation;

use get_generated_policy::GetGeneratedPolicy;
use list_policy_generations::ListPolicyGenerations;
use start_policy_generation::StartPolicyGeneration;

/// Every operation that is served.
pub const OPERATIONS: &[Entry<AccessAnalyzer>] = &[
    Entry::rest::<StartPolicyGeneration>(Http::new("PUT", "/policy/generation")),
    Entry::rest::<GetGeneratedPolicy>(
        Http::new("GET", "/policy/generation/{jobId}")
            .query(&[Param::flag("includeResourcePlaceholders"), Param::flag("includeServiceLevelTemplate")]),
    ),
    Entry::rest::<ListPolicyGenerations>(Http::new("GET", "/policy/generation").query(&[
        Param::text("principalArn"),
        Param::number("maxResults"),
        Param::text("nextToken"),
    ])),
];

/// The state of a generation, which is always that it succeeded.
fn state(generation: &Generation) -> Map<String, Value> {
    let at = generation.at.to_iso8601();
    let members = [
        ("jobId", json!(generation.job_id)),
        ("status", json!("SUCCEEDED")),
        ("startedOn", json!(at)),
        ("completedOn", json!(at)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
