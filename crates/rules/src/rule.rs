//! A rule, compiled: its statement and its actions parsed once, its counters looked up once.

use std::sync::Arc;

use iotsql::Statement;
use kernel::{Arn, ErrorKind, Metrics};
use mqtt::TopicFilter;
use ports::{PortError, ScopedRule, TopicRule};

use crate::acting::Acting;
use crate::actions::{self, Action, Kind, Parsed};
use crate::log_limit::LogLimit;
use crate::metrics::{self, RuleCells, Tally};
use crate::parameters::Invalid;

/// What a rule's text means.
pub(crate) struct Definition {
    statement: Statement,
    /// None for a rule that only Basic Ingest reaches.
    filter: Option<TopicFilter>,
    actions: Vec<Parsed>,
    error_action: Option<Parsed>,
}

impl Definition {
    /// # Errors
    /// `SqlParseException`, `InvalidRequestException`.
    pub(crate) fn parse(rule: &TopicRule) -> Result<Self, PortError> {
        let sql_error = |sentence: String| PortError::new(ErrorKind::Invalid, "SqlParseException", sentence);
        let version = rule.sql_version.parse().map_err(|error| Invalid::new(format!("{error}")))?;
        let statement = Statement::parse(&rule.sql, version).map_err(|error| sql_error(error.to_string()))?;
        let filter = statement.topic_filter().map(TopicFilter::parse).transpose();
        let filter = filter.map_err(|error| sql_error(format!("Invalid topic filter in FROM: {error}")))?;
        if filter.as_ref().is_some_and(|filter| filter.share_name().is_some()) {
            return Err(sql_error(
                "Invalid topic filter in FROM: a rule cannot share a subscription".to_owned(),
            ));
        }
        let parse = |path: String, value| actions::parse(&path, value, &statement);
        let actions = rule.actions.iter().enumerate().map(|(index, value)| {
            // Lists are numbered from 1 in the sentences of AWS's validator.
            parse(format!("topicRulePayload.actions.{}.member", index + 1), value)
        });
        let actions = actions.collect::<Result<_, _>>()?;
        let error_action = rule.error_action.as_ref();
        let error_action =
            error_action.map(|value| parse("topicRulePayload.errorAction".to_owned(), value)).transpose()?;
        Ok(Self { statement, filter, actions, error_action })
    }

    /// The roles of all actions.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &Arn> {
        self.actions.iter().chain(&self.error_action).map(|parsed| &parsed.role)
    }
}

/// A rule in force.
pub(crate) struct Rule {
    /// What it was compiled from.
    pub(crate) source: ScopedRule,
    pub(crate) statement: Statement,
    pub(crate) filter: Option<TopicFilter>,
    pub(crate) actions: Vec<Arc<RuleAction>>,
    pub(crate) error_action: Option<RuleAction>,
    pub(crate) cells: RuleCells,
    pub(crate) log_limit: LogLimit,
}

/// An action of a rule in force.
pub(crate) struct RuleAction {
    pub(crate) kind: &'static Kind,
    pub(crate) action: Arc<dyn Action>,
    /// The rule acting as the action's role.
    pub(crate) acting: Acting,
    pub(crate) tally: Tally,
}

impl Rule {
    /// # Errors
    /// As [`Definition::parse`].
    pub(crate) fn compile(source: &ScopedRule, metrics: &Metrics) -> Result<Self, PortError> {
        let Definition { statement, filter, actions, error_action } = Definition::parse(&source.rule)?;
        let labels = metrics::labels(source);
        let action = |parsed: Parsed, metric| {
            let Parsed { kind, role, action } = parsed;
            let acting = Acting::new(&source.account, &source.region, &source.rule.name, role);
            RuleAction { kind, action, acting, tally: Tally::new(metrics, metric, &labels, kind.name) }
        };
        Ok(Self {
            source: source.clone(),
            statement,
            filter,
            actions: actions.into_iter().map(|parsed| Arc::new(action(parsed, &metrics::ACTION))).collect(),
            error_action: error_action.map(|parsed| action(parsed, &metrics::ERROR_ACTION)),
            cells: RuleCells::new(metrics, &labels),
            log_limit: LogLimit::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.source.rule.name
    }
}
