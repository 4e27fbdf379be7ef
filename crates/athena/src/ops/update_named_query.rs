//! `UpdateNamedQuery`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_UpdateNamedQuery.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use store::TableError;

use super::Empty;
use crate::constraint::Violations;
use crate::named_query::NamedQuery;
use crate::{Athena, Error, limits, scope};

pub(super) struct UpdateNamedQuery;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    named_query_id: String,
    name: String,
    description: Option<String>,
    query_string: String,
}

impl Operation for UpdateNamedQuery {
    type Service = Athena;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "UpdateNamedQuery";
    const ACTION: &'static str = "athena:UpdateNamedQuery";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.id("namedQueryId", &request.named_query_id);
        violations.text("name", Some(&request.name), (1, 128));
        violations.text("description", request.description.as_deref(), (0, 1024));
        violations.text("queryString", Some(&request.query_string), (1, limits::SQL_BYTES_MAX));
        violations.finish()?;
        let [account, region] = scope(cx);
        for _ in 0..limits::UPDATE_ATTEMPTS {
            let stored = athena.inner.named_query(cx, &request.named_query_id).await?;
            let changed = NamedQuery {
                name: request.name.clone(),
                description: request.description.clone(),
                sql: request.query_string.clone(),
                ..stored.entity
            };
            let parts = [account, region, request.named_query_id.as_str()];
            match athena.inner.named_queries.update(&parts, &changed, stored.revision).await {
                Ok(_) => return Ok(Empty {}),
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn name_description_and_text_are_replaced() {
        let node = node().await;
        let input = json!({"Name": "n", "Description": "x", "Database": "d", "QueryString": "select 1"});
        let id = node.ok("CreateNamedQuery", input).await["NamedQueryId"].clone();
        let update = json!({"NamedQueryId": id, "Name": "m", "QueryString": "select 2"});
        assert_eq!(node.ok("UpdateNamedQuery", update).await, json!({}));
        let got = node.ok("GetNamedQuery", json!({"NamedQueryId": id})).await;
        let expect = json!({"NamedQueryId": id, "Name": "m", "Database": "d", "QueryString": "select 2",
            "WorkGroup": "primary"});
        assert_eq!(got["NamedQuery"], expect);
        assert_eq!(
            node.said(
                "UpdateNamedQuery",
                json!({"NamedQueryId": "nope", "Name": "m", "QueryString": "select 2"})
            )
            .await,
            "InvalidRequestException: NamedQuery nope was not found"
        );
    }
}
