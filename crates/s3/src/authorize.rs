//! Who may do what to a bucket and its objects.
//!
//! 1. A decision is made from what is in memory: the bucket's owner, its policy and its block of public access (`directory.rs`). Only where
//!    a policy may ask for the tags that an object has is the object read.
//! 2. Within the owner's account the caller's policies or the bucket's allow; from elsewhere both must. Nobody in particular is
//!    allowed by the bucket's policy alone.
//! 3. Where the policy lets the public in and RestrictPublicBuckets is on, nobody is let in but services and the owner's account.
//! 4. The owner's root may always read, replace and delete the policy, so that nobody is locked out of a bucket for good.
//! 5. To callers of other accounts a refusal does not say why.
//! 6. All that one call decides, reads and writes under one name is of one bucket: were it deleted and made anew meanwhile, by whomever,
//!    there is no such bucket. Otherwise a slow upload could be begun in one's own bucket and end in another's.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html>
//!
//! Differs from AWS: of S3's condition keys those are missing that concern what is missing itself (encryption, locks, access points,
//! jobs), s3:LocationConstraint and s3:TlsVersion; s3:signatureAge is known of presigned requests only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use kernel::{AccountId, Context, Principal, Timestamp};
use wire::authorize::Denied;
use wire::{Facts, Resource};

use crate::bucket::Bucket;
use crate::directory::Known;
use crate::service::{bucket_arn, object_arn};
use crate::tags::Tags;
use crate::{Error, S3};

/// A condition key and its values.
pub(crate) type Key = (Cow<'static, str>, Vec<String>);

/// What the owner's root may whatever the policy says: invariant 4.
const OWNERS_ALWAYS: [&str; 3] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

/// Who asks, and what of the way they ask policies may depend on.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    cx: Context,
    keys: Vec<Key>,
    /// Which bucket each name meant at its first use: invariant 6.
    met: Arc<Mutex<BTreeMap<String, Incarnation>>>,
}

/// What tells a bucket from a later one of its name.
type Incarnation = (AccountId, Timestamp);

impl Caller {
    /// A caller over HTTP, with the condition keys of any request of theirs.
    pub(crate) fn new(cx: Context, mut keys: Vec<Key>) -> Self {
        if let Principal::Service { account, .. } = &cx.principal {
            keys.push((Cow::Borrowed("aws:SourceAccount"), vec![account.to_string()]));
        }
        Self { cx, keys, met: Arc::default() }
    }

    /// Whether this is the bucket that the name has meant so far.
    pub(crate) fn meets(&self, name: &str, bucket: &Bucket) -> bool {
        let now = (bucket.account.clone(), bucket.created_at);
        let mut met = self.met.lock().expect("no holder of this lock panics");
        *met.entry(name.to_owned()).or_insert_with(|| now.clone()) == now
    }

    /// A caller in process.
    pub(crate) fn in_process(cx: &Context) -> Self {
        Self::new(cx.clone(), Vec::new())
    }

    /// Whether the caller is of this account.
    pub(crate) fn is_of(&self, account: &AccountId) -> bool {
        self.cx.principal.account() == Some(account)
    }

    /// Whether no policy of the caller's own is asked.
    fn has_no_policies(&self) -> bool {
        matches!(self.cx.principal, Principal::Root { .. } | Principal::Service { .. } | Principal::Anonymous)
    }
}

impl Deref for Caller {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.cx
    }
}

/// What is acted on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    Bucket(&'a str),
    Object(&'a str, &'a str),
}

impl<'a> Target<'a> {
    pub(crate) fn bucket(self) -> &'a str {
        let (Self::Bucket(bucket) | Self::Object(bucket, _)) = self;
        bucket
    }

    fn resource(self) -> Resource {
        match self {
            Self::Bucket(bucket) => bucket_arn(bucket),
            Self::Object(bucket, key) => object_arn(bucket, key),
        }
    }
}

/// The refusal that says nothing.
pub(crate) fn denied() -> Error {
    Error::AccessDenied("Access Denied".to_owned())
}

/// The keys about tags that a request brings.
pub(crate) fn request_tags(tags: &Tags) -> Vec<Key> {
    let mut keys = named_tags("s3:RequestObjectTag/", tags);
    if !tags.is_empty() {
        keys.push((Cow::Borrowed("s3:RequestObjectTagKeys"), tags.keys().cloned().collect()));
    }
    keys
}

fn named_tags(prefix: &str, tags: &Tags) -> Vec<Key> {
    tags.iter().map(|(key, value)| (Cow::Owned(format!("{prefix}{key}")), vec![value.clone()])).collect()
}

