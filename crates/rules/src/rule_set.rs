//! Every rule in force, and which of them a topic reaches.
//!
//! Compiled anew whenever the rules change; rules that did not change are taken over with their counters.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kernel::{AccountId, Metrics, Region};
use mqtt::{MultiLevel, TopicTrie};
use ports::ScopedRule;

use crate::metrics;
use crate::rule::Rule;

/// The rules of every account and region.
#[derive(Default)]
pub(crate) struct RuleSet {
    /// What it was compiled from.
    pub(crate) source: Arc<Vec<ScopedRule>>,
    accounts: HashMap<AccountId, HashMap<Region, Scope>>,
}

/// The rules of one account in one region.
struct Scope {
    /// Places of enabled rules.
    by_topic: TopicTrie<usize>,
    rules: Vec<Arc<Rule>>,
    by_name: HashMap<String, usize>,
}

impl Default for Scope {
    fn default() -> Self {
        Self { by_topic: TopicTrie::new(MultiLevel::Children), rules: Vec::new(), by_name: HashMap::new() }
    }
}

impl RuleSet {
    pub(crate) fn compile(source: Arc<Vec<ScopedRule>>, previous: &Self, metrics: &Metrics) -> Self {
        let mut accounts: HashMap<AccountId, HashMap<Region, Scope>> = HashMap::new();
        for scoped in source.iter() {
            let known = previous.find(&scoped.account, &scoped.region, &scoped.rule.name);
            let rule = match known.filter(|rule| rule.source == *scoped) {
                Some(rule) => Arc::clone(rule),
                None => match Rule::compile(scoped, metrics) {
                    Ok(rule) => Arc::new(rule),
                    Err(error) => {
                        // It was checked when it was created, by an engine that took more than this one does.
                        let arn = &scoped.rule.arn;
                        tracing::error!(rule = arn, %error, "a rule does not compile and is not in force");
                        continue;
                    }
                },
            };
            let regions = accounts.entry(scoped.account.clone()).or_default();
            regions.entry(scoped.region.clone()).or_default().insert(rule);
        }
        let compiled = Self { source, accounts };
        for gone in previous.labels().difference(&compiled.labels()) {
            metrics::forget(metrics, gone);
        }
        compiled
    }

    /// Calls `found` for each enabled rule whose filter matches, in no order.
    pub(crate) fn matches<'a>(
        &'a self,
        account: &AccountId,
        region: &Region,
        topic: &str,
        mut found: impl FnMut(&'a Arc<Rule>),
    ) {
        let Some(scope) = self.scope(account, region) else { return };
        scope.by_topic.matches(topic, |&place, ()| found(&scope.rules[place]));
    }

    /// The rule of this name, enabled or not.
    pub(crate) fn find(&self, account: &AccountId, region: &Region, name: &str) -> Option<&Arc<Rule>> {
        let scope = self.scope(account, region)?;
        scope.rules.get(*scope.by_name.get(name)?)
    }

    fn scope(&self, account: &AccountId, region: &Region) -> Option<&Scope> {
        self.accounts.get(account)?.get(region)
    }

    fn labels(&self) -> BTreeSet<[&str; 3]> {
        let scopes = self.accounts.values().flat_map(HashMap::values);
        scopes.flat_map(|scope| scope.rules.iter().map(|rule| metrics::labels(&rule.source))).collect()
    }
}

impl Scope {
    fn insert(&mut self, rule: Arc<Rule>) {
        let place = self.rules.len();
        if let Some(filter) = rule.filter.as_ref().filter(|_| rule.source.rule.enabled) {
            self.by_topic.insert(filter, place, ());
        }
        self.by_name.insert(rule.name().to_owned(), place);
        self.rules.push(rule);
    }
}
