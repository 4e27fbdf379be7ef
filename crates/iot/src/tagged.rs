//! The tags of policies and topic rules, for the Resource Groups Tagging API.

use kernel::{Arn, Context};
use ports::{PortError, PortFuture, TagActions, Tagged, TaggedResource};

use crate::tags::{self, Tag, Tags};
use crate::{Error, Iot};

impl Tagged for Iot {
    fn service(&self) -> &'static str {
        "iot"
    }

    fn actions(&self) -> Option<TagActions> {
        Some(TagActions { tag: "iot:TagResource", untag: "iot:UntagResource" })
    }

    fn tagged<'a>(&'a self, cx: &'a Context) -> PortFuture<'a, Vec<TaggedResource>> {
        Box::pin(async move { self.all_tagged(cx).await.map_err(PortError::from_service) })
    }

    fn tag<'a>(&'a self, cx: &'a Context, arn: &'a Arn, more: &'a [(String, String)]) -> PortFuture<'a, ()> {
        let more: Vec<Tag> =
            more.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect();
        Box::pin(async move {
            let add = |own: Tags| tags::with(own, &more);
            self.change_tags(cx, arn.as_str(), add).await.map_err(PortError::from_service)
        })
    }

    fn untag<'a>(&'a self, cx: &'a Context, arn: &'a Arn, keys: &'a [String]) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let remove = |mut own: Tags| {
                own.retain(|key, _| !keys.contains(key));
                Ok(own)
            };
            self.change_tags(cx, arn.as_str(), remove).await.map_err(PortError::from_service)
        })
    }
}

impl Iot {
    async fn all_tagged(&self, cx: &Context) -> Result<Vec<TaggedResource>, Error> {
        let scope = [cx.account.as_str(), cx.region.as_str()];
        let policies = self.policies.list(&scope).await?.into_iter();
        let policies = policies.map(|(parts, stored)| ("policy", parts, stored.entity.tags));
        let rules = self.rules.list(&scope).await?.into_iter();
        let rules = rules.map(|(parts, stored)| ("rule", parts, stored.entity.tags));
        let with = policies.chain(rules).filter(|(_, _, tags)| !tags.is_empty());
        Ok(with
            .filter_map(|(kind, parts, tags)| {
                let arn = cx.arn("iot", &format!("{kind}/{}", parts.last()?)).to_string();
                Some(TaggedResource { arn, tags: tags.into_iter().collect() })
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ops::testing::{call, iot};

    #[tokio::test]
    async fn policies_and_rules_with_tags_are_listed_and_changed_by_arn() {
        let tested = iot();
        let iot = &tested.iot;
        let cx = wire::testing::context();
        let document =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
        for name in ["p", "bare"] {
            call(&tested, "CreatePolicy", json!({"policyName": name, "policyDocument": document})).await;
        }
        let payload = json!({"sql": "SELECT * FROM 'a'", "actions": []});
        call(&tested, "CreateTopicRule", json!({"ruleName": "r", "topicRulePayload": payload})).await;
        let tags = [("k".to_owned(), "v".to_owned())];
        for resource in ["policy/p", "rule/r"] {
            iot.tag(&cx, &cx.arn("iot", resource), &tags).await.unwrap();
        }
        let of = |resource: &str| {
            let arn = cx.arn("iot", resource).to_string();
            TaggedResource { arn, tags: tags.to_vec() }
        };
        assert_eq!(iot.tagged(&cx).await.unwrap(), [of("policy/p"), of("rule/r")]);
        iot.untag(&cx, &cx.arn("iot", "rule/r"), &["k".to_owned()]).await.unwrap();
        assert_eq!(iot.tagged(&cx).await.unwrap(), [of("policy/p")]);
        for (resource, code) in
            [("policy/none", "ResourceNotFoundException"), ("thing/t", "InvalidRequestException")]
        {
            let arn = cx.arn("iot", resource);
            assert_eq!(iot.tag(&cx, &arn, &tags).await.unwrap_err().code, code);
            assert_eq!(iot.untag(&cx, &arn, &[]).await.unwrap_err().code, code);
        }
    }
}
