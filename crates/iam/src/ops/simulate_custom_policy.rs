//! `SimulateCustomPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html>

use kernel::Context;
use policy::Caller;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::names::List;
use crate::simulate::{Question, caller, simulate, sources};
use crate::{Error, Iam};

pub(super) struct SimulateCustomPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_input_list: List<String>,
    #[serde(flatten)]
    question: Question,
}

impl Operation for SimulateCustomPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "SimulateCustomPolicy";
    const ACTION: &'static str = "iam:SimulateCustomPolicy";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidInput`, `ValidationError`.
    async fn handle(_: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let identity = sources(&request.policy_input_list.0, "PolicyInputList")?;
        let who = match &request.question.caller_arn {
            Some(arn) => caller(arn)?,
            None => Caller::User { account: cx.account.to_string(), arn: String::new() },
        };
        simulate(&request.question, &identity, None, (who, policy::Context::new()))
    }
}
