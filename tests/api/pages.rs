//! Every operation that lists: more items than a page holds are read page by page, each once, in order.

use std::collections::BTreeSet;

use bytes::Bytes;
use client::Client;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use testkit::{Sandbox, elements};

/// Items made for each list.
const ITEMS: usize = 27;

/// Items asked for on a page.
const PAGE: usize = 10;

/// A policy as short as one may be.
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;

/// The operations whose pages are read below.
const PAGED: &[&str] = &[
    "GetDatabases",
    "GetPartitions",
    "GetTables",
    "ListBuckets",
    "ListCACertificates",
    "ListCertificates",
    "ListCertificatesByCA",
    "ListDatabases",
    "ListDeliveryStreams",
    "ListEntitiesForPolicy",
    "ListGroupPolicies",
    "ListGroups",
    "ListInstanceProfiles",
    "ListInstanceProfilesForRole",
    // In `metrics.rs`, since nobody can ask for smaller pages than 500.
    "ListMetrics",
    "ListMultipartUploads",
    "ListNamedQueries",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "ListPolicies",
    "ListPolicyGenerations",
    "ListQueryExecutions",
    "ListRetainedMessages",
    "ListRolePolicies",
    "ListRoles",
    "ListTableMetadata",
    "ListTagsForDeliveryStream",
    "ListThings",
    "ListTopicRules",
    "ListUsers",
    "ListWorkGroups",
];

/// The operations that list what is never more than a page, with the reason.
const WHOLE: &[(&str, &str)] = &[
    ("ListAttachedPolicies", "ten policies to a certificate"),
    ("ListThingPrincipals", "ten principals to a thing"),
    ("ListDataCatalogs", "there is one catalog"),
    ("ListEngineVersions", "there is one engine"),
    ("ListTagsForResource", "fifty tags to a resource"),
    ("ListAccessKeys", "two keys to a user"),
    ("ListAccountAliases", "one alias to an account"),
    ("ListAttachedGroupPolicies", "ten policies to a group"),
    ("ListAttachedRolePolicies", "ten policies to a role"),
    ("ListAttachedUserPolicies", "ten policies to a user"),
    ("ListGroupsForUser", "ten groups to a user"),
    ("ListInstanceProfileTags", "fifty tags to a profile"),
    ("ListOpenIDConnectProviderTags", "fifty tags to a provider"),
    ("ListOpenIDConnectProviders", "a hundred providers to an account"),
    ("ListPolicyTags", "fifty tags to a policy"),
    ("ListPolicyVersions", "five versions to a policy"),
    ("ListRoleTags", "fifty tags to a role"),
    ("ListUserPolicies", "two thousand characters of policies to a user"),
    ("ListUserTags", "fifty tags to a user"),
];

#[tokio::test]
async fn no_operation_that_lists_is_forgotten_here() {
    let sandbox = Sandbox::new().await;
    let known: BTreeSet<&str> = PAGED.iter().copied().chain(WHOLE.iter().map(|(name, _)| *name)).collect();
    let lists = |name: &str| {
        name.starts_with("List") || ["GetDatabases", "GetTables", "GetPartitions"].contains(&name)
    };
    for sample in crate::requests::all(&sandbox).iter().filter(|sample| lists(sample.operation)) {
        assert!(known.contains(sample.operation), "{} is read nowhere", sample.name());
    }
}

