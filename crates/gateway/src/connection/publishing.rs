//! PUBLISH, and everything else of a connection that becomes durable later: begun in order, counted and acknowledged when it has.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use futures::future::FutureExt;
use kernel::Timestamp;
use mqtt::{BasicIngest, PacketId, Publish, Qos, ReasonCode, topic};

use super::Connection;
use crate::Error;
use crate::authorize::Action;
use crate::metrics::{Outcome, Protocol};
use crate::publish::{Consequences, Inbound};
use crate::will::WaitingWill;

/// What becomes durable.
#[derive(Clone, Copy)]
pub(super) enum Pursued {
    /// A publish of the client.
    Publish {
        /// None at QoS 0.
        packet_id: Option<PacketId>,
        received_at: Timestamp,
    },
    /// A will, or a retained message for the session's queue.
    Other,
}

/// Something that has begun; resolves when it is durable.
pub(super) struct Publishing {
    pursued: Pursued,
    consequences: Consequences,
}

impl Future for Publishing {
    type Output = (Pursued, Result<(), Error>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let result = ready!(self.consequences.poll_unpin(cx));
        Poll::Ready((self.pursued, result))
    }
}

impl Connection {
    pub(super) fn publish(&mut self, publish: Publish) {
        let Publish { delivery, retain, message, .. } = publish;
        let (topic, received_at) = (&message.topic, self.now());
        if let Some(rates) = &self.rates {
            rates.take(topic.len() + message.payload.len(), received_at);
            self.broker.publishes.take(1, received_at);
        }
        let allowed = self.permissions.allows(Action::Publish, topic)
            && (!retain || self.permissions.allows(Action::RetainPublish, topic));
        if !allowed {
            self.count_publish(delivery.packet_id(), Outcome::AuthError);
            if let Some(more) = self.gateway.publish_log.permit(self.now()) {
                let principal = self.cx.principal.arn();
                tracing::warn!(topic = &**topic, principal, more, "a publish is not allowed");
            }
            return self.session.disconnect(ReasonCode::NotAuthorized);
        }
        if topic::is_reserved(topic) && BasicIngest::parse(topic).is_none() {
            self.count_publish(delivery.packet_id(), Outcome::ClientError);
            return self.session.disconnect(ReasonCode::TopicNameInvalid);
        }
        let session = self.attachment.as_ref().map(|attachment| &attachment.session);
        let inbound = Inbound {
            message,
            qos: delivery.qos(),
            retain,
            client_id: session.map(|session| Arc::clone(&session.client_id)),
            publisher: session.map(|session| session.number),
            hops: 0,
            received_at,
        };
        let pursued = Pursued::Publish { packet_id: delivery.packet_id(), received_at };
        match self.gateway.begin(&self.broker, &self.cx, inbound) {
            Ok(consequences) => self.pursue(pursued, consequences),
            Err(error) => self.settle(pursued, Err(error)),
        }
    }

    fn count_publish(&self, packet_id: Option<PacketId>, outcome: Outcome) {
        let qos = if packet_id.is_some() { Qos::AtLeastOnce } else { Qos::AtMostOnce };
        self.broker.cells.publish_in(Protocol::Mqtt, qos, outcome).add(1);
    }

    /// Begins something that becomes durable later. Polled here once, so that effects begin in the order of their packets.
    pub(super) fn pursue(&mut self, pursued: Pursued, consequences: Consequences) {
        let mut publishing = Publishing { pursued, consequences };
        match (&mut publishing).now_or_never() {
            Some((pursued, result)) => self.settle(pursued, result),
            None => self.publishes.push(publishing),
        }
    }

    pub(super) fn settle(&mut self, pursued: Pursued, result: Result<(), Error>) {
        let reason = result.as_ref().map_or_else(Error::reason, |()| ReasonCode::Success);
        self.conclude(pursued, result);
        if let Pursued::Publish { packet_id: Some(packet_id), .. } = pursued {
            self.session.ack(packet_id, reason);
        }
    }

    /// Counts what has become durable, or has not.
    pub(super) fn conclude(&self, pursued: Pursued, result: Result<(), Error>) {
        let outcome = result.as_ref().map_or_else(Outcome::from, |()| Outcome::Success);
        if let Err(error) = result {
            self.gateway.publish_failed(&error);
        }
        let Pursued::Publish { packet_id, received_at } = pursued else { return };
        self.count_publish(packet_id, outcome);
        if packet_id.is_some() {
            self.broker.cells.ack_latency.record_micros(self.now().since(received_at));
        }
    }

    /// Publishes a will without waiting for it.
    pub(super) fn begin_will(&mut self, waiting: WaitingWill) {
        match self.gateway.begin_will(&self.broker, waiting) {
            Ok(consequences) => self.pursue(Pursued::Other, consequences),
            Err(error) => self.gateway.publish_failed(&error),
        }
    }
}
