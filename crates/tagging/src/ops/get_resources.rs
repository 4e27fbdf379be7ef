//! `GetResources`: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
//!
//! Differs from AWS: compliance with tag policies is not known, so that IncludeComplianceDetails and ExcludeCompliantResources must be
//! false.

use std::collections::BTreeSet;

use kernel::Context;
use ports::TaggedResource;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::constraint::Violations;
use crate::limits::{
    ARN_CHARS_MAX, FILTER_VALUES_MAX, GET_ARNS_MAX, KEY_CHARS_MAX, RESOURCE_TYPE_CHARS_MAX,
    RESOURCE_TYPES_MAX, RESOURCES_PER_PAGE, RESOURCES_PER_PAGE_MAX, TAG_FILTERS_MAX, TAGS_PER_PAGE_MAX,
    VALUE_CHARS_MAX,
};
use crate::resources::{is_of_type, parsed};
use crate::{Error, Tagging, ops};

pub(super) struct GetResources;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Request {
    pagination_token: Option<String>,
    tag_filters: Vec<TagFilter>,
    resources_per_page: Option<i64>,
    tags_per_page: Option<i64>,
    resource_type_filters: Vec<String>,
    include_compliance_details: Option<bool>,
    exclude_compliant_resources: Option<bool>,
    #[serde(rename = "ResourceARNList")]
    resource_arn_list: Option<Vec<String>>,
}

/// Resources that have the key, and if values are given, one of these.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagFilter {
    key: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    /// Empty after the last page.
    pagination_token: String,
    resource_tag_mapping_list: Vec<Mapping>,
}

