//! Pages of a listing: where one starts, how long it is, what leads to the next.

use crate::Error;

/// The page a request asks for.
pub(super) struct Page {
    /// The name or key after which it starts.
    pub(super) after: Option<String>,
    /// How many items it has at most.
    pub(super) size: usize,
}

impl Page {
    /// # Errors
    /// `InvalidInputException` for a token we did not write or a size out of range.
    pub(super) fn of(token: Option<&str>, size: Option<usize>, size_max: usize) -> Result<Self, Error> {
        let size = size.unwrap_or(size_max);
        let violated = |constraint: &str| {
            Err(Error::InvalidInput(format!(
                "1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: {constraint}"
            )))
        };
        if size == 0 {
            return violated("Member must have value greater than or equal to 1");
        }
        if size > size_max {
            return violated(&format!("Member must have value less than or equal to {size_max}"));
        }
        let after = match token.filter(|token| !token.is_empty()) {
            None => None,
            Some(token) => Some(
                wire::page::position(token)
                    .filter(|position| !position.contains('\0'))
                    .ok_or_else(|| Error::InvalidInput("Invalid pagination token.".to_owned()))?,
            ),
        };
        Ok(Self { after, size })
    }

    /// This page of items that are in the order of their names, and the token of the next.
    pub(super) fn cut<T>(self, items: Vec<T>, name: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        let mut rest =
            items.into_iter().filter(|item| self.after.as_ref().is_none_or(|after| name(item) > *after));
        let found: Vec<T> = rest.by_ref().take(self.size).collect();
        let more = rest.next().is_some();
        let next = found.last().filter(|_| more).map(|last| wire::page::token(&name(last)));
        (found, next)
    }
}
