//! Members of requests that have a form: names, paths, numbers, tags. They are checked as they are decoded.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Error;
use crate::entity::Tags;
use crate::limits::TAGS_MAX;

/// What `wire` answers with the service's validation error.
fn invalid<E: serde::de::Error>(sentence: impl fmt::Display) -> E {
    E::custom(format_args!("validation: {sentence}"))
}

/// Coral's sentence for a member out of bounds.
pub(crate) fn violated(value: &str, member: &str, constraint: &str) -> String {
    format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    )
}

pub(crate) fn check_length<E: serde::de::Error>(
    value: &str,
    member: &str,
    min: usize,
    max: usize,
) -> Result<(), E> {
    let length = value.chars().count();
    let constraint = if length < min {
        format!("Member must have length greater than or equal to {min}")
    } else if length > max {
        format!("Member must have length less than or equal to {max}")
    } else {
        return Ok(());
    };
    Err(invalid(violated(&value.chars().take(200).collect::<String>(), member, &constraint)))
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $member:literal, $min:literal..=$max:literal);* $(;)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = String::deserialize(deserializer)?;
                check_length(&value, $member, $min, $max)?;
                let legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
                if value.chars().all(legal) {
                    return Ok(Self(value));
                }
                Err(invalid(format_args!(
                    "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the \
                     following: +=,.@_-",
                    $member
                )))
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

names! {
    /// A user.
    UserName: "userName", 1..=64;
    /// A user's name to be.
    NewUserName: "newUserName", 1..=64;
    /// A group.
    GroupName: "groupName", 1..=128;
    /// A group's name to be.
    NewGroupName: "newGroupName", 1..=128;
    /// A role.
    RoleName: "roleName", 1..=64;
    /// A policy, inline or managed.
    PolicyName: "policyName", 1..=128;
    /// An instance profile.
    InstanceProfileName: "instanceProfileName", 1..=128;
    /// `firehose.amazonaws.com`.
    AwsServiceName: "AWSServiceName", 1..=128;
    /// What a service-linked role's name ends in.
    CustomSuffix: "customSuffix", 1..=64;
    /// An access key's id.
    AccessKeyId: "accessKeyId", 16..=128;
    /// A session of a role.
    RoleSessionName: "roleSessionName", 2..=64;
    /// Who a session is in the first place.
    SourceIdentity: "sourceIdentity", 2..=64;
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $member:literal, $min:literal..=$max:literal);* $(;)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = String::deserialize(deserializer)?;
                check_length(&value, $member, $min, $max)?;
                Ok(Self(value))
            }
        }
    )*};
}

texts! {
    /// A tag's key.
    TagKey: "tagKeys", 1..=128;
    /// A role that is to be assumed.
    RoleArn: "roleArn", 20..=2048;
    /// What an identity provider says of somebody.
    WebIdentityToken: "webIdentityToken", 4..=20000;
    /// An identity provider that is none of OpenID Connect.
    ProviderId: "providerId", 4..=2048;
    /// An audience of an identity provider's tokens.
    ClientId: "clientID", 1..=255;
    /// The address of an identity provider.
    ProviderUrl: "url", 1..=255;
    /// A secret between the role's owner and whoever assumes it.
    ExternalId: "externalId", 2..=1224;
    /// An MFA device.
    SerialNumber: "serialNumber", 9..=256;
    /// What an MFA device shows.
    TokenCode: "tokenCode", 6..=6;
    /// An action of a simulation.
    ActionName: "actionNames", 3..=128;
    /// A resource of a simulation.
    ResourceName: "resourceArns", 1..=2048;
    /// Who owns the resources of a simulation.
    ResourceOwner: "resourceOwner", 1..=2048;
    /// The scenario of a simulation.
    ResourceHandlingOption: "resourceHandlingOption", 1..=64;
    /// A condition key of a simulation.
    ContextKeyName: "contextKeyName", 5..=256;
}

/// `/` or `/a/b/`.
#[derive(Clone, Debug)]
pub(crate) struct Path(pub(crate) String);

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = String::deserialize(deserializer)?;
        check_length(&value, "path", 1, 512)?;
        let legal = value.chars().all(|c| ('\u{21}'..='\u{7e}').contains(&c));
        if legal && value.starts_with('/') && value.ends_with('/') {
            return Ok(Self(value));
        }
        Err(invalid(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters \
             and/or / characters.",
        ))
    }
}

