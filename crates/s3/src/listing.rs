//! Listing objects: prefix, delimiter, and where to go on.
//!
//! Keys that share the text from the prefix to the next delimiter are rolled up into one common prefix. After the first such key the scan
//! *seeks* behind the common prefix instead of reading the rest of it, so a listing costs what it returns, not what is below.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html>

use store::{Table, TableError};

use crate::object::Object;

/// How many entities one scan asks for at most.
const SCAN_MAX: usize = 1000;

/// What to list.
#[derive(Clone, Debug)]
pub(crate) struct Listing<'a> {
    pub(crate) prefix: &'a str,
    /// Not empty.
    pub(crate) delimiter: Option<&'a str>,
    pub(crate) after: After,
    /// Items of one page.
    pub(crate) max: usize,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// At the first key.
    Start,
    /// Behind this key.
    Key(String),
    /// Behind every key that begins with this.
    Prefix(String),
}

impl After {
    /// Behind a marker of the first version of the operation, which may be a key or a common prefix.
    pub(crate) fn marker(marker: &str, prefix: &str, delimiter: Option<&str>) -> Self {
        match common_prefix(marker, prefix, delimiter) {
            Some(common) => Self::Prefix(common),
            None => Self::Key(marker.to_owned()),
        }
    }

    /// The text of a continuation token.
    pub(crate) fn token(&self) -> String {
        wire::page::token(&match self {
            Self::Start => String::new(),
            Self::Key(key) => format!("k{key}"),
            Self::Prefix(prefix) => format!("p{prefix}"),
        })
    }

    /// What a continuation token says; none if we did not write it.
    pub(crate) fn from_token(token: &str) -> Option<Self> {
        let position = wire::page::position(token)?;
        match position.strip_prefix('k') {
            Some(key) => Some(Self::Key(key.to_owned())),
            None => position.strip_prefix('p').map(|prefix| Self::Prefix(prefix.to_owned())),
        }
    }
}

/// A line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Object(String, Box<Object>),
    Prefix(String),
}

/// A page of a listing.
#[derive(Debug)]
pub(crate) struct Page {
    /// In the order of their keys and prefixes.
    pub(crate) items: Vec<Item>,
    /// Where the next page begins; none after the last.
    pub(crate) next: Option<After>,
}

impl Page {
    fn truncated(items: Vec<Item>) -> Self {
        let next = items.last().map(|item| match item {
            Item::Object(key, _) => After::Key(key.clone()),
            Item::Prefix(prefix) => After::Prefix(prefix.clone()),
        });
        Self { items, next }
    }
}

/// `a/b/` for the key `a/b/c/d`, the prefix `a/` and the delimiter `/`.
fn common_prefix(key: &str, prefix: &str, delimiter: Option<&str>) -> Option<String> {
    let delimiter = delimiter?;
    let (head, _) = key.strip_prefix(prefix)?.split_once(delimiter)?;
    Some(format!("{prefix}{head}{delimiter}"))
}

