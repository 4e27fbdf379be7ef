//! Simulations: what policies would say to requests that nobody makes.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html>
//!
//! Differs from AWS: matched statements are told by their policy, without their positions in its text; missing context values are
//! those of conditions, not those of variables; every resource has a result of its own instead of ResourceSpecificResults. There are no
//! organizations and no instances, and no policies to leave out: OrderedOrganizationPolicyInputList, ResourceHandlingOption and
//! PolicyExclusionList are refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use policy::{Caller, Decision, Document, Request, ResourcePolicy, Silence, Verdict, evaluate};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Error;
use crate::authorize::Subject;
use crate::directory::Said;
use crate::limits::SIMULATIONS_MAX;
use crate::names::{ActionName, ContextKeyName, List, ResourceHandlingOption, ResourceName, ResourceOwner};
use crate::shapes::PageRequest;

/// What both simulations are asked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Question {
    pub(crate) action_names: List<ActionName>,
    #[serde(default)]
    pub(crate) resource_arns: List<ResourceName>,
    #[serde(default)]
    pub(crate) permissions_boundary_policy_input_list: List<String>,
    pub(crate) resource_policy: Option<String>,
    pub(crate) resource_owner: Option<ResourceOwner>,
    pub(crate) caller_arn: Option<String>,
    #[serde(default)]
    pub(crate) context_entries: List<ContextEntry>,
    #[serde(default)]
    ordered_organization_policy_input_list: List<Value>,
    #[serde(default)]
    policy_exclusion_list: List<Value>,
    resource_handling_option: Option<ResourceHandlingOption>,
    #[serde(flatten)]
    pub(crate) page: PageRequest,
}

/// A condition key of the simulated request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContextEntry {
    context_key_name: ContextKeyName,
    #[expect(
        dead_code,
        reason = "its being one of the types is checked as it is decoded; values are compared as the operator says"
    )]
    context_key_type: Option<ContextKeyType>,
    #[serde(default)]
    context_key_values: List<String>,
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ContextEntry.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ContextKeyType {
    String,
    StringList,
    Numeric,
    NumericList,
    Boolean,
    BooleanList,
    Ip,
    IpList,
    Binary,
    BinaryList,
    Date,
    DateList,
}

/// A policy with the name that results tell it by.
pub(crate) struct Source {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) document: Arc<Document>,
}

/// The policies given in a request.
///
/// # Errors
/// `InvalidInput` for one that is none.
pub(crate) fn sources(list: &[String], id: &str) -> Result<Vec<Source>, Error> {
    let parse = |(at, text): (usize, &String)| {
        let document = Document::parse_identity(text, crate::limits::DOCUMENT_CHARS_MAX)
            .map_err(|error| Error::InvalidInput(error.to_string()))?;
        let id = format!("{id}.{}", at + 1);
        Ok(Source { id, kind: "IAM Policy", document: Arc::new(document) })
    };
    list.iter().enumerate().map(parse).collect()
}

/// Answers a question about `identity`; a boundary in the question takes the place of `boundary`.
///
/// # Errors
/// `InvalidInput`, `ValidationError`.
pub(crate) fn simulate(
    question: &Question,
    identity: &[Source],
    boundary: Option<Arc<Document>>,
    (caller, known): (Caller, policy::Context),
) -> Result<Value, Error> {
    refuse_unknown(question)?;
    let any = [ResourceName("*".to_owned())];
    let resources =
        if question.resource_arns.0.is_empty() { any.as_slice() } else { &question.resource_arns.0 };
    if question.action_names.0.len() * resources.len() > SIMULATIONS_MAX {
        return Err(Error::InvalidInput(format!("A simulation has at most {SIMULATIONS_MAX} results.")));
    }
    let boundaries =
        sources(&question.permissions_boundary_policy_input_list.0, "PermissionsBoundaryPolicyInputList")?;
    let boundary = boundaries.first().map(|source| Arc::clone(&source.document)).or(boundary);
    let resource_policy = match &question.resource_policy {
        Some(text) => Some(Document::parse(text).map_err(|error| Error::InvalidInput(error.to_string()))?),
        None => None,
    };
    let account = caller.account().unwrap_or_default().to_owned();
    if let Some(ResourceOwner(owner)) = &question.resource_owner
        && owner_account(owner).is_none()
    {
        return Err(Error::InvalidInput(format!("Invalid ResourceOwner: {owner}")));
    }
    let owner =
        question.resource_owner.as_ref().and_then(|owner| owner_account(&owner.0)).unwrap_or(&account);
    let context = question.context_entries.0.iter().fold(known, |context, entry| {
        context.with_values(&entry.context_key_name.0, entry.context_key_values.0.iter().map(String::as_str))
    });
    let subject = Subject {
        caller,
        said: Said {
            identity: identity.iter().map(|source| Arc::clone(&source.document)).collect(),
            boundary,
        },
        session: None,
        context,
    };
    let resource_policy =
        ResourcePolicy { document: resource_policy.as_ref(), owner, silence: Silence::Neutral };
    let mut results = Vec::new();
    for ActionName(action) in &question.action_names.0 {
        if !action.contains(':') || action.contains('*') {
            let said = format!("Invalid Entity Action: {action}");
            return Err(Error::InvalidInput(said));
        }
        for ResourceName(resource) in resources {
            let verdict = subject.decide(action, resource, Some(resource_policy));
            let result = result(question, identity, &subject, (action, resource, verdict));
            results.push((format!("{:06}", results.len()), result));
        }
    }
    question.page.cut("EvaluationResults", results.into_iter())
}