/// Reads page by page: `read` gets what leads to the page and returns its items and what leads to the next.
async fn check<T>(wanted: &[String], mut read: impl AsyncFnMut(Option<T>) -> (Vec<String>, Option<T>)) {
    let mut pages: Vec<Vec<String>> = Vec::new();
    let mut next = None;
    loop {
        let (items, token) = read(next.take()).await;
        pages.push(items);
        assert!(pages.len() <= ITEMS, "a listing ends: {pages:?}");
        match token {
            Some(token) => next = Some(token),
            None => break,
        }
    }
    assert!(pages.iter().all(|page| page.len() <= PAGE), "{pages:?}");
    assert!(pages.len() >= wanted.len().div_ceil(PAGE), "{pages:?}");
    let mut found: Vec<String> = pages.into_iter().flatten().collect();
    let mut wanted = wanted.to_vec();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

fn names(prefix: &str) -> Vec<String> {
    (0..ITEMS).map(|n| format!("{prefix}{n:02}")).collect()
}

fn strings(list: &Value, member: &str) -> Vec<String> {
    let text = |item: &Value| match member {
        "" => item.as_str().map(str::to_owned),
        member => item[member].as_str().map(str::to_owned),
    };
    list.as_array().expect("a list").iter().map(|item| text(item).expect("a name")).collect()
}

fn token(answer: &Value, member: &str) -> Option<String> {
    answer.get(member).and_then(Value::as_str).map(str::to_owned)
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

async fn rest(api: &Client, service: &str, method: Method, path: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    api.rest(service, method, path, body).await.unwrap_or_else(|error| panic!("{path}: {error}"))
}

async fn call(api: &Client, service: &str, operation: &str, input: &Value) -> Value {
    let answer = api.json(service, operation, input).await;
    answer.unwrap_or_else(|error| panic!("{operation} {input}: {error}"))
}

/// A list of REST-JSON: its path, the names of page size and token in the query, of the list, of its items' names and of the next token.
async fn rest_pages(
    api: &Client,
    (service, path): (&str, &str),
    (size, token_name): (&str, &str),
    (list, member, next): (&str, &str, &str),
    wanted: &[String],
) {
    check(wanted, async |after: Option<String>| {
        let after = after.map(|token| format!("&{token_name}={}", escape(&token))).unwrap_or_default();
        let path = format!("{path}?{size}={PAGE}{after}");
        let answer = rest(api, service, Method::GET, &path, &Value::Null).await;
        (strings(&answer[list], member), token(&answer, next))
    })
    .await;
}

/// A list of AWS JSON with `MaxResults` and `NextToken`.
async fn json_pages(
    api: &Client,
    (service, operation): (&str, &str),
    input: &Value,
    (list, member): (&str, &str),
    wanted: &[String],
) {
    check(wanted, async |after: Option<String>| {
        let mut input = input.clone();
        input["MaxResults"] = json!(PAGE);
        if let Some(after) = after {
            input["NextToken"] = json!(after);
        }
        let answer = call(api, service, operation, &input).await;
        (strings(&answer[list], member), token(&answer, "NextToken"))
    })
    .await;
}

#[tokio::test]
async fn things_certificates_policies_and_rules() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let mut certificates = Vec::new();
    let document = json!({"policyDocument": POLICY});
    let rule = json!({"sql": "SELECT * FROM 'a'", "actions": []});
    for name in names("n") {
        rest(&api, "iot", Method::POST, &format!("/things/{name}"), &Value::Null).await;
        rest(&api, "iot", Method::POST, &format!("/policies/{name}"), &document).await;
        rest(&api, "iot", Method::POST, &format!("/rules/{name}"), &rule).await;
        let made = rest(&api, "iot", Method::POST, "/keys-and-certificate", &Value::Null).await;
        certificates.push(made["certificateId"].as_str().expect("an id").to_owned());
    }
    let names = names("n");
    let by_token = ("maxResults", "nextToken");
    let by_marker = ("pageSize", "marker");
    rest_pages(&api, ("iot", "/things"), by_token, ("things", "thingName", "nextToken"), &names).await;
    rest_pages(&api, ("iot", "/rules"), by_token, ("rules", "ruleName", "nextToken"), &names).await;
    rest_pages(&api, ("iot", "/policies"), by_marker, ("policies", "policyName", "nextMarker"), &names).await;
    let list = ("certificates", "certificateId", "nextMarker");
    rest_pages(&api, ("iot", "/certificates"), by_marker, list, &certificates).await;
}

#[tokio::test]
async fn generated_policies() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let mut ids = Vec::new();
    for name in names("user") {
        let arn = format!("arn:aws:iam::000000000000:user/{name}");
        let body = json!({"policyGenerationDetails": {"principalArn": arn}});
        let started = rest(&api, "access-analyzer", Method::PUT, "/policy/generation", &body).await;
        ids.push(started["jobId"].as_str().expect("an id").to_owned());
    }
    let list = ("policyGenerations", "jobId", "nextToken");
    let by_token = ("maxResults", "nextToken");
    rest_pages(&api, ("access-analyzer", "/policy/generation"), by_token, list, &ids).await;
}

