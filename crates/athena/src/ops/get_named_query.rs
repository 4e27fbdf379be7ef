//! `GetNamedQuery`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetNamedQuery.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::Value;

use crate::constraint::Violations;
use crate::{Athena, Error};

pub(super) struct GetNamedQuery;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    named_query_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    named_query: Value,
}

impl Operation for GetNamedQuery {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetNamedQuery";
    const ACTION: &'static str = "athena:GetNamedQuery";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.id("namedQueryId", &request.named_query_id);
        violations.finish()?;
        let stored = athena.inner.named_query(cx, &request.named_query_id).await?;
        Ok(Response { named_query: stored.entity.shape() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn what_was_created_is_there_after_a_restart() {
        let world = World::new();
        let node = world.start().await;
        let mut input =
            json!({"Name": "n", "Description": "about", "Database": "d", "QueryString": "select 1"});
        let created = node.ok("CreateNamedQuery", input.clone()).await;
        let node = world.restart(node).await;
        input["NamedQueryId"] = created["NamedQueryId"].clone();
        input["WorkGroup"] = "primary".into();
        assert_eq!(node.ok("GetNamedQuery", created).await, json!({"NamedQuery": input}));
        assert_eq!(
            node.said("GetNamedQuery", json!({"NamedQueryId": "nope"})).await,
            "InvalidRequestException: NamedQuery nope was not found"
        );
    }
}