#[derive(Serialize)]
struct Mapping {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

impl Operation for GetResources {
    type Service = Tagging;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetResources";
    const ACTION: &'static str = "tag:GetResources";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidParameterException`, `InternalServiceException`.
    async fn handle(tagging: &Tagging, cx: &Context, request: Request) -> Result<Response, Error> {
        check(&request)?;
        let mut found = tagging.all(cx).await?;
        if let Some(list) = &request.resource_arn_list {
            let named: BTreeSet<&str> = list.iter().map(String::as_str).collect();
            found.retain(|resource| named.contains(resource.arn.as_str()));
            return Ok(response(found, String::new()));
        }
        let after = ops::after(request.pagination_token.as_deref())?;
        found.retain(|resource| {
            after.as_ref().is_none_or(|after| resource.arn > *after) && fits(resource, &request)
        });
        let size = |asked: Option<i64>| asked.and_then(|asked| usize::try_from(asked).ok());
        let resources_max = size(request.resources_per_page).unwrap_or(RESOURCES_PER_PAGE);
        let tags_max = size(request.tags_per_page).unwrap_or(usize::MAX);
        let (page, next) = cut(found, resources_max, tags_max);
        Ok(response(page, next))
    }
}

/// # Errors
/// `InvalidParameterException`.
fn check(request: &Request) -> Result<(), Error> {
    let mut violations = Violations::default();
    ops::constrain_token(request.pagination_token.as_deref(), &mut violations);
    violations.length("tagFilters", request.tag_filters.len(), (0, TAG_FILTERS_MAX));
    for (n, filter) in request.tag_filters.iter().enumerate() {
        let path = format!("tagFilters.{}.member", n + 1);
        if let Some(key) = &filter.key {
            violations.text(&format!("{path}.key"), key, (1, KEY_CHARS_MAX));
        }
        violations.length(&format!("{path}.values"), filter.values.len(), (0, FILTER_VALUES_MAX));
        for value in &filter.values {
            violations.text(&format!("{path}.values"), value, (0, VALUE_CHARS_MAX));
        }
    }
    if let Some(asked) = request.resources_per_page {
        violations.range("resourcesPerPage", asked, (1, RESOURCES_PER_PAGE_MAX));
    }
    violations.length("resourceTypeFilters", request.resource_type_filters.len(), (0, RESOURCE_TYPES_MAX));
    for wanted in &request.resource_type_filters {
        violations.text("resourceTypeFilters", wanted, (0, RESOURCE_TYPE_CHARS_MAX));
    }
    if let Some(list) = &request.resource_arn_list {
        violations.length("resourceARNList", list.len(), (1, GET_ARNS_MAX));
        for arn in list {
            violations.text("resourceARNList", arn, (1, ARN_CHARS_MAX));
        }
    }
    violations.finish()?;
    check_together(request)
}

/// What the model does not say of members, and what they must not be together.
///
/// # Errors
/// `InvalidParameterException`.
fn check_together(request: &Request) -> Result<(), Error> {
    for (asked, name) in [
        (request.include_compliance_details, "IncludeComplianceDetails"),
        (request.exclude_compliant_resources, "ExcludeCompliantResources"),
    ] {
        if asked == Some(true) {
            return Err(Error::invalid(format!("{name} is not supported.")));
        }
    }
    if request.tag_filters.iter().any(|filter| filter.key.is_none()) {
        return Err(Error::invalid("Each TagFilter must contain a key."));
    }
    let hundreds = |asked: i64| asked % 100 == 0 && (100..=TAGS_PER_PAGE_MAX as i64).contains(&asked);
    if request.tags_per_page.is_some_and(|asked| !hundreds(asked)) {
        let sentence = format!("TagsPerPage must be a multiple of 100 from 100 to {TAGS_PER_PAGE_MAX}.");
        return Err(Error::invalid(sentence));
    }
    let Some(list) = &request.resource_arn_list else { return Ok(()) };
    let paged = request.pagination_token.as_deref().is_some_and(|token| !token.is_empty())
        || request.resources_per_page.is_some()
        || request.tags_per_page.is_some();
    for (given, name) in [
        (!request.tag_filters.is_empty(), "TagFilters"),
        (!request.resource_type_filters.is_empty(), "ResourceTypeFilters"),
        (paged, "pagination parameters"),
    ] {
        if given {
            return Err(Error::invalid(format!("ResourceARNList and {name} cannot be specified together.")));
        }
    }
    list.iter().try_for_each(|arn| parsed(arn).map(drop))
}

/// Every filter's key, each with one of its values if it has some; and one of the types.
fn fits(resource: &TaggedResource, request: &Request) -> bool {
    let types = &request.resource_type_filters;
    let has = |filter: &TagFilter| {
        resource.tags.iter().any(|(key, value)| {
            filter.key.as_ref() == Some(key) && (filter.values.is_empty() || filter.values.contains(value))
        })
    };
    (types.is_empty() || types.iter().any(|wanted| is_of_type(&resource.arn, wanted)))
        && request.tag_filters.iter().all(has)
}

/// A page that parts no resource from its tags, and the token of the next.
fn cut(found: Vec<TaggedResource>, resources_max: usize, tags_max: usize) -> (Vec<TaggedResource>, String) {
    let total = found.len();
    let mut tags = 0;
    let mut page = Vec::new();
    for resource in found {
        tags += resource.tags.len();
        if page.len() == resources_max || (tags > tags_max && !page.is_empty()) {
            break;
        }
        page.push(resource);
    }
    let last = page.last().filter(|_| page.len() < total);
    let next = last.map(|last| wire::page::token(&last.arn)).unwrap_or_default();
    (page, next)
}

fn response(found: Vec<TaggedResource>, pagination_token: String) -> Response {
    let tags =
        |tags: Vec<(String, String)>| tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    let resource_tag_mapping_list = found
        .into_iter()
        .map(|resource| Mapping { resource_arn: resource.arn, tags: tags(resource.tags) })
        .collect();
    Response { pagination_token, resource_tag_mapping_list }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Bench, stream};

    fn names(answer: &Value) -> Vec<String> {
        let list = answer["ResourceTagMappingList"].as_array().unwrap().iter();
        list.map(|found| found["ResourceARN"].as_str().unwrap().rsplit(['/', ':']).next().unwrap().to_owned())
            .collect()
    }

    async fn bench() -> Bench {
        let bench = Bench::new();
        for (name, tags) in [
            ("a", json!({"team": "iot", "stage": "dev"})),
            ("b", json!({"team": "iot", "stage": "prod"})),
            ("c", json!({"team": "web"})),
        ] {
            bench.ok("TagResources", json!({"ResourceARNList": [stream(name)], "Tags": tags})).await;
        }
        let bucket = json!({"ResourceARNList": ["arn:aws:s3:::lake"], "Tags": {"team": "iot"}});
        bench.ok("TagResources", bucket).await;
        bench
    }

