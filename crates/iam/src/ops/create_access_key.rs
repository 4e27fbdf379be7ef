//! `CreateAccessKey`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::authorize::iso;
use crate::change::Described;
use crate::directory::{Directory, HeldKey};
use crate::entity::{AccessKey, User};
use crate::ids;
use crate::limits::ACCESS_KEYS_PER_USER_MAX;
use crate::names::UserName;
use crate::ops::user_or_caller;
use crate::shapes::on_user_or_caller;
use crate::{Error, Iam};

pub(super) struct CreateAccessKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: Option<UserName>,
}

impl Operation for CreateAccessKey {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "CreateAccessKey";
    const ACTION: &'static str = "iam:CreateAccessKey";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user_or_caller(cx, request.user_name.as_deref())
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`, `ValidationError`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let user = user_or_caller(cx, request.user_name)?;
        let secret = ids::secret(&iam.entropy);
        let make = |directory: &Directory| {
            if directory.get::<User>(&cx.account, &user).is_none() {
                return Err(Error::NoSuchEntity(User::missing(&user)));
            }
            if directory.keys_of(&cx.account, &user).len() >= ACCESS_KEYS_PER_USER_MAX {
                return Err(Error::quota("AccessKeysPerUser", ACCESS_KEYS_PER_USER_MAX));
            }
            // 39 bits of chance: draw again in the rare case that two agree.
            let mut id = ids::access_key(&iam.entropy, "AKIA", &cx.account);
            while directory.keys.contains_key(&id) || directory.roots.contains_key(&id) {
                id = ids::access_key(&iam.entropy, "AKIA", &cx.account);
            }
            let key = AccessKey {
                sealed_secret: iam.sealer.seal(&id, secret.expose().as_bytes()),
                id,
                account: cx.account.clone(),
                user,
                active: true,
                created_at: iam.clock.now(),
            };
            Ok(HeldKey { key, secret: secret.clone() })
        };
        let held = iam.put_key(make).await?;
        Ok(json!({"AccessKey": {
            "UserName": held.key.user, "AccessKeyId": held.key.id, "Status": "Active",
            "SecretAccessKey": secret.expose(), "CreateDate": iso(held.key.created_at),
        }}))
    }
}
