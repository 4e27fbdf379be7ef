//! Every service, in the order a message meets them: built, recovered, started. Reads as the list of what a node is.

use std::sync::Arc;

use access_analyzer::AccessAnalyzer;
use athena::Athena;
use cloudwatch::CloudWatch;
use console::Console;
use firehose::Firehose;
use gateway::Gateway;
use glue::Glue;
use iam::Iam;
use iot::Iot;
use kernel::{Clock, TaskGroup};
use rules::Rules;
use s3::{S3, S3Front};
use store::Sealer;
use tagging::Tagging;
use wire::{Dispatcher, Quotas, service};

use crate::http;
use crate::outgoing::Outgoer;
use crate::parts::{EngineParts, Parts};
use crate::tls::Tls;
use crate::{StartError, console_port};

/// The services of one node, until a reset replaces them.
pub(crate) struct Services {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) iam: Arc<Iam>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) iot: Arc<Iot>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) firehose: Arc<Firehose>,
    pub(crate) s3: Arc<S3>,
    pub(crate) athena: Arc<Athena>,
    pub(crate) cloudwatch: Arc<CloudWatch>,
    pub(crate) console: Arc<Console>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) s3_front: S3Front,
}

impl Services {
    /// Builds every service over the stores. Nothing is read yet.
    pub(crate) fn new(parts: &Parts, sealer: &Sealer) -> Self {
        let Parts { config, clock, entropy, metrics, stores, root_keys, .. } = parts;
        // Before all others, since it counts from now on.
        let cloudwatch = Arc::new(CloudWatch::new(cloudwatch::Parts {
            account: config.account.clone(),
            region: config.region.clone(),
            meta: Arc::clone(&stores.meta),
            log: Arc::clone(&stores.log),
            clock: Arc::clone(clock),
            entropy: entropy.clone(),
            metrics: metrics.clone(),
        }));
        let iam = Arc::new(Iam::new(iam::Parts {
            account: config.account.clone(),
            root_keys: root_keys.clone(),
            sealer: sealer.clone(),
            fetch: Arc::new(Outgoer::new(config.outgoing, Arc::clone(clock))),
            mode: config.auth,
            meta: Arc::clone(&stores.meta),
            clock: Arc::clone(clock),
            entropy: entropy.clone(),
        }));
        let s3 = Arc::new(S3::new(
            &stores.meta,
            Arc::clone(&stores.blobs),
            Arc::clone(&iam) as _,
            Arc::clone(clock),
            entropy.clone(),
            metrics,
        ));
        let firehose = Arc::new(Firehose::new(firehose::Parts {
            meta: Arc::clone(&stores.meta),
            log: Arc::clone(&stores.log),
            objects: Arc::clone(&s3) as _,
            roles: Arc::clone(&iam) as _,
            authorize: Arc::clone(&iam) as _,
            clock: Arc::clone(clock),
            entropy: entropy.clone(),
            metrics: metrics.clone(),
        }));
        let rules = Arc::new(Rules::new(rules::Parts {
            records: Arc::clone(&firehose) as _,
            objects: Arc::clone(&s3) as _,
            roles: Arc::clone(&iam) as _,
            log: Arc::clone(&stores.log),
            clock: Arc::clone(clock),
            entropy: entropy.clone(),
            metrics: metrics.clone(),
        }));
        let iot_config = iot::Config {
            endpoint_address: config.names.first().cloned().unwrap_or_else(|| "localhost".to_owned()),
            account: config.account.clone(),
        };
        let iot = Arc::new(Iot::new(
            iot_config,
            &stores.meta,
            Arc::clone(&rules) as _,
            sealer.clone(),
            Arc::clone(clock),
            entropy.clone(),
        ));
        rules.connect_rules(ports::TopicRules::rules(&*iot));
        let gateway = Arc::new(Gateway::new(gateway::Parts {
            config: gateway::Config {
                account: config.account.clone(),
                region: config.region.clone(),
                names: config.names.clone(),
                quotas: config.quotas,
            },
            devices: Arc::clone(&iot) as _,
            on_message: Arc::clone(&rules) as _,
            authorize: Arc::clone(&iam) as _,
            meta: Arc::clone(&stores.meta),
            log: Arc::clone(&stores.log),
            clock: Arc::clone(clock),
            entropy: entropy.clone(),
            metrics: metrics.clone(),
        }));
        let publish: Arc<dyn ports::Publish> = Arc::clone(&gateway) as _;
        // The gateway holds the rules; the other way is weak, so that a crash leaves nothing behind.
        rules.connect_publish(Arc::downgrade(&publish));
        let glue = Arc::new(Glue::new(&stores.meta, Arc::clone(clock)));
        let execute = (parts.engine)(EngineParts {
            catalog: Arc::clone(&glue) as _,
            objects: Arc::clone(&s3) as _,
            buffered: Arc::clone(&firehose) as _,
            clock: Arc::clone(clock),
        });
        let athena = Arc::new(Athena::new(athena::Parts {
            meta: Arc::clone(&stores.meta),
            catalog: Arc::clone(&glue) as _,
            objects: Arc::clone(&s3) as _,
            execute: Arc::clone(&execute),
            clock: Arc::clone(clock),
            entropy: entropy.clone(),
            metrics: metrics.clone(),
        }));
        let analyzer = Arc::new(AccessAnalyzer::new(
            Arc::clone(&iam) as _,
            &stores.meta,
            Arc::clone(clock),
            entropy.clone(),
        ));
        let tagged: Vec<Arc<dyn ports::Tagged>> = vec![
            Arc::clone(&iot) as _,
            Arc::clone(&firehose) as _,
            Arc::clone(&s3) as _,
            Arc::clone(&glue) as _,
            Arc::clone(&athena) as _,
        ];
        let tagging = Arc::new(Tagging::new(tagged, Arc::clone(&iam) as _));
        let quotas = Arc::new(Quotas::new(config.api_quota, Arc::clone(clock), metrics.clone()));
        let dispatcher = Dispatcher::new(
            vec![
                service(&iam::STS, iam::STS_OPERATIONS, Arc::clone(&iam)),
                service(&iam::IAM, iam::IAM_OPERATIONS, Arc::clone(&iam)),
                service(&gateway::DESCRIPTOR, gateway::OPERATIONS, Arc::clone(&gateway)),
                service(&iot::DESCRIPTOR, iot::OPERATIONS, Arc::clone(&iot)),
                service(&firehose::DESCRIPTOR, firehose::OPERATIONS, Arc::clone(&firehose)),
                service(&glue::DESCRIPTOR, glue::OPERATIONS, Arc::clone(&glue)),
                service(&athena::DESCRIPTOR, athena::OPERATIONS, Arc::clone(&athena)),
                service(&cloudwatch::DESCRIPTOR, cloudwatch::OPERATIONS, Arc::clone(&cloudwatch)),
                service(&tagging::DESCRIPTOR, tagging::OPERATIONS, tagging),
                service(&access_analyzer::DESCRIPTOR, access_analyzer::OPERATIONS, analyzer),
            ],
            Arc::clone(&iam) as _,
            Arc::clone(&iam) as _,
            Arc::clone(clock),
            entropy.clone(),
        );
        let dispatcher = Arc::new(dispatcher.with_quotas(Arc::clone(&quotas)));
        let console = Arc::new(Console::new(
            console_port::config(parts),
            console::Parts {
                dispatcher: Arc::clone(&dispatcher),
                credentials: Arc::clone(&iam) as _,
                authorize: Arc::clone(&iam) as _,
                access: Arc::clone(&iam) as _,
                execute,
                metrics: metrics.clone(),
                clock: Arc::clone(clock),
                entropy: entropy.clone(),
            },
        ));
        s3.limit(Arc::clone(&quotas));
        let s3_front = S3Front::new(Arc::clone(&s3), Arc::clone(&iam) as _, &config.s3_domains);
        let clock = Arc::clone(clock);
        Self {
            clock,
            iam,
            gateway,
            iot,
            rules,
            firehose,
            s3,
            athena,
            cloudwatch,
            console,
            dispatcher,
            quotas,
            s3_front,
        }
    }

