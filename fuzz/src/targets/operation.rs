//! Any operation with any input, done as the root: what a hostile tenant may do in an account of their own.
//!
//! No input is the node's fault. The first line names the operation: `glue CreateTable`; the rest is its input as JSON.

use kernel::{AccountId, Context, Principal, Region};
use serde_json::{Value, json};

use super::halves;
use super::node::World;
use crate::{Body, Memory, Target};

pub(super) static TARGET: Target = Target {
    name: "operation",
    about: "any operation with any input, carried out",
    words: &[
        "!{timestamp:yyyy/MM/dd}",
        "!{firehose:random-string}",
        "!{",
        "arn:aws:s3:::lake",
        "arn:aws:iam::000000000000:role/r",
        "s3://lake/",
        "\"Prefix\":",
        "SELECT * FROM 'a'",
        "{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[]}",
        "\\u0000",
        "null",
        "[]",
        "{}",
        "-1",
        "1e18",
        "array<int>",
        "${",
        "/",
    ],
    memory: Memory { bytes: 16 << 20, per_byte: 4096 },
    mutations: 5_000,
    start,
    seeds,
};

/// After so many inputs the node is a new one, so that none is slow because of those before it.
const INPUTS_PER_NODE: u32 = 1000;

fn start() -> Body {
    let mut world = World::new();
    let mut inputs = 0;
    Box::new(move |input| {
        let (name, body) = halves(input, b'\n');
        let name = String::from_utf8_lossy(name);
        let (Some((service, operation)), Ok(body)) =
            (name.split_once(' '), serde_json::from_slice::<Value>(body))
        else {
            return;
        };
        inputs += 1;
        if inputs > INPUTS_PER_NODE {
            // What a new node costs is not the input's.
            allocation_counter::opt_out(|| world = World::new());
            inputs = 0;
        }
        let account = AccountId::default_account();
        let cx = Context {
            principal: Principal::Root { account: account.clone() },
            account,
            region: Region::default_region(),
            request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
            source_ip: None,
            secure: false,
        };
        let dispatcher = world.sandbox.node().dispatcher();
        let answer = world.runtime.block_on(dispatcher.call_as(&cx, service, operation, body));
        if let Err(fault) = answer {
            assert!(fault.status < 500, "{name}: {fault:?}");
        }
    })
}