/// # Errors
/// `InvalidInput` for what would change the answer and is not known here.
fn refuse_unknown(question: &Question) -> Result<(), Error> {
    let refused = |what: &str| Err(Error::InvalidInput(format!("{what} is not supported.")));
    if !question.ordered_organization_policy_input_list.0.is_empty() {
        return refused("OrderedOrganizationPolicyInputList");
    }
    if !question.policy_exclusion_list.0.is_empty() {
        return refused("PolicyExclusionList");
    }
    match &question.resource_handling_option {
        Some(ResourceHandlingOption(option)) => refused(&format!("ResourceHandlingOption {option}")),
        None => Ok(()),
    }
}

fn result(
    question: &Question,
    identity: &[Source],
    subject: &Subject,
    (action, resource, verdict): (&str, &str, Verdict),
) -> Value {
    let request = Request { action, resource, context: &subject.context };
    let decision = match verdict {
        Verdict::Allow => "allowed",
        Verdict::ExplicitDeny(_) => "explicitDeny",
        Verdict::ImplicitDeny(_) => "implicitDeny",
    };
    let wanted = if verdict.is_allowed() { Decision::Allow } else { Decision::ExplicitDeny };
    let matched: Vec<Value> = identity
        .iter()
        .filter(|source| evaluate([&*source.document], &request) == wanted)
        .map(|source| json!({"SourcePolicyId": source.id, "SourcePolicyType": source.kind}))
        .collect();
    let given: BTreeSet<String> =
        question.context_entries.0.iter().map(|entry| entry.context_key_name.0.to_lowercase()).collect();
    let statements = subject.said.identity.iter().flat_map(|document| &document.statements);
    let missing: BTreeSet<&str> = statements
        .flat_map(|statement| &statement.conditions)
        .map(|condition| condition.key.as_str())
        .filter(|key| !given.contains(&key.to_lowercase()) && !subject.context.has(key))
        .collect();
    let mut result = json!({
        "EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision,
        "MatchedStatements": matched, "MissingContextValues": missing,
    });
    if let Some(boundary) = &subject.said.boundary {
        let allowed = evaluate([&**boundary], &request).is_allowed();
        result["PermissionsBoundaryDecisionDetail"] = json!({"AllowedByPermissionsBoundary": allowed});
    }
    result
}

/// `ResourceOwner` is an account's number or its root's ARN.
fn owner_account(text: &str) -> Option<&str> {
    let account = match text.strip_prefix("arn:aws:iam::") {
        Some(rest) => rest.split(':').next()?,
        None => text,
    };
    account.parse::<kernel::AccountId>().is_ok().then_some(account)
}

/// The caller that an ARN names: a user of an account, or its root.
///
/// # Errors
/// `InvalidInput` for another ARN.
pub(crate) fn caller(arn: &str) -> Result<Caller, Error> {
    let invalid = || Error::InvalidInput(format!("Invalid CallerArn: {arn}"));
    let (account, resource) =
        arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(':')).ok_or_else(invalid)?;
    let account = account.to_owned();
    match resource {
        "root" => Ok(Caller::Root { account }),
        user if user.starts_with("user/") => Ok(Caller::User { account, arn: arn.to_owned() }),
        _ => Err(invalid()),
    }
}
