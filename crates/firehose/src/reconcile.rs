//! Makes the registry equal to the store when an operation could not (its caller hung up, another node wrote), and deletes
//! logs of streams that are gone.

use std::sync::Arc;

use futures::StreamExt;
use kernel::TaskGroup;
use store::table::Change;

use crate::error::Error;
use crate::limits;
use crate::service::Inner;
use crate::tasks::RECONCILER;

pub(crate) fn start(inner: &Arc<Inner>, group: &TaskGroup) {
    let inner = Arc::clone(inner);
    group.supervise(&RECONCILER, inner.entropy.clone(), move |_| {
        let inner = Arc::clone(&inner);
        async move { run(&inner).await.map_err(Into::into) }
    });
}

async fn run(inner: &Arc<Inner>) -> Result<(), Error> {
    loop {
        let mut changes = inner.streams.watch(&[], inner.streams.revision());
        inner.refresh_all().await?;
        inner.delete_orphaned_logs().await;
        let period = inner.clock.sleep(limits::RECONCILE_PERIOD);
        tokio::pin!(period);
        loop {
            let change = tokio::select! {
                change = changes.next() => change,
                () = &mut period => break,
            };
            match change {
                Some(Change::Put { parts, .. } | Change::Deleted { parts }) => refresh(inner, &parts).await?,
                Some(Change::Resync) => break,
                // The store is closed, and the node with it.
                None => return Ok(()),
            }
        }
    }
}

async fn refresh(inner: &Arc<Inner>, parts: &[String]) -> Result<(), Error> {
    if let [account, region, name] = parts
        && let (Ok(account), Ok(region)) = (account.parse(), region.parse())
    {
        inner.refresh(&account, &region, name).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kernel::{AccountId, Region};
    use store::Table;

    use crate::delivery_stream::DeliveryStream;
    use crate::testing::World;

    #[tokio::test]
    async fn what_an_operation_could_not_tell_is_found_in_the_store() {
        let world = World::new();
        let firehose = world.start().await;
        let group = world.group();
        firehose.start(&group);
        world.create(&firehose, "a", serde_json::json!({})).await;
        let table: Table<DeliveryStream> = Table::new(world.meta.clone());
        let (account, region) = (AccountId::default_account(), Region::default_region());
        let parts = |name| [account.as_str(), region.as_str(), name];

        // A create and a delete whose callers hung up after the commit.
        let mut other = table.get(&parts("a")).await.unwrap().unwrap().entity;
        other.name = "b".to_owned();
        table.insert(&parts("b"), &other).await.unwrap();
        world.wait_for(|| firehose.inner.registry.get(&account, &region, "b").is_some()).await;
        table.delete(&parts("a")).await.unwrap();
        world.wait_for(|| firehose.inner.registry.get(&account, &region, "a").is_none()).await;
        group.shutdown().await;
    }
}
