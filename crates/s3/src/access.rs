//! Tests of who may what: two accounts, users with and without policies of their own, and nobody in particular.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html>

mod conditions;

use serde_json::{Value, json};

use crate::authorize::Caller;
use crate::testing::{Answer, Client, KEY};

const MAY: &str = "AKIDMAY";
const MAY_NOT: &str = "AKIDMAYNOT";
const OTHER: &str = "AKIDOTHER";
const OTHER_MAY: &str = "AKIDOTHERMAY";
const OTHER_MAY_NOT: &str = "AKIDOTHERMAYNOT";

/// `{"Effect": "Allow", "Principal": …, "Action": …, "Resource": …}` for the bucket `lake`.
fn allow(principal: &Value, actions: &[&str]) -> Value {
    json!({
        "Effect": "Allow", "Principal": principal, "Action": actions,
        "Resource": ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*"],
    })
}

fn deny(principal: &Value, actions: &[&str]) -> Value {
    let mut statement = allow(principal, actions);
    statement["Effect"] = json!("Deny");
    statement
}

fn given(mut statement: Value, condition: Value) -> Value {
    statement["Condition"] = condition;
    statement
}

impl Client {
    async fn policy(&self, statements: &[Value]) -> Answer {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        self.call("PUT", "/lake?policy", &[], policy.to_string()).await
    }

    async fn open_to_the_public(&self) {
        self.delete("/lake?publicAccessBlock").await.expect("204");
    }

    async fn get_as(&self, key: &'static str, uri: &str) -> Answer {
        self.as_key(key, "GET", uri, &[]).await
    }
}

async fn with_object() -> Client {
    let client = Client::with_bucket().await;
    client.put("/lake/k", "hello").await.expect("200");
    client
}

#[tokio::test]
async fn a_policy_is_kept_told_and_deleted() {
    let client = with_object().await;
    client.get("/lake?policy").await.expect("404 NoSuchBucketPolicy");
    client.get("/lake?policyStatus").await.expect("404 NoSuchBucketPolicy");
    let statement = allow(&json!({"AWS": "111111111111"}), &["s3:GetObject", "s3:ListBucket"]);
    client.policy(std::slice::from_ref(&statement)).await.expect("204");
    let told: Value = serde_json::from_str(client.get("/lake?policy").await.expect("200").text()).unwrap();
    assert_eq!(told["Statement"][0], statement);
    assert_eq!(client.get("/lake?policyStatus").await.expect("200").element("IsPublic"), Some("false"));
    client.delete("/lake?policy").await.expect("204");
    client.delete("/lake?policy").await.expect("204");
    client.get("/lake?policy").await.expect("404 NoSuchBucketPolicy");
    let answer = client.call("PUT", "/lake?policy", &[], "policy.json").await.expect("400 MalformedPolicy");
    assert_eq!(answer.element("Message"), Some("Policies must be valid JSON and the first byte must be '{'"));
    for method in ["PUT", "GET", "DELETE"] {
        client.call(method, "/nolake?policy", &[], "{}").await.expect("404 NoSuchBucket");
    }
}

#[tokio::test]
async fn a_policy_survives_a_restart() {
    let client = with_object().await;
    client.policy(&[allow(&json!({"AWS": "111111111111"}), &["s3:GetObject", "s3:ListBucket"])]).await;
    client.s3.load_buckets().await.unwrap();
    client.get_as(OTHER, "/lake/k").await.expect("200");
}

#[tokio::test]
async fn within_an_account_either_side_allows_and_a_deny_outweighs_both() {
    let client = with_object().await;
    client.get_as(MAY, "/lake/k").await.expect("200");
    let answer = client.get_as(MAY_NOT, "/lake/k").await.expect("403 AccessDenied");
    assert_eq!(
        answer.element("Message"),
        Some(
            "User: arn:aws:iam::000000000000:user/maynot is not authorized to perform: s3:GetObject on resource: \
             \"arn:aws:s3:::lake/k\" because no identity-based policy allows the s3:GetObject action"
        )
    );
    let maynot = json!({"AWS": "arn:aws:iam::000000000000:user/maynot"});
    client.policy(&[allow(&maynot, &["s3:GetObject", "s3:ListBucket"])]).await.expect("204");
    client.get_as(MAY_NOT, "/lake/k").await.expect("200");
    client.policy(&[deny(&json!("*"), &["s3:GetObject", "s3:ListBucket"])]).await.expect("204");
    for key in [KEY, MAY, MAY_NOT] {
        let answer = client.get_as(key, "/lake/k").await.expect("403 AccessDenied");
        let message = answer.element("Message").unwrap();
        assert!(message.ends_with("with an explicit deny in a resource-based policy"), "{message}");
    }
}

