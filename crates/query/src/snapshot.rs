//! What a table holds at one moment: objects, and records that are acknowledged but not yet in an object.
//!
//! 1. The buffered records of *every* location are taken before the objects of *any* location are listed.
//! 2. They are taken in one call per bucket: a record's key, and so its location, is settled only when its delivery
//!    begins, and between two calls it could move from one location to another.
//! 3. A buffered record whose offset lies in a listed object's range of the same log is left out.
//!
//! A record is trimmed from its buffer only after its object is there. So by 1 and 2 it is seen at least once, and by
//! 2 and 3 at most once, whatever deliveries happen in between (`ports::RecordRange`).

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use futures::TryFutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use kernel::{Context, ErrorKind};
use ports::{Buffered, BufferedRecords, ObjectInfo, Objects, PortError, PortFuture};

use crate::error::QueryError;
use crate::limits::SCAN_OBJECTS_MAX;

/// Listings in flight at once.
const LISTINGS: usize = 8;

/// A place under which objects are a table's or a partition's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Location {
    pub(crate) bucket: String,
    /// Empty, or ends with a slash.
    pub(crate) prefix: String,
}

/// Something to read rows from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Object { bucket: String, info: ObjectInfo },
    Buffered { bucket: String, key: String, records: u64, body: Bytes },
}

impl Source {
    /// Bytes as stored.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Object { info, .. } => info.size,
            Self::Buffered { body, .. } => body.len() as u64,
        }
    }

    /// `s3://bucket/key`; of buffered records, where they would go.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Object { bucket, info } => format!("s3://{bucket}/{}", info.key),
            Self::Buffered { bucket, key, .. } => format!("s3://{bucket}/{key}"),
        }
    }
}

impl Location {
    /// Reads `s3://bucket/prefix[/]`; a location is a directory whether or not it ends with a slash.
    pub(crate) fn parse(url: &str) -> Result<Self, QueryError> {
        let rest = ["s3://", "s3a://", "s3n://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let (bucket, prefix) = match rest.map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
            Some((bucket, prefix)) if !bucket.is_empty() => (bucket, prefix),
            _ => {
                return Err(QueryError::user(
                    "HIVE_INVALID_METADATA",
                    format!("Invalid S3 location: '{url}'"),
                ));
            }
        };
        let slash = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
        Ok(Self { bucket: bucket.to_owned(), prefix: format!("{prefix}{slash}") })
    }

    /// Whether a key belongs to the table: Hive passes over names that begin with `_` or `.`.
    fn shows(&self, key: &str) -> bool {
        let Some(below) = key.strip_prefix(self.prefix.as_str()) else { return false };
        !below.is_empty()
            && !below.ends_with('/')
            && !below.split('/').any(|segment| segment.starts_with('_') || segment.starts_with('.'))
    }
}

/// Takes the sources of each location, in the order of `locations`.
pub(crate) async fn take(
    cx: &Context,
    objects: &dyn Objects,
    buffered: &dyn Buffered,
    locations: &[Location],
) -> Result<Vec<Vec<Source>>, PortError> {
    let mut runs = Vec::new();
    for (bucket, prefix) in common_prefixes(locations) {
        let of_bucket = buffered.buffered(cx, bucket, prefix).await?;
        runs.extend(of_bucket.into_iter().map(|run| (bucket, run)));
    }
    let listings: Vec<_> = locations.iter().map(|location| list(cx, objects, location)).collect();
    let listings: Vec<Vec<ObjectInfo>> = stream::iter(listings).buffered(LISTINGS).try_collect().await?;
    if listings.iter().map(Vec::len).sum::<usize>() > SCAN_OBJECTS_MAX {
        let sentence = format!("Query reads more than {SCAN_OBJECTS_MAX} objects");
        return Err(QueryError::user("GENERIC_USER_ERROR", sentence).into());
    }

    let mut delivered = Delivered::default();
    listings.iter().flatten().for_each(|info| delivered.add(info));
    let runs: Vec<_> = runs.into_iter().filter_map(|(bucket, run)| delivered.without(bucket, run)).collect();
    let sources = locations.iter().zip(listings).map(|(location, listing)| {
        let objects = listing
            .into_iter()
            .filter(|info| info.size > 0 && location.shows(&info.key))
            .map(|info| Source::Object { bucket: location.bucket.clone(), info });
        let here = |run: &&Source| match run {
            Source::Buffered { bucket, key, .. } => *bucket == location.bucket && location.shows(key),
            Source::Object { .. } => false,
        };
        objects.chain(runs.iter().filter(here).cloned()).collect()
    });
    Ok(sources.collect())
}

