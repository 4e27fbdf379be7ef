//! Policies of users, groups and roles: inline and attached, the same for all three.

use kernel::AccountId;
use serde_json::{Value, json};

use crate::change::{Described, modifiable};
use crate::directory::Directory;
use crate::documents::{check_identity, encoded, size};
use crate::entity::{Grants, Group, Role, User};
use crate::limits::{ATTACHED_MAX, GROUP_INLINE_CHARS_MAX, ROLE_INLINE_CHARS_MAX, USER_INLINE_CHARS_MAX};
use crate::shapes::PageRequest;
use crate::{Error, Iam};

/// What has policies.
pub(crate) trait Holder: Described {
    /// Characters of all inline policies together.
    const INLINE_CHARS_MAX: usize;
    /// The quota's name.
    const ATTACHED_QUOTA: &'static str;
    /// `UserName`.
    const NAME_MEMBER: &'static str;

    fn grants(&self) -> &Grants;
    fn grants_mut(&mut self) -> &mut Grants;

    /// # Errors
    /// `UnmodifiableEntity`.
    fn check_modifiable(&self) -> Result<(), Error> {
        Ok(())
    }
}

macro_rules! holders {
    ($($entity:ty: $inline:ident, $quota:literal, $member:literal, $check:expr);* $(;)?) => {$(
        impl Holder for $entity {
            const INLINE_CHARS_MAX: usize = $inline;
            const ATTACHED_QUOTA: &'static str = $quota;
            const NAME_MEMBER: &'static str = $member;

            fn grants(&self) -> &Grants {
                &self.grants
            }

            fn grants_mut(&mut self) -> &mut Grants {
                &mut self.grants
            }

            fn check_modifiable(&self) -> Result<(), Error> {
                $check(self)
            }
        }
    )*};
}

holders! {
    User: USER_INLINE_CHARS_MAX, "PoliciesPerUser", "UserName", |_: &User| Ok(());
    Group: GROUP_INLINE_CHARS_MAX, "PoliciesPerGroup", "GroupName", |_: &Group| Ok(());
    Role: ROLE_INLINE_CHARS_MAX, "PoliciesPerRole", "RoleName", modifiable;
}

impl Iam {
    pub(crate) async fn put_inline<E: Holder>(
        &self,
        account: &AccountId,
        name: &str,
        policy_name: &str,
        text: String,
    ) -> Result<(), Error> {
        check_identity(&text)?;
        let change = |entity: &mut E, _: &Directory| {
            entity.check_modifiable()?;
            let kind = E::KIND;
            let (name, inline) = (entity.name().to_owned(), &mut entity.grants_mut().inline);
            inline.insert(policy_name.to_owned(), text);
            if inline.values().map(|text| size(text)).sum::<usize>() > E::INLINE_CHARS_MAX {
                let max = E::INLINE_CHARS_MAX;
                let said = format!("Maximum policy size of {max} bytes exceeded for {kind} {name}");
                return Err(Error::LimitExceeded(said));
            }
            Ok(())
        };
        self.update::<E>(account, name, change).await.map(drop)
    }

    pub(crate) fn inline<E: Holder>(
        &self,
        account: &AccountId,
        name: &str,
        policy_name: &str,
    ) -> Result<Value, Error> {
        let held = self.entity::<E>(account, name)?;
        let text = held.entity.grants().inline.get(policy_name).ok_or_else(|| no_inline::<E>(policy_name))?;
        Ok(json!({E::NAME_MEMBER: name, "PolicyName": policy_name, "PolicyDocument": encoded(text)}))
    }

    pub(crate) fn list_inline<E: Holder>(
        &self,
        account: &AccountId,
        name: &str,
        page: &PageRequest,
    ) -> Result<Value, Error> {
        let held = self.entity::<E>(account, name)?;
        let names = held.entity.grants().inline.keys();
        page.cut("PolicyNames", names.map(|name| (name.clone(), Value::from(name.as_str()))))
    }

    pub(crate) async fn delete_inline<E: Holder>(
        &self,
        account: &AccountId,
        name: &str,
        policy_name: &str,
    ) -> Result<(), Error> {
        let change = |entity: &mut E, _: &Directory| {
            entity.check_modifiable()?;
            let removed = entity.grants_mut().inline.remove(policy_name);
            removed.map(drop).ok_or_else(|| no_inline::<E>(policy_name))
        };
        self.update::<E>(account, name, change).await.map(drop)
    }

    pub(crate) async fn attach<E: Holder>(
        &self,
        account: &AccountId,
        name: &str,
        arn: &str,
    ) -> Result<(), Error> {
        let change = |entity: &mut E, directory: &Directory| {
            entity.check_modifiable()?;
            check_attachable(directory, account, arn)?;
            let attached = &mut entity.grants_mut().attached;
            attached.insert(arn.to_owned());
            if attached.len() > ATTACHED_MAX {
                return Err(Error::quota(E::ATTACHED_QUOTA, ATTACHED_MAX));
            }
            Ok(())
        };
        self.update::<E>(account, name, change).await.map(drop)
    }

    pub(crate) async fn detach<E: Holder>(
        &self,
        account: &AccountId,
        name: &str,
        arn: &str,
    ) -> Result<(), Error> {
        let change = |entity: &mut E, _: &Directory| {
            entity.check_modifiable()?;
            if entity.grants_mut().attached.remove(arn) {
                return Ok(());
            }
            Err(Error::NoSuchEntity(format!("Policy {arn} was not found.")))
        };
        self.update::<E>(account, name, change).await.map(drop)
    }

    pub(crate) fn list_attached<E: Holder>(
        &self,
        account: &AccountId,
        name: &str,
        path_prefix: Option<&str>,
        page: &PageRequest,
    ) -> Result<Value, Error> {
        let held = self.entity::<E>(account, name)?;
        let prefix = path_prefix.unwrap_or("/");
        let within = |arn: &&String| {
            arn.split_once(":policy").is_some_and(|(_, path_and_name)| path_and_name.starts_with(prefix))
        };
        let shape = |arn: &String| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            (arn.clone(), json!({"PolicyName": name, "PolicyArn": arn}))
        };
        page.cut("AttachedPolicies", held.entity.grants().attached.iter().filter(within).map(shape))
    }
}

fn no_inline<E: Holder>(policy_name: &str) -> Error {
    Error::NoSuchEntity(format!("The {} policy with name {policy_name} cannot be found.", E::KIND))
}

/// # Errors
/// `NoSuchEntity`.
pub(crate) fn check_attachable(directory: &Directory, account: &AccountId, arn: &str) -> Result<(), Error> {
    if directory.managed(account, arn).is_some() {
        return Ok(());
    }
    Err(Error::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable.")))
}

/// # Errors
/// `DeleteConflict` while there are policies.
pub(crate) fn check_bare(grants: &Grants) -> Result<(), Error> {
    if !grants.attached.is_empty() {
        return Err(Error::DeleteConflict("Cannot delete entity, must detach all policies first."));
    }
    if !grants.inline.is_empty() {
        return Err(Error::DeleteConflict("Cannot delete entity, must delete policies first."));
    }
    Ok(())
}
