//! The web console: its embedded files, and the few routes only it needs.
//!
//! The console is an ordinary client of the public AWS operations: `POST /console/aws/{service}/{Operation}` calls one in
//! process, with the permissions of the session's principal. What it has of its own is a session, SQL without an
//! execution record for dashboards that refresh every second, the node's counters, and the record of access. It knows no HTTP
//! server: [`Console::handle`] takes a request whose body is whole; `node` puts it behind one, on an origin of its own.
//!
//! Invariants
//! 1. No request is looked at before its `Host` is one of ours: a rebound DNS name gets 421 (guard).
//! 2. No `/console/` route runs for another site: `X-Console: 1`, and `Sec-Fetch-Site` or `Origin` of our own (guard).
//! 3. No route but the login runs without a live session; no operation or query runs unauthorised (routes, A8).
//! 4. Secrets are compared in constant time, failures are counted, sessions are bounded and end when idle (session, login).
//! 5. A session sees its principal's account and nothing of another (routes, metrics).
//! 6. Every answer carries the security headers, the errors too (headers).

mod access;
mod assets;
mod aws;
mod guard;
mod headers;
mod limits;
mod login;
mod metrics;
mod routes;
mod session;
mod sql;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use kernel::{AccountId, Clock, Entropy, Metrics, Region, Secret};
use ports::{AccessAudit, Execute};
use serde_json::json;
use wire::{Arrival, Authorize, Credentials, Dispatcher};

pub use assets::EMBEDDED;
pub use limits::BODY_BYTES_MAX;

use login::Attempts;
use session::Sessions;

/// How a node's console is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// The account whose root the launch token signs in.
    pub account: AccountId,
    /// The region a page works in until its reader chooses another.
    pub region: Region,
    /// Host names besides the loopback ones under which the console may be asked for, without port, lower case.
    pub hosts: Vec<String>,
    /// Where AWS clients reach this node, for the snippets shown: `http://127.0.0.1:4566`.
    pub endpoint: Option<String>,
    /// The binary's version, as the help sheet shows it.
    pub version: String,
}

/// What the console works with.
pub struct Parts {
    /// The public operations.
    pub dispatcher: Arc<Dispatcher>,
    /// The access keys that may sign in.
    pub credentials: Arc<dyn Credentials>,
    /// The decision on queries; operations ask it through the dispatcher.
    pub authorize: Arc<dyn Authorize>,
    /// What policies did not allow, and what was used.
    pub access: Arc<dyn AccessAudit>,
    /// The SQL engine.
    pub execute: Arc<dyn Execute>,
    /// The node's counters.
    pub metrics: Metrics,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance: session ids and the launch token, so it must be the operating system's outside of tests.
    pub entropy: Entropy,
}

/// The console of one node.
pub struct Console {
    config: Config,
    parts: Parts,
    launch_token: Secret<String>,
    sessions: Sessions,
    attempts: Attempts,
    /// Queries of `/console/sql` that run at the moment.
    queries: AtomicUsize,
}

impl Console {
    /// A console with a new launch token and no session.
    pub fn new(config: Config, parts: Parts) -> Self {
        let launch_token = Secret::new(session::random_id(&parts.entropy));
        let sessions = Sessions::new(Arc::clone(&parts.clock), parts.entropy.clone());
        let attempts = Attempts::new(Arc::clone(&parts.clock));
        Self { config, parts, launch_token, sessions, attempts, queries: AtomicUsize::new(0) }
    }

    /// What signs in the account's root without a key: put behind `#t=` in the address printed at start. Valid while the node runs.
    pub fn launch_token(&self) -> &Secret<String> {
        &self.launch_token
    }

    /// Answers any request of the console's port. A body longer than [`BODY_BYTES_MAX`] need not be read: its first bytes beyond that
    /// are enough for the refusal.
    pub async fn handle(&self, request: Request<Bytes>, arrival: Arrival) -> Response<Bytes> {
        let mut response = match guard::check_host(&request, &self.config.hosts) {
            Ok(host) if guard::is_route(&request) => routes::answer(self, request, &host, arrival).await,
            Ok(_) => assets::answer(&request),
            Err(refusal) => refusal.into_response(),
        };
        headers::secure(&mut response);
        response
    }

