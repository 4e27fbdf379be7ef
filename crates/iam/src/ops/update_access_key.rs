//! `UpdateAccessKey`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::{Directory, HeldKey};
use crate::entity::AccessKey;
use crate::names::{AccessKeyId, UserName};
use crate::ops::{key_of, user_or_caller};
use crate::shapes::on_user_or_caller;
use crate::{Error, Iam};

pub(super) struct UpdateAccessKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: Option<UserName>,
    access_key_id: AccessKeyId,
    status: Status,
}

#[derive(Deserialize)]
enum Status {
    Active,
    Inactive,
}

impl Operation for UpdateAccessKey {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "UpdateAccessKey";
    const ACTION: &'static str = "iam:UpdateAccessKey";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user_or_caller(cx, request.user_name.as_deref())
    }

    /// # Errors
    /// `NoSuchEntity`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let (id, user) = (request.access_key_id.0, user_or_caller(cx, request.user_name)?);
        let change = |directory: &Directory| {
            let held = key_of(directory, &cx.account, &user, &id)?;
            let key = AccessKey { active: matches!(request.status, Status::Active), ..held.key.clone() };
            Ok(HeldKey { key, secret: held.secret.clone() })
        };
        iam.put_key(change).await.map(drop)
    }
}
