//! The subscriptions of a session: first in the store, if it is persistent, then in memory, then in the router.

use std::sync::Arc;

use mqtt::{SubscriptionOptions, TopicFilter};

use super::Broker;
use crate::Error;
use crate::session::{Session, Subscriptions};

impl Broker {
    /// Adds subscriptions to a session that the caller has, durably if it is persistent. Whether each is new.
    ///
    /// # Errors
    /// When they cannot be stored; then nothing is changed.
    pub(crate) async fn subscribe(
        &self,
        session: &Arc<Session>,
        added: &[(TopicFilter, SubscriptionOptions)],
    ) -> Result<Vec<bool>, Error> {
        let mut subscriptions = session.state().subscriptions.clone();
        subscriptions.extend(added.iter().cloned());
        self.store_subscriptions(session, subscriptions).await?;
        Ok(added.iter().map(|(filter, options)| self.router.insert(filter, session, *options)).collect())
    }

    /// Removes subscriptions from a session that the caller has. Whether each was there.
    ///
    /// # Errors
    /// As [`Broker::subscribe`].
    pub(crate) async fn unsubscribe(
        &self,
        session: &Arc<Session>,
        removed: &[TopicFilter],
    ) -> Result<Vec<bool>, Error> {
        let mut subscriptions = session.state().subscriptions.clone();
        let existed: Vec<bool> =
            removed.iter().map(|filter| subscriptions.remove(filter).is_some()).collect();
        self.store_subscriptions(session, subscriptions).await?;
        for filter in removed {
            self.router.remove(filter, session);
        }
        Ok(existed)
    }

    async fn store_subscriptions(
        &self,
        session: &Arc<Session>,
        subscriptions: Subscriptions,
    ) -> Result<(), Error> {
        let stored = {
            let mut state = session.state();
            let before = std::mem::replace(&mut state.subscriptions, subscriptions);
            let stored = state.stored();
            let after = std::mem::replace(&mut state.subscriptions, before);
            (stored, after)
        };
        let (stored, subscriptions) = stored;
        if let Some(stored) = stored {
            self.shared.sessions.put(&self.key(session), &stored).await?;
        }
        session.state().subscriptions = subscriptions;
        Ok(())
    }
}
