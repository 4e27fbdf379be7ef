//! Topic rules as they are stored, and their payload as requests carry it.

use kernel::{AccountId, Arn, Context, Region, Timestamp};
use ports::TopicRule;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Entity;
use store::table::Stored;

use crate::limits::{RULE_ACTIONS_MAX, RULE_BYTES_MAX};
use crate::tags::Tags;
use crate::{Error, Iot, names};

/// The version of the language a rule has when it names none.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-rule-sql-version.html>
const SQL_VERSION_DEFAULT: &str = "2015-10-08";

/// A topic rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) sql: String,
    pub(crate) sql_version: String,
    pub(crate) description: Option<String>,
    pub(crate) disabled: bool,
    pub(crate) actions: Vec<Value>,
    pub(crate) error_action: Option<Value>,
    pub(crate) created_at: Timestamp,
    #[serde(default)]
    pub(crate) tags: Tags,
}

impl Entity for Rule {
    const TABLE: &'static str = "iot_topic_rule";
    const VERSION: u8 = 1;
}

/// What CreateTopicRule and ReplaceTopicRule carry.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TopicRulePayload {
    pub(crate) sql: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) actions: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule_disabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aws_iot_sql_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_action: Option<Value>,
}

impl Rule {
    pub(crate) fn arn(cx: &Context, name: &str) -> Arn {
        cx.arn("iot", &format!("rule/{name}"))
    }

    pub(crate) fn to_port(&self, account: &AccountId, region: &Region) -> TopicRule {
        let arn = Arn::new("iot", region.as_str(), account.as_str(), &format!("rule/{}", self.name));
        TopicRule {
            name: self.name.clone(),
            arn: arn.to_string(),
            sql: self.sql.clone(),
            sql_version: self.sql_version.clone(),
            enabled: !self.disabled,
            actions: self.actions.clone(),
            error_action: self.error_action.clone(),
        }
    }

    /// The topic filter in the statement's FROM clause; empty without one.
    pub(crate) fn topic_pattern(&self) -> String {
        let version = self.sql_version.parse().unwrap_or_default();
        iotsql::Statement::parse(&self.sql, version)
            .ok()
            .and_then(|statement| statement.topic_filter().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// What a rule's name answers when there is no such rule: AWS does not say NotFound.
pub(crate) fn denied(name: &str) -> Error {
    Error::Unauthorized(format!("Access to topic rule '{name}' was denied"))
}

impl Iot {
    /// # Errors
    /// `UnauthorizedException`, as AWS answers for a rule that is not there.
    pub(crate) async fn rule(&self, cx: &Context, name: &str) -> Result<Stored<Rule>, Error> {
        names::RULE.check(name)?;
        let key = [cx.account.as_str(), cx.region.as_str(), name];
        self.rules.get(&key).await?.ok_or_else(|| denied(name))
    }

    /// The rule that a payload describes, checked.
    ///
    /// # Errors
    /// `InvalidRequestException`, `SqlParseException`, `AccessDeniedException`.
    pub(crate) fn rule_of(&self, cx: &Context, name: &str, payload: TopicRulePayload) -> Result<Rule, Error> {
        names::RULE.check(name)?;
        if payload.actions.len() > RULE_ACTIONS_MAX {
            return Err(Error::InvalidRequest(format!(
                "1 validation error detected: Value at 'topicRulePayload.actions' failed to satisfy constraint: Member must have length less than or equal to {RULE_ACTIONS_MAX}"
            )));
        }
        let bytes = serde_json::to_vec(&payload).map_err(Error::internal)?.len();
        if bytes > RULE_BYTES_MAX {
            return Err(Error::InvalidRequest(format!(
                "The rule has {bytes} bytes; at most {RULE_BYTES_MAX} are allowed."
            )));
        }
        let rule = Rule {
            name: name.to_owned(),
            sql: payload.sql,
            sql_version: payload.aws_iot_sql_version.unwrap_or_else(|| SQL_VERSION_DEFAULT.to_owned()),
            description: payload.description,
            disabled: payload.rule_disabled.unwrap_or(false),
            actions: payload.actions,
            error_action: payload.error_action,
            created_at: self.clock.now(),
            tags: Tags::new(),
        };
        self.check_rule.check(cx, &rule.to_port(&cx.account, &cx.region))?;
        Ok(rule)
    }

    /// # Errors
    /// `UnauthorizedException`, as AWS answers for a rule that is not there.
    pub(crate) async fn set_disabled(&self, cx: &Context, name: &str, disabled: bool) -> Result<(), Error> {
        let mut turn = self.turn().await?;
        let stored = self.rule(cx, name).await?;
        let rule = Rule { disabled, ..stored.entity };
        let key = [cx.account.as_str(), cx.region.as_str(), name];
        turn.touches_rules();
        self.rules.update(&key, &rule, stored.revision).await?;
        turn.settle(self).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_with_tags_and_without() {
        let untagged = r#"{"name":"r","sql":"SELECT *","sql_version":"2016-03-23","description":null,"disabled":false,
            "actions":[],"error_action":null,"created_at":1500000000000}"#;
        let tagged = untagged.replace("0}", r#"0,"tags":{"k":"v"}}"#);
        let read = |json: &str| {
            store::entity::decode::<Rule>(&[b"\x01".as_slice(), json.as_bytes()].concat()).unwrap()
        };
        assert!(read(untagged).tags.is_empty());
        assert_eq!(read(&tagged).tags["k"], "v");
    }
}
