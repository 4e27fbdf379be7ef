//! What a peer may do: everything for the root, and for a certificate what its policies allow.
//!
//! 1. Decisions are kept for each connection, by action and topic, until the policies of any certificate change; then the
//!    certificate is looked up again, and decisions go only if it is another.
//! 2. A certificate that is no longer active may do nothing.
//! 3. The client identifier is a value, never a pattern (the class of CVE-2017-7650); `policy` sees to that.
//!
//! Source: <https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-actions.html>,
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-variables.html>

use std::collections::HashMap;
use std::sync::Arc;

use mqtt::Connect;
use policy::{Context, Document, Request, evaluate};
use ports::{DeviceIdentity, Devices, tokio_watch};

use crate::limits::DECISIONS_MAX;

/// What is done to a topic or a topic filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Publish,
    RetainPublish,
    Receive,
    Subscribe,
}

impl Action {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Publish => "iot:Publish",
            Self::RetainPublish => "iot:RetainPublish",
            Self::Receive => "iot:Receive",
            Self::Subscribe => "iot:Subscribe",
        }
    }

    fn resource_type(self) -> &'static str {
        if self == Self::Subscribe { "topicfilter" } else { "topic" }
    }
}

/// The rights of one peer.
pub(crate) enum Permissions {
    /// The root of the account: anything.
    Root,
    /// A certificate.
    Certificate(Box<Certificate>),
}

/// See the file's header.
pub(crate) struct Certificate {
    devices: Arc<dyn Devices>,
    epoch: tokio_watch::Receiver<u64>,
    identity: Arc<DeviceIdentity>,
    documents: Vec<Document>,
    client_id: Option<String>,
    context: Context,
    /// `arn:aws:iot:REGION:ACCOUNT:`
    arn_prefix: String,
    decisions: [HashMap<Box<str>, bool>; 4],
}

impl Permissions {
    /// The rights of a certificate; none if it is not registered or not active.
    pub(crate) fn of(devices: &Arc<dyn Devices>, certificate_id: &str, source_ip: &str) -> Option<Self> {
        // Before the look-up, so that a change between the two is seen as one.
        let mut epoch = devices.epoch();
        epoch.borrow_and_update();
        let identity = devices.identity(certificate_id).filter(|identity| identity.active)?;
        Some(Self::Certificate(Box::new(Certificate {
            devices: Arc::clone(devices),
            epoch,
            documents: parse(&identity),
            client_id: None,
            context: Context::new().with("aws:SourceIp", source_ip),
            arn_prefix: format!("arn:aws:iot:{}:{}:", identity.region, identity.account),
            decisions: Default::default(),
            identity,
        })))
    }

    pub(crate) fn identity(&self) -> Option<&Arc<DeviceIdentity>> {
        match self {
            Self::Root => None,
            Self::Certificate(certificate) => Some(&certificate.identity),
        }
    }

    /// Whether the peer may connect as `client_id`. Policy variables then know it.
    pub(crate) fn connect(&mut self, client_id: &str, connect: &Connect, is_persistent: bool) -> bool {
        let Self::Certificate(certificate) = self else { return true };
        certificate.refresh();
        certificate.client_id = Some(client_id.to_owned());
        certificate.set_thing();
        let attributes = [("PersistentConnect", is_persistent), ("LastWill", connect.will.is_some())];
        let attributes = attributes.into_iter().filter(|(_, present)| *present).map(|(name, _)| name);
        let context = certificate.context.clone().with_values("iot:ConnectAttributes", attributes);
        let resource = format!("{}client/{client_id}", certificate.arn_prefix);
        let request = Request { action: "iot:Connect", resource: &resource, context: &context };
        certificate.identity.active && evaluate(&certificate.documents, &request).is_allowed()
    }

    /// The same for a client that has been allowed to connect before.
    pub(crate) fn of_client(mut self, client_id: &str) -> Self {
        if let Self::Certificate(certificate) = &mut self {
            certificate.client_id = Some(client_id.to_owned());
            certificate.set_thing();
        }
        self
    }

    /// Whether the peer may do this to a topic or filter.
    pub(crate) fn allows(&mut self, action: Action, name: &str) -> bool {
        match self {
            Self::Root => true,
            Self::Certificate(certificate) => certificate.allows(action, name),
        }
    }

    /// Whether the peer may be connected at all.
    pub(crate) fn is_active(&mut self) -> bool {
        match self {
            Self::Root => true,
            Self::Certificate(certificate) => {
                certificate.refresh();
                certificate.identity.active
            }
        }
    }
}

impl Certificate {
    fn allows(&mut self, action: Action, name: &str) -> bool {
        self.refresh();
        let decisions = &mut self.decisions[action as usize];
        if let Some(&decision) = decisions.get(name) {
            return decision;
        }
        let resource = format!("{}{}/{name}", self.arn_prefix, action.resource_type());
        let request = Request { action: action.name(), resource: &resource, context: &self.context };
        let decision = self.identity.active && evaluate(&self.documents, &request).is_allowed();
        if decisions.len() >= DECISIONS_MAX {
            decisions.clear();
        }
        decisions.insert(name.into(), decision);
        decision
    }

    /// Looks the certificate up again if any has changed.
    fn refresh(&mut self) {
        if !self.epoch.has_changed().unwrap_or_default() {
            return;
        }
        self.epoch.borrow_and_update();
        let Self { identity: before, .. } = self;
        // Registered by another account, it is another identity.
        let identity = self
            .devices
            .identity(&before.certificate_id)
            .filter(|now| (&now.account, &now.region) == (&before.account, &before.region));
        if identity.as_ref().is_some_and(|now| Arc::ptr_eq(now, &self.identity)) {
            return;
        }
        self.identity = identity.unwrap_or_else(|| {
            // Deleted.
            Arc::new(DeviceIdentity {
                active: false,
                policies: Vec::new(),
                things: Vec::new(),
                ..DeviceIdentity::clone(&self.identity)
            })
        });
        self.documents = parse(&self.identity);
        self.decisions = Default::default();
        self.set_thing();
    }

    /// A thing is known by the client identifier, if the certificate is attached to one of that name.
    fn set_thing(&mut self) {
        let Some(client_id) = &self.client_id else { return };
        let attached = self.identity.things.contains(client_id);
        let thing: &[&str] = if attached { &[client_id] } else { &[] };
        self.context = std::mem::take(&mut self.context)
            .with("iot:ClientId", client_id)
            .with("iot:Connection.Thing.IsAttached", attached.to_string())
            .with_values("iot:Connection.Thing.ThingName", thing.iter().copied());
    }
}

/// A document that does not parse could hold a Deny, so with it nothing is allowed.
fn parse(identity: &DeviceIdentity) -> Vec<Document> {
    let documents: Result<Vec<_>, _> = identity.policies.iter().map(|text| Document::parse(text)).collect();
    documents.unwrap_or_else(|error| {
        tracing::error!(certificate_id = identity.certificate_id, %error, "a stored policy does not parse");
        Vec::new()
    })
}
