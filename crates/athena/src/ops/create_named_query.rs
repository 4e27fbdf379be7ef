//! `CreateNamedQuery`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateNamedQuery.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::constraint::Violations;
use crate::named_query::NamedQuery;
use crate::workgroup::PRIMARY;
use crate::{Athena, Error, limits};

pub(super) struct CreateNamedQuery;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    name: String,
    description: Option<String>,
    database: String,
    query_string: String,
    client_request_token: Option<String>,
    work_group: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    named_query_id: String,
}

impl Operation for CreateNamedQuery {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "CreateNamedQuery";
    const ACTION: &'static str = "athena:CreateNamedQuery";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::workgroup_resource(cx, request.work_group.as_deref().unwrap_or(PRIMARY))
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.text("name", Some(&request.name), (1, 128));
        violations.text("description", request.description.as_deref(), (1, 1024));
        violations.text("database", Some(&request.database), (1, 255));
        violations.text("queryString", Some(&request.query_string), (1, limits::SQL_BYTES_MAX));
        violations.token(request.client_request_token.as_deref());
        violations.workgroup("workGroup", request.work_group.as_deref());
        violations.finish()?;
        let new = NamedQuery {
            id: athena.inner.entropy.uuid(),
            name: request.name,
            description: request.description,
            database: request.database,
            sql: request.query_string,
            workgroup: request.work_group.unwrap_or_else(|| PRIMARY.to_owned()),
            token: request.client_request_token,
        };
        Ok(Response { named_query_id: athena.inner.create_named_query(cx, &new).await? })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn a_token_creates_one() {
        let node = node().await;
        let mut input = json!({"Name": "n", "Database": "d", "QueryString": "select 1",
            "ClientRequestToken": "0123456789abcdef0123456789abcdef"});
        let first = node.ok("CreateNamedQuery", input.clone()).await;
        assert_eq!(node.ok("CreateNamedQuery", input.clone()).await, first);
        input["QueryString"] = "select 2".into();
        assert_eq!(
            node.said("CreateNamedQuery", input.clone()).await,
            "InvalidRequestException: Idempotent parameters do not match"
        );
        node.ok("DeleteNamedQuery", first.clone()).await;
        assert_ne!(node.ok("CreateNamedQuery", input).await, first, "the token went with the query");
    }

    #[tokio::test]
    async fn refusals() {
        let node = node().await;
        let input = |name: &str, workgroup: &str| json!({"Name": name, "Database": "d", "QueryString": "select 1", "WorkGroup": workgroup});
        for (input, expect) in [
            (input("n", "gone"), "WorkGroup gone is not found."),
            (
                input("", "primary"),
                "1 validation error detected: Value '' at 'name' failed to satisfy constraint: Member must have length \
                 greater than or equal to 1",
            ),
            (
                json!({"Name": "n"}),
                "1 validation error detected: Value null at 'database' failed to satisfy constraint: Member must not be \
                 null",
            ),
        ] {
            let said = node.said("CreateNamedQuery", input).await;
            assert_eq!(said, format!("InvalidRequestException: {expect}"));
        }
    }
}
