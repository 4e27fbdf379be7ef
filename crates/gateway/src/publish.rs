//! The path of a published message, from whoever publishes it to everything that follows.
//!
//! ```text
//!  MQTT ─┐                       ┌─► mailboxes of connections        (at once)
//!  HTTPS ┼─► policy ─► begin ────┼─► queues of persistent sessions   (durable)  ─┐
//!  API  ─┤                       ├─► the topic's retained message    (durable)  ─┼─► acknowledged
//!  rules ┘                       └─► rules                           (durable)  ─┘
//! ```
//!
//! 1. Nothing is acknowledged before all of it is durable (A6); the path reads no MetaStore (A9).
//! 2. Effects begin when [`Gateway::begin`]'s future is polled first: whoever polls in the order of publishing has them in it.
//! 3. A publish to `$aws/rules/RULE/…` passes the broker by: the rules get it under that whole name, and nobody else.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::{self, BoxFuture, FutureExt};
use kernel::{Context, Principal, Timestamp};
use mqtt::limits::PAYLOAD_BYTES_MAX;
use mqtt::{BasicIngest, Message, Qos, topic};
use ports::{PortError, PortFuture};
use store::{LogError, Offset};

use crate::authorize::Action;
use crate::broker::Broker;
use crate::error::Chain;
use crate::mailbox::Item;
use crate::message::{self, Outbound};
use crate::metrics::{Cells, Outcome, Protocol};
use crate::session::Offered;
use crate::{Error, Gateway};

/// What is published, already authorised and within the limits of MQTT.
pub(crate) struct Inbound {
    pub(crate) message: Message,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) client_id: Option<Arc<str>>,
    /// The session that publishes, for No Local.
    pub(crate) publisher: Option<u64>,
    /// How many rules have republished it.
    pub(crate) hops: u8,
    pub(crate) received_at: Timestamp,
}

/// Resolves when everything that follows of a message is durable.
pub(crate) type Consequences = BoxFuture<'static, Result<(), Error>>;

type Append = BoxFuture<'static, Result<Offset, LogError>>;

impl Gateway {
    /// Hands a message to its subscribers, its topic and the rules.
    ///
    /// # Errors
    /// When it cannot be retained; then nothing was begun.
    pub(crate) fn begin(
        &self,
        broker: &Broker,
        cx: &Arc<Context>,
        inbound: Inbound,
    ) -> Result<Consequences, Error> {
        let Inbound { message, qos, retain, client_id, publisher, hops, received_at } = inbound;
        let mut port_message = message::to_port(&message, qos, retain, received_at);
        port_message.client_id = client_id.map(|id| id.as_ref().to_owned());
        port_message.hops = hops;
        let mut retained = None;
        let mut appends = Vec::new();
        if BasicIngest::parse(&message.topic).is_none() {
            let recipients = broker.router.recipients(&message.topic, publisher, &self.shared.entropy);
            if retain || !recipients.is_empty() {
                // The payload is a slice of a read buffer, which would live as long as the slowest subscriber.
                let message = Message { payload: Bytes::copy_from_slice(&message.payload), ..message };
                let outbound = Arc::new(Outbound { message, received_at });
                // AWS retains nothing of the server's own topics.
                if retain && !topic::is_reserved(&outbound.message.topic) {
                    retained = Some(broker.retained.set(&outbound, qos)?);
                }
                appends = self.offer(&broker.cells, &outbound, qos, retain, recipients);
            }
        }
        let on_message = Arc::clone(&self.on_message);
        let cx = Arc::clone(cx);
        Ok(async move {
            let rules = on_message.on_message(&cx, &port_message);
            if appends.is_empty() && retained.is_none() {
                return Ok(rules.await?);
            }
            let retained = future::OptionFuture::from(retained);
            let (appended, rules, retained) = future::join3(future::join_all(appends), rules, retained).await;
            for appended in appended {
                appended?;
            }
            rules?;
            retained.unwrap_or(Ok(()))
        }
        .boxed())
    }