#[tokio::test]
async fn across_accounts_both_sides_must_allow() {
    let client = with_object().await;
    for key in [OTHER, OTHER_MAY, OTHER_MAY_NOT] {
        for (method, uri) in
            [("GET", "/lake/k"), ("GET", "/lake/none"), ("HEAD", "/lake"), ("PUT", "/lake/k")]
        {
            let answer = client.as_key(key, method, uri, &[]).await;
            assert_eq!(answer.status, 403, "{key} {method} {uri}");
            if method != "HEAD" {
                assert_eq!(answer.element("Message"), Some("Access Denied"), "{key} {uri}");
            }
        }
    }
    client.policy(&[allow(&json!({"AWS": "111111111111"}), &["s3:GetObject", "s3:ListBucket"])]).await;
    client.get_as(OTHER, "/lake/k").await.expect("200");
    client.get_as(OTHER_MAY, "/lake/k").await.expect("200");
    client.get_as(OTHER_MAY_NOT, "/lake/k").await.expect("403 AccessDenied");
    client.as_key(OTHER_MAY, "PUT", "/lake/k", &[]).await.expect("403 AccessDenied");
    assert_eq!(client.get_as(OTHER, "/lake?list-type=2").await.expect("200").elements("Key"), ["k"]);
    assert!(client.get_as(OTHER, "/").await.expect("200").elements("Name").is_empty());
    // What strangers store is the bucket owner's.
    client.policy(&[allow(&json!({"AWS": "111111111111"}), &["s3:PutObject", "s3:ListBucket"])]).await;
    client.as_key(OTHER_MAY, "PUT", "/lake/theirs", &[]).await.expect("200");
    client.get("/lake/theirs").await.expect("200");
    client.get_as(OTHER_MAY, "/lake/theirs").await.expect("403 AccessDenied");
    let owners = |answer: Answer| answer.element("ID").map(str::to_owned);
    let listed = client.get_as(OTHER, "/lake?list-type=2&fetch-owner=true").await.expect("200");
    assert_eq!(owners(listed), owners(client.get("/").await));
}

#[tokio::test]
async fn a_missing_key_is_told_to_whom_may_list() {
    let client = with_object().await;
    let maynot = json!({"AWS": "arn:aws:iam::000000000000:user/maynot"});
    let object_only = json!({"Effect": "Allow", "Principal": maynot, "Action": "s3:*Object*", "Resource": "arn:aws:s3:::lake/*"});
    client.policy(std::slice::from_ref(&object_only)).await.expect("204");
    client.get_as(MAY_NOT, "/lake/k").await.expect("200");
    let answer = client.get_as(MAY_NOT, "/lake/none").await.expect("403 AccessDenied");
    let message = answer.element("Message").unwrap();
    assert!(message.contains("s3:ListBucket on resource: \"arn:aws:s3:::lake\" because"), "{message}");
    client.get_as(MAY_NOT, "/lake/none?tagging").await.expect("403 AccessDenied");
    assert_eq!(client.as_key(MAY_NOT, "HEAD", "/lake/none", &[]).await.status, 403);
    let copy = [("x-amz-copy-source", "lake/none")];
    client.as_key(MAY_NOT, "PUT", "/lake/copy", &copy).await.expect("403 AccessDenied");
    let list = json!({"Effect": "Allow", "Principal": maynot, "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::lake"});
    client.policy(&[object_only, list]).await.expect("204");
    client.get_as(MAY_NOT, "/lake/none").await.expect("404 NoSuchKey");
    assert_eq!(client.as_key(MAY_NOT, "HEAD", "/lake/none", &[]).await.status, 404);
}

