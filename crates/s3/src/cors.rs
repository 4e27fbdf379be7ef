//! Which pages of other origins a browser lets use a bucket.
//!
//! A preflight (`OPTIONS`) is answered from the bucket's rules alone, without a signature; any other request of a page is decided like
//! all, and its answer tells the browser whether the page may read it. The first rule that fits is the one that counts.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html>

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};
use wire::Fault;

use crate::Error;
use crate::directory::Known;
use crate::limits::{CORS_RULES_MAX, RULE_ID_CHARS_MAX};

/// Methods that a rule may allow.
const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];

/// A rule of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CorsRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// With one `*` each at most.
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) allowed_methods: Vec<String>,
    /// With one `*` each at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed_headers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) expose_headers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_age_seconds: Option<i32>,
}

/// Whether a bucket may have these rules.
///
/// # Errors
/// `MalformedXML`, `InvalidRequest`.
pub(crate) fn check(rules: &[CorsRule]) -> Result<(), Error> {
    let refused = |message: String| Err(Error::InvalidRequest(message));
    if rules.is_empty() {
        return Err(Error::MalformedXML);
    }
    if rules.len() > CORS_RULES_MAX {
        return refused(format!(
            "The number of CORS rules should not exceed allowed limit of {CORS_RULES_MAX} rules."
        ));
    }
    for rule in rules {
        if rule.allowed_origins.is_empty() || rule.allowed_methods.is_empty() {
            return Err(Error::MalformedXML);
        }
        if rule.id.as_ref().is_some_and(|id| id.chars().count() > RULE_ID_CHARS_MAX) {
            return Err(Error::MalformedXML);
        }
        if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return refused(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            ));
        }
        let wild = |text: &&String| text.matches('*').count() > 1;
        if let Some(origin) = rule.allowed_origins.iter().find(wild) {
            return refused(format!("AllowedOrigin \"{origin}\" can not have more than one wildcard."));
        }
        if let Some(name) = rule.allowed_headers.iter().find(wild) {
            return refused(format!("AllowedHeader \"{name}\" can not have more than one wildcard."));
        }
        if let Some(name) = rule.expose_headers.iter().find(|name| name.contains('*')) {
            return refused(format!(
                "ExposeHeader \"{name}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            ));
        }
        let is_name = |name: &String| HeaderName::from_bytes(name.as_bytes()).is_ok();
        if !rule.expose_headers.iter().all(is_name) {
            return Err(Error::MalformedXML);
        }
    }
    Ok(())
}

impl CorsRule {
    fn allows(&self, origin: &str, method: &str) -> bool {
        self.allowed_methods.iter().any(|allowed| allowed == method)
            && self.allowed_origins.iter().any(|allowed| fits(allowed, origin))
    }

    fn allows_header(&self, name: &str) -> bool {
        self.allowed_headers.iter().any(|allowed| fits(&allowed.to_ascii_lowercase(), name))
    }

