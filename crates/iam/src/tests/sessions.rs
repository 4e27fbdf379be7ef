//! STS: assuming roles, temporary credentials, what limits them.

use super::*;

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

/// A role that the account's users may assume when their own policies say so.
async fn with_role(bench: &Bench) {
    bench
        .ok(
            "CreateRole",
            json!({"RoleName": "r", "AssumeRolePolicyDocument": trusts(&json!({"AWS": "000000000000"}))}),
        )
        .await;
    let policy = allow("s3:*", "*");
    bench.ok("PutRolePolicy", json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": policy})).await;
}

async fn may_assume(bench: &Bench, user: &str) {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"},
    ]});
    let input = json!({"UserName": user, "PolicyName": "assume", "PolicyDocument": policy.to_string()});
    bench.ok("PutUserPolicy", input).await;
}

fn assume(session: &str) -> Value {
    json!({"RoleArn": ROLE, "RoleSessionName": session})
}

#[tokio::test]
async fn a_session_acts_as_its_role_until_it_is_over() {
    let bench = Bench::new(Mode::Enforce).await;
    with_role(&bench).await;
    let bob = bench.user("bob").await;
    assert_eq!(
        bob.refused("AssumeRole", assume("work")).await,
        format!(
            "AccessDenied: User: arn:aws:iam::000000000000:user/bob is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
        )
    );
    may_assume(&bench, "bob").await;
    let answer = bob.ok("AssumeRole", assume("work")).await;
    assert_eq!(answer["AssumedRoleUser"]["Arn"], "arn:aws:sts::000000000000:assumed-role/r/work");
    assert!(answer["AssumedRoleUser"]["AssumedRoleId"].as_str().unwrap().ends_with(":work"));
    assert_eq!(answer["Credentials"]["Expiration"], "2017-08-26T08:47:12Z");
    assert!(answer["Credentials"]["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
    let session = bench.as_principal(bench.holder_of(&answer).unwrap());
    assert!(session.may("s3:GetObject", "arn:aws:s3:::b/k") && !session.may("iam:ListUsers", "*"));
    let identity = session.ok("GetCallerIdentity", json!({})).await;
    assert_eq!(identity["Arn"], "arn:aws:sts::000000000000:assumed-role/r/work");
    assert_eq!(identity["UserId"], answer["AssumedRoleUser"]["AssumedRoleId"]);
    assert_eq!(
        session.refused("GetUser", json!({"UserName": "bob"})).await,
        "AccessDenied: User: arn:aws:sts::000000000000:assumed-role/r/work is not authorized to perform: iam:GetUser on resource: \
         arn:aws:iam::000000000000:user/bob because no identity-based policy allows the iam:GetUser action"
    );
    // A restart forgets no session; another node's, another key's and an old one are of no use.
    let after = bench.restarted().await;
    assert_eq!(after.holder_of(&answer).unwrap(), session.caller.principal);
    let token = answer["Credentials"]["SessionToken"].as_str().unwrap();
    let id = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
    assert_eq!(bench.iam.find_temporary("AKIDROOT", token).unwrap_err(), wire::Unusable::Invalid);
    assert_eq!(bench.iam.find_temporary(id, "x").unwrap_err(), wire::Unusable::Invalid);
    assert!(bench.iam.find(id).is_none());
    let elsewhere = Bench::over(Arc::new(MemoryMetaStore::new()), Mode::Off).await;
    with_role(&elsewhere).await;
    let other = elsewhere.ok("AssumeRole", assume("work")).await;
    assert_eq!(bench.holder_of(&other).unwrap_err(), wire::Unusable::Invalid);
    bench.advance(3_599);
    bench.holder_of(&answer).unwrap();
    bench.advance(1);
    assert_eq!(bench.holder_of(&answer).unwrap_err(), wire::Unusable::Expired);
    let again = bob.ok("AssumeRole", assume("work")).await;
    bench.ok("DeleteRolePolicy", json!({"RoleName": "r", "PolicyName": "p"})).await;
    bench.ok("DeleteRole", json!({"RoleName": "r"})).await;
    with_role(&bench).await;
    assert_eq!(bench.holder_of(&again).unwrap_err(), wire::Unusable::Invalid);
}

#[tokio::test]
async fn a_trust_policy_decides_by_name_external_id_and_account() {
    let bench = Bench::new(Mode::Enforce).await;
    let (bob, eve) = (bench.user("bob").await, bench.user("eve").await);
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/bob"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "42"}, "StringLike": {"sts:RoleSessionName": "w*"}},
    }]});
    bench.ok("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": trust.to_string()})).await;
    let mut right = assume("work");
    right["ExternalId"] = "42".into();
    bob.ok("AssumeRole", right.clone()).await;
    for (caller, session, id) in [(&bob, "work", "43"), (&bob, "play", "42"), (&eve, "work", "42")] {
        let input = json!({"RoleArn": ROLE, "RoleSessionName": session, "ExternalId": id});
        assert!(caller.refused("AssumeRole", input).await.starts_with("AccessDenied: User: "));
    }
    assert!(bob.refused("AssumeRole", assume("work")).await.starts_with("AccessDenied"));
    may_assume(&bench, "eve").await;
    assert!(eve.refused("AssumeRole", right.clone()).await.starts_with("AccessDenied"));
    assert_eq!(
        bench.refused("AssumeRole", right).await,
        "AccessDenied: Roles may not be assumed by root accounts."
    );
    let missing = json!({"RoleArn": "arn:aws:iam::000000000000:role/nope", "RoleSessionName": "work"});
    assert!(
        bob.refused("AssumeRole", missing)
            .await
            .ends_with("sts:AssumeRole on resource: arn:aws:iam::000000000000:role/nope")
    );
}

