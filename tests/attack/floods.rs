//! One tenant floods; the other is served all the same. What counts is that every request of A's is answered, not how fast.

use bytes::Bytes;
use futures::future::join_all;
use http::Method;
use mqtt::{Connect, Qos, Version};
use serde_json::json;
use testkit::{Device, Identity};
use tokio::io::AsyncWriteExt;

use crate::tenants::{Tenants, said};

async fn device(tenants: &Tenants, tenant: &crate::tenants::Tenant, thing: &str) -> (Identity, Device) {
    let anything = json!([{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]);
    let identity = Identity::create(&tenant.api, thing, &anything).await;
    let connected = tenants.sandbox.connect_as(&identity, Connect::new(Version::V5, thing)).await;
    (identity, connected.unwrap_or_else(|closed| panic!("{thing} is refused: {closed:?}")))
}

#[tokio::test]
async fn a_flood_of_messages_leaves_room_for_the_other_tenant() {
    let tenants = Tenants::new().await;
    let (_, mut a) = device(&tenants, &tenants.a, "sensor").await;
    let (_, mut slow) = device(&tenants, &tenants.b, "slow").await;
    slow.subscribe("#", Qos::AtLeastOnce).await.expect("an answer");
    let (_, mut b) = device(&tenants, &tenants.b, "flood").await;
    // B sends as fast as it is taken, and subscribes without reading: both are bounded, and neither is waited for.
    let flood = async {
        loop {
            b.send("flood/x", vec![b'x'; 8 << 10]).await;
        }
    };
    let served = async {
        for n in 0..50 {
            a.publish("plant/3", format!("{n}")).await;
        }
    };
    tokio::select! {
        () = flood => {}
        () = served => {}
    }
    let queued = tenants.sandbox.gauge("iot_delivery_queue_bytes");
    assert!(queued <= 64 << 20, "{queued} bytes are queued");
}

#[tokio::test]
async fn a_flood_of_connections_leaves_room_for_the_other_tenant() {
    let tenants = Tenants::new().await;
    let (_, mut a) = device(&tenants, &tenants.a, "sensor").await;
    let (of_b, _b) = device(&tenants, &tenants.b, "flood").await;
    for round in 0..4 {
        let connects = (0..50).map(|n| {
            let connect = Connect::new(Version::V5, format!("flood-{round}-{n}"));
            tenants.sandbox.connect_as(&of_b, connect)
        });
        // Some may be refused for B's quota; that is B's affair.
        let held = join_all(connects).await;
        a.publish("plant/3", format!("{round}")).await;
        drop(held);
    }
    // And who connects anew is let in.
    device(&tenants, &tenants.a, "sensor-2").await;
}

#[tokio::test]
async fn a_flood_of_requests_leaves_room_for_the_other_tenant() {
    let tenants = Tenants::new().await;
    let large = json!({"DeliveryStreamName": "nope", "Records": [{"Data": "QUJD".repeat(200_000)}]});
    let flood = join_all((0..100).map(|n| {
        let large = large.clone();
        let tenants = &tenants;
        async move {
            match n % 4 {
                0 => tenants.b.tried("firehose", "PutRecordBatch", large).await,
                1 => tenants.b.tried("glue", "GetTables", json!({"DatabaseName": "x".repeat(100_000)})).await,
                2 => said(&tenants.b.s3(Method::GET, "/", &[], "").await),
                _ => said(&tenants.b.rest("iot", Method::GET, "/things?maxResults=250", json!(null)).await),
            }
        }
    }));
    let served = async {
        let mut outcomes = Vec::new();
        for n in 0..20 {
            let made = tenants.a.rest("iot", Method::POST, &format!("/things/t{n}"), json!({})).await;
            outcomes.push(said(&made));
        }
        outcomes
    };
    let (flooded, outcomes) = futures::join!(flood, served);
    assert!(outcomes.iter().all(|outcome| outcome == "200"), "{outcomes:?}");
    assert!(flooded.iter().all(|said| !said.starts_with('5') || said.starts_with("503")), "{flooded:?}");
}

/// Connections that say nothing, or half a request, hold no one up.
#[tokio::test]
async fn connections_that_say_nothing_leave_room_for_the_other_tenant() {
    let tenants = Tenants::new().await;
    let addresses = tenants.sandbox.addresses();
    let mut held = Vec::new();
    for n in 0..200 {
        let address = if n % 2 == 0 { addresses.api } else { addresses.mqtts };
        let mut socket = tokio::net::TcpStream::connect(address).await.expect("the node listens");
        socket.write_all(b"POST / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.expect("it is taken");
        held.push(socket);
    }
    let (_, mut a) = device(&tenants, &tenants.a, "sensor").await;
    a.publish("plant/3", "x").await;
    let answer = tenants.a.api.send("s3", Method::GET, "/", &[], Bytes::new()).await.expect("an answer");
    assert_eq!(answer.status, 200);
    drop(held);
}

/// B takes every turn that it gets and queues more behind them, and A's query is done before any of them.
#[tokio::test]
async fn a_queue_of_queries_leaves_room_for_the_other_tenant() {
    let tenants = Tenants::with_engine().await;
    assert_eq!(said(&tenants.b.s3(Method::PUT, "/lake-of-b", &[], "").await), "200");
    let endless = "SELECT sum(sin(x) * cos(y)) FROM UNNEST(sequence(1, 10000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 10000)) AS b(y)";
    let output = json!({"OutputLocation": "s3://lake-of-b/results/"});
    let input = json!({"QueryString": endless, "ResultConfiguration": output});
    let mut queued = Vec::new();
    for _ in 0..40 {
        let started = tenants.b.json("athena", "StartQueryExecution", input.clone()).await;
        queued.push(started["QueryExecutionId"].clone());
    }
    let (outcome, _) = tenants.a.sql(&tenants.sandbox, "SELECT 1", "s3://lake-of-a/results/").await;
    assert!(outcome.starts_with("SUCCEEDED"), "{outcome}");
    for id in queued {
        let found = tenants.b.json("athena", "GetQueryExecution", json!({"QueryExecutionId": id})).await;
        let state = &found["QueryExecution"]["Status"]["State"];
        assert!(state == "RUNNING" || state == "QUEUED", "{state}");
        tenants.b.json("athena", "StopQueryExecution", json!({"QueryExecutionId": id})).await;
    }
}
