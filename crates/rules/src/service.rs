//! The engine: its parts, and the rules in force at each moment.

use std::sync::{Arc, OnceLock, RwLock, Weak};

use futures::future::{self, FutureExt};
use kernel::{Clock, Context, Entropy, ErrorKind, Metrics, TaskGroup};
use ports::{
    CheckRule, Message, Objects, OnMessage, PortError, PortFuture, Publish, PutRecords, Roles, ScopedRule,
    TopicRule, tokio_watch,
};
use store::{CommitLog, LogId};

use crate::acting::{self, Acting};
use crate::log_limit::LogLimit;
use crate::metrics::EngineCells;
use crate::outside::Outside;
use crate::pump;
use crate::rule::Definition;
use crate::rule_set::RuleSet;

/// What the engine is given.
pub struct Parts {
    /// Delivery streams.
    pub records: Arc<dyn PutRecords>,
    /// Buckets.
    pub objects: Arc<dyn Objects>,
    /// The roles that actions name.
    pub roles: Arc<dyn Roles>,
    /// Where actions wait that are not done at once.
    pub log: Arc<dyn CommitLog>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Entropy,
    /// Where everything is counted.
    pub metrics: Metrics,
}

/// The rules engine of every account and region of the node.
pub struct Rules {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) outside: Outside,
    pub(crate) log: Arc<dyn CommitLog>,
    /// Actions that wait.
    pub(crate) queue: LogId,
    pub(crate) entropy: Entropy,
    pub(crate) cells: EngineCells,
    pub(crate) not_found_limit: LogLimit,
    pub(crate) metrics: Metrics,
    source: OnceLock<tokio_watch::Receiver<Arc<Vec<ScopedRule>>>>,
    compiled: RwLock<Arc<RuleSet>>,
}

impl Rules {
    /// An engine without rules.
    pub fn new(parts: Parts) -> Self {
        let Parts { records, objects, roles, log, clock, entropy, metrics } = parts;
        let inner = Inner {
            outside: Outside { records, objects, roles, clock, publish: OnceLock::new() },
            log,
            queue: LogId::new("rules", &["actions"]),
            entropy,
            cells: EngineCells::new(&metrics),
            not_found_limit: LogLimit::default(),
            metrics,
            source: OnceLock::new(),
            compiled: RwLock::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Where the rules come from. A change is in force for the next message.
    ///
    /// # Panics
    /// When called twice.
    pub fn connect_rules(&self, rules: tokio_watch::Receiver<Arc<Vec<ScopedRule>>>) {
        assert!(self.inner.source.set(rules).is_ok(), "rules are connected once");
    }

    /// Where republished messages go. Weak, since the gateway holds the rules.
    ///
    /// # Panics
    /// When called twice.
    pub fn connect_publish(&self, publish: Weak<dyn Publish>) {
        assert!(self.inner.outside.publish.set(publish).is_ok(), "the gateway is connected once");
    }

    #[cfg(test)]
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Starts working off queued actions, those left by an earlier start first.
    pub fn start(&self, group: &TaskGroup) {
        self.inner.measure_queue();
        pump::start(&self.inner, &group.child("rules"));
    }
}

impl OnMessage for Rules {
    fn on_message<'a>(&'a self, cx: &'a Context, message: &'a Message) -> PortFuture<'a, ()> {
        let plan = self.inner.plan(cx, message);
        if plan.is_empty() {
            return future::ready(Ok(())).boxed();
        }
        self.inner.carry_out(cx, message, plan).boxed()
    }
}

impl CheckRule for Rules {
    /// AWS tries every role, of a disabled rule too.
    fn check(&self, cx: &Context, rule: &TopicRule) -> Result<(), PortError> {
        let definition = Definition::parse(rule)?;
        let roles = &*self.inner.outside.roles;
        for role in definition.roles() {
            roles.check_pass_role(cx, role, acting::SERVICE)?;
            Acting::new(&cx.account, &cx.region, &rule.name, role.clone()).assume(roles).map_err(|_| {
                let sentence = format!(
                    "AWS IoT (iot.amazonaws.com) is unable to assume role (sts:AssumeRole) on resource: {role}. If the \
                     role was just created or updated, please try again in a few seconds."
                );
                PortError::new(ErrorKind::Invalid, "InvalidRequestException", sentence)
            })?;
        }
        Ok(())
    }
}