    /// What an answer tells the browser.
    fn headers(&self, origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: &str| {
            // What a rule or a request says that no header can say is not said.
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        let anyone = self.allowed_origins.iter().any(|allowed| allowed == "*");
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, if anyone { "*" } else { origin });
        if !anyone {
            set(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        set(header::ACCESS_CONTROL_ALLOW_METHODS, &self.allowed_methods.join(", "));
        if !self.expose_headers.is_empty() {
            set(header::ACCESS_CONTROL_EXPOSE_HEADERS, &self.expose_headers.join(", "));
        }
        if let Some(seconds) = self.max_age_seconds {
            set(header::ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
        }
        set(header::VARY, "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
        headers
    }
}

/// Whether a text fits a pattern with at most one `*`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

/// What a preflight is answered.
///
/// # Errors
/// `BadRequest` for what is no preflight, `AccessForbidden` where no rule fits.
pub(crate) fn preflight(known: Option<&Known>, request: &HeaderMap) -> Result<HeaderMap, Fault> {
    let value = |name: HeaderName| request.get(name).and_then(|value| value.to_str().ok());
    let forbidden = |message: &str| Fault::new(403, "AccessForbidden", format!("CORSResponse: {message}"));
    let Some(origin) = value(header::ORIGIN) else {
        let message = "Insufficient information. Origin request header needed.";
        return Err(Fault::new(400, "BadRequest", message));
    };
    let method = value(header::ACCESS_CONTROL_REQUEST_METHOD).unwrap_or("null");
    if !METHODS.contains(&method) {
        let method: String = method.chars().take(40).collect();
        return Err(Fault::new(
            400,
            "BadRequest",
            format!("Invalid Access-Control-Request-Method: {method}"),
        ));
    }
    let known = known.ok_or_else(|| forbidden("Bucket not found"))?;
    if known.bucket.cors.is_empty() {
        return Err(forbidden("CORS is not enabled for this bucket."));
    }
    let asked: Vec<String> = value(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .unwrap_or_default()
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    let fitting = known
        .bucket
        .cors
        .iter()
        .find(|rule| rule.allows(origin, method) && asked.iter().all(|name| rule.allows_header(name)));
    let Some(rule) = fitting else {
        return Err(forbidden(
            "This CORS request is not allowed. This is usually because the evalution of Origin, request method / \
             Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        ));
    };
    let mut headers = rule.headers(origin);
    if !asked.is_empty()
        && let Ok(names) = HeaderValue::from_str(&asked.join(", "))
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    Ok(headers)
}

/// What the answer to any other request tells the browser.
pub(crate) fn answer(known: &Known, method: &str, request: &HeaderMap) -> Option<HeaderMap> {
    let origin = request.get(header::ORIGIN)?.to_str().ok()?;
    known.bucket.cors.iter().find(|rule| rule.allows(origin, method)).map(|rule| rule.headers(origin))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Answer, Client};

    fn rule(inner: &str) -> String {
        format!("<CORSRule>{inner}</CORSRule>")
    }

    fn page(methods: &[&str], more: &str) -> String {
        let methods: String =
            methods.iter().map(|method| format!("<AllowedMethod>{method}</AllowedMethod>")).collect();
        rule(&format!("<AllowedOrigin>https://*.example.com</AllowedOrigin>{methods}{more}"))
    }

    impl Client {
        async fn put_cors(&self, rules: &str) -> Answer {
            let body = format!("<CORSConfiguration>{rules}</CORSConfiguration>");
            self.call("PUT", "/lake?cors", &[], body).await
        }

        async fn preflight(&self, uri: &str, headers: &[(&str, &str)]) -> Answer {
            let mut all = vec![("host", "localhost")];
            all.extend(headers);
            self.send("OPTIONS", uri, &all, bytes::Bytes::new()).await
        }
    }

    const PAGE: (&str, &str) = ("origin", "https://app.example.com");
    const GET: (&str, &str) = ("access-control-request-method", "GET");
    const PUT: (&str, &str) = ("access-control-request-method", "PUT");

    #[tokio::test]
    async fn rules_are_kept_told_and_deleted() {
        let client = Client::with_bucket().await;
        client.get("/lake?cors").await.expect("404 NoSuchCORSConfiguration");
        let more = "<AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds><ID>app</ID>";
        client.put_cors(&page(&["GET", "PUT"], more)).await.expect("200");
        let told = client.get("/lake?cors").await.expect("200");
        assert_eq!(told.elements("AllowedMethod"), ["GET", "PUT"]);
        for (name, value) in [
            ("AllowedOrigin", "https://*.example.com"),
            ("AllowedHeader", "x-amz-*"),
            ("ExposeHeader", "ETag"),
            ("MaxAgeSeconds", "60"),
            ("ID", "app"),
        ] {
            assert_eq!(told.element(name), Some(value));
        }
        client.delete("/lake?cors").await.expect("204");
        client.get("/lake?cors").await.expect("404 NoSuchCORSConfiguration");
    }

    #[tokio::test]
    async fn rules_are_refused() {
        let client = Client::with_bucket().await;
        let check = async |rules: String, outcome: &str, message: Option<&str>| {
            let answer = client.put_cors(&rules).await.expect(outcome);
            if message.is_some() {
                assert_eq!(answer.element("Message"), message);
            }
        };
        check(String::new(), "400 MalformedXML", None).await;
        check(rule("<AllowedMethod>GET</AllowedMethod>"), "400 MalformedXML", None).await;
        check(
            page(&["PATCH"], ""),
            "400 InvalidRequest",
            Some("Found unsupported HTTP method in CORS config. Unsupported method is PATCH"),
        )
        .await;
        check(
            rule("<AllowedOrigin>*.*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"),
            "400 InvalidRequest",
            Some("AllowedOrigin \"*.*\" can not have more than one wildcard."),
        )
        .await;
        check(
            page(&["GET"], "<AllowedHeader>*-*</AllowedHeader>"),
            "400 InvalidRequest",
            Some("AllowedHeader \"*-*\" can not have more than one wildcard."),
        )
        .await;
        check(page(&["GET"], "<ExposeHeader>x-*</ExposeHeader>"), "400 InvalidRequest", None).await;
        check(page(&["GET"], "<ExposeHeader>a b</ExposeHeader>"), "400 MalformedXML", None).await;
        check(
            page(&["GET"], "").repeat(101),
            "400 InvalidRequest",
            Some("The number of CORS rules should not exceed allowed limit of 100 rules."),
        )
        .await;
        check(page(&["GET"], "").repeat(100), "200", None).await;
    }

    #[tokio::test]
    async fn a_preflight_is_answered_by_the_first_rule_that_fits() {
        let client = Client::with_bucket().await;
        let check = async |uri: &str, headers: &[(&str, &str)], outcome: &str, message: &str| {
            let answer = client.preflight(uri, headers).await.expect(outcome);
            assert_eq!(answer.element("Message"), Some(message));
        };
        check("/lake/k", &[GET], "400 BadRequest", "Insufficient information. Origin request header needed.")
            .await;
        let invalid = "Invalid Access-Control-Request-Method: null";
        check("/lake/k", &[PAGE], "400 BadRequest", invalid).await;
        check("/nolake/k", &[PAGE, GET], "403 AccessForbidden", "CORSResponse: Bucket not found").await;
        let disabled = "CORSResponse: CORS is not enabled for this bucket.";
        check("/lake/k", &[PAGE, GET], "403 AccessForbidden", disabled).await;

        let everyone = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>";
        let more = "<AllowedHeader>X-Amz-*</AllowedHeader><MaxAgeSeconds>60</MaxAgeSeconds>";
        client.put_cors(&format!("{}{}", page(&["PUT"], more), rule(everyone))).await.expect("200");
        let asked = ("access-control-request-headers", "X-Amz-Date, x-amz-acl");
        let put = client.preflight("/lake/k", &[PAGE, PUT, asked]).await.expect("200");
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example.com"),
            ("access-control-allow-methods", "PUT"),
            ("access-control-allow-headers", "x-amz-date, x-amz-acl"),
            ("access-control-allow-credentials", "true"),
            ("access-control-max-age", "60"),
            ("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"),
        ] {
            assert_eq!(put.header(name), Some(value), "{name}");
        }
        let get = client.preflight("/lake", &[("origin", "http://other.test"), GET]).await.expect("200");
        assert_eq!(get.header("access-control-allow-origin"), Some("*"));
        assert_eq!(get.header("access-control-allow-credentials"), None);
        for headers in [
            [PAGE, PUT, ("access-control-request-headers", "authorization")],
            [("origin", "https://example.org"), PUT, asked],
            [("origin", "http://app.example.com"), PUT, asked],
            [PAGE, ("access-control-request-method", "DELETE"), asked],
        ] {
            client.preflight("/lake/k", &headers).await.expect("403 AccessForbidden");
        }
        let in_host = [("host", "lake.s3.localhost:4566"), PAGE, PUT, asked];
        client.send("OPTIONS", "/k", &in_host, bytes::Bytes::new()).await.expect("200");
    }

    #[tokio::test]
    async fn an_answer_says_whether_a_page_may_read_it_and_lets_nobody_in() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        client.put_cors(&page(&["GET"], "<ExposeHeader>ETag</ExposeHeader>")).await.expect("200");
        let get = client.call("GET", "/lake/k", &[PAGE], "").await.expect("200");
        assert_eq!(get.header("access-control-allow-origin"), Some("https://app.example.com"));
        assert_eq!(get.header("access-control-expose-headers"), Some("ETag"));
        assert_eq!(client.get("/lake/k").await.header("access-control-allow-origin"), None);
        let other =
            client.call("GET", "/lake/k", &[("origin", "https://example.org")], "").await.expect("200");
        assert_eq!(other.header("access-control-allow-origin"), None);
        let denied = client.send("GET", "/lake/k", &[("host", "localhost"), PAGE], bytes::Bytes::new()).await;
        // A page learns why it is refused, and nothing else.
        let denied = denied.expect("403 AccessDenied");
        assert_eq!(denied.header("access-control-allow-origin"), Some("https://app.example.com"));
    }
}
