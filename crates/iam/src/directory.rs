//! Everything that is stored, in memory and with its policies parsed: what requests are decided from.
//!
//! 1. The directory holds what is durable and nothing else: an entity is put here after its commit.
//! 2. A stored policy parsed when it was stored. One that no longer does denies everything its holder asks: it is kept as
//!    [`deny_all`], because to leave it out could leave out a Deny.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use kernel::{AccountId, Secret};
use policy::Document;

use crate::accounts::HeldRoot;
use crate::aws_managed::AwsManaged;
use crate::entity::{
    AccessKey, Alias, FormerKey, Grants, Group, InstanceProfile, MemberAccount, Named, OidcProvider, Policy,
    Role, User,
};

/// An entity and its policies, parsed.
#[derive(Clone)]
pub(crate) struct Held<E> {
    pub(crate) entity: E,
    pub(crate) documents: Vec<Arc<Document>>,
}

/// The identities of one account, by names in lower case.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) users: BTreeMap<String, Arc<Held<User>>>,
    pub(crate) groups: BTreeMap<String, Arc<Held<Group>>>,
    pub(crate) roles: BTreeMap<String, Arc<HeldRole>>,
    pub(crate) policies: BTreeMap<String, Arc<Held<Policy>>>,
    pub(crate) instance_profiles: BTreeMap<String, Arc<Held<InstanceProfile>>>,
    pub(crate) oidc_providers: BTreeMap<String, Arc<Held<OidcProvider>>>,
    pub(crate) alias: Option<String>,
}

/// A role, and who may assume it.
pub(crate) type HeldRole = Held<Role>;

/// An access key with its secret.
#[derive(Clone)]
pub(crate) struct HeldKey {
    pub(crate) key: AccessKey,
    pub(crate) secret: Secret<String>,
}

/// All accounts.
pub(crate) struct Directory {
    accounts: HashMap<AccountId, Account>,
    /// The accounts besides the first.
    pub(crate) members: BTreeMap<AccountId, MemberAccount>,
    /// The keys of their roots.
    pub(crate) roots: HashMap<String, HeldRoot>,
    pub(crate) keys: BTreeMap<String, Arc<HeldKey>>,
    /// Accounts by alias.
    pub(crate) aliases: BTreeMap<String, AccountId>,
    pub(crate) aws_managed: Arc<AwsManaged>,
    none: Account,
}

/// What an identity's policies say.
pub(crate) struct Said {
    pub(crate) identity: Vec<Arc<Document>>,
    pub(crate) boundary: Option<Arc<Document>>,
}

/// An entity that the directory can hold.
pub(crate) trait Kept: Named + store::Entity {
    /// Where an account keeps them.
    fn of(account: &Account) -> &BTreeMap<String, Arc<Held<Self>>>;
    /// The same, to change.
    fn of_mut(account: &mut Account) -> &mut BTreeMap<String, Arc<Held<Self>>>;
    /// Texts of the policies it holds; of a role, the trust policy first.
    fn texts(&self) -> Vec<&str>;
}

macro_rules! kept {
    ($($entity:ty: $field:ident, $this:ident => $texts:expr);* $(;)?) => {$(
        impl Kept for $entity {
            fn of(account: &Account) -> &BTreeMap<String, Arc<Held<Self>>> {
                &account.$field
            }

            fn of_mut(account: &mut Account) -> &mut BTreeMap<String, Arc<Held<Self>>> {
                &mut account.$field
            }

            fn texts(&self) -> Vec<&str> {
                let $this = self;
                $texts
            }
        }
    )*};
}

kept! {
    User: users, this => inline(&this.grants);
    Group: groups, this => inline(&this.grants);
    Role: roles, this => std::iter::once(this.trust.as_str()).chain(inline(&this.grants)).collect();
    Policy: policies, this => this.versions.get(&this.default_version).map(|v| v.text.as_str()).into_iter().collect();
    InstanceProfile: instance_profiles, _this => Vec::new();
    OidcProvider: oidc_providers, _this => Vec::new();
}

fn inline(grants: &Grants) -> Vec<&str> {
    grants.inline.values().map(String::as_str).collect()
}

impl<E: Kept> Held<E> {
    pub(crate) fn new(entity: E) -> Self {
        let documents = entity
            .texts()
            .into_iter()
            .map(|text| {
                Document::parse(text).map_or_else(
                    |error| {
                        tracing::error!(kind = E::KIND, name = entity.name(), %error, "a stored policy does not parse");
                        deny_all()
                    },
                    Arc::new,
                )
            })
            .collect();
        Self { entity, documents }
    }
}

impl HeldRole {
    /// Who may assume the role.
    pub(crate) fn trust(&self) -> Arc<Document> {
        self.documents.first().map_or_else(deny_all, Arc::clone)
    }
}

/// A policy that denies everything.
pub(crate) fn deny_all() -> Arc<Document> {
    static DENY_ALL: OnceLock<Arc<Document>> = OnceLock::new();
    let parse = || {
        let text = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
        Arc::new(Document::parse(text).expect("it is a policy"))
    };
    Arc::clone(DENY_ALL.get_or_init(parse))
}