    #[tokio::test]
    async fn filters_are_all_met_and_values_any() {
        let bench = bench().await;
        let all = bench.ok("GetResources", json!({})).await;
        assert_eq!(names(&all), ["a", "b", "c", "lake"]);
        assert_eq!(all["PaginationToken"], "");
        assert_eq!(
            all["ResourceTagMappingList"][0],
            json!({"ResourceARN": stream("a"), "Tags": [{"Key": "stage", "Value": "dev"}, {"Key": "team", "Value": "iot"}]})
        );
        for (filter, expect) in [
            (json!({"TagFilters": [{"Key": "team", "Values": ["iot"]}]}), vec!["a", "b", "lake"]),
            (
                json!({"TagFilters": [{"Key": "team", "Values": ["web", "iot"]}, {"Key": "stage"}]}),
                vec!["a", "b"],
            ),
            (json!({"TagFilters": [{"Key": "team"}, {"Key": "stage", "Values": ["prod"]}]}), vec!["b"]),
            (json!({"TagFilters": [{"Key": "nope"}]}), vec![]),
            (json!({"ResourceTypeFilters": ["s3"]}), vec!["lake"]),
            (json!({"ResourceTypeFilters": ["firehose:deliverystream", "ec2"]}), vec!["a", "b", "c"]),
            (json!({"ResourceTypeFilters": ["ec2:instance"]}), vec![]),
            (
                json!({"ResourceARNList": [stream("c"), stream("none"), "arn:aws:ec2:us-east-1:000000000000:x/y"]}),
                vec!["c"],
            ),
        ] {
            assert_eq!(names(&bench.ok("GetResources", filter.clone()).await), expect, "{filter}");
        }
    }

    #[tokio::test]
    async fn pages_part_no_resource_from_its_tags() {
        let bench = Bench::new();
        let tags: serde_json::Map<_, _> = (0..40).map(|n| (format!("k{n:02}"), json!("v"))).collect();
        for n in 0..5 {
            let input = json!({"ResourceARNList": [stream(&n.to_string())], "Tags": tags});
            bench.ok("TagResources", input).await;
        }
        for (input, expect) in [
            (json!({"ResourcesPerPage": 2}), vec![2, 2, 1]),
            (json!({"TagsPerPage": 100}), vec![2, 2, 1]),
            (json!({"TagsPerPage": 100, "ResourcesPerPage": 1}), vec![1, 1, 1, 1, 1]),
            (json!({}), vec![5]),
        ] {
            let mut sizes = Vec::new();
            let mut token = Value::from("");
            loop {
                let mut input = input.clone();
                input["PaginationToken"] = token;
                let page = bench.ok("GetResources", input).await;
                sizes.push(names(&page).len());
                token = page["PaginationToken"].clone();
                if token == "" {
                    break;
                }
            }
            assert_eq!(sizes, expect, "{input}");
        }
    }

    #[tokio::test]
    async fn refusals() {
        let bench = Bench::new();
        let arns = json!([stream("a")]);
        for (input, expect) in [
            (json!({"IncludeComplianceDetails": true}), "IncludeComplianceDetails is not supported."),
            (json!({"TagFilters": [{"Values": ["x"]}]}), "Each TagFilter must contain a key."),
            (json!({"TagsPerPage": 150}), "TagsPerPage must be a multiple of 100 from 100 to 500."),
            (
                json!({"ResourceARNList": arns, "TagFilters": [{"Key": "k"}]}),
                "ResourceARNList and TagFilters cannot be specified together.",
            ),
            (
                json!({"ResourceARNList": arns, "ResourcesPerPage": 1}),
                "ResourceARNList and pagination parameters cannot be specified together.",
            ),
            (json!({"ResourceARNList": ["x"]}), "x is not a valid ARN."),
            (json!({"PaginationToken": "§"}), "The PaginationToken is not one that this API has answered."),
            (
                json!({"ResourcesPerPage": 0, "TagFilters": [{"Key": ""}]}),
                "2 validation errors detected: Value at 'tagFilters.1.member.key' failed to satisfy constraint: Member must \
                 have length greater than or equal to 1; Value at 'resourcesPerPage' failed to satisfy constraint: Member must \
                 have value greater than or equal to 1",
            ),
        ] {
            let expect = format!("InvalidParameterException: {expect}");
            assert_eq!(bench.refused("GetResources", input).await, expect);
        }
    }

    #[tokio::test]
    async fn a_service_that_cannot_tell_is_an_internal_error() {
        let bench = Bench::new();
        bench.break_down();
        let said = bench.refused("GetResources", json!({})).await;
        assert!(said.starts_with("InternalServiceException: "), "{said}");
    }
}
