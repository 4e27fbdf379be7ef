//! Policy documents of every kind, and decisions by them.
//!
//! A Deny of everything added to any document leaves nothing allowed; what is an identity's policy is a policy.

use policy::{Context, Decision, Document, IOT_DOCUMENT_CHARS_MAX, Request, evaluate};

use super::{PARSER, texts};
use crate::Target;

pub(super) static TARGET: Target = Target {
    name: "policy_document",
    about: "policies of identities, roles, resources and devices, and decisions by them",
    words: &[
        "${aws:username}",
        "${iot:Connection.Thing.ThingName}",
        "ForAllValues:",
        "ForAnyValue:",
        "IfExists",
        "StringLike",
        "ArnLike",
        "IpAddress",
        "NumericLessThan",
        "DateGreaterThan",
        "Bool",
        "Null",
        "BinaryEquals",
        "NotAction",
        "NotResource",
        "NotPrincipal",
        "Principal",
        "\"*\"",
        "\\u0000",
        "2008-10-17",
        "1e999",
        "::/0",
    ],
    memory: PARSER,
    mutations: 15_000,
    start: || Box::new(decide),
    seeds,
};

fn decide(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let identity = Document::parse_identity(&text, IOT_DOCUMENT_CHARS_MAX);
    let trust = Document::parse_trust(&text);
    let resource = Document::parse_resource(&text);
    let Ok(document) = Document::parse(&text) else {
        assert!(identity.is_err() && trust.is_err() && resource.is_err(), "a special policy is a policy");
        return;
    };
    let deny = Document::parse(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#,
    );
    let deny = deny.expect("it is one");
    let context = Context::new()
        .with("aws:username", "*")
        .with("aws:SourceIp", "203.0.113.7")
        .with("aws:CurrentTime", "2026-01-01T00:00:00Z")
        .with("aws:SecureTransport", "true")
        .with("s3:prefix", "a*a*a*a*b")
        .with("iot:ClientId", "+/#")
        .with_values("aws:TagKeys", ["a", "b"]);
    for (action, resource) in [
        ("iot:Publish", "arn:aws:iot:us-east-1:000000000000:topic/plant/3/temp"),
        ("s3:GetObject", "arn:aws:s3:::lake/raw/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("sts:AssumeRole", "*"),
    ] {
        let request = Request { action, resource, context: &context };
        let alone = evaluate([&document], &request);
        assert_eq!(evaluate([&document, &document], &request), alone, "said twice is said once");
        assert_eq!(
            evaluate([&document, &deny], &request),
            Decision::ExplicitDeny,
            "a Deny outweighs every Allow"
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["iot:Publish","s3:Get*"],"Resource":"*"}]}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":"iam:*","NotResource":["arn:aws:s3:::a/*","arn:aws:s3:::b"]}}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:000000000000:topic/${iot:ClientId}/*"}]}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::lake/${aws:username, 'nobody'}/*?${*}"}]}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"iot.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:root","222222222222"],"Federated":"x"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":"e"}}}]}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]},"Bool":{"aws:SecureTransport":"true"}}}]}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringLike":{"s3:prefix":["a*a*a*a*a*a*a*a*c","home/${aws:username}/*"]},"NumericLessThanEquals":{"s3:max-keys":"10"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"},"Null":{"aws:TokenIssueTime":"true"},"ArnLikeIfExists":{"aws:SourceArn":"arn:aws:iot:*:*:rule/?"},"ForAllValues:StringEqualsIgnoreCase":{"aws:TagKeys":["A","B"]},"ForAnyValue:StringNotLike":{"aws:TagKeys":"x*"},"BinaryEquals":{"k":"QUJD"}}}]}"#,
        r#"{"Version":"2008-10-17","Id":"x","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/${aws:username}"}]}"#,
        r#"{"Statement":[]}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}]}"#,
    ])
}
