//! Tests of what conditions know of a request and of an object.

use serde_json::{Value, json};

use super::{OTHER, OTHER_MAY, allow, given, with_object};
use crate::testing::{Client, tagging};

#[tokio::test]
async fn conditions_know_the_request() {
    let client = Client::with_bucket().await;
    for key in ["a/1", "b/1"] {
        client.put(&format!("/lake/{key}"), "x").await.expect("200");
    }
    let allowed = async |condition: &Value, method: &'static str, uri: &str, headers: &[(&str, &str)]| {
        let statement = given(allow(&json!({"AWS": "111111111111"}), &["s3:*"]), condition.clone());
        client.policy(&[statement]).await.expect("204");
        client.as_key(OTHER, method, uri, headers).await.status < 300
    };
    for (condition, method, uri, headers, expect) in [
        (json!({"StringEquals": {"s3:prefix": "a/"}}), "GET", "/lake?prefix=a/", vec![], true),
        (json!({"StringEquals": {"s3:prefix": "a/"}}), "GET", "/lake?list-type=2&prefix=a%2F", vec![], true),
        (json!({"StringEquals": {"s3:prefix": "a/"}}), "GET", "/lake?versions&prefix=a/", vec![], true),
        (json!({"StringEquals": {"s3:prefix": "a/"}}), "GET", "/lake?prefix=b/", vec![], false),
        (json!({"StringEquals": {"s3:prefix": "a/"}}), "GET", "/lake", vec![], false),
        // Nobody knows which of the two would be listed.
        (json!({"StringEquals": {"s3:prefix": "a/"}}), "GET", "/lake?prefix=a/&prefix=", vec![], false),
        (json!({"StringEquals": {"s3:delimiter": "/"}}), "GET", "/lake?delimiter=/", vec![], true),
        (json!({"NumericLessThanEquals": {"s3:max-keys": "10"}}), "GET", "/lake?max-keys=10", vec![], true),
        (json!({"NumericLessThanEquals": {"s3:max-keys": "10"}}), "GET", "/lake?max-keys=11", vec![], false),
        (json!({"StringEquals": {"s3:x-amz-acl": "private"}}), "PUT", "/lake/k", vec![], false),
        (
            json!({"StringEquals": {"s3:x-amz-acl": "private"}}),
            "PUT",
            "/lake/k",
            vec![("x-amz-acl", "private")],
            true,
        ),
        (json!({"Null": {"s3:x-amz-server-side-encryption": "false"}}), "PUT", "/lake/k", vec![], false),
        (json!({"StringEquals": {"s3:if-none-match": "*"}}), "PUT", "/lake/new", vec![], false),
        (
            json!({"StringEquals": {"s3:if-none-match": "*"}}),
            "PUT",
            "/lake/new",
            vec![("if-none-match", "*")],
            true,
        ),
        (
            json!({"StringEquals": {"s3:RequestObjectTag/stage": "dev"}}),
            "PUT",
            "/lake/k",
            vec![("x-amz-tagging", "stage=dev")],
            true,
        ),
        (
            json!({"StringEquals": {"s3:RequestObjectTag/stage": "dev"}}),
            "PUT",
            "/lake/k",
            vec![("x-amz-tagging", "stage=live")],
            false,
        ),
        (
            json!({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["stage"]}}),
            "PUT",
            "/lake/k",
            vec![("x-amz-tagging", "stage=dev&other=x")],
            false,
        ),
        (json!({"StringEquals": {"s3:authType": "REST-HEADER"}}), "GET", "/lake/a/1", vec![], true),
        (json!({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}), "GET", "/lake/a/1", vec![], false),
        (
            json!({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}}),
            "GET",
            "/lake/a/1",
            vec![],
            true,
        ),
        (json!({"StringEquals": {"s3:ResourceAccount": "000000000000"}}), "GET", "/lake/a/1", vec![], true),
        (
            json!({"StringLike": {"aws:Referer": "https://example.com/*"}}),
            "GET",
            "/lake/a/1",
            vec![("referer", "https://example.com/page")],
            true,
        ),
        (
            json!({"StringLike": {"aws:UserAgent": "curl/*"}}),
            "GET",
            "/lake/a/1",
            vec![("user-agent", "wget/1")],
            false,
        ),
        (json!({"Bool": {"aws:SecureTransport": "false"}}), "GET", "/lake/a/1", vec![], true),
        (json!({"StringEquals": {"s3:VersionId": "null"}}), "GET", "/lake/a/1?versionId=null", vec![], true),
        (json!({"StringEquals": {"s3:VersionId": "null"}}), "GET", "/lake/a/1", vec![], false),
    ] {
        // ForAllValues lets through what has none; a condition on a key it has alone decides here.
        let found = allowed(&condition, method, uri, &headers).await;
        assert_eq!(found, expect, "{condition} {method} {uri} {headers:?}");
    }
}

