//! The operations, and what several of them share.

mod get_resources;
mod get_tag_keys;
mod get_tag_values;
mod tag_resources;
mod untag_resources;

use serde::Serialize;
use wire::Entry;

use crate::constraint::Violations;
use crate::limits::{NAMES_PER_PAGE, TOKEN_CHARS_MAX};
use crate::resources::Failed;
use crate::{Error, Tagging};

use get_resources::GetResources;
use get_tag_keys::GetTagKeys;
use get_tag_values::GetTagValues;
use tag_resources::TagResources;
use untag_resources::UntagResources;

/// Every operation that is served.
pub const OPERATIONS: &[Entry<Tagging>] = &[
    Entry::of::<GetResources>(),
    Entry::of::<GetTagKeys>(),
    Entry::of::<GetTagValues>(),
    Entry::of::<TagResources>(),
    Entry::of::<UntagResources>(),
];

/// What a change of tags answers.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Changed {
    failed_resources_map: Failed,
}

/// What a page begins after; none for the first page, of which the token is missing or empty.
///
/// # Errors
/// `InvalidParameterException` for a token that is none of ours.
fn after(token: Option<&str>) -> Result<Option<String>, Error> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    wire::page::position(token)
        .map(Some)
        .ok_or_else(|| Error::invalid("The PaginationToken is not one that this API has answered."))
}

fn constrain_token(token: Option<&str>, violations: &mut Violations) {
    violations.text("paginationToken", token.unwrap_or_default(), (0, TOKEN_CHARS_MAX));
}

/// A page of names that are in order, and the token of the next page: empty after the last.
///
/// # Errors
/// As [`after`].
fn page_of_names(
    names: impl Iterator<Item = String>,
    token: Option<&str>,
) -> Result<(Vec<String>, String), Error> {
    let after = after(token)?;
    let mut rest = names.filter(|name| after.as_ref().is_none_or(|after| name > after)).peekable();
    let page: Vec<String> = rest.by_ref().take(NAMES_PER_PAGE).collect();
    let next = page.last().filter(|_| rest.peek().is_some()).map(|last| wire::page::token(last));
    Ok((page, next.unwrap_or_default()))
}