#[tokio::test]
async fn nobody_in_particular_needs_a_policy_that_nothing_blocks() {
    let client = with_object().await;
    let read = allow(&json!("*"), &["s3:GetObject", "s3:ListBucket"]);
    client.unsigned("GET", "/lake/k").await.expect("403 AccessDenied");
    client.unsigned("GET", "/nolake/k").await.expect("404 NoSuchBucket");
    client.unsigned("GET", "/").await.expect("403 AccessDenied");
    client.unsigned("PUT", "/pond").await.expect("403 AccessDenied");
    let answer = client.policy(std::slice::from_ref(&read)).await.expect("403 AccessDenied");
    assert_eq!(
        answer.element("Message"),
        Some(
            "User: arn:aws:iam::000000000000:root is not authorized to perform: s3:PutBucketPolicy on resource: \
             \"arn:aws:s3:::lake\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
        )
    );
    client.open_to_the_public().await;
    client.policy(&[read]).await.expect("204");
    assert_eq!(client.get("/lake?policyStatus").await.element("IsPublic"), Some("true"));
    assert_eq!(client.unsigned("GET", "/lake/k").await.expect("200").text(), "hello");
    assert_eq!(client.unsigned("GET", "/lake?list-type=2").await.expect("200").elements("Key"), ["k"]);
    client.unsigned("GET", "/lake/none").await.expect("404 NoSuchKey");
    client.get_as(OTHER_MAY, "/lake/k").await.expect("200");
    for (method, uri) in [
        ("PUT", "/lake/k"),
        ("DELETE", "/lake/k"),
        ("POST", "/lake?delete"),
        ("GET", "/lake?policy"),
        ("PUT", "/lake?policy"),
        ("GET", "/lake/k?tagging"),
        ("PUT", "/lake/k?tagging"),
        ("POST", "/lake/k?uploads"),
        ("DELETE", "/lake"),
    ] {
        let answer = client.unsigned(method, uri).await;
        assert!(
            ["403 AccessDenied", "400 MissingRequestBodyError"].contains(&answer.outcome().as_str()),
            "{method} {uri}"
        );
    }
    client.get("/lake/k").await.expect("200");
    // RestrictPublicBuckets keeps out strangers with names, too, and lets in services and the account.
    let restrict = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    client.call("PUT", "/lake?publicAccessBlock", &[], restrict).await.expect("200");
    client.unsigned("GET", "/lake/k").await.expect("403 AccessDenied");
    client.get_as(OTHER_MAY, "/lake/k").await.expect("403 AccessDenied");
    client.get_as(MAY_NOT, "/lake/k").await.expect("200");
    let told = client.get("/lake?publicAccessBlock").await.expect("200");
    assert_eq!(
        ["BlockPublicPolicy", "RestrictPublicBuckets"].map(|name| told.element(name)),
        [Some("false"), Some("true")]
    );
    client.delete("/lake?publicAccessBlock").await.expect("204");
    client.get("/lake?publicAccessBlock").await.expect("404 NoSuchPublicAccessBlockConfiguration");
    client.unsigned("GET", "/lake/k").await.expect("200");
}

#[tokio::test]
async fn a_policy_that_is_not_public_may_be_replaced_while_public_ones_are_blocked() {
    let client = with_object().await;
    client.policy(&[allow(&json!({"AWS": "111111111111"}), &["s3:GetObject", "s3:ListBucket"])]).await;
    client.policy(&[deny(&json!("*"), &["s3:DeleteObject", "s3:ListBucket"])]).await.expect("204");
    let narrow = given(
        allow(&json!("*"), &["s3:GetObject", "s3:ListBucket"]),
        json!({"StringEquals": {"aws:PrincipalAccount": "111111111111"}}),
    );
    client.policy(&[narrow]).await.expect("204");
}

