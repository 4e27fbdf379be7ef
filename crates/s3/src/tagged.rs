//! The tags of buckets, for the Resource Groups Tagging API. The bucket's policy has its say.

use kernel::{Arn, Context};
use ports::{PortError, PortFuture, TagActions, Tagged, TaggedResource};

use crate::authorize::{Caller, Target};
use crate::service::bucket_arn;
use crate::tags::{Tags, with};
use crate::{Error, S3};

impl Tagged for S3 {
    fn service(&self) -> &'static str {
        "s3"
    }

    fn actions(&self) -> Option<TagActions> {
        None
    }

    fn tagged<'a>(&'a self, cx: &'a Context) -> PortFuture<'a, Vec<TaggedResource>> {
        Box::pin(async move {
            let here = self.directory.of(&cx.account).into_iter();
            let with =
                here.filter(|(_, known)| known.bucket.region == cx.region && !known.bucket.tags.is_empty());
            Ok(with
                .map(|(name, known)| TaggedResource {
                    arn: bucket_arn(&name).to_string(),
                    tags: known.bucket.tags.clone().into_iter().collect(),
                })
                .collect())
        })
    }

    fn tag<'a>(&'a self, cx: &'a Context, arn: &'a Arn, tags: &'a [(String, String)]) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let add = |own: &Tags| with(own.clone(), tags);
            self.change_tags(cx, arn, add).await.map_err(PortError::from_service)
        })
    }

    fn untag<'a>(&'a self, cx: &'a Context, arn: &'a Arn, keys: &'a [String]) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let remove = |own: &Tags| {
                let left = own.iter().filter(|(key, _)| !keys.contains(key));
                Ok(left.map(|(key, value)| (key.clone(), value.clone())).collect())
            };
            self.change_tags(cx, arn, remove).await.map_err(PortError::from_service)
        })
    }
}

impl S3 {
    /// # Errors
    /// `NoSuchBucket` for one of elsewhere too, `AccessDenied`, and those of the change.
    async fn change_tags(
        &self,
        cx: &Context,
        arn: &Arn,
        change: impl Fn(&Tags) -> Result<Tags, Error> + Send + Sync,
    ) -> Result<(), Error> {
        let name = arn.resource();
        let caller = Caller::in_process(cx);
        let known = self.met(&caller, name)?;
        if known.bucket.account != cx.account || known.bucket.region != cx.region {
            return Err(Error::NoSuchBucket);
        }
        self.allow(&caller, "s3:PutBucketTagging", Target::Bucket(name))?;
        self.change_bucket(&caller, name, |bucket| {
            bucket.tags = change(&bucket.tags)?;
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use kernel::{AccountId, Principal};
    use serde_json::json;

    use super::*;
    use crate::testing::Client;

    fn tag(key: &str, value: &str) -> [(String, String); 1] {
        [(key.to_owned(), value.to_owned())]
    }

    #[tokio::test]
    async fn buckets_with_tags_are_listed_and_changed_by_arn() {
        let client = Client::with_bucket().await;
        let (s3, cx) = (&client.s3, wire::testing::context());
        let lake: Arn = "arn:aws:s3:::lake".parse().unwrap();
        assert!(s3.tagged(&cx).await.unwrap().is_empty());
        s3.tag(&cx, &lake, &tag("k", "v")).await.unwrap();
        s3.tag(&cx, &lake, &tag("l", "w")).await.unwrap();
        let both = [tag("k", "v"), tag("l", "w")].concat();
        assert_eq!(s3.tagged(&cx).await.unwrap(), [TaggedResource { arn: lake.to_string(), tags: both }]);
        s3.untag(&cx, &lake, &["k".to_owned(), "none".to_owned()]).await.unwrap();
        assert_eq!(s3.tagged(&cx).await.unwrap()[0].tags, tag("l", "w"));
        let other: AccountId = "111111111111".parse().unwrap();
        let foreign =
            Context { principal: Principal::Root { account: other.clone() }, account: other, ..cx.clone() };
        let elsewhere = Context { region: "eu-west-1".parse().unwrap(), ..cx.clone() };
        let nolake = "arn:aws:s3:::nolake".parse().unwrap();
        for (cx, arn) in [(&foreign, &lake), (&elsewhere, &lake), (&cx, &nolake)] {
            assert!(s3.tagged(cx).await.unwrap().is_empty() || arn == &nolake);
            assert_eq!(s3.tag(cx, arn, &tag("k", "v")).await.unwrap_err().code, "NoSuchBucket");
            assert_eq!(s3.untag(cx, arn, &[]).await.unwrap_err().code, "NoSuchBucket");
        }
        assert_eq!(s3.tag(&cx, &lake, &tag("aws:k", "v")).await.unwrap_err().code, "InvalidTag");
        let many: Vec<_> = (0..50).flat_map(|n| tag(&n.to_string(), "")).collect();
        assert_eq!(s3.tag(&cx, &lake, &many).await.unwrap_err().code, "BadRequest");
    }

    #[tokio::test]
    async fn the_buckets_policy_has_its_say() {
        let client = Client::with_bucket().await;
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketTagging", "Resource": "arn:aws:s3:::lake"},
        ]});
        client.call("PUT", "/lake?policy", &[], policy.to_string()).await.expect("204");
        let lake = "arn:aws:s3:::lake".parse().unwrap();
        let refused = client.s3.tag(&wire::testing::context(), &lake, &tag("k", "v")).await.unwrap_err();
        assert_eq!(refused.code, "AccessDenied");
    }
}