    /// Answers a request that [`Console::handle`] is not to see: it is refused for its form, size or pace.
    pub fn refuse(&self, status: StatusCode, message: &str) -> Response<Bytes> {
        let mut response = headers::json(status, &json!({"__type": "BadRequest", "message": message}));
        headers::secure(&mut response);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use futures::StreamExt;
    use http::Method;
    use kernel::{Context, ErrorKind, ManualClock, Principal, Timestamp};
    use ports::{
        AccessMode, DenialOutcome, DeniedQuery, DeniedRequest, DeniedRequests, GeneratedPolicy,
        MissingStatement, PortError, PortFuture, QueryRequest, QueryStatistics, ResultColumn, Running,
        UsedPrincipal,
    };
    use serde_json::Value;
    use wire::authorize::Denied;
    use wire::{Credential, Descriptor, Entry, Operation, Protocol, Resource};

    use super::*;

    static HIT: kernel::metrics::Metric =
        kernel::metrics::Metric { name: "hits_total", help: "Hits.", labels: &["account", "region", "rule"] };
    static NODE_WIDE: kernel::metrics::Metric =
        kernel::metrics::Metric { name: "syncs_total", help: "Syncs.", labels: &[] };

    struct OneKey;

    impl Credentials for OneKey {
        fn find(&self, access_key_id: &str) -> Option<Credential> {
            (access_key_id == "AKIAEXAMPLE").then(|| Credential {
                secret: Secret::new("right".to_owned()),
                principal: Principal::Root { account: "111122223333".parse().unwrap() },
            })
        }
    }

    /// Lets only account 000000000000 do anything.
    struct DefaultAccountOnly;

    impl Authorize for DefaultAccountOnly {
        fn authorize(&self, cx: &Context, action: &str, resource: &Resource) -> Result<(), Denied> {
            if cx.account == AccountId::default_account() {
                return Ok(());
            }
            Err(Denied::implicit(cx, action, resource))
        }
    }

    struct Whoami;

    #[derive(serde::Deserialize)]
    struct Nothing {}

    #[derive(Debug, thiserror::Error)]
    #[error("never")]
    struct Never;

    impl kernel::ServiceError for Never {
        fn kind(&self) -> ErrorKind {
            ErrorKind::Internal
        }

        fn code(&self) -> &str {
            "Never"
        }
    }

    impl Operation for Whoami {
        type Service = ();
        type Request = Nothing;
        type Response = Value;
        type Error = Never;

        const NAME: &'static str = "Whoami";
        const ACTION: &'static str = "echo:Whoami";

        fn resource(_: &Context, _: &Nothing) -> Resource {
            Resource::Any
        }

        async fn handle((): &(), cx: &Context, _: Nothing) -> Result<Value, Never> {
            Ok(json!({"Arn": cx.principal.arn(), "Region": cx.region.as_str(), "Ip": cx.source_ip}))
        }
    }

    static ECHO: Descriptor = Descriptor {
        signing_name: "echo",
        protocols: &[Protocol::Json { version: "1.1", target_prefix: "Echo" }],
        validation_code: "ValidationException",
    };
    static OPERATIONS: &[Entry<()>] = &[Entry::of::<Whoami>()];

    /// One denied request, and one principal, of account 000000000000.
    struct OneDenied;

    impl AccessAudit for OneDenied {
        fn mode(&self) -> AccessMode {
            AccessMode::Enforce
        }

        fn denied(&self, cx: &Context, query: &DeniedQuery) -> Result<DeniedRequests, PortError> {
            let request = DeniedRequest {
                principal: format!("arn:aws:iam::{}:role/r", cx.account),
                caller: format!("arn:aws:sts::{}:assumed-role/r/s", cx.account),
                action: "s3:PutObject".to_owned(),
                resource: query.contains.clone(),
                reason: "because".to_owned(),
                missing: Some(MissingStatement {
                    policy: "session policy",
                    statement: json!({"Effect": "Allow"}),
                }),
                outcome: DenialOutcome::Refused,
                count: 3,
                last_at: Timestamp::from_millis(7),
            };
            let requests = vec![request; query.limit.min(1_000)];
            Ok(DeniedRequests { since: Timestamp::from_millis(5), total: 9, matching: 8, requests })
        }

        fn principals(&self, _: &Context) -> Result<Vec<UsedPrincipal>, PortError> {
            Err(PortError::new(ErrorKind::Denied, "AccessDeniedException", "no"))
        }

        fn least_privilege(&self, _: &Context, arn: &str) -> Result<Option<GeneratedPolicy>, PortError> {
            let at = Timestamp::from_millis(1);
            let used = UsedPrincipal { arn: arn.to_owned(), actions: 2, first_at: at, last_at: at };
            Ok((arn == "known").then(|| GeneratedPolicy { used, policy: json!({"Statement": []}) }))
        }
    }

    /// `rows <n>` answers that many rows, `wide <n>` as many of a megabyte, `wait` never ends, anything else is an error.
    struct Rows;

    impl Execute for Rows {
        fn execute<'a>(&'a self, _: &'a Context, request: QueryRequest) -> PortFuture<'a, Running> {
            Box::pin(async move {
                let (word, n) = request.sql.split_once(' ').unwrap_or((&request.sql, ""));
                let n: usize = n.parse().unwrap_or(0);
                let column = ResultColumn {
                    name: "n".to_owned(),
                    type_name: "bigint".to_owned(),
                    precision: 19,
                    scale: 0,
                };
                let width = if word == "wide" { 1024 * 1024 } else { 1 };
                let batches = futures::stream::iter(
                    (0..n).map(move |_| Ok(vec![vec![Some("x".repeat(width))], vec![None]])),
                );
                let rows = match word {
                    "rows" | "wide" => batches.boxed(),
                    "wait" => futures::stream::pending().boxed(),
                    _ => {
                        let message = format!("line 1:1: mismatched input '{word}' in {}", request.database);
                        return Err(PortError::new(ErrorKind::Invalid, "InvalidRequestException", message));
                    }
                };
                let statistics = QueryStatistics { bytes_scanned: 7, objects: 2, buffered_records: 3 };
                Ok(Running { columns: vec![column], rows, statistics: Arc::new(move || statistics) })
            })
        }
    }

    fn console() -> (ManualClock, Console) {
        let manual = ManualClock::new(Timestamp::from_millis(1_000_000));
        let clock: Arc<dyn Clock> = Arc::new(manual.clone());
        let authorize: Arc<dyn Authorize> = Arc::new(DefaultAccountOnly);
        let entropy = Entropy::seeded(1);
        let services = vec![wire::service(&ECHO, OPERATIONS, Arc::new(()))];
        let dispatcher = Dispatcher::new(
            services,
            Arc::new(OneKey),
            Arc::clone(&authorize),
            Arc::clone(&clock),
            entropy.clone(),
        );
        let parts = Parts {
            dispatcher: Arc::new(dispatcher),
            credentials: Arc::new(OneKey),
            authorize,
            access: Arc::new(OneDenied),
            execute: Arc::new(Rows),
            metrics: Metrics::default(),
            clock,
            entropy,
        };
        let config = Config {
            account: AccountId::default_account(),
            region: "eu-west-1".parse().unwrap(),
            hosts: vec![],
            endpoint: Some("http://127.0.0.1:4566".to_owned()),
            version: "9.9.9".to_owned(),
        };
        (manual, Console::new(config, parts))
    }

    async fn send(
        console: &Console,
        method: Method,
        path: &str,
        cookie: &str,
        body: impl ToString,
    ) -> (StatusCode, Value, http::HeaderMap) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:4567")
            .header("x-console", "1")
            .header("cookie", cookie)
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let (parts, body) = console.handle(request, arrival()).await.into_parts();
        (parts.status, serde_json::from_slice(&body).unwrap_or(Value::Null), parts.headers)
    }