#[tokio::test]
async fn the_owners_root_is_never_locked_out() {
    let client = with_object().await;
    client.policy(&[deny(&json!("*"), &["s3:*"])]).await.expect("204");
    client.get("/lake/k").await.expect("403 AccessDenied");
    client.get("/lake?policyStatus").await.expect("403 AccessDenied");
    client.as_key(MAY, "DELETE", "/lake?policy", &[]).await.expect("403 AccessDenied");
    client.get("/lake?policy").await.expect("200");
    client.delete("/lake?policy").await.expect("204");
    client.get("/lake/k").await.expect("200");
}

#[tokio::test]
async fn a_policy_is_its_accounts_business_whoever_is_allowed() {
    let client = with_object().await;
    client.policy(&[allow(&json!({"AWS": "111111111111"}), &["s3:*"])]).await.expect("204");
    for method in ["GET", "PUT", "DELETE"] {
        let answer = client.as_key(OTHER, method, "/lake?policy", &[]).await.expect("405 MethodNotAllowed");
        assert_eq!(
            answer.element("Message"),
            Some("The specified method is not allowed against this resource.")
        );
    }
    client.get_as(OTHER, "/lake?policyStatus").await.expect("200");
    client.get_as(OTHER, "/lake?location").await.expect("200");
}

#[tokio::test]
async fn a_copy_needs_its_source() {
    let client = with_object().await;
    client.put("/pond", "").await.expect("200");
    client.call("PUT", "/lake/tagged", &[("x-amz-tagging", "a=1")], "x").await.expect("200");
    let everything = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "s3:*",
        "Resource": ["arn:aws:s3:::pond", "arn:aws:s3:::pond/*"],
    }});
    client.call("PUT", "/pond?policy", &[], everything.to_string()).await.expect("204");
    let copy = async |source: &str, headers: &[(&'static str, &'static str)]| {
        let mut all = vec![("x-amz-copy-source", source)];
        all.extend(headers);
        client.as_key(OTHER, "PUT", "/pond/k", &all).await.outcome()
    };
    assert_eq!(copy("lake/k", &[]).await, "403 AccessDenied");
    assert_eq!(copy("nolake/k", &[]).await, "404 NoSuchBucket");
    let upload = client.as_key(OTHER, "POST", "/pond/m?uploads", &[]).await.expect("200");
    let part = format!("/pond/m?partNumber=1&uploadId={}", upload.element("UploadId").unwrap());
    let source = [("x-amz-copy-source", "lake/k")];
    client.as_key(OTHER, "PUT", &part, &source).await.expect("403 AccessDenied");
    client.policy(&[allow(&json!({"AWS": "111111111111"}), &["s3:GetObject", "s3:ListBucket"])]).await;
    assert_eq!(copy("lake/k", &[]).await, "200");
    client.as_key(OTHER, "PUT", &part, &source).await.expect("200");
    // Its tags come with it only to whom may read them, and a version is another action.
    assert_eq!(copy("lake/tagged", &[]).await, "403 AccessDenied");
    assert_eq!(copy("lake/tagged", &[("x-amz-tagging-directive", "REPLACE")]).await, "200");
    assert_eq!(copy("lake/k?versionId=null", &[]).await, "403 AccessDenied");
    let owner = |account| [("x-amz-source-expected-bucket-owner", account)];
    assert_eq!(copy("lake/k", &owner("000000000000")).await, "200");
    assert_eq!(copy("lake/k", &owner("111111111111")).await, "403 AccessDenied");
}

#[tokio::test]
async fn each_key_of_a_deletion_is_decided_by_itself() {
    let client = with_object().await;
    client.put("/lake/tmp/1", "x").await.expect("200");
    let delete = json!({
        "Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::lake/tmp/*",
    });
    client.policy(&[delete]).await.expect("204");
    let mut other = client;
    other.access_key_id = OTHER;
    let object = |key: &str| format!("<Object><Key>{key}</Key></Object>");
    let version = "<Object><Key>tmp/2</Key><VersionId>null</VersionId></Object>";
    let body = format!("<Delete>{}{}{version}</Delete>", object("k"), object("tmp/1"));
    let answer = other.call("POST", "/lake?delete", &[], body).await.expect("200");
    assert_eq!(answer.elements("Code"), ["AccessDenied", "AccessDenied"]);
    assert_eq!(answer.elements("Deleted").len(), 1);
    other.access_key_id = KEY;
    assert_eq!(other.get("/lake?list-type=2").await.elements("Key"), ["k"]);
}

