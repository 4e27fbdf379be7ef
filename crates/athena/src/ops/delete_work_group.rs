//! `DeleteWorkGroup`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_DeleteWorkGroup.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use store::TableError;
use store::meta::Batch;

use super::Empty;
use crate::constraint::Violations;
use crate::workgroup::PRIMARY;
use crate::{Athena, Error, Inner, limits, scope};

pub(super) struct DeleteWorkGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    work_group: String,
    recursive_delete_option: Option<bool>,
}

impl Operation for DeleteWorkGroup {
    type Service = Athena;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "DeleteWorkGroup";
    const ACTION: &'static str = "athena:DeleteWorkGroup";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::workgroup_resource(cx, &request.work_group)
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let mut violations = Violations::default();
        violations.workgroup("workGroup", Some(&request.work_group));
        violations.finish()?;
        let name = request.work_group.as_str();
        if name == PRIMARY {
            return Err(Error::invalid("The primary workgroup cannot be deleted."));
        }
        let ([account, region], inner) = (scope(cx), &athena.inner);
        let parts = [account, region, name];
        for _ in 0..limits::UPDATE_ATTEMPTS {
            let (_, expect) = inner.workgroup(cx, name).await?;
            if request.recursive_delete_option != Some(true) && !is_empty(inner, cx, name).await? {
                return Err(Error::invalid(format!("WorkGroup {name} is not empty")));
            }
            let mut batch = inner.workgroups.with_check(Batch::default(), &parts, expect);
            for query in inner.named_query_page(cx, name, None, limits::NAMED_QUERIES_MAX).await? {
                batch = inner.without_named_query(batch, cx, &query);
            }
            match inner.workgroups.commit(inner.workgroups.with_delete(batch, &parts)).await {
                Ok(_) => {
                    // Nothing begins in it any more. What a stop of the node leaves behind here is swept later.
                    inner.live.cancel_workgroup(cx, name);
                    inner.meters.forget(account, region, name);
                    inner.forget_after(&parts, None).await?;
                    return Ok(Empty {});
                }
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }
}

async fn is_empty(inner: &Inner, cx: &Context, name: &str) -> Result<bool, Error> {
    let [account, region] = scope(cx);
    let executions = inner.history.page(&[account, region, name], "", None, 1).await?;
    Ok(executions.is_empty() && inner.named_query_page(cx, name, None, 1).await?.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn one_that_is_not_empty_goes_only_with_all_that_is_in_it() {
        let node = node().await;
        node.ok("CreateWorkGroup", json!({"Name": "w"})).await;
        let done = node.run_with(json!({"QueryString": "select 1", "WorkGroup": "w"})).await;
        let input = json!({"QueryString": "select wait", "WorkGroup": "w"});
        let running =
            node.ok("StartQueryExecution", input).await["QueryExecutionId"].as_str().unwrap().to_owned();
        node.world.execute.wait_for(2).await;
        let input = json!({"Name": "n", "Database": "d", "QueryString": "select 1", "WorkGroup": "w"});
        let named = node.ok("CreateNamedQuery", input).await;
        assert_eq!(
            node.said("DeleteWorkGroup", json!({"WorkGroup": "w"})).await,
            "InvalidRequestException: WorkGroup w is not empty"
        );
        let input = json!({"WorkGroup": "w", "RecursiveDeleteOption": true});
        assert_eq!(node.ok("DeleteWorkGroup", input).await, json!({}));
        node.finished(&running).await;
        for id in [done["QueryExecutionId"].as_str().unwrap(), &running] {
            assert_eq!(
                node.said("GetQueryExecution", json!({"QueryExecutionId": id})).await,
                format!("InvalidRequestException: QueryExecution {id} was not found")
            );
        }
        assert!(node.said("GetNamedQuery", named).await.ends_with("was not found"));
        node.ok("CreateWorkGroup", json!({"Name": "w"})).await;
        let listed = node.ok("ListQueryExecutions", json!({"WorkGroup": "w"})).await;
        assert_eq!(listed, json!({"QueryExecutionIds": []}));
        assert_eq!(node.world.execute.dropped(), 1, "what ran was stopped");
        assert!(node.athena.inner.open.list(&[]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_empty_one_goes_and_primary_stays() {
        let node = node().await;
        node.ok("CreateWorkGroup", json!({"Name": "w"})).await;
        node.ok("DeleteWorkGroup", json!({"WorkGroup": "w"})).await;
        for (name, expect) in
            [("w", "WorkGroup w is not found."), ("primary", "The primary workgroup cannot be deleted.")]
        {
            let said = node.said("DeleteWorkGroup", json!({"WorkGroup": name})).await;
            assert_eq!(said, format!("InvalidRequestException: {expect}"));
        }
    }
}
