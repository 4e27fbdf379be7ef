//! The routes under `/console/`, in one table.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use kernel::{Context, Principal, Region};
use serde::Serialize;
use serde_json::json;
use wire::{Arrival, Fault};

use crate::limits::BODY_BYTES_MAX;
use crate::{Console, access, aws, guard, headers, login, metrics, session, sql};

/// What a signed-in page knows of itself.
#[derive(Serialize)]
struct Account<'a> {
    account: &'a str,
    region: &'a str,
    arn: String,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
}

/// Answers a request under `/console/` whose host is ours.
pub(crate) async fn answer(
    console: &Console,
    request: Request<Bytes>,
    host: &str,
    arrival: Arrival,
) -> Response<Bytes> {
    if let Err(refusal) = guard::check_site(&request, host) {
        return refusal.into_response();
    }
    if request.body().len() > BODY_BYTES_MAX {
        return fault(&Fault::new(413, "RequestEntityTooLargeException", "The request is too large."));
    }
    let path: Vec<&str> = request.uri().path().split('/').skip(2).collect();
    let id = session::id_of(request.headers(), host);
    let method = request.method();
    if path == ["session"] && method == Method::POST {
        return sign_in(console, request.body(), host, id.as_deref(), &arrival);
    }
    let live = |id: &str| console.sessions.principal(id, &*console.parts.credentials);
    let Some(principal) = id.as_deref().and_then(live) else {
        return fault(&Fault::new(401, "AccessDenied", "Sign in."));
    };
    let Some(region) = region(console, &request) else {
        return fault(&Fault::new(400, "ValidationException", "X-Console-Region names no region."));
    };
    let cx = context(console, principal, region, &arrival);
    let body = request.body();
    match (method, path.as_slice()) {
        (&Method::GET, ["session"]) => headers::json(StatusCode::OK, &account(console, &cx.principal)),
        (&Method::DELETE, ["session"]) => sign_out(console, host, &arrival, id.as_deref()),
        (&Method::GET, ["metrics"]) => headers::json(StatusCode::OK, &metrics::answer(console, &cx)),
        (&Method::POST, ["sql"]) => render(sql::answer(console, &cx, body).await),
        (&Method::POST, ["aws", service, operation]) => {
            render(aws::call(console, &cx, service, operation, body).await)
        }
        (&Method::POST, ["access", "denied"]) => render(access::denied(console, &cx, body)),
        (&Method::POST, ["access", "principals"]) => render(access::principals(console, &cx)),
        (&Method::POST, ["access", "policy"]) => render(access::policy(console, &cx, body)),
        (_, ["session"]) => not_allowed("DELETE, GET, POST"),
        (_, ["metrics"]) => not_allowed("GET"),
        (_, ["sql"] | ["aws", _, _] | ["access", "denied" | "principals" | "policy"]) => not_allowed("POST"),
        _ => fault(&Fault::new(404, "NotFoundException", "There is no such route.")),
    }
}

fn sign_in(
    console: &Console,
    body: &Bytes,
    host: &str,
    before: Option<&str>,
    arrival: &Arrival,
) -> Response<Bytes> {
    let signed_in = match login::authenticate(console, body, arrival.source_ip.as_deref()) {
        Ok(signed_in) => signed_in,
        Err(refused) => return fault(&refused),
    };
    if let Some(before) = before {
        console.sessions.close(before);
    }
    let mut response = headers::json(StatusCode::OK, &account(console, &signed_in.principal));
    let id = console.sessions.open(signed_in);
    response.headers_mut().insert(header::SET_COOKIE, session::cookie(host, arrival, Some(&id)));
    response
}

fn sign_out(console: &Console, host: &str, arrival: &Arrival, id: Option<&str>) -> Response<Bytes> {
    if let Some(id) = id {
        console.sessions.close(id);
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::SET_COOKIE, session::cookie(host, arrival, None));
    response
}

fn account<'a>(console: &'a Console, principal: &'a Principal) -> Account<'a> {
    let config = &console.config;
    Account {
        account: principal.account().unwrap_or(&config.account).as_str(),
        region: config.region.as_str(),
        arn: principal.arn(),
        version: &config.version,
        endpoint: config.endpoint.as_deref(),
    }
}

/// The region that the page works in, by its header; none for one that is no region's name.
fn region(console: &Console, request: &Request<Bytes>) -> Option<Region> {
    match request.headers().get("x-console-region") {
        Some(named) => named.to_str().ok()?.parse().ok(),
        None => Some(console.config.region.clone()),
    }
}

fn context(console: &Console, principal: Principal, region: Region, arrival: &Arrival) -> Context {
    Context {
        account: principal.account().unwrap_or(&console.config.account).clone(),
        principal,
        region,
        request_id: console.parts.dispatcher.request_id(),
        source_ip: arrival.source_ip.clone(),
        secure: arrival.secure,
    }
}

fn render(outcome: Result<impl Serialize, Fault>) -> Response<Bytes> {
    match outcome {
        Ok(output) => headers::json(StatusCode::OK, &output),
        Err(error) => fault(&error),
    }
}

fn fault(error: &Fault) -> Response<Bytes> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    headers::json(status, &json!({"__type": error.code, "message": error.message}))
}

fn not_allowed(methods: &'static str) -> Response<Bytes> {
    let mut response =
        fault(&Fault::new(405, "MethodNotAllowedException", "The route takes another method."));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}
