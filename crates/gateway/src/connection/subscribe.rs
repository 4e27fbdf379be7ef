//! SUBSCRIBE and UNSUBSCRIBE: what a client may have, how it is told, and the retained message that follows.
//!
//! One code is answered for each filter. A filter of the server's own topics (`$…`) ends the connection.

use std::sync::Arc;

use futures::future::FutureExt;
use mqtt::limits::SUBSCRIPTIONS_PER_CONNECTION_MAX;
use mqtt::{
    ReasonCode, RetainHandling, SubscribeRequest, SubscriptionOptions, TopicFilter, UnsubscribeRequest, topic,
};

use super::Connection;
use super::publishing::Pursued;
use crate::authorize::Action;
use crate::mailbox::Item;
use crate::message::encode_record;
use crate::metrics::Outcome;
use crate::session::Offered;

impl Connection {
    pub(super) async fn subscribe(&mut self, request: SubscribeRequest) {
        let Some(session) = self.attachment.as_ref().map(|attachment| Arc::clone(&attachment.session)) else {
            return;
        };
        let held = session.state().subscriptions.clone();
        let mut added: Vec<(TopicFilter, SubscriptionOptions)> = Vec::new();
        let mut codes = Vec::new();
        let mut count = held.len();
        for requested in request.subscriptions {
            let Ok(filter) = requested.filter else {
                codes.push(ReasonCode::TopicFilterInvalid);
                continue;
            };
            if topic::is_reserved(filter.filter()) {
                self.broker.cells.subscribes(Outcome::ClientError).add(1);
                return self.session.disconnect(ReasonCode::TopicFilterInvalid);
            }
            let is_new = !held.contains_key(&filter) && !added.iter().any(|(other, _)| *other == filter);
            if !self.permissions.allows(Action::Subscribe, filter.as_str()) {
                codes.push(ReasonCode::NotAuthorized);
            } else if is_new && count >= SUBSCRIPTIONS_PER_CONNECTION_MAX {
                codes.push(ReasonCode::QuotaExceeded);
            } else {
                count += usize::from(is_new);
                codes.push(requested.options.qos.granted());
                added.push((filter, requested.options));
            }
        }
        match self.broker.subscribe(&session, &added).await {
            Ok(is_new) => {
                self.session.suback(request.packet_id, &codes);
                self.count_subscribes(&codes);
                for ((filter, options), is_new) in added.iter().zip(is_new) {
                    self.send_retained(filter, *options, is_new);
                }
            }
            Err(error) => {
                self.gateway.publish_failed(&error);
                let failed = |code: ReasonCode| if code.is_failure() { code } else { error.reason() };
                let codes: Vec<_> = codes.into_iter().map(failed).collect();
                self.session.suback(request.packet_id, &codes);
                self.count_subscribes(&codes);
            }
        }
    }

    fn count_subscribes(&self, codes: &[ReasonCode]) {
        for code in codes {
            let outcome = match code {
                ReasonCode::NotAuthorized => Outcome::AuthError,
                ReasonCode::QuotaExceeded => Outcome::Throttle,
                ReasonCode::TopicFilterInvalid => Outcome::ClientError,
                code if code.is_failure() => Outcome::ServerError,
                _ => Outcome::Success,
            };
            self.broker.cells.subscribes(outcome).add(1);
        }
    }

    /// AWS sends the retained message to a subscription of exactly its topic, and none to wildcards.
    fn send_retained(&mut self, filter: &TopicFilter, options: SubscriptionOptions, is_new: bool) {
        let wanted = match options.retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => is_new,
            RetainHandling::DoNotSend => false,
        };
        if !wanted || filter.has_wildcard() || filter.share_name().is_some() {
            return;
        }
        let Some(entry) = self.broker.retained.get(filter.filter()) else { return };
        let Some(attachment) = &self.attachment else { return };
        let message = Arc::clone(&entry.outbound);
        let item = Item { outbound: entry.outbound, qos: entry.qos.min(options.qos), retain: true };
        let log = &*self.gateway.shared.log;
        match attachment.session.offer(log, item, || encode_record(&message.message, true)) {
            Offered::Done => {}
            Offered::Slow => self.broker.cells.dropped_slow.add(1),
            Offered::Full => self.broker.cells.dropped_full.add(1),
            Offered::Appending(append) => {
                self.pursue(Pursued::Other, async move { Ok(append.await.map(drop)?) }.boxed());
            }
        }
    }

    pub(super) async fn unsubscribe(&mut self, request: UnsubscribeRequest) {
        let Some(session) = self.attachment.as_ref().map(|attachment| Arc::clone(&attachment.session)) else {
            return;
        };
        let removed: Vec<_> =
            request.filters.iter().filter_map(|filter| filter.as_ref().ok().cloned()).collect();
        let mut existed = match self.broker.unsubscribe(&session, &removed).await {
            Ok(existed) => existed.into_iter(),
            Err(error) => {
                self.gateway.publish_failed(&error);
                self.broker.cells.unsubscribes(Outcome::ServerError).add(request.filters.len() as u64);
                let codes = vec![error.reason(); request.filters.len()];
                return self.session.unsuback(request.packet_id, &codes);
            }
        };
        let codes: Vec<_> = request
            .filters
            .iter()
            .map(|filter| match filter {
                Err(_) => ReasonCode::TopicFilterInvalid,
                Ok(_) if existed.next().unwrap_or_default() => ReasonCode::Success,
                Ok(_) => ReasonCode::NoSubscriptionExisted,
            })
            .collect();
        let invalid = codes.iter().filter(|code| code.is_failure()).count();
        self.broker.cells.unsubscribes(Outcome::ClientError).add(invalid as u64);
        self.broker.cells.unsubscribes(Outcome::Success).add((codes.len() - invalid) as u64);
        self.session.unsuback(request.packet_id, &codes);
    }
}
