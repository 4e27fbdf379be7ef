//! For the tests at the bottom of an operation's file: a call through the real decode, authorise and encode.

use kernel::{AccountId, Context, Principal, Region};
use serde_json::Value;

use crate::authorize::{Authorize, Denied, Resource};
use crate::envelope::Fault;
use crate::operation::{Input, Service};

/// The context of a test's caller: the root of account 000000000000 in us-east-1.
pub fn context() -> Context {
    let account = AccountId::default_account();
    Context {
        principal: Principal::Root { account: account.clone() },
        account,
        region: Region::default_region(),
        request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        source_ip: None,
        secure: false,
    }
}

/// Allows everything.
#[derive(Clone, Copy, Debug)]
pub struct AllowAll;

impl Authorize for AllowAll {
    fn authorize(&self, _: &Context, _: &str, _: &Resource) -> Result<(), Denied> {
        Ok(())
    }
}

/// Calls an operation as [`context`]'s caller.
///
/// # Errors
/// The fault a client would see, of an operation that is not there too.
pub async fn call(service: &dyn Service, operation: &str, input: Value) -> Result<Value, Fault> {
    let cx = context();
    let call = service
        .call(&cx, operation, Input::Members(input), &AllowAll)
        .ok_or_else(Fault::unknown_operation)?;
    let output = call.await?;
    Ok(serde_json::from_slice(&output).expect("the encoder wrote JSON"))
}
