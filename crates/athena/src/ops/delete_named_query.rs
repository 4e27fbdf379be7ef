//! `DeleteNamedQuery`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_DeleteNamedQuery.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use super::Empty;
use crate::constraint::Violations;
use crate::{Athena, Error};

pub(super) struct DeleteNamedQuery;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    named_query_id: String,
}

impl Operation for DeleteNamedQuery {
    type Service = Athena;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "DeleteNamedQuery";
    const ACTION: &'static str = "athena:DeleteNamedQuery";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.id("namedQueryId", &request.named_query_id);
        violations.finish()?;
        athena.inner.delete_named_query(cx, &request.named_query_id).await?;
        Ok(Empty {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn it_is_gone_and_cannot_go_twice() {
        let node = node().await;
        let input = json!({"Name": "n", "Database": "d", "QueryString": "select 1"});
        let created = node.ok("CreateNamedQuery", input).await;
        assert_eq!(node.ok("DeleteNamedQuery", created.clone()).await, json!({}));
        let id = created["NamedQueryId"].as_str().unwrap();
        assert_eq!(
            node.said("DeleteNamedQuery", created.clone()).await,
            format!("InvalidRequestException: NamedQuery {id} was not found")
        );
    }
}
