//! The operations of Athena, and what their files share.

mod batch_get_named_query;
mod batch_get_query_execution;
mod create_named_query;
mod create_work_group;
mod delete_named_query;
mod delete_work_group;
mod get_data_catalog;
mod get_database;
mod get_named_query;
mod get_query_execution;
mod get_query_results;
mod get_table_metadata;
mod get_work_group;
mod list_data_catalogs;
mod list_databases;
mod list_named_queries;
mod list_query_executions;
mod list_table_metadata;
mod list_tags_for_resource;
mod list_work_groups;
mod metadata;
mod page;
mod start_query_execution;
mod stop_query_execution;
mod tag_resource;
mod untag_resource;
mod update_named_query;
mod update_work_group;

use std::collections::BTreeMap;

use kernel::{Arn, Context};
use serde::{Deserialize, Serialize};
use wire::{Entry, Operation, Resource};

use batch_get_named_query::BatchGetNamedQuery;
use batch_get_query_execution::BatchGetQueryExecution;
use create_named_query::CreateNamedQuery;
use create_work_group::CreateWorkGroup;
use delete_named_query::DeleteNamedQuery;
use delete_work_group::DeleteWorkGroup;
use get_data_catalog::GetDataCatalog;
use get_database::GetDatabase;
use get_named_query::GetNamedQuery;
use get_query_execution::GetQueryExecution;
use get_query_results::GetQueryResults;
use get_table_metadata::GetTableMetadata;
use get_work_group::GetWorkGroup;
use list_data_catalogs::ListDataCatalogs;
use list_databases::ListDatabases;
use list_named_queries::ListNamedQueries;
use list_query_executions::ListQueryExecutions;
use list_table_metadata::ListTableMetadata;
use list_tags_for_resource::ListTagsForResource;
use list_work_groups::ListWorkGroups;
use start_query_execution::StartQueryExecution;
use stop_query_execution::StopQueryExecution;
use tag_resource::TagResource;
use untag_resource::UntagResource;
use update_named_query::UpdateNamedQuery;
use update_work_group::UpdateWorkGroup;

use crate::{Athena, Error, limits};

/// Every operation that is served.
pub const OPERATIONS: &[Entry<Athena>] = &[
    Entry::of::<StartQueryExecution>(),
    Entry::of::<GetQueryExecution>(),
    Entry::of::<BatchGetQueryExecution>(),
    Entry::of::<GetQueryResults>(),
    Entry::of::<StopQueryExecution>(),
    Entry::of::<ListQueryExecutions>(),
    Entry::of::<CreateNamedQuery>(),
    Entry::of::<GetNamedQuery>(),
    Entry::of::<BatchGetNamedQuery>(),
    Entry::of::<ListNamedQueries>(),
    Entry::of::<UpdateNamedQuery>(),
    Entry::of::<DeleteNamedQuery>(),
    Entry::of::<CreateWorkGroup>(),
    Entry::of::<GetWorkGroup>(),
    Entry::of::<ListWorkGroups>(),
    Entry::of::<UpdateWorkGroup>(),
    Entry::of::<DeleteWorkGroup>(),
    Entry::of::<TagResource>(),
    Entry::of::<UntagResource>(),
    Entry::of::<ListTagsForResource>(),
    Entry::of::<ListDataCatalogs>(),
    Entry::of::<GetDataCatalog>(),
    Entry::of::<ListDatabases>(),
    Entry::of::<GetDatabase>(),
    Entry::of::<ListTableMetadata>(),
    Entry::of::<GetTableMetadata>(),
];

/// An output without members.
#[derive(Serialize)]
struct Empty {}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

fn workgroup_resource(cx: &Context, name: &str) -> Resource {
    cx.arn("athena", &format!("workgroup/{name}")).into()
}

/// The resource of a request that names it by its ARN.
fn tagged(arn: &str) -> Resource {
    arn.parse().map_or(Resource::Any, Resource::Arn)
}

/// Adds tags, as TagResource does.
///
/// # Errors
/// As TagResource.
pub(crate) async fn add_tags(
    athena: &Athena,
    cx: &Context,
    arn: &str,
    tags: &[(String, String)],
) -> Result<(), Error> {
    let tag = |(key, value): &(String, String)| Tag { key: key.clone(), value: value.clone() };
    let tags = tags.iter().map(tag).collect();
    let request = tag_resource::Request { resource_arn: arn.to_owned(), tags };
    TagResource::handle(athena, cx, request).await.map(drop)
}

/// Removes tags, as UntagResource does.
///
/// # Errors
/// As UntagResource.
pub(crate) async fn remove_tags(
    athena: &Athena,
    cx: &Context,
    arn: &str,
    keys: &[String],
) -> Result<(), Error> {
    let request = untag_resource::Request { resource_arn: arn.to_owned(), tag_keys: keys.to_vec() };
    UntagResource::handle(athena, cx, request).await.map(drop)
}

/// The workgroup that an ARN of this account and region names.
///
/// # Errors
/// `InvalidRequestException` for what is no ARN, `ResourceNotFoundException` for what has no tags.
fn tagged_workgroup(cx: &Context, arn: &str) -> Result<String, Error> {
    let parsed: Arn = arn.parse().map_err(|_| Error::invalid(format!("{arn} is not a valid ARN.")))?;
    let ours = parsed.service() == "athena"
        && (parsed.region(), parsed.account()) == (cx.region.as_str(), cx.account.as_str());
    let name = parsed.resource().strip_prefix("workgroup/").filter(|name| ours && !name.contains('\0'));
    name.map(str::to_owned).ok_or_else(|| no_resource(arn))
}

fn no_resource(arn: &str) -> Error {
    Error::ResourceNotFound(format!("Resource {arn} was not found."))
}

/// The tags with others added.
///
/// # Errors
/// `InvalidRequestException` for too many or too long ones.
fn with_tags(mut tags: BTreeMap<String, String>, more: &[Tag]) -> Result<BTreeMap<String, String>, Error> {
    for tag in more {
        if !(1..=128).contains(&tag.key.chars().count()) || tag.value.chars().count() > 256 {
            let said = "A tag's key must have 1 to 128 characters and its value at most 256.";
            return Err(Error::invalid(said));
        }
        if tag.key.starts_with("aws:") {
            return Err(Error::invalid("A tag's key must not begin with aws:"));
        }
        tags.insert(tag.key.clone(), tag.value.clone());
    }
    if tags.len() > limits::TAGS_MAX {
        return Err(Error::invalid(format!("A resource can have at most {} tags.", limits::TAGS_MAX)));
    }
    Ok(tags)
}

/// To a request that names its resource by an ARN, what is not there is a `ResourceNotFoundException`.
fn of_resource<T>(arn: &str, found: Result<T, Error>) -> Result<T, Error> {
    found.map_err(|error| match error {
        Error::InvalidRequest(sentence) if sentence.ends_with("is not found.") => no_resource(arn),
        error => error,
    })
}
