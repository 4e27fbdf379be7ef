//! Two services in memory: `firehose`, on whose resources the caller is authorised, and `s3`, which decides by itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use kernel::{Arn, Context, ErrorKind};
use ports::{PortError, PortFuture, TagActions, Tagged, TaggedResource};
use serde_json::Value;
use wire::authorize::Denied;
use wire::{Authorize, Facts, Resource, Service};

use crate::{DESCRIPTOR, OPERATIONS, Tagging};

/// The stream that nobody may tag.
pub(crate) const DENIED: &str = "denied";

/// The ARN of a delivery stream.
pub(crate) fn stream(name: &str) -> String {
    format!("arn:aws:firehose:us-east-1:000000000000:deliverystream/{name}")
}

type Asked = Arc<Mutex<Vec<(String, Vec<String>)>>>;

/// The API over two services.
pub(crate) struct Bench {
    service: Arc<dyn Service>,
    broken: Arc<AtomicBool>,
    asked: Asked,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let (broken, asked) = (Arc::new(AtomicBool::new(false)), Asked::default());
        let kept = |service, actions| {
            let tags = Mutex::default();
            Arc::new(Kept { service, actions, tags, broken: Arc::clone(&broken) }) as Arc<dyn Tagged>
        };
        let actions = TagActions { tag: "firehose:TagDeliveryStream", untag: "firehose:UntagDeliveryStream" };
        let services = vec![kept("s3", None), kept("firehose", Some(actions))];
        let tagging = Tagging::new(services, Arc::new(AllButDenied(Arc::clone(&asked))));
        let service = wire::service(&DESCRIPTOR, OPERATIONS, Arc::new(tagging));
        Self { service, broken, asked }
    }

    /// From now on the services fail.
    pub(crate) fn break_down(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// The condition keys of the last decision.
    pub(crate) fn asked(&self) -> Vec<(String, Vec<String>)> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        match wire::testing::call(&*self.service, operation, input.clone()).await {
            Ok(output) => output,
            Err(fault) => panic!("{operation} {input}: {fault}"),
        }
    }

    pub(crate) async fn refused(&self, operation: &str, input: Value) -> String {
        match wire::testing::call(&*self.service, operation, input.clone()).await {
            Ok(output) => panic!("{operation} {input}: {output}"),
            Err(fault) => fault.to_string(),
        }
    }
}

struct AllButDenied(Asked);

impl Authorize for AllButDenied {
    fn authorize(&self, cx: &Context, action: &str, resource: &Resource) -> Result<(), Denied> {
        match resource {
            Resource::Arn(arn) if arn.resource().ends_with(DENIED) => {
                Err(Denied::implicit(cx, action, resource))
            }
            _ => Ok(()),
        }
    }

    fn authorize_with(
        &self,
        cx: &Context,
        action: &str,
        resource: &Resource,
        facts: &Facts<'_>,
    ) -> Result<(), Denied> {
        let keys = facts.keys.iter().map(|(key, values)| ((*key).to_owned(), values.clone()));
        *self.0.lock().unwrap() = keys.collect();
        self.authorize(cx, action, resource)
    }
}

/// A service whose resources are there as soon as they are tagged, but for those called `missing`.
struct Kept {
    service: &'static str,
    actions: Option<TagActions>,
    tags: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    broken: Arc<AtomicBool>,
}

impl Kept {
    fn change(&self, arn: &Arn, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Result<(), PortError> {
        self.check()?;
        if arn.resource().ends_with("missing") {
            let said = "There is no missing.";
            return Err(PortError::new(ErrorKind::NotFound, "ResourceNotFoundException", said));
        }
        change(self.tags.lock().unwrap().entry(arn.to_string()).or_default());
        Ok(())
    }

    fn check(&self) -> Result<(), PortError> {
        if self.broken.load(Ordering::Relaxed) {
            Err(PortError::internal("the disk is gone"))
        } else {
            Ok(())
        }
    }
}

impl Tagged for Kept {
    fn service(&self) -> &'static str {
        self.service
    }

    fn actions(&self) -> Option<TagActions> {
        self.actions
    }

    fn tagged<'a>(&'a self, _: &'a Context) -> PortFuture<'a, Vec<TaggedResource>> {
        Box::pin(async move {
            self.check()?;
            let tags = self.tags.lock().unwrap();
            let with = tags.iter().filter(|(_, tags)| !tags.is_empty());
            Ok(with
                .map(|(arn, tags)| TaggedResource {
                    arn: arn.clone(),
                    tags: tags.clone().into_iter().collect(),
                })
                .collect())
        })
    }

    fn tag<'a>(&'a self, _: &'a Context, arn: &'a Arn, tags: &'a [(String, String)]) -> PortFuture<'a, ()> {
        Box::pin(async move { self.change(arn, |own| own.extend(tags.iter().cloned())) })
    }

    fn untag<'a>(&'a self, _: &'a Context, arn: &'a Arn, keys: &'a [String]) -> PortFuture<'a, ()> {
        Box::pin(async move { self.change(arn, |own| own.retain(|key, _| !keys.contains(key))) })
    }
}