#[tokio::test]
async fn cas_and_what_they_have_signed() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let id = |made: Value| made["certificateId"].as_str().expect("an id").to_owned();
    let code = rest(&api, "iot", Method::GET, "/registrationcode", &Value::Null).await;
    let code = code["registrationCode"].as_str().expect("a code");
    let mut cas = Vec::new();
    let mut last = None;
    for name in names("ca") {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let issuer = Issuer::from_ca_cert_pem(&pem, key).expect("it is a CA");
        let body = json!({"caCertificate": pem, "verificationCertificate": signed(&issuer, code)});
        cas.push(id(rest(&api, "iot", Method::POST, "/cacertificate?setAsActive=true", &body).await));
        last = Some(issuer);
    }
    let issuer = last.expect("there is one");
    let mut certificates = Vec::new();
    for name in names("device") {
        let body = json!({"certificatePem": signed(&issuer, &name)});
        certificates.push(id(rest(&api, "iot", Method::POST, "/certificate/register", &body).await));
    }
    let by_marker = ("pageSize", "marker");
    let list = ("certificates", "certificateId", "nextMarker");
    rest_pages(&api, ("iot", "/cacertificates"), by_marker, list, &cas).await;
    let path = format!("/certificates-by-ca/{}", cas[ITEMS - 1]);
    rest_pages(&api, ("iot", &path), by_marker, list, &certificates).await;
}

fn signed(issuer: &Issuer<'static, KeyPair>, name: &str) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    params.signed_by(&key, issuer).expect("a certificate").pem()
}

/// Calls an operation of IAM, and answers its XML.
async fn iam(api: &Client, form: &str) -> String {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let body = Bytes::from(format!("{form}&Version=2010-05-08"));
    let answer = api.send("iam", Method::POST, "/", &headers, body).await.expect("an answer");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status.as_u16(), 200, "{form}: {text}");
    text
}

/// A list of IAM, whose items are told by this element.
async fn iam_pages(api: &Client, form: &str, element: &str, wanted: &[String]) {
    check(wanted, async |after: Option<String>| {
        let after = after.map(|marker| format!("&Marker={}", escape(&marker))).unwrap_or_default();
        let text = iam(api, &format!("Action={form}&MaxItems={PAGE}{after}")).await;
        let found = elements(&text, element).map(str::to_owned).collect();
        let marker = elements(&text, "Marker").next().map(str::to_owned);
        assert_eq!(
            elements(&text, "IsTruncated").next(),
            Some(if marker.is_some() { "true" } else { "false" })
        );
        (found, marker)
    })
    .await;
}

