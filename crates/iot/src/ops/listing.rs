//! Pages of a listing: where one starts and what leads to the next.

use store::table::Stored;

use crate::Error;

/// After which name a page starts, and how many items it may have.
///
/// # Errors
/// `InvalidRequestException` for a token we did not write or a size out of range.
pub(super) fn start(
    token: Option<&str>,
    size: Option<usize>,
    size_max: usize,
) -> Result<(Option<String>, usize), Error> {
    let size = size.unwrap_or(size_max);
    if !(1..=size_max).contains(&size) {
        return Err(Error::InvalidRequest(format!("The size of a page must be between 1 and {size_max}.")));
    }
    let after = match token {
        None => None,
        Some(token) => Some(
            wire::page::position(token)
                .ok_or_else(|| Error::InvalidRequest("Invalid pagination token.".to_owned()))?,
        ),
    };
    Ok((after, size))
}

/// The token of the next page; none when this one was not full.
pub(super) fn next<E>(page: &[(Vec<String>, Stored<E>)], size: usize) -> Option<String> {
    let (parts, _) = page.last().filter(|_| page.len() == size)?;
    Some(wire::page::token(parts.last()?))
}