#[tokio::test]
async fn another_accounts_role_needs_both_sides() {
    let bench = Bench::new(Mode::Enforce).await;
    let neighbour = bench.as_principal(Principal::Root { account: "111111111111".parse().unwrap() });
    let trust = trusts(&json!({"AWS": "000000000000"}));
    neighbour.ok("CreateRole", json!({"RoleName": "guest", "AssumeRolePolicyDocument": trust})).await;
    let bob = bench.user("bob").await;
    let input = json!({"RoleArn": "arn:aws:iam::111111111111:role/guest", "RoleSessionName": "visit"});
    assert!(bob.refused("AssumeRole", input.clone()).await.starts_with("AccessDenied"));
    may_assume(&bench, "bob").await;
    let answer = bob.ok("AssumeRole", input.clone()).await;
    let session = bench.holder_of(&answer).unwrap();
    assert_eq!(session.account().map(AccountId::as_str), Some("111111111111"));
    neighbour
        .ok(
            "UpdateAssumeRolePolicy",
            json!({"RoleName": "guest", "PolicyDocument": trusts(&json!({"AWS": "222222222222"}))}),
        )
        .await;
    assert!(bob.refused("AssumeRole", input).await.starts_with("AccessDenied"));
}

#[tokio::test]
async fn sessions_are_limited_in_time_and_by_policies() {
    let bench = Bench::new(Mode::Enforce).await;
    with_role(&bench).await;
    let bob = bench.user("bob").await;
    may_assume(&bench, "bob").await;
    let with = |changes: Value| {
        let mut input = assume("work");
        for (member, value) in changes.as_object().unwrap() {
            input[member] = value.clone();
        }
        input
    };
    for (changes, expect) in [
        (
            json!({"DurationSeconds": "899"}),
            "ValidationError: 1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
        ),
        (
            json!({"DurationSeconds": "3601"}),
            "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ),
        (json!({"Policy": "{"}), "MalformedPolicyDocument: This policy contains invalid Json"),
        (
            json!({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/Nope"}]}),
            "MalformedPolicyDocument: Policy arn:aws:iam::aws:policy/Nope does not exist or is not attachable.",
        ),
        (
            json!({"RoleSessionName": "a"}),
            "ValidationError: 1 validation error detected: Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
        ),
        (
            json!({"TransitiveTagKeys": ["k"]}),
            "ValidationError: The specified transitive tag key k must be included in the requested tags.",
        ),
    ] {
        assert_eq!(bob.refused("AssumeRole", with(changes)).await, expect);
    }
    let vouched = json!({"ProvidedContexts": [{"ProviderArn": "x"}]});
    assert_eq!(
        bob.refused("AssumeRole", with(vouched)).await,
        "ValidationError: ProvidedContexts is not supported."
    );
    let limited = bob.ok("AssumeRole", with(json!({"Policy": allow("s3:GetObject", "*")}))).await;
    assert!(limited["PackedPolicySize"].as_u64().unwrap() >= 1);
    let limited = bench.as_principal(bench.holder_of(&limited).unwrap());
    assert!(limited.may("s3:GetObject", "arn:aws:s3:::b/k"));
    let put = Resource::Arn("arn:aws:s3:::b/k".parse().unwrap());
    let denied = bench.iam.authorize(&limited.caller, "s3:PutObject", &put).unwrap_err();
    assert!(
        denied.to_string().ends_with("because no session policy allows the s3:PutObject action"),
        "{denied}"
    );
    let managed = json!({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}]});
    let reader = bob.ok("AssumeRole", with(managed)).await;
    let reader = bench.as_principal(bench.holder_of(&reader).unwrap());
    assert!(
        reader.may("s3:GetObject", "arn:aws:s3:::b/k") && !reader.may("s3:PutObject", "arn:aws:s3:::b/k")
    );
}

#[tokio::test]
async fn tags_reach_policies_and_the_sessions_that_follow() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": ["sts:AssumeRole", "sts:TagSession"]},
    ]});
    bench.ok("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": trust.to_string(), "MaxSessionDuration": "7200"})).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:PrincipalTag/team}/*"},
        {"Effect": "Allow", "Action": "sts:*", "Resource": "*"},
    ]});
    bench
        .ok(
            "PutRolePolicy",
            json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": policy.to_string()}),
        )
        .await;
    may_assume(&bench, "bob").await;
    let tagged = json!({
        "RoleArn": ROLE, "RoleSessionName": "one", "Tags": [{"Key": "team", "Value": "iot"}, {"Key": "x", "Value": "y"}],
        "TransitiveTagKeys": ["team"],
    });
    let first = bob.ok("AssumeRole", tagged.clone()).await;
    let first = bench.as_principal(bench.holder_of(&first).unwrap());
    assert!(
        first.may("s3:GetObject", "arn:aws:s3:::iot/k") && !first.may("s3:GetObject", "arn:aws:s3:::lab/k")
    );
    let second = first.ok("AssumeRole", assume("two")).await;
    let Principal::Session(session) = bench.holder_of(&second).unwrap() else { panic!("{second}") };
    assert_eq!(session.tags, [("team".to_owned(), "iot".to_owned())].into());
    assert_eq!(session.transitive_tag_keys, ["team"]);
    assert!(
        first
            .refused("AssumeRole", tagged)
            .await
            .starts_with("ValidationError: One of the specified transitive tag keys")
    );
    let long = json!({"RoleArn": ROLE, "RoleSessionName": "two", "DurationSeconds": "7200"});
    bob.ok("AssumeRole", long.clone()).await;
    assert_eq!(
        first.refused("AssumeRole", long).await,
        "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    );
    bench
        .ok(
            "UpdateAssumeRolePolicy",
            json!({"RoleName": "r", "PolicyDocument": trusts(&json!({"AWS": "000000000000"}))}),
        )
        .await;
    let untrusted =
        json!({"RoleArn": ROLE, "RoleSessionName": "one", "Tags": [{"Key": "team", "Value": "iot"}]});
    assert_eq!(
        bob.refused("AssumeRole", untrusted).await,
        format!(
            "AccessDenied: User: arn:aws:iam::000000000000:user/bob is not authorized to perform: sts:TagSession on resource: {ROLE}"
        )
    );
}

#[tokio::test]
async fn a_user_has_temporary_credentials_of_its_own() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    bench
        .ok(
            "PutUserPolicy",
            json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": allow("s3:*", "*")}),
        )
        .await;
    let answer = bob.ok("GetSessionToken", json!({})).await;
    assert_eq!(answer["Credentials"]["Expiration"], "2017-08-26T19:47:12Z");
    let temporary = bench.as_principal(bench.holder_of(&answer).unwrap());
    assert!(temporary.may("s3:GetObject", "arn:aws:s3:::b/k"));
    assert_eq!(
        temporary.refused("GetSessionToken", json!({})).await,
        "AccessDenied: Cannot call GetSessionToken with session credentials"
    );
    let id = answer["Credentials"]["AccessKeyId"].clone();
    assert_eq!(
        bob.refused("GetAccessKeyInfo", json!({"AccessKeyId": id})).await.split(':').next(),
        Some("AccessDenied")
    );
    assert_eq!(
        bench.ok("GetAccessKeyInfo", json!({"AccessKeyId": id})).await,
        json!({"Account": "000000000000"})
    );
    let roots = bench.ok("GetSessionToken", json!({"DurationSeconds": "7200"})).await;
    assert_eq!(roots["Credentials"]["Expiration"], "2017-08-26T08:47:12Z");
    assert_eq!(bench.holder_of(&roots).unwrap(), bench.caller.principal);
    bench.ok("UpdateUser", json!({"UserName": "bob", "NewUserName": "rob"})).await;
    assert_eq!(bench.holder_of(&answer).unwrap().arn(), "arn:aws:iam::000000000000:user/rob");
    bench.ok("UpdateUser", json!({"UserName": "rob", "NewUserName": "bob"})).await;
    let keys = bench.ok("ListAccessKeys", json!({"UserName": "bob"})).await;
    let key = json!({"UserName": "bob", "AccessKeyId": keys["AccessKeyMetadata"][0]["AccessKeyId"]});
    bench.ok("DeleteAccessKey", key).await;
    bench.ok("DeleteUserPolicy", json!({"UserName": "bob", "PolicyName": "p"})).await;
    bench.ok("DeleteUser", json!({"UserName": "bob"})).await;
    assert_eq!(bench.holder_of(&answer).unwrap_err(), wire::Unusable::Invalid);
}

#[tokio::test]
async fn nobody_has_an_mfa_device_and_tokens_are_as_long_as_asked() {
    let bench = Bench::new(Mode::Off).await;
    with_role(&bench).await;
    let denied = "AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code. ";
    let device = json!({"SerialNumber": "GAHT12345678", "TokenCode": "123456"});
    assert_eq!(bench.refused("GetSessionToken", device).await, denied);
    let mut input = assume("work");
    input["TokenCode"] = "123456".into();
    assert_eq!(bench.refused("AssumeRole", input).await, denied);
    let letters = bench.refused("GetSessionToken", json!({"TokenCode": "abcdef"})).await;
    assert!(letters.starts_with("ValidationError"), "{letters}");
    for (operation, mut input) in [("GetSessionToken", json!({})), ("AssumeRole", assume("work"))] {
        input["MinimumSessionTokenSize"] = "4096".into();
        let answer = bench.ok(operation, input.clone()).await;
        let length = answer["Credentials"]["SessionToken"].as_str().unwrap().len();
        assert!((4_096..4_110).contains(&length), "{length}");
        bench.holder_of(&answer).unwrap();
        input["MinimumSessionTokenSize"] = "4097".into();
        assert!(bench.refused(operation, input).await.starts_with("ValidationError"));
    }
}
