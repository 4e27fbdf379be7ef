//! What is forgotten: executions that are old, too many, or of a workgroup that is gone. Results in the bucket that was created for
//! want of another go with their execution; those elsewhere are their owner's.
//!
//! Differs from AWS: of one workgroup the newest [`limits::HISTORY_MAX`] executions are remembered, of the last 45 days.

use std::sync::Arc;

use kernel::{AccountId, Context, Region, TaskGroup, Timestamp};
use store::TableError;
use store::meta::Batch;

use crate::execution::{Execution, Token, newest_first};
use crate::{Inner, limits, result_configuration, tasks, workgroup};

/// Forgets, then waits, until the group is cancelled.
pub(crate) fn start(inner: &Arc<Inner>, group: &TaskGroup) {
    let entropy = inner.entropy.clone();
    let inner = Arc::clone(inner);
    group.supervise(&tasks::SWEEPER, entropy, move |_| {
        let inner = Arc::clone(&inner);
        async move {
            loop {
                inner.sweep(limits::HISTORY_MAX).await?;
                inner.clock.sleep(limits::SWEEP_PERIOD).await;
            }
        }
    });
}

impl Inner {
    /// Goes through the workgroups that have a history, from one to the next.
    pub(crate) async fn sweep(&self, history_max: usize) -> Result<(), TableError> {
        let mut after: Option<String> = None;
        loop {
            let found = self.history.page(&[], "", after.as_deref(), 1).await?;
            let Some(([account, region, workgroup, _], _)) = found
                .first()
                .map(|(parts, stored)| (parts.as_slice(), stored))
                .and_then(|(parts, stored)| {
                    let parts: &[String; 4] = parts.try_into().ok()?;
                    Some((parts, stored))
                })
            else {
                return Ok(());
            };
            self.sweep_workgroup(&[account, region, workgroup], history_max).await?;
            // Keys of this workgroup go on with NUL, which is less.
            after = Some(format!("{account}\0{region}\0{workgroup}\u{1}"));
        }
    }

    async fn sweep_workgroup(&self, parts: &[&str; 3], history_max: usize) -> Result<(), TableError> {
        let exists = parts[2] == workgroup::PRIMARY || self.workgroups.get(parts).await?.is_some();
        if !exists {
            return self.forget_after(parts, None).await;
        }
        let kept_ms = i64::try_from(limits::HISTORY_KEPT.as_millis()).unwrap_or(i64::MAX);
        let oldest = Timestamp::from_millis(self.clock.now().as_millis().saturating_sub(kept_ms));
        self.forget_after(parts, Some(&newest_first(oldest))).await?;
        let mut left = history_max;
        let mut last_kept: Option<String> = None;
        while left > 0 {
            let limit = left.min(limits::SWEEP_BATCH);
            let page = self.history.page(parts, "", last_kept.as_deref(), limit).await?;
            if page.len() < limit {
                return Ok(());
            }
            last_kept = page.last().and_then(|(key, _)| key.last().cloned());
            left -= limit;
        }
        self.forget_after(parts, last_kept.as_deref()).await
    }

    /// Forgets every execution of a workgroup that comes after a history key; all without one.
    pub(crate) async fn forget_after(
        &self,
        parts: &[&str; 3],
        after: Option<&str>,
    ) -> Result<(), TableError> {
        loop {
            let page = self.history.page(parts, "", after, limits::SWEEP_BATCH).await?;
            if page.is_empty() {
                return Ok(());
            }
            let [account, region, _] = *parts;
            let mut batch = Batch::default();
            let mut results = Vec::new();
            for (key, _) in &page {
                let key: Vec<&str> = key.iter().map(String::as_str).collect();
                batch = self.history.with_delete(batch, &key);
                let id = Execution::id_of(key.last().copied().unwrap_or_default());
                let Some(found) = self.executions.get(&[account, region, &id]).await? else { continue };
                batch = self.executions.with_delete(batch, &[account, region, &id]);
                if let Some(token) = &found.entity.token {
                    batch = self.tokens.with_delete(batch, &[account, region, Token::EXECUTION, token]);
                }
                results.push(found.entity);
            }
            for execution in results {
                self.forget_result(&execution).await;
            }
            self.executions.commit(batch).await?;
        }
    }

    /// A result that cannot be deleted stays: it is in nobody's way.
    async fn forget_result(&self, execution: &Execution) {
        let cx = service_context(&execution.account, &execution.region);
        let own = result_configuration::default_bucket(&cx);
        let Ok((bucket, key)) = result_configuration::split(execution.location()) else { return };
        if bucket != own {
            return;
        }
        for key in [key.to_owned(), format!("{key}.metadata")] {
            if let Err(error) = self.objects.delete(&cx, bucket, &key).await {
                tracing::debug!(key, %error, "a result stays");
            }
        }
    }
}

fn service_context(account: &AccountId, region: &Region) -> Context {
    Context::service(account.clone(), region.clone(), "athena.amazonaws.com")
}