#[tokio::test]
async fn the_owner_a_client_expects_is_the_buckets() {
    let client = with_object().await;
    client.policy(&[allow(&json!({"AWS": "111111111111"}), &["s3:*"])]).await.expect("204");
    for key in [KEY, OTHER] {
        let expect = async |uri: &str, account: &str, outcome: &str| {
            let headers = [("x-amz-expected-bucket-owner", account)];
            client.as_key(key, "GET", uri, &headers).await.expect(outcome);
        };
        for uri in
            ["/lake/k", "/lake?list-type=2", "/lake?tagging", "/lake?location", "/lake?publicAccessBlock"]
        {
            expect(uri, "111111111111", "403 AccessDenied").await;
            expect(uri, "someone", "400 InvalidBucketOwnerAWSAccountID").await;
        }
        expect("/lake/k", "000000000000", "200").await;
    }
}

#[tokio::test]
async fn ownership_controls_are_told_until_they_are_deleted() {
    let client = Client::with_bucket().await;
    let put = async |ownership: &str, outcome: &str| {
        let body = format!(
            "<OwnershipControls><Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule></OwnershipControls>"
        );
        client.call("PUT", "/lake?ownershipControls", &[], body).await.expect(outcome);
    };
    put("BucketOwnerEnforced", "200").await;
    put("ObjectWriter", "501 NotImplemented").await;
    put("BucketOwnerPreferred", "501 NotImplemented").await;
    put("Nobody", "400 MalformedXML").await;
    client.delete("/lake?ownershipControls").await.expect("204");
    client.get("/lake?ownershipControls").await.expect("404 OwnershipControlsNotFoundError");
    client
        .call("PUT", "/lake/k", &[("x-amz-acl", "public-read")], "x")
        .await
        .expect("400 AccessControlListNotSupported");
    put("BucketOwnerEnforced", "200").await;
    let told = client.get("/lake?ownershipControls").await.expect("200");
    assert_eq!(told.element("ObjectOwnership"), Some("BucketOwnerEnforced"));
}

#[tokio::test]
async fn a_bucket_made_anew_has_nothing_of_the_one_before() {
    let client = Client::with_bucket().await;
    client.open_to_the_public().await;
    client.policy(&[allow(&json!("*"), &["s3:*"])]).await.expect("204");
    client.delete("/lake").await.expect("204");
    client.unsigned("GET", "/lake").await.expect("404 NoSuchBucket");
    client.as_key(OTHER, "PUT", "/lake", &[]).await.expect("200");
    client.unsigned("GET", "/lake").await.expect("403 AccessDenied");
    client.get("/lake").await.expect("403 AccessDenied");
    client.get_as(OTHER, "/lake?policy").await.expect("404 NoSuchBucketPolicy");
    client.put("/lake", "").await.expect("409 BucketAlreadyExists");
}

#[tokio::test]
async fn uploads_of_one_bucket_are_not_anothers() {
    let client = Client::with_bucket().await;
    client.as_key(OTHER, "PUT", "/pond", &[]).await.expect("200");
    let upload = client.call("POST", "/lake/k?uploads", &[], "").await.expect("200");
    let id = upload.element("UploadId").unwrap();
    client.put(&format!("/lake/k?partNumber=1&uploadId={id}"), "x").await.expect("200");
    for (method, uri) in [
        ("GET", format!("/lake/k?uploadId={id}")),
        ("PUT", format!("/lake/k?partNumber=1&uploadId={id}")),
        ("DELETE", format!("/lake/k?uploadId={id}")),
        ("GET", "/lake?uploads".to_owned()),
    ] {
        client.as_key(OTHER, method, &uri, &[]).await.expect("403 AccessDenied");
    }
    for (method, uri) in [
        ("GET", format!("/pond/k?uploadId={id}")),
        ("PUT", format!("/pond/k?partNumber=1&uploadId={id}")),
        ("DELETE", format!("/pond/k?uploadId={id}")),
    ] {
        client.as_key(OTHER, method, &uri, &[]).await.expect("404 NoSuchUpload");
    }
    client.get(&format!("/lake/k?uploadId={id}")).await.expect("200");
}