#[tokio::test]
async fn users_groups_roles_and_their_policies() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let (trust, policy) = (escape(trust), escape(POLICY));
    let managed = "arn:aws:iam::aws:policy/AdministratorAccess";
    for name in names("n") {
        iam(&api, &format!("Action=CreateUser&UserName={name}")).await;
        iam(&api, &format!("Action=AttachUserPolicy&UserName={name}&PolicyArn={managed}")).await;
        iam(&api, &format!("Action=CreateGroup&GroupName={name}")).await;
        iam(&api, &format!("Action=CreateRole&RoleName={name}&AssumeRolePolicyDocument={trust}")).await;
        iam(&api, &format!("Action=CreatePolicy&PolicyName={name}&PolicyDocument={policy}")).await;
        let inline = format!("PolicyName={name}&PolicyDocument={policy}");
        iam(&api, &format!("Action=PutGroupPolicy&GroupName=n00&{inline}")).await;
        iam(&api, &format!("Action=PutRolePolicy&RoleName=n00&{inline}")).await;
        iam(&api, &format!("Action=CreateInstanceProfile&InstanceProfileName={name}")).await;
        iam(&api, &format!("Action=AddRoleToInstanceProfile&InstanceProfileName={name}&RoleName=n00")).await;
    }
    let names = names("n");
    iam_pages(&api, "ListUsers", "UserName", &names).await;
    iam_pages(&api, "ListGroups", "GroupName", &names).await;
    iam_pages(&api, "ListRoles", "RoleName", &names).await;
    iam_pages(&api, "ListPolicies&Scope=Local", "PolicyName", &names).await;
    iam_pages(&api, "ListInstanceProfiles", "InstanceProfileName", &names).await;
    iam_pages(&api, "ListInstanceProfilesForRole&RoleName=n00", "InstanceProfileName", &names).await;
    iam_pages(&api, "ListGroupPolicies&GroupName=n00", "member", &names).await;
    iam_pages(&api, "ListRolePolicies&RoleName=n00", "member", &names).await;
    iam_pages(&api, &format!("ListEntitiesForPolicy&PolicyArn={managed}"), "UserName", &names).await;
}

#[tokio::test]
async fn retained_messages() {
    let sandbox = Sandbox::new().await;
    let mut device = sandbox.device("d").await;
    let topics = names("kept/");
    for topic in &topics {
        device.retain(topic, "x").await;
    }
    let list = ("retainedTopics", "topic", "nextToken");
    let query = ("maxResults", "nextToken");
    rest_pages(&sandbox.api(), ("iotdata", "/retainedMessage"), query, list, &topics).await;
}

#[tokio::test]
async fn delivery_streams_and_their_tags() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    sandbox.bucket("lake").await;
    let tags: Vec<Value> = names("k").iter().map(|key| json!({"Key": key, "Value": "v"})).collect();
    let destination =
        json!({"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::lake"});
    for name in names("s") {
        let input = json!({
            "DeliveryStreamName": name, "ExtendedS3DestinationConfiguration": destination, "Tags": tags});
        call(&api, "firehose", "CreateDeliveryStream", &input).await;
    }
    check(&names("s"), async |after: Option<String>| {
        let mut input = json!({"Limit": PAGE});
        if let Some(after) = after {
            input["ExclusiveStartDeliveryStreamName"] = json!(after);
        }
        let answer = call(&api, "firehose", "ListDeliveryStreams", &input).await;
        let found = strings(&answer["DeliveryStreamNames"], "");
        let last = found.last().cloned();
        (found, last.filter(|_| answer["HasMoreDeliveryStreams"] == true))
    })
    .await;
    check(&names("k"), async |after: Option<String>| {
        let mut input = json!({"DeliveryStreamName": "s00", "Limit": PAGE});
        if let Some(after) = after {
            input["ExclusiveStartTagKey"] = json!(after);
        }
        let answer = call(&api, "firehose", "ListTagsForDeliveryStream", &input).await;
        let found = strings(&answer["Tags"], "Key");
        let last = found.last().cloned();
        (found, last.filter(|_| answer["HasMoreTags"] == true))
    })
    .await;
}

