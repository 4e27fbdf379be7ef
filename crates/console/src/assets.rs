//! The console's files, embedded by `build.rs`.
//!
//! A file under `/assets/` has its content's hash in its name: it never changes and may be kept for good, and one that is
//! missing is 404, so that a page of an older version does not take HTML for a script. Every other path that is no file
//! is a page of the application and gets `index.html`, which is asked for anew each time.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};

struct Asset {
    path: &'static str,
    gzip: bool,
    etag: &'static str,
    content: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What is served when no console was built into the binary.
const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Headwater: the console is not built</title>
<h1>The console is not in this binary</h1>
<p>Headwater was built without its web console. To have it, run this in the source tree, with Node 20 or newer, and build again:</p>
<pre>cargo xtask ui</pre>
<p>Everything else works: AWS clients, devices and SQL do not need the console.</p>
</html>
";

/// The file or page a request asks for.
pub(crate) fn answer(request: &Request<Bytes>) -> Response<Bytes> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "text/plain; charset=utf-8",
            "The console's files are only read.\n",
        );
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let mut response = respond(ASSETS, request);
    if request.method() == Method::HEAD {
        let length = HeaderValue::from(response.body().len());
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
        *response.body_mut() = Bytes::new();
    }
    response
}

fn respond(assets: &[Asset], request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path();
    let found = find(assets, path).or_else(|| {
        let page = !path.starts_with("/assets/");
        page.then(|| find(assets, "/index.html")).flatten()
    });
    match found {
        Some(asset) => serve(asset, request),
        None if assets.is_empty() => {
            plain(StatusCode::SERVICE_UNAVAILABLE, "text/html; charset=utf-8", NOT_BUILT)
        }
        None => plain(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "There is no such file.\n"),
    }
}

fn find<'a>(assets: &'a [Asset], path: &str) -> Option<&'a Asset> {
    assets.binary_search_by_key(&path, |asset| asset.path).ok().map(|at| &assets[at])
}

fn serve(asset: &Asset, request: &Request<Bytes>) -> Response<Bytes> {
    let mut response = if has_current(asset, request) {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else if asset.gzip && !takes_gzip(request) {
        Response::new(unzipped(asset))
    } else {
        let mut response = Response::new(Bytes::from_static(asset.content));
        if asset.gzip {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    };
    let headers = response.headers_mut();
    let keep =
        if asset.path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(asset.path)));
    response
}

fn unzipped(asset: &Asset) -> Bytes {
    let mut content = Vec::new();
    GzDecoder::new(asset.content).read_to_end(&mut content).expect("the build script wrote it");
    content.into()
}

/// RFC 9110 §13.1.2, with the weak comparison it asks for.
fn has_current(asset: &Asset, request: &Request<Bytes>) -> bool {
    let tags =
        request.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|tags| tags.split(','))
        .map(|tag| tag.trim())
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == asset.etag)
}

/// Whether gzip is among the codings named and not refused with `q=0`.
fn takes_gzip(request: &Request<Bytes>) -> bool {
    let values =
        request.headers().get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let refused =
            parts.find_map(|part| part.strip_prefix("q=")).is_some_and(|weight| weight.parse() == Ok(0.0));
        named && !refused
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn plain(status: StatusCode, content_type: &'static str, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    // gzip of "body{}", by `printf 'body{}' | gzip -9n`.
    const ZIPPED: &[u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0xca, 0x4f, 0xa9, 0xac, 0xae, 0x05,
        0x00, 0x59, 0x71, 0x87, 0xe2, 0x06, 0x00, 0x00, 0x00,
    ];

    static FILES: &[Asset] = &[
        Asset { path: "/assets/a-1.css", gzip: true, etag: "\"aa\"", content: ZIPPED },
        Asset { path: "/assets/f-2.woff2", gzip: false, etag: "\"ff\"", content: b"font" },
        Asset { path: "/index.html", gzip: false, etag: "\"ii\"", content: b"<!doctype html>" },
    ];

    fn get(assets: &[Asset], path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        let mut builder = Request::builder().uri(path);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        respond(assets, &builder.body(Bytes::new()).unwrap())
    }

    fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn hashed_files_are_kept_and_pages_are_asked_for_anew() {
        let file = get(FILES, "/assets/f-2.woff2", &[]);
        assert_eq!((file.status(), file.body().as_ref()), (StatusCode::OK, b"font".as_ref()));
        assert_eq!(header(&file, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&file, "content-type"), "font/woff2");
        for page in ["/", "/index.html", "/query", "/dashboard", "/any/thing"] {
            let page = get(FILES, page, &[]);
            assert_eq!((page.status(), page.body().as_ref()), (StatusCode::OK, b"<!doctype html>".as_ref()));
            assert_eq!(header(&page, "cache-control"), "no-cache");
        }
        assert_eq!(get(FILES, "/assets/old.js", &[]).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn a_current_copy_is_not_sent_again() {
        for tags in ["\"ii\"", "W/\"ii\"", "\"x\", \"ii\"", "*"] {
            let page = get(FILES, "/", &[("if-none-match", tags)]);
            assert_eq!(page.status(), StatusCode::NOT_MODIFIED, "{tags}");
            assert!(page.body().is_empty());
            assert_eq!(header(&page, "etag"), "\"ii\"");
        }
        assert_eq!(get(FILES, "/", &[("if-none-match", "\"aa\"")]).status(), StatusCode::OK);
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        for takes in ["gzip", "br, gzip;q=0.5", "GZIP", "*"] {
            let file = get(FILES, "/assets/a-1.css", &[("accept-encoding", takes)]);
            assert_eq!(header(&file, "content-encoding"), "gzip", "{takes}");
            assert_eq!(file.body().as_ref(), ZIPPED);
        }
        for refuses in ["", "br", "gzip;q=0", "identity"] {
            let file = get(FILES, "/assets/a-1.css", &[("accept-encoding", refuses)]);
            assert_eq!(header(&file, "content-encoding"), "", "{refuses}");
            assert_eq!(file.body().as_ref(), b"body{}");
            assert_eq!(header(&file, "vary"), "accept-encoding");
        }
    }

    #[test]
    fn without_a_build_every_page_says_what_to_run() {
        let page = get(&[], "/query", &[]);
        assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(String::from_utf8_lossy(page.body()).contains("cargo xtask ui"));
    }

    #[test]
    fn what_is_embedded_is_whole() {
        assert_eq!(EMBEDDED, find(ASSETS, "/index.html").is_some());
        assert!(ASSETS.is_sorted_by_key(|asset| asset.path));
        for asset in ASSETS.iter().filter(|asset| asset.gzip) {
            assert!(unzipped(asset).len() > asset.content.len(), "{}", asset.path);
        }
    }
}
