//! What the services ask of an [`ObjectStore`].

use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
};

use super::Case;

/// A store and the power to crash it.
pub trait Harness: Send + Sync {
    /// The store.
    fn store(&self) -> &dyn ObjectStore;

    /// Crashes and recovers: what was put is there again.
    fn reopen(&mut self) -> BoxFuture<'_, ()>;
}

/// Runs every case on a harness of its own and answers the names of those that failed.
pub async fn failures<H: Harness>(make: impl Fn() -> H + Sync) -> Vec<&'static str> {
    super::failures(cases(&make)).await
}

fn cases<'a, H: Harness + 'a>(make: &'a (impl Fn() -> H + Sync)) -> Vec<Case<'a>> {
    vec![
        ("what was put is there at once and after a crash", durable(make()).boxed()),
        ("a put replaces, a create does not", modes(make()).boxed()),
        ("of many who create, one does", creators(make()).boxed()),
        ("parts join in the order they were given", multipart(make()).boxed()),
        ("an upload that was not completed leaves nothing", abandoned(make()).boxed()),
        ("copies are independent", copies(make()).boxed()),
        ("what is deleted is gone, also after a crash", deletes(make()).boxed()),
        ("lists hold complete objects and nothing else", lists(make()).boxed()),
        ("ranges", ranges(make()).boxed()),
    ]
}

async fn put(store: &dyn ObjectStore, path: &str, text: &'static str) {
    store.put(&Path::from(path), PutPayload::from_static(text.as_bytes())).await.expect("a put");
}

async fn get(store: &dyn ObjectStore, path: &str) -> Option<Bytes> {
    match store.get(&Path::from(path)).await {
        Ok(found) => Some(found.bytes().await.expect("a read")),
        Err(Error::NotFound { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

async fn names(store: &dyn ObjectStore, prefix: &str) -> Vec<String> {
    let prefix = Path::from(prefix);
    let found: Vec<_> = store.list(Some(&prefix)).try_collect().await.expect("a list");
    let mut names: Vec<_> = found.into_iter().map(|object| object.location.to_string()).collect();
    names.sort();
    names
}

async fn durable<H: Harness>(mut harness: H) {
    let large = Bytes::from(vec![5; 3 << 20]);
    let chunks: PutPayload = [large.slice(..1 << 20), large.slice(1 << 20..)].into_iter().collect();
    put(harness.store(), "a/b/c d/é=1", "x").await;
    put(harness.store(), "empty", "").await;
    harness.store().put(&Path::from("a/large"), chunks).await.expect("a put");
    for _ in 0..2 {
        assert_eq!(get(harness.store(), "a/b/c d/é=1").await.as_deref(), Some(&b"x"[..]));
        assert_eq!(get(harness.store(), "empty").await.as_deref(), Some(&b""[..]));
        assert!(get(harness.store(), "a/large").await.as_ref() == Some(&large));
        assert_eq!(get(harness.store(), "a/b/none").await, None);
        harness.reopen().await;
    }
}

async fn modes<H: Harness>(harness: H) {
    let store = harness.store();
    put(store, "a", "1").await;
    put(store, "a", "2").await;
    assert_eq!(get(store, "a").await.as_deref(), Some(&b"2"[..]));
    let create = || PutOptions::from(PutMode::Create);
    let refused = store.put_opts(&Path::from("a"), "3".into(), create()).await;
    assert!(matches!(refused, Err(Error::AlreadyExists { .. })), "{refused:?}");
    assert_eq!(get(store, "a").await.as_deref(), Some(&b"2"[..]));
    store.put_opts(&Path::from("b/c"), "3".into(), create()).await.expect("there is none yet");
    assert_eq!(get(store, "b/c").await.as_deref(), Some(&b"3"[..]));
}

async fn creators<H: Harness>(harness: H) {
    let store = harness.store();
    let path = Path::from("a/one");
    let create = |n: u32| store.put_opts(&path, n.to_string().into(), PutOptions::from(PutMode::Create));
    let created = join_all((0..20).map(create)).await;
    let winners: Vec<_> =
        (0..20u32).zip(&created).filter(|(_, put)| put.is_ok()).map(|(n, _)| n.to_string()).collect();
    let found = get(store, "a/one").await.expect("one of them was created");
    assert_eq!(winners, [String::from_utf8(found.to_vec()).expect("a number")]);
}

async fn multipart<H: Harness>(mut harness: H) {
    let mut upload = harness.store().put_multipart(&Path::from("a/b")).await.expect("an upload");
    let parts: Vec<_> = (0..5u8).map(|n| upload.put_part(vec![n; 100 + usize::from(n)].into())).collect();
    for part in join_all(parts.into_iter().rev()).await {
        part.expect("a part");
    }
    assert_eq!(get(harness.store(), "a/b").await, None);
    upload.complete().await.expect("completed");
    let expected: Vec<_> = (0..5u8).flat_map(|n| vec![n; 100 + usize::from(n)]).collect();
    for _ in 0..2 {
        assert!(get(harness.store(), "a/b").await.as_deref() == Some(&expected[..]));
        harness.reopen().await;
    }
}

async fn abandoned<H: Harness>(mut harness: H) {
    put(harness.store(), "a", "old").await;
    for how in 0..2 {
        let mut upload = harness.store().put_multipart(&Path::from("a")).await.expect("an upload");
        upload.put_part("new".into()).await.expect("a part");
        if how == 0 {
            upload.abort().await.expect("aborted");
        }
    }
    for _ in 0..2 {
        assert_eq!(names(harness.store(), "").await, ["a"]);
        assert_eq!(get(harness.store(), "a").await.as_deref(), Some(&b"old"[..]));
        harness.reopen().await;
    }
}

async fn copies<H: Harness>(mut harness: H) {
    let (a, b) = (Path::from("a"), Path::from("x/y/b"));
    put(harness.store(), "a", "1").await;
    harness.store().copy(&a, &b).await.expect("a copy");
    put(harness.store(), "a", "2").await;
    for _ in 0..2 {
        assert_eq!(get(harness.store(), "a").await.as_deref(), Some(&b"2"[..]));
        assert_eq!(get(harness.store(), "x/y/b").await.as_deref(), Some(&b"1"[..]));
        harness.reopen().await;
    }
    let store = harness.store();
    let create = CopyOptions::new().with_mode(CopyMode::Create);
    let refused = store.copy_opts(&a, &b, create).await;
    assert!(matches!(refused, Err(Error::AlreadyExists { .. })), "{refused:?}");
    let missing = store.copy(&Path::from("none"), &b).await;
    assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
    store.rename(&a, &b).await.expect("a rename");
    assert_eq!(names(store, "").await, ["x/y/b"]);
    assert_eq!(get(store, "x/y/b").await.as_deref(), Some(&b"2"[..]));
}

async fn deletes<H: Harness>(mut harness: H) {
    for n in 0..30 {
        harness.store().put(&Path::from(format!("d/{n}")), "x".into()).await.expect("a put");
    }
    let doomed = (0..29).map(|n| Ok(Path::from(format!("d/{n}"))));
    let doomed = futures::stream::iter(doomed.collect::<Vec<_>>()).boxed();
    let gone: Vec<_> = harness.store().delete_stream(doomed).try_collect().await.expect("deletes");
    assert_eq!(gone.len(), 29);
    for _ in 0..2 {
        assert_eq!(names(harness.store(), "").await, ["d/29"]);
        assert_eq!(get(harness.store(), "d/0").await, None);
        harness.reopen().await;
    }
}

async fn lists<H: Harness>(harness: H) {
    let store = harness.store();
    for path in ["a/1", "a/2", "a/b/3", "ab/4", "c"] {
        put(store, path, "x").await;
    }
    let _upload = store.put_multipart(&Path::from("a/5")).await.expect("an upload");
    assert_eq!(names(store, "").await, ["a/1", "a/2", "a/b/3", "ab/4", "c"]);
    assert_eq!(names(store, "a").await, ["a/1", "a/2", "a/b/3"]);
    let offset = store.list_with_offset(Some(&Path::from("a")), &Path::from("a/1"));
    assert_eq!(offset.try_collect::<Vec<_>>().await.expect("a list").len(), 2);
    let level = store.list_with_delimiter(Some(&Path::from("a"))).await.expect("a list");
    assert_eq!(level.common_prefixes, [Path::from("a/b")]);
    assert_eq!(level.objects.len(), 2);
}

async fn ranges<H: Harness>(harness: H) {
    let store = harness.store();
    put(store, "a", "0123456789").await;
    let path = Path::from("a");
    assert_eq!(store.get_range(&path, 2..5).await.expect("a range"), "234");
    let several = store.get_ranges(&path, &[0..1, 8..10]).await.expect("ranges");
    assert_eq!(several, ["0", "89"]);
    assert_eq!(store.head(&path).await.expect("it is there").size, 10);
}