/// The directory follows even a change that nobody waited for.
#[tokio::test]
async fn a_change_that_was_cut_off_is_found_by_the_next() {
    let client = with_object().await;
    let stored = client.s3.bucket(&Caller::in_process(&wire::testing::context()), "lake").await.unwrap();
    let mut bucket = stored.entity;
    bucket.policy = Some(
        json!({"Statement": [allow(&json!({"AWS": "111111111111"}), &["s3:GetObject", "s3:ListBucket"])]})
            .to_string(),
    );
    // What a caller who hung up leaves: in the store, and not in the directory.
    client.s3.buckets.update(&["lake"], &bucket, stored.revision).await.unwrap();
    client.s3.cut_off().await;
    client.get_as(OTHER, "/lake/k").await.expect("403 AccessDenied");
    client.call("PUT", "/pond", &[], "").await.expect("200");
    client.get_as(OTHER, "/lake/k").await.expect("200");
}

#[tokio::test]
async fn a_service_of_another_account_needs_to_be_named() {
    let client = with_object().await;
    let account: kernel::AccountId = "111111111111".parse().unwrap();
    let cx = kernel::Context::service(account, kernel::Region::default_region(), "iot.amazonaws.com");
    let caller = Caller::in_process(&cx);
    let target = crate::authorize::Target::Object("lake", "k");
    let may = || client.s3.allow(&caller, "s3:GetObject", target).is_ok();
    assert!(!may());
    let service = json!({"Service": "iot.amazonaws.com"});
    let mut statement = allow(&service, &["s3:GetObject", "s3:ListBucket"]);
    client.policy(&[statement.clone()]).await.expect("204");
    assert!(may());
    statement["Condition"] = json!({"StringEquals": {"aws:SourceAccount": "222222222222"}});
    client.policy(&[statement.clone()]).await.expect("204");
    assert!(!may());
    statement["Condition"] = json!({"StringEquals": {"aws:SourceAccount": "111111111111"}});
    client.policy(&[statement]).await.expect("204");
    assert!(may());
}

/// Whoever knows the name that someone is about to take begins an upload into a bucket of that name, and deletes it.
#[tokio::test]
async fn a_slow_upload_does_not_end_in_the_bucket_of_whoever_took_the_name() {
    let client = Client::with_bucket().await;
    let cx = wire::testing::context();
    let caller = Caller::in_process(&cx);
    let allowed = client.s3.allow(&caller, "s3:PutObject", crate::authorize::Target::Object("lake", "k"));
    allowed.unwrap();
    client.delete("/lake").await.expect("204");
    client.as_key(OTHER, "PUT", "/lake", &[]).await.expect("200");
    client.as_key(OTHER, "PUT", "/lake/theirs", &[]).await.expect("200");
    let object = crate::object::Object::for_test("e", kernel::Timestamp::EPOCH);
    let condition = crate::condition::WriteCondition::None;
    let change = crate::object::Change {
        bucket: "lake",
        key: "k",
        condition: &condition,
        with: store::Batch::default(),
    };
    let gone = |result: Result<(), crate::Error>| assert!(matches!(result, Err(crate::Error::NoSuchBucket)));
    gone(client.s3.put_object(&caller, change, &object).await);
    gone(client.s3.object(&caller, "lake", "theirs").await.map(drop));
    gone(client.s3.delete_object(&caller, "lake", "theirs", &condition).await);
    gone(client.s3.tag_object(&caller, "lake", "theirs", &crate::tags::Tags::new()).await);
    gone(client.s3.change_bucket(&caller, "lake", |_| Ok(())).await);
    gone(client.s3.delete_bucket(&caller, "lake").await);
    gone(client.s3.allow(&caller, "s3:GetObject", crate::authorize::Target::Object("lake", "theirs")));
    let listed = client.get_as(OTHER, "/lake?list-type=2").await.expect("200");
    assert_eq!(listed.elements("Key"), ["theirs"]);
}