    fn arrival() -> Arrival {
        Arrival { source_ip: Some("127.0.0.1".to_owned()), secure: false }
    }

    async fn signed_in(console: &Console) -> String {
        let token = console.launch_token().expose().clone();
        let (status, _, headers) =
            send(console, Method::POST, "/console/session", "", json!({"token": token})).await;
        assert_eq!(status, StatusCode::OK);
        let cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        assert!(cookie.starts_with("headwater-4567="));
        cookie
    }

    #[tokio::test]
    async fn the_launch_token_signs_the_root_in_and_out() {
        let (_, console) = console();
        let cookie = signed_in(&console).await;
        let (status, account, _) = send(&console, Method::GET, "/console/session", &cookie, "").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            account,
            json!({
                "account": "000000000000", "region": "eu-west-1", "arn": "arn:aws:iam::000000000000:root",
                "version": "9.9.9", "endpoint": "http://127.0.0.1:4566",
            })
        );
        let (status, _, headers) = send(&console, Method::DELETE, "/console/session", &cookie, "").await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert!(headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
        let (status, error, _) = send(&console, Method::GET, "/console/session", &cookie, "").await;
        assert_eq!((status, &error["__type"]), (StatusCode::UNAUTHORIZED, &json!("AccessDenied")));
    }