fn seeds() -> Vec<Vec<u8>> {
    let role = "arn:aws:iam::000000000000:role/r";
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}).to_string();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}]}).to_string();
    let destination = json!({
        "RoleARN": role, "BucketARN": "arn:aws:s3:::lake",
        "Prefix": "raw/!{timestamp:yyyy/MM/dd/HH}/!{firehose:random-string}/", "ErrorOutputPrefix": "bad/!{firehose:error-output-type}/",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60}, "CompressionFormat": "GZIP", "CustomTimeZone": "Europe/Berlin", "FileExtension": ".json",
    });
    let columns = json!([{"Name": "a", "Type": "struct<b:array<int>>"}, {"Name": "c", "Type": "string"}]);
    let storage = json!({"Columns": columns, "Location": "s3://lake/raw/", "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}});
    let table = json!({"Name": "t", "StorageDescriptor": storage, "PartitionKeys": [{"Name": "day", "Type": "string"}], "Parameters": {"classification": "json"}, "TableType": "EXTERNAL_TABLE"});
    let samples = [
        (
            "firehose CreateDeliveryStream",
            json!({"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": destination, "Tags": [{"Key": "a", "Value": "b"}]}),
        ),
        (
            "firehose UpdateDestination",
            json!({"DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001", "ExtendedS3DestinationUpdate": {"Prefix": "x/!{timestamp:YYYY'T'}/"}}),
        ),
        ("firehose PutRecord", json!({"DeliveryStreamName": "s", "Record": {"Data": "eyJhIjoxfQ=="}})),
        (
            "firehose PutRecordBatch",
            json!({"DeliveryStreamName": "s", "Records": [{"Data": "AA=="}, {"Data": ""}]}),
        ),
        (
            "iot CreateTopicRule",
            json!({"ruleName": "r", "topicRulePayload": {"sql": "SELECT t FROM 'a/+' WHERE t > 1", "awsIotSqlVersion": "2016-03-23", "actions": [{"firehose": {"roleArn": role, "deliveryStreamName": "s", "separator": "\n"}}, {"s3": {"roleArn": role, "bucketName": "lake", "key": "${topic()}/${timestamp()}"}}], "errorAction": {"republish": {"roleArn": role, "topic": "e"}}}}),
        ),
        ("iot CreatePolicy", json!({"policyName": "p", "policyDocument": policy})),
        ("iot CreateThing", json!({"thingName": "t", "attributePayload": {"attributes": {"a": "b"}}})),
        ("iot CreateKeysAndCertificate", json!({"setAsActive": true})),
        ("iotdata Publish", json!({"topic": "a/b", "payload": "eyJ0IjogMn0=", "qos": 1, "retain": true})),
        (
            "glue CreateDatabase",
            json!({"DatabaseInput": {"Name": "d", "LocationUri": "s3://lake/", "Parameters": {"a": "b"}}}),
        ),
        ("glue CreateTable", json!({"DatabaseName": "d", "TableInput": table})),
        (
            "glue BatchCreatePartition",
            json!({"DatabaseName": "d", "TableName": "t", "PartitionInputList": [{"Values": ["x"], "StorageDescriptor": storage}]}),
        ),
        (
            "glue GetPartitions",
            json!({"DatabaseName": "d", "TableName": "t", "Expression": "day = 'x' AND (day > 'a' OR NOT day LIKE '%b_') AND day IN ('1', '2') AND day BETWEEN 'a' AND 'b'", "Segment": {"SegmentNumber": 0, "TotalSegments": 2}}),
        ),
        ("glue GetTables", json!({"DatabaseName": "d", "Expression": "t.*|a", "NextToken": "eyJ"})),
        (
            "athena StartQueryExecution",
            json!({"QueryString": "CREATE DATABASE x", "ResultConfiguration": {"OutputLocation": "s3://lake/results/"}, "ClientRequestToken": "00000000000000000000000000000000"}),
        ),
        (
            "athena CreateWorkGroup",
            json!({"Name": "w", "Configuration": {"ResultConfiguration": {"OutputLocation": "s3://lake/w/"}, "BytesScannedCutoffPerQuery": 10_000_000}}),
        ),
        ("athena CreateNamedQuery", json!({"Name": "q", "Database": "d", "QueryString": "SELECT 1"})),
        (
            "iam CreateRole",
            json!({"RoleName": "r", "Path": "/a/", "AssumeRolePolicyDocument": trust, "MaxSessionDuration": "3600", "Tags": [{"Key": "a", "Value": "b"}]}),
        ),
        ("iam PutUserPolicy", json!({"UserName": "u", "PolicyName": "p", "PolicyDocument": policy})),
        ("iam CreatePolicy", json!({"PolicyName": "p", "PolicyDocument": policy})),
        ("iam CreateUser", json!({"UserName": "u", "Path": "/"})),
        (
            "iam SimulateCustomPolicy",
            json!({"PolicyInputList": [policy], "ActionNames": ["s3:GetObject"], "ResourceArns": ["*"], "ContextEntries": [{"ContextKeyName": "aws:SourceIp", "ContextKeyType": "ip", "ContextKeyValues": ["10.0.0.1"]}]}),
        ),
        (
            "sts AssumeRole",
            json!({"RoleArn": role, "RoleSessionName": "s", "DurationSeconds": "900", "Policy": policy, "Tags": [{"Key": "a", "Value": "b"}]}),
        ),
        ("sts GetSessionToken", json!({"DurationSeconds": "900"})),
    ];
    samples.iter().map(|(name, input)| format!("{name}\n{input}").into_bytes()).collect()
}