    /// Fills every cache from the stores. Order matters where one service asks another: objects before the streams that deliver into
    /// them, rules before the devices that publish.
    pub(crate) async fn recover(&self) -> Result<(), StartError> {
        self.iam.recover().await.map_err(StartError::new("recover users, roles and policies"))?;
        self.s3.recover().await.map_err(StartError::new("recover the buckets"))?;
        self.firehose.recover().await.map_err(StartError::new("recover the delivery streams"))?;
        self.iot.recover().await.map_err(StartError::new("recover things, certificates and rules"))?;
        self.gateway.recover().await.map_err(StartError::new("recover sessions and retained messages"))?;
        self.athena.recover().await.map_err(StartError::new("recover query executions"))?;
        self.cloudwatch.recover().await.map_err(StartError::new("recover the metrics"))
    }

    /// Starts pumps and reconcilers, then the ports that lead to them.
    pub(crate) async fn start(
        self: &Arc<Self>,
        parts: &Parts,
        group: &TaskGroup,
        tls: Option<&Arc<Tls>>,
    ) -> Result<(), StartError> {
        self.iam.start(group);
        self.s3.start(group);
        self.firehose.start(group);
        self.rules.start(group);
        self.athena.start(group);
        self.cloudwatch.start(group);
        let listeners = gateway::Listeners {
            mqtt: parts.listeners.mqtt.clone(),
            mqtts: parts.listeners.mqtts.clone(),
            https: parts.listeners.https.clone(),
        };
        self.gateway.start(group, listeners).await.map_err(StartError::new("start the device gateway"))?;
        if let Some(tls) = tls {
            let presented = tls.start(group, Arc::clone(&self.iot) as _, Arc::clone(&self.clock)).await;
            presented.map_err(StartError::new("present a certificate"))?;
        }
        if let Some(listener) = &parts.listeners.console {
            let port = crate::port(parts, "console", listener, tls);
            http::serve(group, port, Arc::new(console_port::ConsolePort(Arc::clone(&self.console))));
        }
        Ok(())
    }
}
