//! `BatchGetNamedQuery`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_BatchGetNamedQuery.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::{Value, json};

use crate::constraint::Violations;
use crate::{Athena, Error, limits};

pub(super) struct BatchGetNamedQuery;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    named_query_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    named_queries: Vec<Value>,
    unprocessed_named_query_ids: Vec<Value>,
}

impl Operation for BatchGetNamedQuery {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "BatchGetNamedQuery";
    const ACTION: &'static str = "athena:BatchGetNamedQuery";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.list("namedQueryIds", request.named_query_ids.len(), (1, limits::BATCH_MAX));
        for id in &request.named_query_ids {
            violations.id("namedQueryIds", id);
        }
        violations.finish()?;
        let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
        for id in request.named_query_ids {
            match athena.inner.named_query(cx, &id).await {
                Ok(stored) => found.push(stored.entity.shape()),
                Err(Error::InvalidRequest(sentence)) => unprocessed.push(json!({
                    "NamedQueryId": id, "ErrorCode": "INVALID_INPUT", "ErrorMessage": sentence,
                })),
                Err(error) => return Err(error),
            }
        }
        Ok(Response { named_queries: found, unprocessed_named_query_ids: unprocessed })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn those_that_are_there_and_those_that_are_not() {
        let node = node().await;
        let input = json!({"Name": "n", "Database": "d", "QueryString": "select 1"});
        let id = node.ok("CreateNamedQuery", input).await["NamedQueryId"].clone();
        let got = node.ok("BatchGetNamedQuery", json!({"NamedQueryIds": [id, "nope"]})).await;
        assert_eq!(got["NamedQueries"][0]["NamedQueryId"], id);
        let expect = json!([{"NamedQueryId": "nope", "ErrorCode": "INVALID_INPUT",
            "ErrorMessage": "NamedQuery nope was not found"}]);
        assert_eq!(got["UnprocessedNamedQueryIds"], expect);
        assert_eq!(
            node.said("BatchGetNamedQuery", json!({"NamedQueryIds": []})).await,
            "InvalidRequestException: 1 validation error detected: Value at 'namedQueryIds' failed to satisfy constraint: \
             Member must have length greater than or equal to 1"
        );
    }
}
