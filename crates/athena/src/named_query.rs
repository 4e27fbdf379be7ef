//! Named queries: texts that are kept to be run later.

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::meta::{Batch, Expect};
use store::table::Stored;
use store::{Entity, TableError};

use crate::execution::Token;
use crate::{Error, Inner, limits, scope};

/// A named query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedQuery {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) database: String,
    pub(crate) sql: String,
    pub(crate) workgroup: String,
    pub(crate) token: Option<String>,
}

impl Entity for NamedQuery {
    const TABLE: &'static str = "athena_named_query";
    const VERSION: u8 = 1;
}

impl NamedQuery {
    /// NamedQuery.
    pub(crate) fn shape(&self) -> Value {
        let mut shape = json!({
            "NamedQueryId": self.id,
            "Name": self.name,
            "Database": self.database,
            "QueryString": self.sql,
            "WorkGroup": self.workgroup,
        });
        if let Some(description) = &self.description {
            shape["Description"] = description.as_str().into();
        }
        shape
    }
}

fn not_found(id: &str) -> Error {
    Error::InvalidRequest(format!("NamedQuery {id} was not found"))
}

impl Inner {
    /// # Errors
    /// `InvalidRequestException` when there is none.
    pub(crate) async fn named_query(&self, cx: &Context, id: &str) -> Result<Stored<NamedQuery>, Error> {
        let [account, region] = scope(cx);
        self.named_queries.get(&[account, region, id]).await?.ok_or_else(|| not_found(id))
    }

    /// Up to `limit` named queries of a workgroup with ids after `after`, by id.
    pub(crate) async fn named_query_page(
        &self,
        cx: &Context,
        workgroup: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<NamedQuery>, Error> {
        let mut found = Vec::new();
        let mut after = after.map(str::to_owned);
        loop {
            let page = self.named_queries.page(&scope(cx), "", after.as_deref(), limits::SWEEP_BATCH).await?;
            let last = page.len() < limits::SWEEP_BATCH;
            after = page.last().map(|(_, stored)| stored.entity.id.clone());
            let own =
                page.into_iter().map(|(_, stored)| stored.entity).filter(|one| one.workgroup == workgroup);
            found.extend(own);
            if last || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    /// Keeps a named query, or finds the one that the same token created.
    ///
    /// # Errors
    /// `InvalidRequestException`.
    pub(crate) async fn create_named_query(&self, cx: &Context, new: &NamedQuery) -> Result<String, Error> {
        let [account, region] = scope(cx);
        for _ in 0..limits::UPDATE_ATTEMPTS {
            if let Some(token) = &new.token {
                let parts = [account, region, Token::NAMED_QUERY, token];
                if let Some(found) = self.tokens.get(&parts).await? {
                    let id = found.entity.id;
                    let kept = self.named_query(cx, &id).await?.entity;
                    if (NamedQuery { id: id.clone(), ..new.clone() }) == kept {
                        return Ok(id);
                    }
                    return Err(Error::invalid("Idempotent parameters do not match"));
                }
            }
            let (_, expect) = self.workgroup(cx, &new.workgroup).await?;
            let max = limits::NAMED_QUERIES_MAX;
            if self.named_query_page(cx, &new.workgroup, None, max).await?.len() >= max {
                return Err(Error::invalid(format!("You have reached the limit of {max} named queries.")));
            }
            let mut batch =
                self.workgroups.with_check(Batch::default(), &[account, region, &new.workgroup], expect);
            batch = self.named_queries.with_put(batch, &[account, region, &new.id], new);
            if let Some(token) = &new.token {
                let parts = [account, region, Token::NAMED_QUERY, token];
                batch = self.tokens.with_check(batch, &parts, Expect::Absent);
                batch = self.tokens.with_put(batch, &parts, &Token { id: new.id.clone() });
            }
            match self.named_queries.commit(batch).await {
                Ok(_) => return Ok(new.id.clone()),
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Deletes a named query with the token that created it.
    ///
    /// # Errors
    /// `InvalidRequestException` when there is none.
    pub(crate) async fn delete_named_query(&self, cx: &Context, id: &str) -> Result<(), Error> {
        let query = self.named_query(cx, id).await?.entity;
        self.named_queries.commit(self.without_named_query(Batch::default(), cx, &query)).await?;
        Ok(())
    }

    /// Adds the deletion of a named query and its token to a batch.
    pub(crate) fn without_named_query(&self, batch: Batch, cx: &Context, query: &NamedQuery) -> Batch {
        let [account, region] = scope(cx);
        let batch = self.named_queries.with_delete(batch, &[account, region, &query.id]);
        match &query.token {
            Some(token) => self.tokens.with_delete(batch, &[account, region, Token::NAMED_QUERY, token]),
            None => batch,
        }
    }
}
