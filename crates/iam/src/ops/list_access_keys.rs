//! `ListAccessKeys`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::authorize::iso;
use crate::directory::HeldKey;
use crate::entity::User;
use crate::names::UserName;
use crate::ops::user_or_caller;
use crate::shapes::{PageRequest, on_user_or_caller};
use crate::{Error, Iam};

pub(super) struct ListAccessKeys;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: Option<UserName>,
    #[serde(flatten)]
    page: PageRequest,
}

fn status(active: bool) -> &'static str {
    if active { "Active" } else { "Inactive" }
}

impl Operation for ListAccessKeys {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListAccessKeys";
    const ACTION: &'static str = "iam:ListAccessKeys";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user_or_caller(cx, request.user_name.as_deref())
    }

    /// # Errors
    /// `NoSuchEntity`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let user = user_or_caller(cx, request.user_name)?;
        iam.entity::<User>(&cx.account, &user)?;
        let keys = iam.directory().keys_of(&cx.account, &user);
        let row = |held: &HeldKey| {
            let shape = json!({
                "UserName": user, "AccessKeyId": held.key.id, "Status": status(held.key.active),
                "CreateDate": iso(held.key.created_at),
            });
            (held.key.id.clone(), shape)
        };
        request.page.cut("AccessKeyMetadata", keys.iter().map(|held| row(held)))
    }
}
