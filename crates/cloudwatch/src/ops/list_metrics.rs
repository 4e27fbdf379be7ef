//! `ListMetrics`: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>
//!
//! Differs from AWS: a metric is listed at once, and not after up to fifteen minutes.
//! Differs from AWS: no account is linked to another: IncludeLinkedAccounts finds what the account has itself, OwningAccount any other's nothing.

use std::ops::ControlFlow;
use std::sync::Arc;

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::{scope, seconds};
use crate::names::{self, Dimension, required, too_many};
use crate::series::MetricName;
use crate::{CloudWatch, Error, limits};

pub(super) struct ListMetrics;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    next_token: Option<String>,
    recently_active: Option<String>,
    include_linked_accounts: Option<bool>,
    owning_account: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    metrics: Vec<Metric>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owning_accounts: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    namespace: String,
    metric_name: String,
    dimensions: Vec<Dimension>,
}

impl From<&MetricName> for Metric {
    fn from(metric: &MetricName) -> Self {
        let dimension = |(name, value): &(String, String)| Dimension {
            name: Some(name.clone()),
            value: Some(value.clone()),
        };
        Self {
            namespace: metric.namespace.clone(),
            metric_name: metric.name.clone(),
            dimensions: metric.dimensions.iter().map(dimension).collect(),
        }
    }
}

/// A dimension that a metric must have, with a value or any.
type Filter = (String, Option<String>);

impl Operation for ListMetrics {
    type Service = CloudWatch;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListMetrics";
    const ACTION: &'static str = "cloudwatch:ListMetrics";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidParameterValueException`, `MissingRequiredParameterException`.
    async fn handle(service: &CloudWatch, cx: &Context, request: Request) -> Result<Response, Error> {
        let filters = check(&request)?;
        let kept_for = match request.recently_active.as_deref() {
            None => limits::LISTED_FOR,
            Some("PT3H") => limits::RECENTLY,
            Some(other) => return Err(Error::invalid("RecentlyActive", other)),
        };
        let since = seconds(service.inner.clock.now()) - kept_for.as_secs().cast_signed();
        let after = request.next_token.as_deref().map(position).transpose()?;
        let linked = request.include_linked_accounts == Some(true);
        let elsewhere =
            linked && request.owning_account.as_deref().is_some_and(|account| account != cx.account.as_str());
        let mut found: Vec<Arc<MetricName>> = Vec::new();
        let mut more = false;
        service.inner.store.metrics(&scope(cx), after.as_ref(), |metric, last| {
            let wanted = !elsewhere
                && last >= since
                && request.namespace.as_ref().is_none_or(|namespace| *namespace == metric.namespace)
                && request.metric_name.as_ref().is_none_or(|name| *name == metric.name)
                && filters.iter().all(|filter| has(metric, filter));
            if wanted && found.len() == limits::LIST_PAGE {
                more = true;
                return ControlFlow::Break(());
            }
            if wanted {
                found.push(Arc::clone(metric));
            }
            ControlFlow::Continue(())
        });
        Ok(Response {
            next_token: found.last().filter(|_| more).map(|last| token(last)),
            owning_accounts: linked.then(|| vec![cx.account.as_str().to_owned(); found.len()]),
            metrics: found.iter().map(|metric| (&**metric).into()).collect(),
        })
    }
}

fn check(request: &Request) -> Result<Vec<Filter>, Error> {
    if let Some(namespace) = &request.namespace {
        names::namespace("Namespace", namespace)?;
    }
    if let Some(name) = &request.metric_name {
        names::metric_name("MetricName", name)?;
    }
    if request.dimensions.len() > limits::FILTERS_MAX {
        return Err(too_many("Dimensions", limits::FILTERS_MAX));
    }
    let mut filters = Vec::new();
    for (n, filter) in request.dimensions.iter().enumerate() {
        let path = |member: &str| format!("Dimensions.member.{}.{member}", n + 1);
        let name = required(&path("Name"), filter.name.clone())?;
        names::dimension_name(&path("Name"), &name)?;
        if let Some(value) = &filter.value {
            names::dimension_value(&path("Value"), value)?;
        }
        filters.push((name, filter.value.clone()));
    }
    Ok(filters)
}

fn has(metric: &MetricName, (name, value): &Filter) -> bool {
    let has = |(own, its): &(String, String)| own == name && value.as_ref().is_none_or(|value| value == its);
    metric.dimensions.iter().any(has)
}

fn token(last: &MetricName) -> String {
    wire::page::token(&serde_json::to_string(last).expect("names are text"))
}

