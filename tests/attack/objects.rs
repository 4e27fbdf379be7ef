//! Buckets and objects of another account.

use http::{Method, Request};
use kernel::{Clock, SystemClock};
use testkit::{HttpConnection, elements};

use crate::signing::Signing;
use crate::tenants::{KEYS, LAKE, SECRET, Tenants, blurred, said};

/// A request for each thing that can be done to A's bucket, and what must be said to B.
const REQUESTS: &[(&str, &str, &str)] = &[
    ("GET", "/lake-of-a", ""),
    ("GET", "/lake-of-a?list-type=2", ""),
    ("GET", "/lake-of-a?versions=", ""),
    ("GET", "/lake-of-a?uploads=", ""),
    ("GET", "/lake-of-a?location=", ""),
    ("GET", "/lake-of-a?policy=", ""),
    ("GET", "/lake-of-a?policyStatus=", ""),
    ("GET", "/lake-of-a?publicAccessBlock=", ""),
    ("GET", "/lake-of-a?ownershipControls=", ""),
    ("GET", "/lake-of-a?tagging=", ""),
    ("GET", "/lake-of-a?acl=", ""),
    ("GET", "/lake-of-a?versioning=", ""),
    ("GET", "/lake-of-a?encryption=", ""),
    ("GET", "/lake-of-a?notification=", ""),
    ("HEAD", "/lake-of-a", ""),
    ("HEAD", "/lake-of-a/secret.txt", ""),
    ("GET", "/lake-of-a/secret.txt", ""),
    ("GET", "/lake-of-a/secret.txt?tagging=", ""),
    ("PUT", "/lake-of-a/secret.txt", "mine"),
    ("PUT", "/lake-of-a/new.txt", "mine"),
    ("PUT", "/lake-of-a/secret.txt?tagging=", "<Tagging><TagSet/></Tagging>"),
    ("PUT", "/lake-of-a?tagging=", "<Tagging><TagSet/></Tagging>"),
    (
        "PUT",
        "/lake-of-a?policy=",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::lake-of-a/*"}]}"#,
    ),
    (
        "PUT",
        "/lake-of-a?publicAccessBlock=",
        "<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls></PublicAccessBlockConfiguration>",
    ),
    ("DELETE", "/lake-of-a?policy=", ""),
    ("DELETE", "/lake-of-a?publicAccessBlock=", ""),
    ("DELETE", "/lake-of-a?tagging=", ""),
    ("DELETE", "/lake-of-a/secret.txt", ""),
    ("DELETE", "/lake-of-a/secret.txt?tagging=", ""),
    ("DELETE", "/lake-of-a", ""),
    ("POST", "/lake-of-a/new.txt?uploads=", ""),
];

#[tokio::test]
async fn nothing_can_be_done_to_a_bucket_of_another_account() {
    let tenants = Tenants::new().await;
    let mut wrong = Vec::new();
    for (method, path, body) in REQUESTS {
        let method: Method = method.parse().expect("a method");
        let answer = tenants.b.s3(method.clone(), path, &[], body).await;
        let expected = if method == Method::HEAD { "403" } else { "403 AccessDenied" };
        if said(&answer) != expected {
            wrong.push(format!("{method} {path}: {}", said(&answer)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(tenants.a.keys(LAKE).await, KEYS);
    for key in KEYS {
        let answer = tenants.a.s3(Method::GET, &format!("/{LAKE}/{key}"), &[], "").await;
        assert!(String::from_utf8_lossy(&answer.body).contains(SECRET));
    }
}

#[tokio::test]
async fn many_objects_of_another_account_are_deleted_as_little_as_one() {
    let tenants = Tenants::new().await;
    let body = "<Delete><Object><Key>secret.txt</Key></Object><Object><Key>nothing</Key></Object></Delete>";
    let answer = tenants.b.s3(Method::POST, &format!("/{LAKE}?delete="), &[], body).await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(
        said(&answer) == "403 AccessDenied" || elements(&text, "Code").all(|code| code == "AccessDenied"),
        "{text}"
    );
    assert!(!text.contains("<Deleted>"), "{text}");
    assert_eq!(tenants.a.keys(LAKE).await, KEYS);
}

#[tokio::test]
async fn whether_another_accounts_bucket_has_a_key_is_not_told() {
    let tenants = Tenants::new().await;
    for (method, query) in
        [("GET", ""), ("HEAD", ""), ("DELETE", ""), ("GET", "?tagging="), ("GET", "?uploadId=x")]
    {
        let ask = async |key: &str| {
            let method: Method = method.parse().expect("a method");
            let answer = tenants.b.s3(method, &format!("/{LAKE}/{key}{query}"), &[], "").await;
            blurred(&answer, key)
        };
        assert_eq!(ask("secret.txt").await, ask("nothing.txt").await, "{method} {query}");
    }
}

#[tokio::test]
async fn an_upload_of_another_account_is_not_found_by_its_id() {
    let tenants = Tenants::new().await;
    let begun = tenants.a.s3(Method::POST, &format!("/{LAKE}/large?uploads="), &[], "").await;
    let text = String::from_utf8_lossy(&begun.body).into_owned();
    let id = elements(&text, "UploadId").next().expect("an upload").to_owned();
    tenants.b.bucket("lake-of-b").await;
    for (method, path, body, expected) in [
        ("GET", format!("/{LAKE}/large?uploadId={id}"), "", "403 AccessDenied"),
        ("PUT", format!("/{LAKE}/large?partNumber=1&uploadId={id}"), "x", "403 AccessDenied"),
        ("DELETE", format!("/{LAKE}/large?uploadId={id}"), "", "403 AccessDenied"),
        // The right id with a bucket of their own is no upload.
        ("GET", format!("/lake-of-b/large?uploadId={id}"), "", "404 NoSuchUpload"),
        ("PUT", format!("/lake-of-b/large?partNumber=1&uploadId={id}"), "x", "404 NoSuchUpload"),
        ("DELETE", format!("/lake-of-b/large?uploadId={id}"), "", "404 NoSuchUpload"),
    ] {
        let answer = tenants.b.s3(method.parse().expect("a method"), &path, &[], body).await;
        assert_eq!(said(&answer), expected, "{method} {path}");
    }
    let parts = tenants.a.s3(Method::GET, &format!("/{LAKE}/large?uploadId={id}"), &[], "").await;
    assert_eq!(said(&parts), "200", "it is still there");
}

#[tokio::test]
async fn an_object_is_copied_neither_out_of_nor_into_another_account() {
    let tenants = Tenants::new().await;
    tenants.b.bucket("lake-of-b").await;
    assert_eq!(said(&tenants.b.s3(Method::PUT, "/lake-of-b/mine", &[], "mine").await), "200");
    for (path, source) in
        [("/lake-of-b/stolen", "lake-of-a/secret.txt"), ("/lake-of-a/secret.txt", "lake-of-b/mine")]
    {
        let answer = tenants.b.s3(Method::PUT, path, &[("x-amz-copy-source", source)], "").await;
        assert_eq!(said(&answer), "403 AccessDenied", "{source} to {path}");
        assert!(!String::from_utf8_lossy(&answer.body).contains(SECRET));
    }
    assert_eq!(tenants.b.keys("lake-of-b").await, ["mine"]);
    let begun = tenants.b.s3(Method::POST, "/lake-of-b/large?uploads=", &[], "").await;
    let text = String::from_utf8_lossy(&begun.body).into_owned();
    let id = elements(&text, "UploadId").next().expect("an upload").to_owned();
    let path = format!("/lake-of-b/large?partNumber=1&uploadId={id}");
    let answer = tenants.b.s3(Method::PUT, &path, &[("x-amz-copy-source", "lake-of-a/secret.txt")], "").await;
    assert_eq!(said(&answer), "403 AccessDenied", "a part");
}

#[tokio::test]
async fn a_presigned_request_is_as_good_as_who_signed_it() {
    let tenants = Tenants::new().await;
    let host = tenants.sandbox.addresses().api.to_string();
    // The protocol layer asks the system's clock as well.
    tenants.sandbox.advance(SystemClock.now().since(tenants.clock().now()));
    let now = tenants.clock().now();
    let path = format!("/{LAKE}/secret.txt");
    let send = async |method: &str, uri: &str| {
        let request =
            Request::builder().method(method).uri(uri).header("host", &host).body(bytes::Bytes::new());
        let mut connection = HttpConnection::plain(tenants.sandbox.addresses().api).await;
        let answer = connection.send(request.expect("a request")).await.expect("an answer");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        (answer.status().as_u16(), elements(&text, "Code").next().unwrap_or_default().to_owned())
    };
    let of = |status: u16, code: &str| (status, code.to_owned());
    let by_a = Signing::new(&tenants.a.key, now).presign("GET", &host, &path, &[], 60);
    assert_eq!(send("GET", &by_a).await, of(200, ""));
    let by_b = Signing::new(&tenants.b.key, now).presign("GET", &host, &path, &[], 60);
    assert_eq!(send("GET", &by_b).await, of(403, "AccessDenied"));
    // What A gave away is one request: not another method, key, or name.
    assert_eq!(send("DELETE", &by_a).await, of(403, "SignatureDoesNotMatch"));
    assert_eq!(send("PUT", &by_a).await, of(403, "SignatureDoesNotMatch"));
    assert_eq!(
        send("GET", &by_a.replace("secret.txt", "raw/1.json")).await,
        of(403, "SignatureDoesNotMatch")
    );
    assert_eq!(
        send("GET", &by_a.replace(&tenants.a.key.access_key_id, &tenants.b.key.access_key_id)).await,
        of(403, "SignatureDoesNotMatch")
    );
    assert_eq!(send("GET", &format!("{by_a}&versionId=null")).await, of(403, "SignatureDoesNotMatch"));
}

#[tokio::test]
async fn a_name_that_is_taken_is_said_to_be_taken_and_nothing_more() {
    let tenants = Tenants::new().await;
    // Names are global on AWS as well.
    let answer = tenants.b.s3(Method::PUT, &format!("/{LAKE}"), &[], "").await;
    assert_eq!(said(&answer), "409 BucketAlreadyExists");
    assert!(!String::from_utf8_lossy(&answer.body).contains(tenants.a.account));
    let listed = tenants.b.s3(Method::GET, "/", &[], "").await;
    assert!(!String::from_utf8_lossy(&listed.body).contains(LAKE));
}

#[tokio::test]
async fn a_bucket_policy_opens_what_it_says_and_no_more() {
    let tenants = Tenants::new().await;
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", tenants.b.account)},
        "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{LAKE}/raw/*"),
    }]});
    let put = tenants.a.s3(Method::PUT, &format!("/{LAKE}?policy="), &[], &policy.to_string()).await;
    assert_eq!(said(&put), "204");
    let get = async |path: &str| said(&tenants.b.s3(Method::GET, path, &[], "").await);
    assert_eq!(get("/lake-of-a/raw/1.json").await, "200");
    assert_eq!(get("/lake-of-a/secret.txt").await, "403 AccessDenied");
    assert_eq!(get("/lake-of-a?list-type=2").await, "403 AccessDenied");
    assert_eq!(said(&tenants.b.s3(Method::PUT, "/lake-of-a/raw/1.json", &[], "x").await), "403 AccessDenied");
    assert_eq!(said(&tenants.b.s3(Method::DELETE, "/lake-of-a?policy=", &[], "").await), "403 AccessDenied");
}
