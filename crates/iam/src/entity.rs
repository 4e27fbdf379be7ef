//! What is stored: users, groups, roles, policies, access keys, instance profiles, and the account's settings.
//!
//! Key of each: account, then its name; names differ by more than case, so the key has the name in lower case.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Entity;

/// Keys and values.
pub(crate) type Tags = BTreeMap<String, String>;

/// What its policies let an identity do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Grants {
    /// Texts by name.
    pub(crate) inline: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub(crate) attached: BTreeSet<String>,
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) tags: Tags,
    pub(crate) boundary: Option<String>,
    pub(crate) grants: Grants,
    /// Names of groups.
    pub(crate) groups: BTreeSet<String>,
}

/// A group of users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) grants: Grants,
}

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) description: Option<String>,
    pub(crate) session_s_max: u64,
    /// Who may assume it: text.
    pub(crate) trust: String,
    pub(crate) tags: Tags,
    pub(crate) boundary: Option<String>,
    pub(crate) grants: Grants,
}

/// A managed policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
    /// By number: `v1` is 1. At least one.
    pub(crate) versions: BTreeMap<u32, Version>,
    pub(crate) default_version: u32,
    /// A version's number is never used again.
    pub(crate) next_version: u32,
}

/// A version of a managed policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) text: String,
    pub(crate) created_at: Timestamp,
}

/// An access key of a user. Key: its id alone, since a request names no account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) account: AccountId,
    pub(crate) user: String,
    pub(crate) active: bool,
    pub(crate) created_at: Timestamp,
    /// Sealed for the key's id.
    pub(crate) sealed_secret: String,
}

/// An instance profile: a role under another name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InstanceProfile {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) tags: Tags,
    /// A role's name.
    pub(crate) role: Option<String>,
}

/// The account's alias, unique on the node. Key: the alias.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(crate) alias: String,
    pub(crate) account: AccountId,
}

/// An OpenID Connect provider that the account trusts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OidcProvider {
    /// Without `https://`.
    pub(crate) url: String,
    /// Audiences of tokens for this account.
    pub(crate) client_ids: Vec<String>,
    /// SHA-1 of certificates, in lower-case hex.
    pub(crate) thumbprints: Vec<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) tags: Tags,
}

/// An account besides the first, and the key of its root.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MemberAccount {
    pub(crate) account: AccountId,
    pub(crate) name: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) root: SealedKey,
    /// What was the root's key before, while it is good.
    pub(crate) previous: Option<FormerKey>,
}

/// A key of a root.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SealedKey {
    pub(crate) id: String,
    /// Sealed for the key's id.
    pub(crate) sealed_secret: String,
}

/// A key that was replaced.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FormerKey {
    pub(crate) key: SealedKey,
    /// When it is over.
    pub(crate) until: Timestamp,
}

macro_rules! entities {
    ($($entity:ty: $table:literal),* $(,)?) => {$(
        impl Entity for $entity {
            const TABLE: &'static str = $table;
            const VERSION: u8 = 1;
        }
    )*};
}

entities! {
    User: "iam_user",
    Group: "iam_group",
    Role: "iam_role",
    Policy: "iam_policy",
    AccessKey: "iam_access_key",
    InstanceProfile: "iam_instance_profile",
    Alias: "iam_account_alias",
    MemberAccount: "iam_account",
    OidcProvider: "iam_oidc_provider",
}

/// What all that has a name and a path has in common.
pub(crate) trait Named {
    fn name(&self) -> &str;
    fn path(&self) -> &str;
    /// `user` in `arn:aws:iam::ACCOUNT:user/PATH/NAME`.
    const KIND: &'static str;

    fn arn(&self, account: &AccountId) -> String {
        format!("arn:aws:iam::{account}:{}{}{}", Self::KIND, self.path(), self.name())
    }
}

macro_rules! named {
    ($($entity:ty: $kind:literal),* $(,)?) => {$(
        impl Named for $entity {
            const KIND: &'static str = $kind;

            fn name(&self) -> &str {
                &self.name
            }

            fn path(&self) -> &str {
                &self.path
            }
        }
    )*};
}

named! {
    User: "user",
    Group: "group",
    Role: "role",
    Policy: "policy",
    InstanceProfile: "instance-profile",
}

/// The path of roles that only a service may change.
pub(crate) const SERVICE_LINKED_PATH: &str = "/aws-service-role/";

impl Role {
    pub(crate) fn is_service_linked(&self) -> bool {
        self.path.starts_with(SERVICE_LINKED_PATH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads<E: Entity>(json: &str) -> E {
        store::entity::decode(&[b"\x01", json.as_bytes()].concat()).unwrap()
    }

    #[test]
    fn version_1_reads() {
        let user: User = reads(
            r#"{"name":"Bob","path":"/a/","id":"AIDA","created_at":7,"tags":{"k":"v"},"boundary":"arn:b","grants":{"inline":{"p":"{}"},"attached":["arn:p"]},"groups":["g"]}"#,
        );
        assert_eq!(user.arn(&AccountId::default_account()), "arn:aws:iam::000000000000:user/a/Bob");
        assert_eq!((user.grants.inline["p"].as_str(), user.tags["k"].as_str()), ("{}", "v"));
        let group: Group = reads(
            r#"{"name":"g","path":"/","id":"AGPA","created_at":7,"grants":{"inline":{},"attached":[]}}"#,
        );
        assert_eq!(group.arn(&AccountId::default_account()), "arn:aws:iam::000000000000:group/g");
        let role: Role = reads(
            r#"{"name":"r","path":"/aws-service-role/x/","id":"AROA","created_at":7,"description":"d","session_s_max":3600,"trust":"{}","tags":{},"boundary":null,"grants":{"inline":{},"attached":[]}}"#,
        );
        assert!(role.is_service_linked());
        let policy: Policy = reads(
            r#"{"name":"p","path":"/","id":"ANPA","created_at":7,"updated_at":8,"description":null,"tags":{},"versions":{"1":{"text":"{}","created_at":7}},"default_version":1,"next_version":2}"#,
        );
        assert_eq!(policy.versions[&1].text, "{}");
        let key: AccessKey = reads(
            r#"{"id":"AKIA","account":"000000000000","user":"Bob","active":true,"created_at":7,"sealed_secret":"x"}"#,
        );
        assert_eq!((key.user.as_str(), key.active), ("Bob", true));
        let profile: InstanceProfile =
            reads(r#"{"name":"i","path":"/","id":"AIPA","created_at":7,"tags":{},"role":"r"}"#);
        assert_eq!(profile.role.as_deref(), Some("r"));
        let alias: Alias = reads(r#"{"alias":"lab","account":"000000000000"}"#);
        assert_eq!(alias.alias, "lab");
        let provider: OidcProvider = reads(
            r#"{"url":"idp.example/a","client_ids":["app"],"thumbprints":[],"created_at":7,"tags":{}}"#,
        );
        assert_eq!(
            provider.arn(&AccountId::default_account()),
            "arn:aws:iam::000000000000:oidc-provider/idp.example/a"
        );
        let member: MemberAccount = reads(
            r#"{"account":"111122223333","name":"lab","created_at":7,"root":{"id":"AKIA","sealed_secret":"x"},"previous":{"key":{"id":"AKIB","sealed_secret":"y"},"until":9}}"#,
        );
        assert_eq!((member.root.id.as_str(), member.previous.unwrap().key.id.as_str()), ("AKIA", "AKIB"));
    }
}