impl Inner {
    /// The rules in force: compiled by the first who asks after a change.
    pub(crate) fn rules(&self) -> Arc<RuleSet> {
        let compiled = Arc::clone(&self.compiled.read().expect("no holder of this lock panics"));
        let Some(receiver) = self.source.get() else { return compiled };
        if Arc::ptr_eq(&compiled.source, &receiver.borrow()) {
            return compiled;
        }
        let mut compiled = self.compiled.write().expect("no holder of this lock panics");
        // Read again under the lock, so that no older revision follows a newer one.
        let source = Arc::clone(&receiver.borrow());
        if !Arc::ptr_eq(&compiled.source, &source) {
            *compiled = Arc::new(RuleSet::compile(source, &compiled, &self.metrics));
        }
        Arc::clone(&compiled)
    }

    /// For `newuuid()` and `rand()`.
    pub(crate) fn random(&self) -> u128 {
        u128::from_le_bytes(self.entropy.bytes())
    }

    pub(crate) fn measure_queue(&self) {
        let bounds = self.log.bounds(&self.queue);
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.cells.queue_entries.set(gauge(bounds.next.0 - bounds.first.0));
        self.cells.queue_bytes.set(gauge(bounds.bytes));
    }
}

#[cfg(test)]
mod tests {
    use kernel::{AccountId, Principal};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{ROLE, World, context, rule, to_bucket, to_stream, to_topic, with_error_action};

    fn check(sql: &str, actions: Vec<Value>, error_action: Option<Value>) -> Result<(), (String, String)> {
        let mut rule = rule("r", sql, actions);
        rule.rule.error_action = error_action;
        World::new(vec![]).engine().check(&owner(), &rule.rule).map_err(|error| {
            assert_eq!(error.kind, ErrorKind::Invalid);
            (error.code, error.message)
        })
    }

    /// Who creates rules.
    fn owner() -> Context {
        let account = AccountId::default_account();
        Context { principal: Principal::Root { account }, ..context() }
    }

