//! `SimulatePrincipalPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>

use kernel::Context;
use policy::Caller;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::{Group, Role, User};
use crate::names::List;
use crate::shapes::on_policy;
use crate::simulate::{Question, Source, caller, simulate, sources};
use crate::{Error, Iam};

pub(super) struct SimulatePrincipalPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_source_arn: String,
    #[serde(default)]
    policy_input_list: List<String>,
    #[serde(flatten)]
    question: Question,
}

impl Operation for SimulatePrincipalPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "SimulatePrincipalPolicy";
    const ACTION: &'static str = "iam:SimulatePrincipalPolicy";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_source_arn)
    }

    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let arn = &request.policy_source_arn;
        let (said, mut known) = {
            let directory = iam.directory();
            let account = &cx.account;
            let found = if let Some((_, held)) = directory.by_arn::<User>(arn) {
                Some((directory.user_says(account, held), Some(held.entity.name.clone())))
            } else if let Some((_, held)) = directory.by_arn::<Role>(arn) {
                Some((directory.role_says(account, held), None))
            } else {
                directory.by_arn::<Group>(arn).map(|(_, held)| (directory.group_says(account, held), None))
            };
            let ours = arn.starts_with(&format!("arn:aws:iam::{account}:"));
            let (said, user) = found
                .filter(|_| ours)
                .ok_or_else(|| Error::NoSuchEntity(format!("The entity with ARN {arn} cannot be found.")))?;
            let known = policy::Context::new().with("aws:PrincipalArn", arn.as_str());
            (said, user.into_iter().fold(known, |known, name| known.with("aws:username", name)))
        };
        known = known.with("aws:PrincipalAccount", cx.account.as_str());
        let mut identity = sources(&request.policy_input_list.0, "PolicyInputList")?;
        let attached = said.identity.into_iter().enumerate();
        identity.extend(attached.map(|(at, document)| Source {
            id: format!("PrincipalPolicy.{}", at + 1),
            kind: "IAM Policy",
            document,
        }));
        let who = match &request.question.caller_arn {
            Some(arn) => caller(arn)?,
            None => Caller::User { account: cx.account.to_string(), arn: arn.clone() },
        };
        simulate(&request.question, &identity, said.boundary, (who, known))
    }
}
