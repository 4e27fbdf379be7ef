//! The tags of databases, for the Resource Groups Tagging API.

use kernel::{Arn, Context};
use ports::{PortFuture, TagActions, Tagged, TaggedResource};

use crate::database::Database;
use crate::ops::{add_tags, remove_tags};
use crate::port::port;
use crate::{Error, Glue};

impl Tagged for Glue {
    fn service(&self) -> &'static str {
        "glue"
    }

    fn actions(&self) -> Option<TagActions> {
        Some(TagActions { tag: "glue:TagResource", untag: "glue:UntagResource" })
    }

    fn tagged<'a>(&'a self, cx: &'a Context) -> PortFuture<'a, Vec<TaggedResource>> {
        port(async move {
            let databases = self.databases(cx).await?;
            let with = databases.into_iter().filter(|database| !database.tags.is_empty());
            let arn =
                |database: &Database| cx.arn("glue", &format!("database/{}", database.name())).to_string();
            Ok(with
                .map(|database| TaggedResource {
                    arn: arn(&database),
                    tags: database.tags.into_iter().collect(),
                })
                .collect())
        })
    }

    fn tag<'a>(&'a self, cx: &'a Context, arn: &'a Arn, tags: &'a [(String, String)]) -> PortFuture<'a, ()> {
        port(async move {
            exact(arn)?;
            add_tags(self, cx, arn.as_str(), tags.iter().cloned().collect()).await
        })
    }

    fn untag<'a>(&'a self, cx: &'a Context, arn: &'a Arn, keys: &'a [String]) -> PortFuture<'a, ()> {
        port(async move {
            exact(arn)?;
            remove_tags(self, cx, arn.as_str(), keys).await
        })
    }
}

/// The caller was authorised on the ARN as it is: one in capitals, which would mean the same database, must not slip past a Deny.
///
/// # Errors
/// `EntityNotFoundException`.
fn exact(arn: &Arn) -> Result<(), Error> {
    if arn.resource().chars().any(char::is_uppercase) {
        return Err(Error::EntityNotFound(format!("Resource {arn} not found.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ops::testing::{call, glue};

    #[tokio::test]
    async fn databases_with_tags_are_listed_and_changed_by_arn() {
        let tested = glue();
        let glue = &tested.glue;
        let cx = wire::testing::context();
        for name in ["beats", "bare"] {
            call(&tested, "CreateDatabase", json!({"DatabaseInput": {"Name": name}})).await;
        }
        let arn = |name: &str| cx.arn("glue", &format!("database/{name}"));
        let tags = [("k".to_owned(), "v".to_owned())];
        glue.tag(&cx, &arn("beats"), &tags).await.unwrap();
        let expect = TaggedResource { arn: arn("beats").to_string(), tags: tags.to_vec() };
        assert_eq!(glue.tagged(&cx).await.unwrap(), [expect]);
        for (wrong, code) in [
            (arn("Beats"), "EntityNotFoundException"),
            (arn("none"), "EntityNotFoundException"),
            (cx.arn("glue", "crawler/x"), "InvalidInputException"),
        ] {
            assert_eq!(glue.tag(&cx, &wrong, &tags).await.unwrap_err().code, code, "{wrong}");
            assert_eq!(glue.untag(&cx, &wrong, &[]).await.unwrap_err().code, code, "{wrong}");
        }
        glue.untag(&cx, &arn("beats"), &["k".to_owned()]).await.unwrap();
        assert!(glue.tagged(&cx).await.unwrap().is_empty());
    }
}
