//! A policy that was generated, and how it is kept.

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use store::Entity;

use crate::limits::{GENERATIONS_MAX, KEPT, NAME_CHARS_MAX};
use crate::{AccessAnalyzer, Error};

/// The service by which the record is read: the caller was authorised to have the policy generated.
const SERVICE: &str = "access-analyzer.amazonaws.com";

/// A generation. Key: account, region, its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Generation {
    pub(crate) job_id: String,
    pub(crate) principal_arn: String,
    pub(crate) client_token: Option<String>,
    pub(crate) at: Timestamp,
    /// The policy's text; none if the principal used nothing.
    pub(crate) policy: Option<String>,
}

impl Entity for Generation {
    const TABLE: &'static str = "access_analyzer_generation";
    const VERSION: u8 = 1;
}

/// An ARN of a user or role: `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
///
/// # Errors
/// `ValidationException`.
pub(crate) fn check_principal(arn: &str) -> Result<(), Error> {
    let name =
        arn.parse::<kernel::Arn>().ok().filter(|arn| arn.service() == "iam" && arn.region().is_empty());
    let name = name.and_then(|arn| {
        let (kind, name) = arn.resource().split_once('/')?;
        ["role", "user"].contains(&kind).then(|| name.chars().count())
    });
    if name.is_some_and(|chars| (1..=NAME_CHARS_MAX).contains(&chars)) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "1 validation error detected: Value '{arn}' at 'principalArn' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: arn:[^:]*:iam::[^:]*:(role|user)/.{{1,576}}"
    )))
}

impl AccessAnalyzer {
    /// Generates a policy, or finds the one that was generated for the same token.
    ///
    /// # Errors
    /// `ConflictException` for a token of another principal, `InternalServerException`.
    pub(crate) async fn generate(
        &self,
        cx: &Context,
        principal_arn: String,
        client_token: Option<String>,
    ) -> Result<String, Error> {
        let _turn = self.starting.lock().await;
        let kept = self.generations(cx).await?;
        if let Some(token) = &client_token
            && let Some(same) = kept.iter().find(|kept| kept.client_token.as_ref() == Some(token))
        {
            if same.principal_arn == principal_arn {
                return Ok(same.job_id.clone());
            }
            let said = "The client token was used with other policy generation details.";
            return Err(Error::Conflict(said.to_owned()));
        }
        let reader = Context::service(cx.account.clone(), cx.region.clone(), SERVICE);
        let generated = self.access.least_privilege(&reader, &principal_arn)?;
        let policy = generated.map(|generated| generated.policy.to_string());
        let (job_id, at) = (self.entropy.uuid(), self.clock.now());
        let [account, region] = [cx.account.as_str(), cx.region.as_str()];
        let mut batch = store::Batch::default();
        for old in kept.iter().skip(GENERATIONS_MAX - 1) {
            batch = self.generations.with_delete(batch, &[account, region, &old.job_id]);
        }
        let generation = Generation { job_id: job_id.clone(), principal_arn, client_token, at, policy };
        let batch = self.generations.with_put(batch, &[account, region, &job_id], &generation);
        self.generations.commit(batch).await?;
        Ok(job_id)
    }

    /// The generations of the account and region that are not over, the latest first.
    ///
    /// # Errors
    /// `InternalServerException`.
    pub(crate) async fn generations(&self, cx: &Context) -> Result<Vec<Generation>, Error> {
        let stored = self.generations.list(&[cx.account.as_str(), cx.region.as_str()]).await?;
        let now = self.clock.now();
        let (over, mut kept): (Vec<Generation>, Vec<Generation>) = stored
            .into_iter()
            .map(|(_, stored)| stored.entity)
            .partition(|generation| now.since(generation.at) > KEPT);
        for old in over {
            self.generations.delete(&[cx.account.as_str(), cx.region.as_str(), &old.job_id]).await?;
        }
        kept.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.job_id.cmp(&b.job_id)));
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads() {
        let json = br#"{"job_id":"j","principal_arn":"arn:p","client_token":null,"at":7,"policy":"{}"}"#;
        let generation: Generation = store::entity::decode(&[b"\x01", &json[..]].concat()).unwrap();
        assert_eq!((generation.job_id.as_str(), generation.policy.as_deref()), ("j", Some("{}")));
    }

    #[test]
    fn principals_are_users_and_roles() {
        for (arn, is) in [
            ("arn:aws:iam::000000000000:user/bob", true),
            ("arn:aws:iam::000000000000:role/a/b/c", true),
            ("arn:aws:iam::000000000000:root", false),
            ("arn:aws:iam::000000000000:group/g", false),
            ("arn:aws:iam::000000000000:user/", false),
            ("arn:aws:sts::000000000000:assumed-role/r/s", false),
            ("bob", false),
        ] {
            assert_eq!(check_principal(arn).is_ok(), is, "{arn}");
        }
        assert!(check_principal(&format!("arn:aws:iam::1:role/{}", "x".repeat(577))).is_err());
    }
}
