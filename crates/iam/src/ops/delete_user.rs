//! `DeleteUser`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::User;
use crate::grants::check_bare;
use crate::names::UserName;
use crate::shapes::on_user;
use crate::{Error, Iam};

pub(super) struct DeleteUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
}

impl Operation for DeleteUser {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteUser";
    const ACTION: &'static str = "iam:DeleteUser";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `DeleteConflict`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let check = |user: &User, directory: &Directory| {
            if !directory.keys_of(&cx.account, &user.name).is_empty() {
                return Err(Error::DeleteConflict("Cannot delete entity, must delete access keys first."));
            }
            if !user.groups.is_empty() {
                return Err(Error::DeleteConflict(
                    "Cannot delete entity, must remove users from group first.",
                ));
            }
            check_bare(&user.grants)
        };
        iam.remove::<User>(&cx.account, &request.user_name, check).await
    }
}