    #[tokio::test]
    async fn an_access_key_signs_its_owner_in() {
        let (_, console) = console();
        let key = json!({"accessKeyId": "AKIAEXAMPLE", "secretAccessKey": "right"});
        let (status, account, headers) = send(&console, Method::POST, "/console/session", "", key).await;
        assert_eq!((status, &account["account"]), (StatusCode::OK, &json!("111122223333")));
        let cookie = headers["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        for wrong in [
            json!({"accessKeyId": "AKIAEXAMPLE", "secretAccessKey": "wrong"}),
            json!({"accessKeyId": "AKIANOBODY", "secretAccessKey": "right"}),
            json!({"accessKeyId": "AKIANOBODY", "secretAccessKey": console.launch_token().expose()}),
            json!({"token": "wrong"}),
            json!({"token": ""}),
        ] {
            let (status, error, headers) = send(&console, Method::POST, "/console/session", "", &wrong).await;
            assert_eq!((status, &error["__type"]), (StatusCode::UNAUTHORIZED, &json!("AccessDenied")));
            assert!(!headers.contains_key("set-cookie"));
        }
        let (status, ..) = send(&console, Method::POST, "/console/session", "", "{}").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn guessing_is_cut_off_and_lets_the_owner_in_later() {
        let (clock, console) = console();
        let wrong = json!({"token": "wrong"});
        for _ in 0..limits::LOGIN_FAILURES_MAX {
            send(&console, Method::POST, "/console/session", "", &wrong).await;
        }
        let right = json!({"token": console.launch_token().expose()});
        let (status, ..) = send(&console, Method::POST, "/console/session", "", &right).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
        clock.advance(limits::LOGIN_WINDOW);
        let (status, ..) = send(&console, Method::POST, "/console/session", "", &right).await;
        assert_eq!(status, StatusCode::OK);
    }

    #[tokio::test]
    async fn nothing_but_the_login_runs_without_a_session() {
        let (clock, console) = console();
        for (method, path) in [
            (Method::GET, "/console/session"),
            (Method::DELETE, "/console/session"),
            (Method::GET, "/console/metrics"),
            (Method::POST, "/console/sql"),
            (Method::POST, "/console/aws/echo/Whoami"),
            (Method::POST, "/console/access/denied"),
            (Method::POST, "/console/access/principals"),
            (Method::POST, "/console/access/policy"),
            (Method::GET, "/console/nothing"),
        ] {
            let (status, ..) = send(&console, method.clone(), path, "", "{}").await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
        let cookie = signed_in(&console).await;
        clock.advance(Duration::from_secs(12 * 3600));
        let (status, ..) = send(&console, Method::GET, "/console/session", &cookie, "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn operations_run_as_the_session_and_fail_as_they_do_for_anyone() {
        let (_, console) = console();
        let cookie = signed_in(&console).await;
        let call = async |path: &str, body: &str| send(&console, Method::POST, path, &cookie, body).await;
        let (status, output, _) = call("/console/aws/echo/Whoami", "").await;
        assert_eq!(status, StatusCode::OK);
        let arn = "arn:aws:iam::000000000000:root";
        assert_eq!(output, json!({"Arn": arn, "Region": "eu-west-1", "Ip": "127.0.0.1"}));
        let (status, error, _) = call("/console/aws/echo/Nope", "{}").await;
        assert_eq!(
            (status, &error["__type"]),
            (StatusCode::BAD_REQUEST, &json!("UnknownOperationException"))
        );
        let (status, error, _) = call("/console/aws/echo/Whoami", "[]").await;
        assert_eq!((status, &error["__type"]), (StatusCode::BAD_REQUEST, &json!("SerializationException")));

        let key = json!({"accessKeyId": "AKIAEXAMPLE", "secretAccessKey": "right"});
        let (_, _, headers) = send(&console, Method::POST, "/console/session", "", key).await;
        let other = headers["set-cookie"].to_str().unwrap();
        for (path, body) in [("/console/aws/echo/Whoami", "{}"), ("/console/sql", r#"{"sql": "rows 1"}"#)] {
            let (status, error, _) = send(&console, Method::POST, path, other, body).await;
            assert_eq!((status, &error["__type"]), (StatusCode::FORBIDDEN, &json!("AccessDeniedException")));
        }
    }

    #[tokio::test]
    async fn sql_answers_rows_nulls_and_what_was_read() {
        let (_, console) = console();
        let cookie = signed_in(&console).await;
        let ask = async |sql: &str| {
            send(&console, Method::POST, "/console/sql", &cookie, json!({"sql": sql})).await
        };
        let (status, answer, _) = ask("rows 1").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            answer,
            json!({
                "columns": [{"name": "n", "type": "bigint"}],
                "rows": [["x"], [null]],
                "truncated": false,
                "statistics": {"elapsedMs": 0, "bytesScanned": 7, "objects": 2, "bufferedRecords": 3},
            })
        );
        let (_, answer, _) = ask("rows 5000").await;
        assert_eq!(answer["truncated"], json!(false));
        let (_, answer, _) = ask("rows 5001").await;
        assert_eq!(answer["truncated"], json!(true));
        assert_eq!(answer["rows"].as_array().unwrap().len(), limits::SQL_ROWS_MAX);
        let (_, answer, _) = ask("wide 100").await;
        assert_eq!(answer["truncated"], json!(true));
        assert_eq!(answer["rows"].as_array().unwrap().len(), 16);
        let (status, error, _) = ask("nonsense").await;
        assert_eq!((status, &error["__type"]), (StatusCode::BAD_REQUEST, &json!("InvalidRequestException")));
        assert_eq!(error["message"], json!("line 1:1: mismatched input 'nonsense' in default"));
        let counters = console.parts.metrics.counters();
        let counted: Vec<_> =
            counters.iter().map(|sample| (sample.labels[2].as_str(), sample.value)).collect();
        assert_eq!(counted, [("failed", 1), ("succeeded", 4)]);
    }

    #[tokio::test]
    async fn queries_at_once_are_bounded_and_an_abandoned_one_gives_its_place_back() {
        let (_, console) = console();
        let cookie = signed_in(&console).await;
        let body = r#"{"sql": "wait"}"#;
        let mut waiting: Vec<_> = (0..limits::SQL_CONCURRENT_MAX)
            .map(|_| Box::pin(send(&console, Method::POST, "/console/sql", &cookie, body)))
            .collect();
        for query in &mut waiting {
            assert!(futures::poll!(query).is_pending());
        }
        let (status, ..) = send(&console, Method::POST, "/console/sql", &cookie, body).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
        drop(waiting);
        assert_eq!(console.queries.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn metrics_are_exact_and_labelled() {
        let (_, console) = console();
        let cookie = signed_in(&console).await;
        let (home, here) = ("000000000000", "eu-west-1");
        console.parts.metrics.counter(&HIT, &[home, here, "r"]).add(3);
        console.parts.metrics.gauge(&HIT, &[home, here, "g"]).set(-1);
        let (_, answer, _) = send(&console, Method::GET, "/console/metrics", &cookie, "").await;
        let labels = |rule: &str| json!({"account": home, "region": here, "rule": rule});
        assert_eq!(
            answer,
            json!({
                "at": 1_000_000,
                "counters": [{"name": "hits_total", "labels": labels("r"), "value": 3}],
                "gauges": [{"name": "hits_total", "labels": labels("g"), "value": -1}],
            })
        );
    }

    #[tokio::test]
    async fn metrics_are_of_the_sessions_account_and_region_and_for_those_who_may() {
        let (_, console) = console();
        let root = signed_in(&console).await;
        let metrics = &console.parts.metrics;
        metrics.counter(&HIT, &["000000000000", "eu-west-1", "mine"]).add(1);
        metrics.counter(&HIT, &["000000000000", "us-east-1", "elsewhere"]).add(1);
        metrics.counter(&HIT, &["111122223333", "eu-west-1", "theirs"]).add(1);
        metrics.counter(&NODE_WIDE, &[]).add(1);
        let names = |answer: &Value| -> Vec<String> {
            let counters = answer["counters"].as_array().unwrap().iter();
            counters.map(|counter| counter["labels"]["rule"].as_str().unwrap_or("node").to_owned()).collect()
        };
        let (_, answer, _) = send(&console, Method::GET, "/console/metrics", &root, "").await;
        assert_eq!(names(&answer), ["mine", "node"]);
        let in_region = |region: &'static str| {
            let request = Request::builder()
                .uri("/console/metrics")
                .header("host", "127.0.0.1:4567")
                .header("x-console", "1")
                .header("x-console-region", region)
                .header("cookie", &root)
                .body(Bytes::new())
                .unwrap();
            console.handle(request, arrival())
        };
        let elsewhere: Value = serde_json::from_slice(in_region("us-east-1").await.body()).unwrap();
        assert_eq!(names(&elsewhere), ["elsewhere", "node"]);
        assert_eq!(in_region("No Region").await.status(), StatusCode::BAD_REQUEST);

        let key = json!({"accessKeyId": "AKIAEXAMPLE", "secretAccessKey": "right"});
        let (_, _, headers) = send(&console, Method::POST, "/console/session", "", key).await;
        let other = headers["set-cookie"].to_str().unwrap();
        let (status, answer, _) = send(&console, Method::GET, "/console/metrics", other, "").await;
        assert_eq!((status, names(&answer).len()), (StatusCode::OK, 0));
        assert!(answer["denied"].as_str().unwrap().contains("cloudwatch:GetMetricData"));
    }

    #[tokio::test]
    async fn the_record_of_access_is_what_the_port_says_of_the_sessions_account() {
        let (_, console) = console();
        let cookie = signed_in(&console).await;
        let ask = async |path: &str, body: Value| send(&console, Method::POST, path, &cookie, body).await;
        let (status, answer, _) = ask("/console/access/denied", json!({"contains": "x", "limit": 1})).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            answer,
            json!({
                "mode": "enforce", "at": 1_000_000, "since": 5, "total": 9, "matching": 8,
                "requests": [{
                    "principal": "arn:aws:iam::000000000000:role/r",
                    "caller": "arn:aws:sts::000000000000:assumed-role/r/s",
                    "action": "s3:PutObject", "resource": "x", "reason": "because",
                    "policy": "session policy", "statement": {"Effect": "Allow"},
                    "refused": true, "count": 3, "lastAt": 7,
                }],
            })
        );
        let (_, answer, _) = ask("/console/access/denied", json!({"limit": 1_000_000})).await;
        assert_eq!(answer["requests"].as_array().unwrap().len(), limits::ACCESS_PAGE_MAX);
        let (status, error, _) = ask("/console/access/principals", json!({})).await;
        assert_eq!((status, &error["__type"]), (StatusCode::FORBIDDEN, &json!("AccessDeniedException")));
        let (_, answer, _) = ask("/console/access/policy", json!({"principal": "known"})).await;
        assert_eq!(
            (&answer["policy"], &answer["principal"]["actions"]),
            (&json!({"Statement": []}), &json!(2))
        );
        let (status, error, _) = ask("/console/access/policy", json!({"principal": "unknown"})).await;
        assert_eq!((status, &error["__type"]), (StatusCode::NOT_FOUND, &json!("ResourceNotFoundException")));
        for body in [json!([]), json!({"principal": 1})] {
            let (status, ..) = ask("/console/access/policy", body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
        }
    }

    #[tokio::test]
    async fn over_tls_the_cookie_is_secure_and_requests_are_known_to_be() {
        let (_, console) = console();
        let token = console.launch_token().expose().clone();
        let request = Request::builder()
            .method(Method::POST)
            .uri("/console/session")
            .header("host", "127.0.0.1:4567")
            .header("x-console", "1")
            .body(Bytes::from(json!({"token": token}).to_string()))
            .unwrap();
        let response = console.handle(request, Arrival { secure: true, ..arrival() }).await;
        assert!(response.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
    }

    #[tokio::test]
    async fn every_answer_carries_the_security_headers() {
        let (_, console) = console();
        let cookie = signed_in(&console).await;
        for (method, path, host) in [
            (Method::GET, "/", "127.0.0.1:4567"),
            (Method::PUT, "/", "127.0.0.1:4567"),
            (Method::GET, "/assets/none.js", "127.0.0.1:4567"),
            (Method::GET, "/console/metrics", "127.0.0.1:4567"),
            (Method::PUT, "/console/metrics", "127.0.0.1:4567"),
            (Method::GET, "/console/none", "127.0.0.1:4567"),
            (Method::GET, "/", "evil.example"),
        ] {
            let request = Request::builder()
                .method(&method)
                .uri(path)
                .header("host", host)
                .header("x-console", "1")
                .header("cookie", &cookie)
                .body(Bytes::new())
                .unwrap();
            let response = console.handle(request, arrival()).await;
            let status = response.status();
            assert_eq!(status == StatusCode::MISDIRECTED_REQUEST, host == "evil.example", "{method} {path}");
            let policy = response.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
            assert!(!policy.contains("unsafe"));
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            assert_eq!(response.headers()["cross-origin-opener-policy"], "same-origin");
        }
    }

    #[tokio::test]
    async fn wrong_methods_paths_sizes_and_sites_are_refused() {
        let (_, console) = console();
        let cookie = signed_in(&console).await;
        let (status, _, headers) = send(&console, Method::GET, "/console/sql", &cookie, "").await;
        assert_eq!((status, headers["allow"].to_str().unwrap()), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
        let (status, ..) = send(&console, Method::POST, "/console/aws/echo", &cookie, "").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let large = " ".repeat(BODY_BYTES_MAX + 1);
        let (status, ..) = send(&console, Method::POST, "/console/sql", &cookie, large).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        let request = Request::builder()
            .method(Method::POST)
            .uri("/console/aws/echo/Whoami")
            .header("host", "127.0.0.1:4567")
            .header("cookie", &cookie)
            .body(Bytes::new())
            .unwrap();
        assert_eq!(console.handle(request, arrival()).await.status(), StatusCode::FORBIDDEN);
    }
}