#[tokio::test]
async fn conditions_know_the_tags_that_an_object_has() {
    let client = Client::with_bucket().await;
    client.call("PUT", "/lake/public", &[("x-amz-tagging", "class=public")], "x").await.expect("200");
    client.call("PUT", "/lake/secret", &[("x-amz-tagging", "class=secret")], "x").await.expect("200");
    client.put("/lake/plain", "x").await.expect("200");
    let only_public = given(
        allow(
            &json!({"AWS": "111111111111"}),
            &["s3:GetObject", "s3:GetObjectTagging", "s3:PutObjectTagging", "s3:ListBucket"],
        ),
        json!({"StringEquals": {"s3:ExistingObjectTag/class": "public"}}),
    );
    client.policy(&[only_public]).await.expect("204");
    for key in [OTHER, OTHER_MAY] {
        let get = client.get_as(key, "/lake/public").await.expect("200");
        assert_eq!(get.header("x-amz-tagging-count"), Some("1"));
        client.get_as(key, "/lake/secret").await.expect("403 AccessDenied");
        client.get_as(key, "/lake/plain").await.expect("403 AccessDenied");
        client.get_as(key, "/lake/none").await.expect("403 AccessDenied");
        client.get_as(key, "/lake/public?tagging").await.expect("200");
        client.get_as(key, "/lake/secret?tagging").await.expect("403 AccessDenied");
    }
    // In process the same holds.
    let mut cx = wire::testing::context();
    cx.account = "111111111111".parse().unwrap();
    cx.principal = kernel::Principal::Root { account: cx.account.clone() };
    let objects: &dyn ports::Objects = &*client.s3;
    objects.get(&cx, "lake", "public").await.unwrap();
    assert_eq!(objects.get(&cx, "lake", "secret").await.unwrap_err().code, "AccessDenied");
    assert_eq!(objects.check_get(&cx, "lake", "secret").await.unwrap_err().code, "AccessDenied");
    // Tags are told to whom may read them.
    client.policy(&[allow(&json!({"AWS": "111111111111"}), &["s3:GetObject", "s3:ListBucket"])]).await;
    let get = client.get_as(OTHER, "/lake/public").await.expect("200");
    assert_eq!(get.header("x-amz-tagging-count"), None);
}

#[tokio::test]
async fn putting_tags_is_decided_by_the_tags_that_are_put() {
    let client = with_object().await;
    let statement = given(
        allow(&json!({"AWS": "111111111111"}), &["s3:PutObjectTagging", "s3:ListBucket"]),
        json!({"StringEquals": {"s3:RequestObjectTag/stage": ["dev", "test"]}}),
    );
    client.policy(&[statement]).await.expect("204");
    let mut other = client;
    other.access_key_id = OTHER;
    other.call("PUT", "/lake/k?tagging", &[], tagging(&[("stage", "dev")])).await.expect("200");
    let live = tagging(&[("stage", "live")]);
    other.call("PUT", "/lake/k?tagging", &[], live).await.expect("403 AccessDenied");
    other.call("DELETE", "/lake/k?tagging", &[], "").await.expect("403 AccessDenied");
}
