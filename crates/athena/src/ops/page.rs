//! Pages of a listing: where one starts, how long it is, what leads to the next.

use crate::Error;
use crate::constraint::Violations;

/// The page a request asks for.
pub(super) struct Page {
    /// The position after which it starts.
    pub(super) after: Option<String>,
    /// How many items it has at most.
    pub(super) size: usize,
}

impl Page {
    /// # Errors
    /// `InvalidRequestException` for a token we did not write or a size out of range.
    pub(super) fn of(
        token: Option<&str>,
        size: Option<i64>,
        (min, max): (i64, usize),
    ) -> Result<Self, Error> {
        let mut violations = Violations::default();
        violations.range("maxResults", size, (min, max as i64));
        violations.finish()?;
        let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0).unwrap_or(max);
        let after = token.map(|token| {
            let position = wire::page::position(token).filter(|position| !position.contains('\0'));
            position.ok_or_else(|| Error::invalid("Invalid NextToken."))
        });
        Ok(Self { after: after.transpose()?, size })
    }

    /// This page of the items from its start on, of which there is one more than fit if there is a next page.
    pub(super) fn cut<T>(
        &self,
        mut items: Vec<T>,
        position: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let more = items.len() > self.size;
        items.truncate(self.size);
        let next = items.last().filter(|_| more).map(|last| wire::page::token(&position(last)));
        (items, next)
    }

    /// This page of all items, which are in the order of their positions.
    pub(super) fn cut_all<T>(
        &self,
        items: Vec<T>,
        position: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let rest =
            items.into_iter().filter(|item| self.after.as_ref().is_none_or(|after| position(item) > *after));
        self.cut(rest.take(self.size + 1).collect(), position)
    }
}