/// `/a/`, or the beginning of one.
#[derive(Clone, Debug)]
pub(crate) struct PathPrefix(pub(crate) String);

impl<'de> Deserialize<'de> for PathPrefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = String::deserialize(deserializer)?;
        check_length(&value, "pathPrefix", 1, 512)?;
        if value.starts_with('/') {
            return Ok(Self(value));
        }
        Err(invalid(
            "The specified value for pathPrefix is invalid. It must begin with / and contain only alphanumeric characters and/or / characters.",
        ))
    }
}

/// An ARN of a policy: 20–2,048 characters.
#[derive(Clone, Debug)]
pub(crate) struct PolicyArn(pub(crate) String);

impl<'de> Deserialize<'de> for PolicyArn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = String::deserialize(deserializer)?;
        check_length(&value, "policyArn", 20, 2048)?;
        if value.starts_with("arn:") {
            return Ok(Self(value));
        }
        Err(invalid(format_args!("ARN {value} is not valid.")))
    }
}

/// A managed policy that limits a session.
#[derive(Debug, Deserialize)]
pub(crate) struct PolicyDescriptor {
    pub(crate) arn: PolicyArn,
}

/// A whole number: text in the Query protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number(pub(crate) u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom(format_args!("{text} is not a whole number")))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl Number {
    /// # Errors
    /// `ValidationError` outside `min..=max`.
    pub(crate) fn within(self, member: &str, min: u64, max: u64) -> Result<u64, Error> {
        let constraint = if self.0 < min {
            format!("Member must have value greater than or equal to {min}")
        } else if self.0 > max {
            format!("Member must have value less than or equal to {max}")
        } else {
            return Ok(self.0);
        };
        Err(Error::Validation(violated(&self.0.to_string(), member, &constraint)))
    }
}

/// `true` or `false`: text in the Query protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Flag {
    /// `true`.
    Set,
    /// `false`.
    #[default]
    Clear,
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Bool(true) => Ok(Self::Set),
            serde_json::Value::Bool(false) => Ok(Self::Clear),
            serde_json::Value::String(text) if text == "true" => Ok(Self::Set),
            serde_json::Value::String(text) if text == "false" => Ok(Self::Clear),
            other => Err(D::Error::custom(format_args!("{other} is not a boolean"))),
        }
    }
}

/// A list, which the Query protocol writes as an empty text when it has no items.
#[derive(Clone, Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(std::marker::PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Items<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<List<T>, E> {
                if text.is_empty() { Ok(List(Vec::new())) } else { Err(E::custom("a list is expected")) }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(List(list))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<List<T>, E> {
                Ok(List(Vec::new()))
            }
        }

        deserializer.deserialize_any(Items(std::marker::PhantomData))
    }
}

/// A tag of a request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    key: String,
    value: String,
}

impl List<Tag> {
    /// # Errors
    /// `ValidationError` or `InvalidInput` for tags that AWS refuses.
    pub(crate) fn into_tags(self) -> Result<Tags, Error> {
        if self.0.len() > TAGS_MAX {
            let constraint = format!("Member must have length less than or equal to {TAGS_MAX}");
            return Err(Error::Validation(violated(&format!("{} tags", self.0.len()), "tags", &constraint)));
        }
        let mut tags = Tags::new();
        for (at, Tag { key, value }) in self.0.into_iter().enumerate() {
            let at = at + 1;
            check_tag(&key, &format!("tags.{at}.member.key"), 1, 128)?;
            check_tag(&value, &format!("tags.{at}.member.value"), 0, 256)?;
            if tags.keys().any(|known| known.to_lowercase() == key.to_lowercase()) {
                let said = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
                return Err(Error::InvalidInput(said.to_owned()));
            }
            tags.insert(key, value);
        }
        Ok(tags)
    }
}

fn check_tag(text: &str, member: &str, min: usize, max: usize) -> Result<(), Error> {
    let length = text.chars().count();
    let legal = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    let constraint = if length < min {
        format!("Member must have length greater than or equal to {min}")
    } else if length > max {
        format!("Member must have length less than or equal to {max}")
    } else if !text.chars().all(legal) {
        let quantifier = if min == 0 { '*' } else { '+' };
        format!(
            "Member must satisfy regular expression pattern: [\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]{quantifier}"
        )
    } else {
        return Ok(());
    };
    Err(Error::Validation(violated(text, member, &constraint)))
}