fn position(token: &str) -> Result<MetricName, Error> {
    let text = wire::page::position(token);
    text.and_then(|text| serde_json::from_str(&text).ok())
        .ok_or_else(|| Error::value("The parameter NextToken is not valid."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn filters_choose() {
        let node = node().await;
        for (namespace, name, dimensions) in [
            ("A", "m", json!([])),
            ("A", "n", json!([{"Name": "x", "Value": "1"}])),
            ("B", "m", json!([{"Name": "y", "Value": "2"}, {"Name": "x", "Value": "2"}])),
        ] {
            node.put(namespace, json!({"MetricName": name, "Value": 1, "Dimensions": dimensions})).await;
            // Another unit is the same metric.
            node.put(
                namespace,
                json!({"MetricName": name, "Value": 1, "Dimensions": dimensions, "Unit": "Count"}),
            )
            .await;
        }
        let a_m = json!({"Namespace": "A", "MetricName": "m", "Dimensions": []});
        let a_n = json!({"Namespace": "A", "MetricName": "n", "Dimensions": [{"Name": "x", "Value": "1"}]});
        let both = json!([{"Name": "x", "Value": "2"}, {"Name": "y", "Value": "2"}]);
        let b_m = json!({"Namespace": "B", "MetricName": "m", "Dimensions": both});
        for (input, expect) in [
            (json!({}), vec![&a_m, &a_n, &b_m]),
            (json!({"Namespace": "A"}), vec![&a_m, &a_n]),
            (json!({"MetricName": "m"}), vec![&a_m, &b_m]),
            (json!({"Dimensions": [{"Name": "x"}]}), vec![&a_n, &b_m]),
            (json!({"Dimensions": [{"Name": "x", "Value": "2"}]}), vec![&b_m]),
            (json!({"Dimensions": [{"Name": "x"}, {"Name": "y"}]}), vec![&b_m]),
            (json!({"Dimensions": [{"Name": "z"}]}), vec![]),
            (json!({"RecentlyActive": "PT3H"}), vec![&a_m, &a_n, &b_m]),
            (json!({"IncludeLinkedAccounts": true, "OwningAccount": "999999999999"}), vec![]),
        ] {
            assert_eq!(node.list(input.clone()).await.iter().collect::<Vec<_>>(), expect, "{input}");
        }
        let linked = node.ok("ListMetrics", json!({"IncludeLinkedAccounts": true, "Namespace": "A"})).await;
        assert_eq!(linked["OwningAccounts"], json!(["000000000000", "000000000000"]));
    }

    #[tokio::test]
    async fn a_metric_without_data_for_two_weeks_is_not_listed() {
        let node = node().await;
        node.put("A", json!({"MetricName": "old", "Value": 1, "Timestamp": NOW - 11_000.0})).await;
        assert_eq!(node.list(json!({})).await.len(), 1);
        assert_eq!(node.list(json!({"RecentlyActive": "PT3H"})).await.len(), 0);
        node.clock.advance(std::time::Duration::from_secs(14 * 86_400));
        assert_eq!(node.list(json!({})).await.len(), 0);
    }

    #[tokio::test]
    async fn pages_have_five_hundred() {
        let node = node().await;
        for hundred in 0..11 {
            let data: Vec<_> = (0..100)
                .map(|n| json!({"MetricName": format!("m{:04}", hundred * 100 + n), "Value": 1}))
                .collect();
            node.ok("PutMetricData", json!({"Namespace": "A", "MetricData": data})).await;
        }
        let mut names = Vec::new();
        let mut sizes = Vec::new();
        let mut input = json!({});
        loop {
            let page = node.ok("ListMetrics", input).await;
            let metrics = page["Metrics"].as_array().unwrap();
            sizes.push(metrics.len());
            names.extend(metrics.iter().map(|metric| metric["MetricName"].as_str().unwrap().to_owned()));
            if page["NextToken"].is_null() {
                break;
            }
            input = json!({"NextToken": page["NextToken"]});
        }
        assert_eq!(sizes, [500, 500, 100]);
        assert_eq!(names, (0..1100).map(|n| format!("m{n:04}")).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn every_wrong_request_is_told() {
        let node = node().await;
        let value = "InvalidParameterValueException";
        for (input, expect) in [
            (
                json!({"RecentlyActive": "PT1H"}),
                format!("{value}: The value PT1H for parameter RecentlyActive is invalid."),
            ),
            (json!({"NextToken": "x"}), format!("{value}: The parameter NextToken is not valid.")),
            (
                json!({"Namespace": ""}),
                format!("{value}: The parameter Namespace must be longer than 0 characters."),
            ),
            (
                json!({"MetricName": ""}),
                format!("{value}: The parameter MetricName must be longer than 0 characters."),
            ),
            (
                json!({"Dimensions": [{"Value": "x"}]}),
                "MissingRequiredParameterException: The parameter Dimensions.member.1.Name is required."
                    .to_owned(),
            ),
            (
                json!({"Dimensions": vec![json!({"Name": "x"}); 11]}),
                format!("{value}: The collection Dimensions must not have a size greater than 10."),
            ),
        ] {
            assert_eq!(node.said("ListMetrics", input).await, expect);
        }
    }
}
