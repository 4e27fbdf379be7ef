//! Who may ask at all: the checks before any route, against DNS rebinding and against other sites' pages.
//!
//! A page on a foreign name that was rebound to our address sends that name as `Host` and no `Origin`: hence the
//! allow-list, on every method. A foreign page that calls us by our own name is told by `Sec-Fetch-Site` or, from old
//! browsers, `Origin`; and it cannot add `X-Console` without a preflight, which no answer grants.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use serde_json::json;

use crate::headers;

/// Names that always mean this machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// A request that is turned away.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The `Host` is not one of ours.
    #[error("This console is not served under that host name.")]
    Misdirected,
    /// The request does not come from the console's own page.
    #[error("The console's routes are for its own pages.")]
    CrossSite,
}

impl Refusal {
    pub(crate) fn into_response(self) -> Response<Bytes> {
        let status = match self {
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::CrossSite => StatusCode::FORBIDDEN,
        };
        headers::json(status, &json!({"__type": "AccessDenied", "message": self.to_string()}))
    }
}

/// Whether the path is a route and not a file or a page.
pub(crate) fn is_route(request: &Request<Bytes>) -> bool {
    request.uri().path().starts_with("/console/")
}

/// The request's host with port, if its name is ours.
///
/// # Errors
/// [`Refusal::Misdirected`].
pub(crate) fn check_host(request: &Request<Bytes>, hosts: &[String]) -> Result<String, Refusal> {
    let mut given = request.headers().get_all(header::HOST).iter();
    let host = match (given.next(), given.next(), request.uri().authority()) {
        // HTTP/2 names the host in the request's address.
        (None, _, Some(authority)) => authority.as_str(),
        (Some(host), None, _) => host.to_str().map_err(|_| Refusal::Misdirected)?,
        _ => return Err(Refusal::Misdirected),
    };
    let host = host.to_ascii_lowercase();
    let (name, _) = split_port(&host).ok_or(Refusal::Misdirected)?;
    if LOOPBACK.contains(&name) || hosts.iter().any(|own| own == name) {
        Ok(host)
    } else {
        Err(Refusal::Misdirected)
    }
}

/// Name and port of a host. None when the port is no number.
pub(crate) fn split_port(host: &str) -> Option<(&str, Option<u16>)> {
    if let Some(inner) = host.strip_prefix('[') {
        let (_, rest) = inner.split_once(']')?;
        let name = host.strip_suffix(rest)?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((name, Some(port.parse().ok()?))),
            None => rest.is_empty().then_some((name, None)),
        };
    }
    match host.split_once(':') {
        Some((name, port)) => Some((name, Some(port.parse().ok()?))),
        None => Some((host, None)),
    }
}

/// The request comes from the console's own page, or from no browser at all.
///
/// # Errors
/// [`Refusal::CrossSite`].
pub(crate) fn check_site(request: &Request<Bytes>, host: &str) -> Result<(), Refusal> {
    let header = |name: &str| request.headers().get(name).map(|value| value.as_bytes());
    if header("x-console") != Some(b"1") {
        return Err(Refusal::CrossSite);
    }
    if let Some(site) = header("sec-fetch-site") {
        return if site == b"same-origin" { Ok(()) } else { Err(Refusal::CrossSite) };
    }
    match header("origin") {
        None => Ok(()),
        Some(origin) => {
            let own = [format!("http://{host}"), format!("https://{host}")];
            if own.iter().any(|own| own.as_bytes() == origin) { Ok(()) } else { Err(Refusal::CrossSite) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<Bytes> {
        let mut builder = Request::builder().uri("/console/session");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(Bytes::new()).unwrap()
    }

    #[test]
    fn only_our_names_are_served() {
        let hosts = ["node.lan".to_owned()];
        for host in ["localhost:4567", "127.0.0.1:4567", "[::1]:4567", "[::1]", "LOCALHOST", "node.lan:80"] {
            check_host(&request(&[("host", host)]), &hosts).unwrap();
        }
        for host in [
            "evil.example",
            "evil.example:4567",
            "localhost.evil.example",
            "127.0.0.1.nip.io:4567",
            "0.0.0.0:4567",
            "localhost:x",
            "[::1",
            "[::1]x",
            "",
            "127.0.0.2",
            "localhost@evil.example",
        ] {
            assert_eq!(check_host(&request(&[("host", host)]), &hosts), Err(Refusal::Misdirected), "{host}");
        }
        assert_eq!(check_host(&request(&[]), &hosts), Err(Refusal::Misdirected));
        let twice = request(&[("host", "localhost"), ("host", "evil.example")]);
        assert_eq!(check_host(&twice, &hosts), Err(Refusal::Misdirected));
    }

    #[test]
    fn an_http2_request_names_its_host_in_the_address() {
        let own = Request::builder().uri("http://127.0.0.1:4567/").body(Bytes::new()).unwrap();
        assert_eq!(check_host(&own, &[]).unwrap(), "127.0.0.1:4567");
        let other = Request::builder().uri("http://evil.example/").body(Bytes::new()).unwrap();
        assert_eq!(check_host(&other, &[]), Err(Refusal::Misdirected));
    }

    #[test]
    fn only_our_own_pages_reach_a_route() {
        let host = "127.0.0.1:4567";
        let own: [&[(&str, &str)]; 4] = [
            &[("x-console", "1")],
            &[("x-console", "1"), ("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:4567")],
            &[("x-console", "1"), ("origin", "http://127.0.0.1:4567")],
            &[("x-console", "1"), ("origin", "https://127.0.0.1:4567")],
        ];
        for headers in own {
            check_site(&request(headers), host).unwrap();
        }
        let foreign: [&[(&str, &str)]; 6] = [
            &[],
            &[("x-console", "true")],
            &[("x-console", "1"), ("sec-fetch-site", "same-site")],
            &[("x-console", "1"), ("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:4567")],
            &[("x-console", "1"), ("origin", "null")],
            &[("x-console", "1"), ("origin", "http://127.0.0.1:4566")],
        ];
        for headers in foreign {
            assert_eq!(check_site(&request(headers), host), Err(Refusal::CrossSite), "{headers:?}");
        }
    }
}