/// A text behind every key that begins with `prefix`, save those that go on with the last character there is: for these the scan goes on key
/// by key.
fn behind(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// A page of the objects of a bucket.
pub(crate) async fn list(
    objects: &Table<Object>,
    bucket: &str,
    listing: &Listing<'_>,
) -> Result<Page, TableError> {
    let Listing { prefix, delimiter, max, .. } = *listing;
    let mut items = Vec::new();
    let (mut after, mut rolled_up) = match &listing.after {
        After::Start => (None, None),
        After::Key(key) => (Some(key.clone()), None),
        After::Prefix(common) => (Some(behind(common)), Some(common.clone())),
    };
    if max == 0 {
        return Ok(Page { items, next: None });
    }
    loop {
        let wanted = (max - items.len() + 1).min(SCAN_MAX);
        let page = objects.page(&[bucket], prefix, after.as_deref(), wanted).await?;
        let whole = page.len() < wanted;
        let last = page.last().and_then(|(parts, _)| parts.get(1).cloned()).unwrap_or_default();
        let mut next_after = Some(last.clone());
        for (parts, stored) in page {
            let Some(key) = parts.into_iter().nth(1) else { continue };
            let common = common_prefix(&key, prefix, delimiter);
            if common.is_some() && common == rolled_up {
                continue;
            }
            if items.len() == max {
                return Ok(Page::truncated(items));
            }
            let Some(common) = common else {
                items.push(Item::Object(key, Box::new(stored.entity)));
                continue;
            };
            let covers_the_rest = last.starts_with(&common);
            if covers_the_rest {
                next_after = Some(behind(&common).max(last.clone()));
            }
            rolled_up = Some(common.clone());
            items.push(Item::Prefix(common));
            if covers_the_rest {
                break;
            }
        }
        if whole {
            return Ok(Page { items, next: None });
        }
        after = next_after;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use kernel::Timestamp;
    use proptest::prelude::*;
    use store::meta::memory::MemoryMetaStore;

    use super::*;

    async fn table(keys: &BTreeSet<String>) -> Table<Object> {
        let objects = Table::new(Arc::new(MemoryMetaStore::new()));
        let object = Object::for_test("e", Timestamp::EPOCH);
        for key in keys {
            objects.put(&["bucket", key], &object).await.unwrap();
        }
        // A neighbour, into which no listing may run.
        objects.put(&["bucket2", "a"], &object).await.unwrap();
        objects
    }

    fn text(item: &Item) -> String {
        match item {
            Item::Object(key, _) => format!("key {key}"),
            Item::Prefix(prefix) => format!("prefix {prefix}"),
        }
    }

    /// Every page of a listing, and how many there were.
    async fn all(objects: &Table<Object>, mut listing: Listing<'_>) -> (Vec<String>, usize) {
        let mut out = Vec::new();
        let mut pages = 0;
        loop {
            let page = list(objects, "bucket", &listing).await.unwrap();
            assert!(page.items.len() <= listing.max);
            out.extend(page.items.iter().map(text));
            pages += 1;
            match page.next {
                Some(next) => listing.after = After::from_token(&next.token()).unwrap(),
                None => return (out, pages),
            }
        }
    }

    /// The same from the definition: every key in order, rolled up.
    fn naive(keys: &BTreeSet<String>, listing: &Listing<'_>) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for key in keys {
            let behind = match &listing.after {
                After::Start => true,
                After::Key(after) => key > after,
                After::Prefix(after) => key > after && !key.starts_with(after.as_str()),
            };
            if !key.starts_with(listing.prefix) || !behind {
                continue;
            }
            let rolled = listing.delimiter.and_then(|delimiter| {
                let at = key.get(listing.prefix.len()..)?.find(delimiter)?;
                key.get(..listing.prefix.len() + at + delimiter.len())
            });
            let line = rolled.map_or_else(|| format!("key {key}"), |common| format!("prefix {common}"));
            if out.last() != Some(&line) {
                out.push(line);
            }
        }
        out
    }

    fn keys() -> impl Strategy<Value = BTreeSet<String>> {
        // Few letters, so that prefixes are shared; the last character there is, which the seek must not skip.
        proptest::collection::btree_set("[ab/\u{10ffff}]{1,5}", 0..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn a_listing_equals_the_naive_one(
            keys in keys(),
            prefix in "[ab/]{0,2}",
            delimiter in proptest::option::of("[/b]|/a"),
            after in proptest::option::of("[ab/]{1,3}"),
            marker in any::<bool>(),
            max in 1usize..6,
        ) {
            let delimiter = delimiter.as_deref();
            let after = match after {
                None => After::Start,
                Some(text) if marker => After::marker(&text, &prefix, delimiter),
                Some(text) => After::Key(text),
            };
            let listing = Listing { prefix: &prefix, delimiter, after, max };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (found, pages) = runtime.block_on(async { all(&table(&keys).await, listing.clone()).await });
            let expected = naive(&keys, &listing);
            prop_assert_eq!(pages, expected.len().div_ceil(max).max(1));
            prop_assert_eq!(found, expected);
        }
    }

    #[tokio::test]
    async fn a_big_common_prefix_is_not_read_through() {
        let keys =
            (0..5000).map(|n| format!("big/{n:05}")).chain(["after".to_owned(), "z".to_owned()]).collect();
        let objects = table(&keys).await;
        let listing = Listing { prefix: "", delimiter: Some("/"), after: After::Start, max: 1000 };
        assert_eq!(all(&objects, listing).await.0, ["key after", "prefix big/", "key z"]);
    }

    #[tokio::test]
    async fn nothing_is_asked_for_and_nothing_comes() {
        let objects = table(&["a".to_owned()].into()).await;
        let listing = Listing { prefix: "", delimiter: None, after: After::Start, max: 0 };
        let page = list(&objects, "bucket", &listing).await.unwrap();
        assert!(page.items.is_empty() && page.next.is_none());
    }
}