impl Directory {
    pub(crate) fn new(aws_managed: Arc<AwsManaged>) -> Self {
        Self {
            accounts: HashMap::new(),
            members: BTreeMap::new(),
            roots: HashMap::new(),
            keys: BTreeMap::new(),
            aliases: BTreeMap::new(),
            aws_managed,
            none: Account::default(),
        }
    }

    pub(crate) fn account(&self, account: &AccountId) -> &Account {
        self.accounts.get(account).unwrap_or(&self.none)
    }

    pub(crate) fn account_mut(&mut self, account: &AccountId) -> &mut Account {
        self.accounts.entry(account.clone()).or_default()
    }

    /// The entity of exactly this name.
    pub(crate) fn get<E: Kept>(&self, account: &AccountId, name: &str) -> Option<&Arc<Held<E>>> {
        E::of(self.account(account)).get(&name.to_lowercase()).filter(|held| held.entity.name() == name)
    }

    /// The entity with this ARN.
    pub(crate) fn by_arn<E: Kept>(&self, arn: &str) -> Option<(AccountId, &Arc<Held<E>>)> {
        let (account, rest) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
        let account: AccountId = account.parse().ok()?;
        let held = self.get::<E>(&account, rest.rsplit('/').next()?)?;
        (held.entity.arn(&account) == arn).then_some((account, held))
    }

    /// The document that a managed policy's ARN stands for: of AWS, or of `account`.
    pub(crate) fn managed(&self, account: &AccountId, arn: &str) -> Option<Arc<Document>> {
        if let Some(policy) = self.aws_managed.get(arn) {
            return Some(Arc::clone(&policy.document));
        }
        let (owner, held) = self.by_arn::<Policy>(arn)?;
        (owner == *account).then(|| held.documents.first().cloned()).flatten()
    }

    fn granted(&self, account: &AccountId, inline: &[Arc<Document>], grants: &Grants) -> Vec<Arc<Document>> {
        // A policy cannot be deleted while it is attached.
        let attached = grants.attached.iter().map(|arn| self.managed(account, arn).unwrap_or_else(deny_all));
        inline.iter().cloned().chain(attached).collect()
    }

    fn boundary(&self, account: &AccountId, arn: Option<&String>) -> Option<Arc<Document>> {
        // A boundary whose policy is gone allows nothing, as in AWS.
        arn.map(|arn| self.managed(account, arn).unwrap_or_else(deny_all))
    }

    /// What the policies of a user and its groups say.
    pub(crate) fn user_says(&self, account: &AccountId, user: &Held<User>) -> Said {
        let mut identity = self.granted(account, &user.documents, &user.entity.grants);
        for name in &user.entity.groups {
            if let Some(group) = self.get::<Group>(account, name) {
                identity.extend(self.group_says(account, group).identity);
            }
        }
        Said { identity, boundary: self.boundary(account, user.entity.boundary.as_ref()) }
    }

    /// What the policies of a group say.
    pub(crate) fn group_says(&self, account: &AccountId, group: &Held<Group>) -> Said {
        Said { identity: self.granted(account, &group.documents, &group.entity.grants), boundary: None }
    }

    /// What the policies of a role say.
    pub(crate) fn role_says(&self, account: &AccountId, role: &HeldRole) -> Said {
        let inline = role.documents.get(1..).unwrap_or_default();
        Said {
            identity: self.granted(account, inline, &role.entity.grants),
            boundary: self.boundary(account, role.entity.boundary.as_ref()),
        }
    }

    /// The access keys of a user, in the order of their ids.
    pub(crate) fn keys_of(&self, account: &AccountId, user: &str) -> Vec<Arc<HeldKey>> {
        let of_user = |held: &&Arc<HeldKey>| held.key.account == *account && held.key.user == user;
        self.keys.values().filter(of_user).cloned().collect()
    }

    /// Takes an account in, or its new key; `open` tells the secrets of its keys.
    pub(crate) fn put_member(
        &mut self,
        member: MemberAccount,
        open: impl Fn(&str, &str) -> Option<Secret<String>>,
    ) {
        self.roots.retain(|_, held| held.account != member.account);
        let former = member.previous.as_ref().map(|FormerKey { key, until }| (key, Some(*until)));
        for (key, until) in std::iter::once((&member.root, None)).chain(former) {
            match open(&key.id, &key.sealed_secret) {
                Some(secret) => {
                    let held = HeldRoot { account: member.account.clone(), secret, until };
                    self.roots.insert(key.id.clone(), held);
                }
                None => {
                    tracing::error!(id = key.id, "a root key's secret does not open; the key is of no use");
                }
            }
        }
        self.members.insert(member.account.clone(), member);
    }

    pub(crate) fn put_alias(&mut self, alias: &Alias) {
        self.aliases.insert(alias.alias.clone(), alias.account.clone());
        self.account_mut(&alias.account).alias = Some(alias.alias.clone());
    }

    pub(crate) fn remove_alias(&mut self, alias: &Alias) {
        self.aliases.remove(&alias.alias);
        self.account_mut(&alias.account).alias = None;
    }
}