    #[test]
    fn every_role_is_one_that_the_caller_may_pass_and_the_rule_assume() {
        let other = "arn:aws:iam::000000000000:role/other";
        let to_other = json!({"republish": {"roleArn": other, "topic": "t"}});
        let with_error = with_error_action(rule("r", "SELECT * FROM 'a'", vec![to_stream("s")]), to_other);
        let mut disabled = rule("r", "SELECT * FROM 'a'", vec![to_stream("s"), to_bucket("lake", "k")]);
        disabled.rule.enabled = false;
        disabled.rule.actions[1]["s3"]["roleArn"] = other.into();
        for named in [with_error, disabled] {
            let world = World::new(vec![]);
            let engine = world.engine();
            engine.check(&owner(), &named.rule).unwrap();
            world.roles.set_unpassable(other, true);
            let error = engine.check(&owner(), &named.rule).unwrap_err();
            assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Denied, "may not pass"));
            world.roles.set_unpassable(other, false);
            world.roles.set_gone(other, true);
            let error = engine.check(&owner(), &named.rule).unwrap_err();
            assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Invalid, "InvalidRequestException"));
            assert_eq!(
                error.message,
                "AWS IoT (iot.amazonaws.com) is unable to assume role (sts:AssumeRole) on resource: \
                 arn:aws:iam::000000000000:role/other. If the role was just created or updated, please try again in a few \
                 seconds."
            );
        }
    }

    fn refused(action: Value) -> String {
        let (code, message) = check("SELECT * FROM 'a'", vec![action], None).unwrap_err();
        assert_eq!(code, "InvalidRequestException");
        message
    }

    /// The action with other members: null takes one away.
    fn with(mut action: Value, members: Value) -> Value {
        let parameters = action.as_object_mut().unwrap().values_mut().next().unwrap();
        let Value::Object(members) = members else { panic!("members are an object") };
        parameters.as_object_mut().unwrap().extend(members);
        action
    }

    #[test]
    fn what_runs_here_is_taken() {
        let headers = json!({"headers": {
            "payloadFormatIndicator": "UTF8_DATA", "contentType": "application/json", "responseTopic": "${topic()}",
            "correlationData": "AAE=", "messageExpiry": "60", "userProperties": [{"key": "a", "value": "${b}"}],
        }, "qos": 1});
        let actions = vec![
            with(to_stream("${name}"), json!({"separator": "\r\n", "batchMode": true})),
            with(to_bucket("lake", "${topic()}/${timestamp()}.json"), json!({"cannedAcl": "public-read"})),
            with(to_topic("$$aws/things/x/shadow/update"), headers),
            with(to_topic("${topic()}/copy"), json!({"qos": "${q}", "headers": null})),
            with(to_topic("a/b"), json!({"qos": "1"})),
        ];
        check("SELECT * FROM \"a/#\"", actions, Some(to_topic("errors"))).unwrap();
        check("SELECT *", vec![], None).unwrap();
    }

    #[test]
    fn a_statement_that_does_not_parse_is_an_sql_parse_exception() {
        for sql in [
            "SELECT",
            "SELECT * FROM 'a/#/b'",
            "SELECT * FROM '$share/g/a'",
            "SELECT * FROM '1/2/3/4/5/6/7/8/9'",
        ] {
            assert_eq!(check(sql, vec![], None).unwrap_err().0, "SqlParseException", "{sql}");
        }
        let mut unknown = rule("r", "SELECT *", vec![]).rule;
        unknown.sql_version = "2026-01-01".to_owned();
        let error = World::new(vec![]).engine().check(&owner(), &unknown).unwrap_err();
        assert_eq!(error.code, "InvalidRequestException");
    }

    #[test]
    fn an_action_is_one_of_those_that_run_here() {
        assert_eq!(
            refused(json!({"dynamoDB": {"roleArn": ROLE}})),
            "The action 'dynamoDB' at 'topicRulePayload.actions.1.member' is not supported; supported are firehose, republish, s3."
        );
        for action in [json!({}), json!({"s3": null}), json!({"s3": {}, "firehose": {}})] {
            assert_eq!(refused(action), "'topicRulePayload.actions.1.member' must have exactly one action.");
        }
        refused(json!("firehose"));
        refused(json!({"firehose": []}));
        let error_action = Some(json!({"sns": {}}));
        assert!(
            check("SELECT *", vec![], error_action).unwrap_err().1.contains("topicRulePayload.errorAction")
        );
    }

    #[test]
    fn parameters_are_refused_in_the_words_of_the_validator() {
        assert_eq!(
            refused(with(to_stream("s"), json!({"separator": ";"}))),
            r"1 validation error detected: Value ';' at 'topicRulePayload.actions.1.member.firehose.separator' failed to satisfy constraint: Member must satisfy regular expression pattern: ([\n\t])|(\r\n)|(,)"
        );
        assert_eq!(
            refused(json!({"firehose": {"roleArn": ROLE}})),
            "1 validation error detected: Value null at 'topicRulePayload.actions.1.member.firehose.deliveryStreamName' failed to satisfy constraint: Member must not be null"
        );
        for action in [
            with(to_stream("s"), json!({"batchMode": "true"})),
            with(to_stream("s"), json!({"roleArn": "arn:aws:iam::1234567890:user/x"})),
            with(to_stream("s"), json!({"roleArn": "iot.firehose"})),
            with(to_stream("s"), json!({"roleArn": null})),
            to_stream(""),
            to_stream("${topic("),
            to_stream("${@unset}"),
            with(to_bucket("lake", "k"), json!({"cannedAcl": "everybody"})),
            with(to_bucket("lake", "k"), json!({"key": 7})),
            to_topic("a/+/b"),
            to_topic("1/2/3/4/5/6/7/8/9"),
            with(to_topic("a"), json!({"qos": 2})),
            with(to_topic("a"), json!({"qos": "2"})),
            with(to_topic("a"), json!({"qos": true})),
            with(to_topic("a"), json!({"headers": {"correlationData": "?"}})),
            with(to_topic("a"), json!({"headers": {"messageExpiry": "soon"}})),
            with(to_topic("a"), json!({"headers": {"messageExpiry": "0"}})),
            with(to_topic("a"), json!({"headers": {"payloadFormatIndicator": "UTF8"}})),
            with(to_topic("a"), json!({"headers": {"contentType": "x".repeat(1_025)}})),
            with(to_topic("a"), json!({"headers": {"userProperties": []}})),
            with(to_topic("a"), json!({"headers": {"userProperties": [{"key": "a"}]}})),
        ] {
            refused(action);
        }
    }

    #[test]
    fn a_rule_with_an_error_action_that_is_wrong_is_refused() {
        let rule = with_error_action(rule("r", "SELECT *", vec![]), to_stream(""));
        World::new(vec![]).engine().check(&owner(), &rule.rule).unwrap_err();
    }
}