#[tokio::test]
async fn databases_tables_and_partitions() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let columns = json!([{"Name": "day", "Type": "string"}]);
    let storage = json!({"Location": "s3://lake/"});
    let table = |name: &str| json!({"Name": name, "PartitionKeys": columns, "StorageDescriptor": storage});
    for name in names("n") {
        call(&api, "glue", "CreateDatabase", &json!({"DatabaseInput": {"Name": name}})).await;
        let input = json!({"DatabaseName": "n00", "TableInput": table(&name)});
        call(&api, "glue", "CreateTable", &input).await;
        let partition = json!({"Values": [name], "StorageDescriptor": storage});
        let input = json!({"DatabaseName": "n00", "TableName": "n00", "PartitionInput": partition});
        call(&api, "glue", "CreatePartition", &input).await;
    }
    let mut databases = names("n");
    databases.push("default".to_owned());
    json_pages(&api, ("glue", "GetDatabases"), &json!({}), ("DatabaseList", "Name"), &databases).await;
    let of = json!({"DatabaseName": "n00"});
    json_pages(&api, ("glue", "GetTables"), &of, ("TableList", "Name"), &names("n")).await;
    check(&names("n"), async |after: Option<String>| {
        let mut input = json!({"DatabaseName": "n00", "TableName": "n00", "MaxResults": PAGE});
        if let Some(after) = after {
            input["NextToken"] = json!(after);
        }
        let answer = call(&api, "glue", "GetPartitions", &input).await;
        let found = answer["Partitions"].as_array().expect("a list").iter();
        let found = found.map(|one| one["Values"][0].as_str().expect("a value").to_owned()).collect();
        (found, token(&answer, "NextToken"))
    })
    .await;
    let catalog = json!({"CatalogName": "AwsDataCatalog"});
    json_pages(&api, ("athena", "ListDatabases"), &catalog, ("DatabaseList", "Name"), &databases).await;
    let of = json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "n00"});
    json_pages(&api, ("athena", "ListTableMetadata"), &of, ("TableMetadataList", "Name"), &names("n")).await;
}

#[tokio::test]
async fn workgroups_named_queries_and_query_executions() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let (mut named, mut executions) = (Vec::new(), Vec::new());
    for name in names("n") {
        call(&api, "athena", "CreateWorkGroup", &json!({"Name": name})).await;
        let input = json!({"Name": name, "Database": "default", "QueryString": "SELECT 1"});
        let made = call(&api, "athena", "CreateNamedQuery", &input).await;
        named.push(made["NamedQueryId"].as_str().expect("an id").to_owned());
        let made = call(&api, "athena", "StartQueryExecution", &json!({"QueryString": "SELECT 1"})).await;
        executions.push(made["QueryExecutionId"].as_str().expect("an id").to_owned());
    }
    let mut workgroups = names("n");
    workgroups.push("primary".to_owned());
    json_pages(&api, ("athena", "ListWorkGroups"), &json!({}), ("WorkGroups", "Name"), &workgroups).await;
    json_pages(&api, ("athena", "ListNamedQueries"), &json!({}), ("NamedQueryIds", ""), &named).await;
    json_pages(&api, ("athena", "ListQueryExecutions"), &json!({}), ("QueryExecutionIds", ""), &executions)
        .await;
}

/// A list of S3: its path with a query, the element of the items' names, and how the next page is asked for.
async fn s3_pages(
    api: &Client,
    path: &str,
    item: &str,
    next: impl Fn(&str) -> Option<String>,
    wanted: &[String],
) {
    check(wanted, async |after: Option<String>| {
        let path = format!("{path}{}", after.unwrap_or_default());
        let answer = api.send("s3", Method::GET, &path, &[], Bytes::new()).await.expect("an answer");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status.is_success(), "{path}: {text}");
        // Buckets and uploads have the owner's names inside, which are other elements.
        let found = elements(&text, item).map(str::to_owned).collect();
        (found, next(&text))
    })
    .await;
}

/// The query that leads on from an answer with these elements.
fn following(text: &str, elements_and_names: &[(&str, &str)]) -> Option<String> {
    let value = |element| elements(text, element).next();
    let pairs =
        elements_and_names.iter().map(|(element, name)| Some(format!("&{name}={}", escape(value(element)?))));
    pairs.collect()
}