impl S3 {
    /// The bucket's entry in the directory.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub(crate) fn known(&self, bucket: &str) -> Result<Arc<Known>, Error> {
        self.directory.get(bucket).ok_or(Error::NoSuchBucket)
    }

    /// The same, if it is the bucket that the caller has met. Asked once more after a read, it makes sure of what was read: whoever
    /// makes a bucket anew is told so, and can put something into it, only when the directory has it.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub(crate) fn met(&self, caller: &Caller, bucket: &str) -> Result<Arc<Known>, Error> {
        let known = self.known(bucket)?;
        if caller.meets(bucket, &known.bucket) { Ok(known) } else { Err(Error::NoSuchBucket) }
    }

    /// The decision on an action.
    ///
    /// # Errors
    /// `NoSuchBucket`, `AccessDenied`.
    pub(crate) fn allow(&self, caller: &Caller, action: &str, target: Target<'_>) -> Result<(), Error> {
        self.allow_with(caller, action, target, &[])
    }

    /// The same where the request says more.
    ///
    /// # Errors
    /// `NoSuchBucket`, `AccessDenied`.
    pub(crate) fn allow_with(
        &self,
        caller: &Caller,
        action: &str,
        target: Target<'_>,
        more: &[Key],
    ) -> Result<(), Error> {
        let known = self.met(caller, target.bucket())?;
        admit(caller, &known)?;
        let bucket = &known.bucket;
        let is_own = caller.is_of(&bucket.account);
        let always =
            is_own && matches!(caller.principal, Principal::Root { .. }) && OWNERS_ALWAYS.contains(&action);
        let policy = bucket.policy.as_deref().filter(|_| !always);
        let owner = bucket.account.as_str();
        let mut keys: Vec<(&str, Vec<String>)> =
            caller.keys.iter().chain(more).map(|(name, values)| (name.as_ref(), values.clone())).collect();
        keys.push(("s3:ResourceAccount", vec![owner.to_owned()]));
        let facts = Facts { owner: Some(owner), resource_policy: policy, keys: &keys };
        self.authorize.authorize_with(caller, action, &target.resource(), &facts).map_err(|refusal| {
            if !is_own {
                return denied();
            }
            Error::AccessDenied(sentence(action, &refusal))
        })
    }

    /// The decision on an action in the caller's own account, on a bucket that is not there yet or on none.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(crate) fn allow_account(
        &self,
        caller: &Caller,
        action: &str,
        resource: &Resource,
    ) -> Result<(), Error> {
        if caller.principal == Principal::Anonymous {
            return Err(denied());
        }
        let keys: Vec<(&str, Vec<String>)> =
            caller.keys.iter().map(|(name, values)| (name.as_ref(), values.clone())).collect();
        let facts = Facts { keys: &keys, ..Facts::default() };
        let decided = self.authorize.authorize_with(caller, action, resource, &facts);
        decided.map_err(|refusal| Error::AccessDenied(sentence(action, &refusal)))
    }

    /// The decision on an action that policies may make dependent on the tags an object has.
    ///
    /// # Errors
    /// `NoSuchBucket`, `AccessDenied`.
    pub(crate) async fn allow_existing(
        &self,
        caller: &Caller,
        action: &str,
        (bucket, key): (&str, &str),
        more: &[Key],
    ) -> Result<(), Error> {
        let known = self.met(caller, bucket)?;
        admit(caller, &known)?;
        let mut more = Cow::Borrowed(more);
        if (known.asks_for_tags || !caller.has_no_policies())
            && crate::service::check_key(key).is_ok()
            && let Some(object) = self.objects.get(&[bucket, key]).await?
        {
            more.to_mut().extend(named_tags("s3:ExistingObjectTag/", &object.entity.described.tags));
        }
        self.allow_with(caller, action, Target::Object(bucket, key), &more)
    }

    /// Whether the caller has any prospect at a bucket; the operation decides on what it finds in its body.
    ///
    /// # Errors
    /// `NoSuchBucket`, `AccessDenied`.
    pub(crate) fn admit(&self, caller: &Caller, bucket: &str) -> Result<(), Error> {
        admit(caller, &*self.met(caller, bucket)?)
    }

    /// The refusal of a key that is not there: who may not list the bucket is not told.
    pub(crate) fn no_such_key(&self, caller: &Caller, bucket: &str) -> Error {
        match self.allow(caller, "s3:ListBucket", Target::Bucket(bucket)) {
            Ok(()) => Error::NoSuchKey,
            Err(refusal) => refusal,
        }
    }

    /// # Errors
    /// `MethodNotAllowed` to callers of other accounts: what no policy gives away.
    pub(crate) fn only_owner(&self, caller: &Caller, bucket: &str) -> Result<(), Error> {
        let known = self.met(caller, bucket)?;
        if caller.is_of(&known.bucket.account) { Ok(()) } else { Err(Error::MethodNotAllowed) }
    }

    /// # Errors
    /// `AccessDenied` when the client expects the bucket to be another account's.
    pub(crate) fn check_owner(
        &self,
        caller: &Caller,
        bucket: &str,
        expected: Option<&str>,
    ) -> Result<(), Error> {
        let Some(expected) = expected else { return Ok(()) };
        if expected.parse::<AccountId>().is_err() {
            return Err(Error::InvalidBucketOwnerAWSAccountID);
        }
        if self.met(caller, bucket)?.bucket.account.as_str() == expected { Ok(()) } else { Err(denied()) }
    }
}

/// S3 puts the resource in quotation marks.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html>
fn sentence(action: &str, refusal: &Denied) -> String {
    let Denied { user, resource, reason, .. } = refusal;
    match resource.as_str() {
        "*" => format!("User: {user} is not authorized to perform: {action} {reason}"),
        _ => format!(
            "User: {user} is not authorized to perform: {action} on resource: \"{resource}\" {reason}"
        ),
    }
}

/// Strangers have no prospect where no policy could let them in: invariants 2 and 3.
fn admit(caller: &Caller, known: &Known) -> Result<(), Error> {
    let is_service = matches!(caller.principal, Principal::Service { .. });
    let is_stranger = !caller.is_of(&known.bucket.account);
    let shut = known.bucket.policy.is_none() || (known.restricts_public() && !is_service);
    if is_stranger && shut { Err(denied()) } else { Ok(()) }
}