/// The longest prefix of all locations in each bucket.
fn common_prefixes(locations: &[Location]) -> BTreeMap<&str, &str> {
    let mut prefixes: BTreeMap<&str, &str> = BTreeMap::new();
    for Location { bucket, prefix } in locations {
        let known = prefixes.entry(bucket).or_insert(prefix);
        let mut pairs = known.char_indices().zip(prefix.chars());
        let end = pairs.find(|((_, a), b)| a != b).map_or(known.len().min(prefix.len()), |((at, _), _)| at);
        *known = known.split_at(end).0;
    }
    prefixes
}

fn list<'a>(
    cx: &'a Context,
    objects: &'a dyn Objects,
    location: &'a Location,
) -> PortFuture<'a, Vec<ObjectInfo>> {
    let listing = objects.list(cx, &location.bucket, &location.prefix);
    let explained = listing.map_err(|error| {
        if error.kind != ErrorKind::NotFound {
            return error;
        }
        let sentence =
            format!("The specified bucket does not exist: s3://{}/{}", location.bucket, location.prefix);
        let mut missing: PortError = QueryError::user("HIVE_FILESYSTEM_ERROR", sentence).into();
        missing.source = Some(Box::new(error));
        missing
    });
    Box::pin(explained)
}

/// Which records of each log are in objects.
#[derive(Default)]
struct Delivered {
    ranges: HashMap<String, Vec<(u64, u64)>>,
}

impl Delivered {
    fn add(&mut self, info: &ObjectInfo) {
        if let Some(range) = &info.records {
            self.ranges.entry(range.log.clone()).or_default().push((range.first, range.next));
        }
    }

    /// The records of a run that are in no object; none if all are.
    fn without(&self, bucket: &str, run: BufferedRecords) -> Option<Source> {
        let ranges = self.ranges.get(&run.range.log).map_or(&[][..], Vec::as_slice);
        let overlaps = |(first, next): &&(u64, u64)| *first < run.range.next && run.range.first < *next;
        let ranges: Vec<(u64, u64)> = ranges.iter().filter(overlaps).copied().collect();
        let mut body = Vec::with_capacity(run.records.iter().map(Bytes::len).sum());
        let mut records = 0;
        for (offset, record) in (run.range.first..).zip(&run.records) {
            if !ranges.iter().any(|(first, next)| (*first..*next).contains(&offset)) {
                body.extend_from_slice(record);
                records += 1;
            }
        }
        let key = run.key;
        (records > 0).then(|| Source::Buffered { bucket: bucket.to_owned(), key, records, body: body.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_directory() {
        let check = |url: &str, bucket: &str, prefix: &str| {
            let location = Location::parse(url).unwrap();
            assert_eq!((location.bucket.as_str(), location.prefix.as_str()), (bucket, prefix));
        };
        check("s3://b/a/b", "b", "a/b/");
        check("s3://b/a/b/", "b", "a/b/");
        check("s3a://b.with.dots", "b.with.dots", "");
        assert!(Location::parse("file:///x").is_err());
        assert!(Location::parse("s3:///x").is_err());
    }

    #[test]
    fn one_prefix_covers_the_locations_of_a_bucket() {
        let locations = ["s3://a/t/x=1", "s3://a/t/x=2", "s3://b/é/", "s3://b/è/", "s3://c/t", "s3://c/t"];
        let locations = locations.map(|url| Location::parse(url).unwrap());
        let prefixes: Vec<_> = common_prefixes(&locations).into_iter().collect();
        assert_eq!(prefixes, [("a", "t/x="), ("b", ""), ("c", "t/")]);
    }

    #[test]
    fn hidden_names_are_passed_over() {
        let location = Location::parse("s3://b/_t/").unwrap();
        let check = |key: &str, shown: bool| assert_eq!(location.shows(key), shown, "{key}");
        check("_t/a", true);
        check("_t/2017/08/a.json", true);
        check("_t/_SUCCESS", false);
        check("_t/.tmp/a", false);
        check("_t/x_y", true);
        check("_t/dir/", false);
        check("_t/", false);
        check("other/a", false);
    }
}
