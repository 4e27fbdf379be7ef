//! Where S3 finds the bucket's name: in the path, or in the host.

use bytes::Bytes;
use http::{Method, Request, Response};
use kernel::Clock;
use testkit::{HttpConnection, Sandbox};
use wire::sigv4::Signer;

/// Sends a signed request with this host to the node, as a client does whose resolver knows it.
async fn send(
    sandbox: &Sandbox,
    method: Method,
    host: &str,
    path: &str,
    body: &'static str,
) -> Response<Bytes> {
    let key = sandbox.key();
    let signer = Signer {
        access_key_id: &key.access_key_id,
        secret_access_key: key.secret_access_key.expose(),
        region: "us-east-1",
        service: "s3",
    };
    let body = Bytes::from_static(body.as_bytes());
    let uri = path.parse().expect("a path");
    let added = signer.sign(&method, &uri, &[("host", host)], &body, sandbox.clock().now());
    let mut request = Request::builder().method(method).uri(path).header("host", host);
    for (name, value) in added.expect("it can be signed") {
        request = request.header(name, value);
    }
    let request = request.body(body).expect("a request");
    HttpConnection::plain(sandbox.addresses().api).await.send(request).await.expect("an answer")
}

#[tokio::test]
async fn an_object_has_one_name_in_either_style() {
    let sandbox = Sandbox::new().await;
    let port = sandbox.addresses().api.port();
    for (n, (bucket, host)) in [
        ("lake", format!("lake.s3.localhost:{port}")),
        ("pond", format!("pond.localhost:{port}")),
        ("pydata.iot.pipeline", format!("pydata.iot.pipeline.s3.localhost:{port}")),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(send(&sandbox, Method::PUT, &host, "/", "").await.status(), 200, "{host}");
        assert_eq!(send(&sandbox, Method::PUT, &host, "/a/k", "content").await.status(), 200, "{host}");
        assert_eq!(sandbox.object(bucket, "a/k").await, "content");
        sandbox.put(bucket, "b", "by path").await;
        let answer = send(&sandbox, Method::GET, &host, "/b", "").await;
        assert_eq!(answer.body().as_ref(), b"by path", "{host}");
        let listed = send(&sandbox, Method::GET, &host, "/?list-type=2", "").await;
        assert!(String::from_utf8_lossy(listed.body()).contains("<Key>a/k</Key>"), "{host}");
        let buckets = sandbox.api().send("s3", Method::GET, "/", &[], Bytes::new()).await.expect("an answer");
        assert_eq!(String::from_utf8_lossy(&buckets.body).matches("<Bucket>").count(), n + 1);
    }
}

#[tokio::test]
async fn an_address_or_the_bare_name_is_path_style() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    sandbox.put("lake", "k", "content").await;
    let port = sandbox.addresses().api.port();
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("s3.localhost:{port}")] {
        let answer = send(&sandbox, Method::GET, &host, "/lake/k", "").await;
        assert_eq!(answer.body().as_ref(), b"content", "{host}");
    }
}