fn truncated(text: &str) -> bool {
    text.contains("<IsTruncated>true</IsTruncated>")
}

#[tokio::test]
async fn buckets_and_objects() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let (buckets, keys) = (names("bucket-"), names("a/k "));
    for (bucket, key) in buckets.iter().zip(&keys) {
        sandbox.bucket(bucket).await;
        sandbox.put("bucket-00", &key.replace(' ', "%20"), "x").await;
    }
    let on = |text: &str| following(text, &[("ContinuationToken", "continuation-token")]);
    s3_pages(&api, &format!("/?max-buckets={PAGE}"), "Name", on, &buckets).await;
    let on = |text: &str| following(text, &[("NextContinuationToken", "continuation-token")]);
    let path = format!("/bucket-00?list-type=2&max-keys={PAGE}");
    s3_pages(&api, &path, "Key", on, &keys).await;
    let on = |text: &str| {
        let last = elements(text, "Key").last()?;
        truncated(text).then(|| format!("&marker={}", escape(last)))
    };
    s3_pages(&api, &format!("/bucket-00?max-keys={PAGE}"), "Key", on, &keys).await;
    let on = |text: &str| {
        let next = [("NextKeyMarker", "key-marker"), ("NextVersionIdMarker", "version-id-marker")];
        truncated(text).then(|| following(text, &next).expect("a truncated list leads on"))
    };
    s3_pages(&api, &format!("/bucket-00?versions=&max-keys={PAGE}"), "Key", on, &keys).await;
}

#[tokio::test]
async fn uploads_and_their_parts() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    sandbox.bucket("lake").await;
    let send = async |method: Method, path: String| {
        let answer = api.send("s3", method, &path, &[], Bytes::from_static(b"")).await.expect("an answer");
        assert!(answer.status.is_success(), "{path}: {:?}", answer.body);
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    let keys = names("k");
    let mut last = String::new();
    for key in &keys {
        let begun = send(Method::POST, format!("/lake/{key}?uploads=")).await;
        last = elements(&begun, "UploadId").next().expect("an id").to_owned();
    }
    let upload = format!("/lake/k26?uploadId={}", escape(&last));
    for part in 1..=ITEMS {
        send(Method::PUT, format!("{upload}&partNumber={part}")).await;
    }
    let on = |text: &str| {
        let next = [("NextKeyMarker", "key-marker"), ("NextUploadIdMarker", "upload-id-marker")];
        truncated(text).then(|| following(text, &next).expect("a truncated list leads on"))
    };
    s3_pages(&api, &format!("/lake?uploads=&max-uploads={PAGE}"), "Key", on, &keys).await;
    let on = |text: &str| {
        let next = [("NextPartNumberMarker", "part-number-marker")];
        truncated(text).then(|| following(text, &next).expect("a truncated list leads on"))
    };
    let parts: Vec<String> = (1..=ITEMS).map(|part| part.to_string()).collect();
    s3_pages(&api, &format!("{upload}&max-parts={PAGE}"), "PartNumber", on, &parts).await;
}

#[tokio::test]
async fn a_token_of_someone_else_is_refused() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    for (service, operation) in [
        ("glue", "GetDatabases"),
        ("athena", "ListWorkGroups"),
        ("athena", "ListNamedQueries"),
        ("athena", "ListQueryExecutions"),
    ] {
        let answer = api.json(service, operation, &json!({"NextToken": "made up"})).await;
        let error = answer.expect_err("it is not ours");
        assert!(error.code().starts_with("Invalid"), "{operation}: {error}");
    }
    for path in [
        "/things?nextToken=made%20up",
        "/rules?nextToken=%00",
        "/policies?marker=x",
        "/certificates?marker=x",
    ] {
        let error = api.rest("iot", Method::GET, path, "").await.expect_err("it is not ours");
        assert_eq!(error.code(), "InvalidRequestException", "{path}: {error}");
    }
}
