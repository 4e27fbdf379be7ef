//! The tags of workgroups, for the Resource Groups Tagging API.

use kernel::{Arn, Context};
use ports::{PortError, PortFuture, TagActions, Tagged, TaggedResource};

use crate::ops::{add_tags, remove_tags};
use crate::{Athena, Error};

/// Workgroups of one read of the store.
const PAGE: usize = 100;

impl Tagged for Athena {
    fn service(&self) -> &'static str {
        "athena"
    }

    fn actions(&self) -> Option<TagActions> {
        Some(TagActions { tag: "athena:TagResource", untag: "athena:UntagResource" })
    }

    fn tagged<'a>(&'a self, cx: &'a Context) -> PortFuture<'a, Vec<TaggedResource>> {
        Box::pin(async move { self.tagged_workgroups(cx).await.map_err(PortError::from_service) })
    }

    fn tag<'a>(&'a self, cx: &'a Context, arn: &'a Arn, tags: &'a [(String, String)]) -> PortFuture<'a, ()> {
        Box::pin(async move { add_tags(self, cx, arn.as_str(), tags).await.map_err(PortError::from_service) })
    }

    fn untag<'a>(&'a self, cx: &'a Context, arn: &'a Arn, keys: &'a [String]) -> PortFuture<'a, ()> {
        Box::pin(
            async move { remove_tags(self, cx, arn.as_str(), keys).await.map_err(PortError::from_service) },
        )
    }
}

impl Athena {
    async fn tagged_workgroups(&self, cx: &Context) -> Result<Vec<TaggedResource>, Error> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.inner.workgroup_page(cx, after.as_deref(), PAGE).await?;
            let whole = page.len() < PAGE;
            after = page.last().map(|workgroup| workgroup.name.clone());
            for workgroup in page {
                if !workgroup.tags.is_empty() {
                    let arn = cx.arn("athena", &format!("workgroup/{}", workgroup.name)).to_string();
                    found.push(TaggedResource { arn, tags: workgroup.tags.into_iter().collect() });
                }
            }
            if whole {
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::node;

    #[tokio::test]
    async fn workgroups_with_tags_are_listed_and_changed_by_arn() {
        let node = node().await;
        let cx = wire::testing::context();
        node.ok("CreateWorkGroup", json!({"Name": "w"})).await;
        let arn = |name: &str| cx.arn("athena", &format!("workgroup/{name}"));
        let tags = [("k".to_owned(), "v".to_owned())];
        for name in ["w", "primary"] {
            node.athena.tag(&cx, &arn(name), &tags).await.unwrap();
        }
        let of = |name: &str| TaggedResource { arn: arn(name).to_string(), tags: tags.to_vec() };
        assert_eq!(node.athena.tagged(&cx).await.unwrap(), [of("primary"), of("w")]);
        node.athena.untag(&cx, &arn("w"), &["k".to_owned()]).await.unwrap();
        assert_eq!(node.athena.tagged(&cx).await.unwrap(), [of("primary")]);
        for wrong in [arn("none"), cx.arn("athena", "datacatalog/x")] {
            assert_eq!(
                node.athena.tag(&cx, &wrong, &tags).await.unwrap_err().code,
                "ResourceNotFoundException"
            );
            assert_eq!(
                node.athena.untag(&cx, &wrong, &[]).await.unwrap_err().code,
                "ResourceNotFoundException"
            );
        }
    }
}
