//! `DeleteAccessKey`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::names::{AccessKeyId, UserName};
use crate::ops::{key_of, user_or_caller};
use crate::shapes::on_user_or_caller;
use crate::{Error, Iam};

pub(super) struct DeleteAccessKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: Option<UserName>,
    access_key_id: AccessKeyId,
}

impl Operation for DeleteAccessKey {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteAccessKey";
    const ACTION: &'static str = "iam:DeleteAccessKey";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user_or_caller(cx, request.user_name.as_deref())
    }

    /// # Errors
    /// `NoSuchEntity`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let (id, user) = (request.access_key_id.0, user_or_caller(cx, request.user_name)?);
        let check = |directory: &Directory| key_of(directory, &cx.account, &user, &id).map(drop);
        iam.remove_key(&id, check).await
    }
}
