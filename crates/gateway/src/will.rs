//! Wills: what the gateway publishes for a client that has vanished.
//!
//! ```text
//!  CONNECT ─► stored ─┬─ DISCONNECT ─────────────────────────────► deleted
//!                     ├─ vanished ─► waiting (delay) ─┬─ is back ► deleted
//!                     │                               └──────────► published ─► deleted
//!                     └─ the node dies ─► waiting, at the next start
//! ```
//!
//! 1. A will is stored before its client is accepted, and deleted after it was published (MQTT-3.1.2-8): it survives the death of
//!    the node, which is the end of all its connections, and may then be published twice.
//! 2. It is published if its client may publish it at that time.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::FutureExt;
use kernel::{Context, Principal, Timestamp};
use mqtt::{Qos, Will, topic};
use serde::{Deserialize, Serialize};
use store::{Entity, Revision, TableError};

use crate::authorize::{Action, Permissions};
use crate::broker::Broker;
use crate::message::{decode_record, encode_record};
use crate::publish::{Consequences, Inbound};
use crate::{Error, Gateway};

/// A will as it is stored. Key: account, region, client id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredWill {
    /// In base64: the message, in the form of a session's queue.
    record: String,
    qos: u8,
    delay_seconds: u32,
    /// Of its client; none for the root.
    certificate_id: Option<String>,
}

impl Entity for StoredWill {
    const TABLE: &'static str = "iot_will";
    const VERSION: u8 = 1;
}

/// A will that is to be published.
#[derive(Clone)]
pub(crate) struct WaitingWill {
    pub(crate) due: Timestamp,
    pub(crate) will: Will,
    /// Of the connection that left it.
    pub(crate) cx: Arc<Context>,
    pub(crate) client_id: Arc<str>,
    /// The commit that stored it, unless another has taken its place.
    pub(crate) stored_at: Option<Revision>,
}

impl StoredWill {
    pub(crate) fn encode(will: &Will, principal: &Principal) -> Option<Self> {
        let certificate_id = match principal {
            Principal::Certificate { certificate_id, .. } => Some(certificate_id.clone()),
            _ => None,
        };
        Some(Self {
            record: STANDARD.encode(encode_record(&will.message, will.retain)?),
            qos: will.qos as u8,
            delay_seconds: will.delay_seconds,
            certificate_id,
        })
    }

    /// None for what no release has written.
    fn decode(&self) -> Option<Will> {
        let (message, retain) = decode_record(&STANDARD.decode(&self.record).ok()?)?;
        Some(Will { message, qos: Qos::from_byte(self.qos)?, retain, delay_seconds: self.delay_seconds })
    }
}

/// Whether a client may leave this will.
pub(crate) fn is_allowed(permissions: &mut Permissions, will: &Will) -> bool {
    let topic = &will.message.topic;
    !topic::is_reserved(topic)
        && permissions.allows(Action::Publish, topic)
        && (!will.retain || permissions.allows(Action::RetainPublish, topic))
}

impl Gateway {
    /// Takes in the will of a client that was connected, or had vanished, when the node died.
    pub(crate) async fn recover_will(
        &self,
        broker: &Broker,
        client_id: &str,
        stored: &StoredWill,
        stored_at: Revision,
    ) -> Result<(), Error> {
        let (account, region) = (broker.account.clone(), broker.region.clone());
        let (permissions, principal) = match &stored.certificate_id {
            None => (Some(Permissions::Root), Principal::Root { account: account.clone() }),
            Some(id) => (
                Permissions::of(&self.devices, id, "")
                    .filter(|permissions| {
                        let identity = permissions.identity();
                        identity.is_some_and(|now| (&now.account, &now.region) == (&account, &region))
                    })
                    .map(|permissions| permissions.of_client(client_id)),
                Principal::Certificate { account: account.clone(), certificate_id: id.clone() },
            ),
        };
        let allowed = |(will, permissions): &mut (Will, Permissions)| is_allowed(permissions, will);
        let Some((will, _)) = stored.decode().zip(permissions).take_if(allowed) else {
            return Ok(broker.delete_will(client_id, stored_at).await?);
        };
        let request_id = self.shared.entropy.uuid();
        let cx = Arc::new(Context { principal, account, region, request_id, source_ip: None, secure: false });
        broker.recover_will(client_id, will, cx, stored_at);
        Ok(())
    }

    /// Begins to publish a will.
    ///
    /// # Errors
    /// As [`Gateway::begin`].
    pub(crate) fn begin_will(
        &self,
        broker: &Arc<Broker>,
        waiting: WaitingWill,
    ) -> Result<Consequences, Error> {
        let WaitingWill { will, cx, client_id, stored_at, .. } = waiting;
        let inbound = Inbound {
            message: will.message,
            qos: will.qos,
            retain: will.retain,
            client_id: Some(Arc::clone(&client_id)),
            publisher: None,
            hops: 0,
            received_at: self.shared.clock.now(),
        };
        let consequences = self.begin(broker, &cx, inbound)?;
        let broker = Arc::clone(broker);
        Ok(async move {
            consequences.await?;
            match stored_at {
                Some(stored_at) => Ok(broker.delete_will(&client_id, stored_at).await?),
                None => Ok(()),
            }
        }
        .boxed())
    }

    /// Publishes a will and waits until it is durable.
    pub(crate) async fn publish_will(&self, broker: &Arc<Broker>, waiting: WaitingWill) {
        let published = match self.begin_will(broker, waiting) {
            Ok(consequences) => consequences.await,
            Err(error) => Err(error),
        };
        if let Err(error) = published {
            self.publish_failed(&error);
        }
    }
}

impl Broker {
    /// Deletes a stored will unless another has taken its place.
    pub(crate) async fn delete_will(&self, client_id: &str, stored_at: Revision) -> Result<(), TableError> {
        let key = [self.account.as_str(), self.region.as_str(), client_id];
        match self.shared.wills.delete_at(&key, stored_at).await {
            Ok(_) | Err(TableError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use store::entity;

    use super::*;

    #[test]
    fn version_1_of_a_stored_will_is_read() {
        let stored = b"\x01{\"record\":\"ATMKAANhL2IAAQBoaQ==\",\"qos\":1,\"delay_seconds\":5,\"certificate_id\":null}";
        let decoded: StoredWill = entity::decode(stored).unwrap();
        let will = decoded.decode().unwrap();
        assert_eq!((&*will.message.topic, &will.message.payload[..], will.retain), ("a/b", &b"hi"[..], true));
        let account = kernel::AccountId::default_account();
        assert_eq!(StoredWill::encode(&will, &Principal::Root { account }), Some(decoded));
    }
}