    /// Gives every recipient the message; what is still to become durable is returned.
    fn offer(
        &self,
        cells: &Cells,
        outbound: &Arc<Outbound>,
        qos: Qos,
        retain: bool,
        recipients: Vec<crate::subscriptions::Recipient>,
    ) -> Vec<Append> {
        let mut appends = Vec::new();
        // By RETAIN flag: the record is encoded once for all sessions.
        let mut records: [Option<Bytes>; 2] = [None, None];
        for recipient in recipients {
            let retain = retain && recipient.retain_as_published;
            let item = Item { outbound: Arc::clone(outbound), qos: qos.min(recipient.qos), retain };
            let record = &mut records[usize::from(retain)];
            let offered = recipient.session.offer(&*self.shared.log, item, || {
                if record.is_none() {
                    *record = message::encode_record(&outbound.message, retain);
                }
                record.clone()
            });
            match offered {
                Offered::Done => {}
                Offered::Slow => cells.dropped_slow.add(1),
                Offered::Full => cells.dropped_full.add(1),
                Offered::Appending(append) => appends.push(append),
            }
        }
        appends
    }

    /// Publishes for someone who waits for it: the API, HTTPS, a rule.
    ///
    /// # Errors
    /// `InvalidRequestException` for a topic, `RequestEntityTooLargeException` for a payload that MQTT would refuse;
    /// `ThrottlingException` for one publish too many; whatever kept a consequence from becoming durable.
    pub(crate) async fn publish_message(&self, cx: &Context, message: ports::Message) -> Result<(), Error> {
        let broker = self.broker(&cx.account, &cx.region)?;
        let qos = if message.qos == 0 { Qos::AtMostOnce } else { Qos::AtLeastOnce };
        let hops = message.hops;
        let published = self.publish_to(&broker, cx, message, qos).await;
        // What a rule republishes, the rules count.
        if hops == 0 {
            let outcome = published.as_ref().map_or_else(Outcome::from, |()| Outcome::Success);
            broker.cells.publish_in(Protocol::Http, qos, outcome).add(1);
        }
        published
    }

    async fn publish_to(
        &self,
        broker: &Broker,
        cx: &Context,
        message: ports::Message,
        qos: Qos,
    ) -> Result<(), Error> {
        check(&message)?;
        // A rule may not be told to try again later: what it republishes is counted, and others wait for it.
        if message.hops > 0 {
            broker.publishes.take(1, self.shared.clock.now());
        } else if !matches!(cx.principal, Principal::Root { .. })
            && !broker.publishes.try_take(self.shared.clock.now())
        {
            return Err(Error::Throttling("Rate exceeded".to_owned()));
        }
        let inbound = Inbound {
            message: message::from_port(&message),
            qos,
            retain: message.retain,
            client_id: message.client_id.as_deref().map(Arc::from),
            publisher: None,
            hops: message.hops,
            received_at: message.received_at,
        };
        let published = self.begin(broker, &Arc::new(cx.clone()), inbound)?.await;
        if let Err(error) = &published {
            self.publish_failed(error);
        }
        published
    }

    /// Whether a caller that is not a device may do this to a topic.
    ///
    /// # Errors
    /// `ForbiddenException`.
    pub(crate) fn allow(&self, cx: &Context, action: Action, topic: &str) -> Result<(), Error> {
        let topic = cx.arn("iot", &format!("topic/{topic}")).into();
        let decided = self.authorize.authorize(cx, action.name(), &topic);
        decided.map_err(|denied| Error::Forbidden(denied.to_string()))
    }

    /// Logs a publish that is not acknowledged.
    pub(crate) fn publish_failed(&self, error: &Error) {
        if let Some(more) = self.publish_log.permit(self.shared.clock.now()) {
            tracing::warn!(error = %Chain(error), more, "a publish is not acknowledged");
        }
    }
}

fn check(message: &ports::Message) -> Result<(), Error> {
    topic::check_name(&message.topic)
        .and_then(|()| topic::check_name_limits(&message.topic))
        .map_err(|error| Error::InvalidTopic(format!("The topic is not valid: {error}.")))?;
    // A rule may republish to a reserved topic; others may not publish to one.
    if message.hops == 0 && topic::is_reserved(&message.topic) && BasicIngest::parse(&message.topic).is_none()
    {
        return Err(Error::InvalidTopic("The topic is reserved.".to_owned()));
    }
    if message.payload.len() > PAYLOAD_BYTES_MAX {
        return Err(Error::TooLarge);
    }
    if message.qos > 1 {
        return Err(Error::InvalidRequest("The QoS is not valid: it is 0 or 1.".to_owned()));
    }
    Ok(())
}

impl ports::Publish for Gateway {
    fn publish<'a>(&'a self, cx: &'a Context, message: ports::Message) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let published = async {
                self.allow(cx, Action::Publish, &message.topic)?;
                if message.retain {
                    self.allow(cx, Action::RetainPublish, &message.topic)?;
                }
                self.publish_message(cx, message).await
            };
            published.await.map_err(PortError::from_service)
        })
    }
}
