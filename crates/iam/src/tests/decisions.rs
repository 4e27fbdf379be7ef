//! Who may what, in each mode, and what is recorded of it.

use ports::{AccessAudit, DenialOutcome, DeniedQuery, DeniedRequest, Roles};
use wire::Facts;

use super::*;

const KEY: &str = "arn:aws:s3:::b/k";

fn denied(bench: &Bench, action: &str, resource: &str) -> String {
    let resource = if resource == "*" { Resource::Any } else { Resource::Arn(resource.parse().unwrap()) };
    bench.iam.authorize(&bench.caller, action, &resource).unwrap_err().to_string()
}

#[tokio::test]
async fn only_the_accounts_own_may() {
    let bench = Bench::new(Mode::Off).await;
    let (home, other) = (AccountId::default_account(), "111111111111".parse::<AccountId>().unwrap());
    let certificate_id = "a".repeat(64);
    let role: kernel::Arn = "arn:aws:iam::1234567890:role/x".parse().unwrap();
    for (principal, allowed) in [
        (Principal::Root { account: home.clone() }, true),
        (Principal::Root { account: other.clone() }, false),
        (Principal::Service { account: home.clone(), name: "iot.amazonaws.com" }, true),
        (Principal::Role { account: home.clone(), role: role.clone(), session: "iot".to_owned() }, true),
        (Principal::Role { account: other, role, session: "iot".to_owned() }, false),
        (Principal::Certificate { account: home, certificate_id }, false),
        (Principal::Anonymous, false),
    ] {
        for mode in [Mode::Enforce, Mode::Audit, Mode::Off] {
            let bench = Bench::new(mode).await;
            let cx = Context { principal: principal.clone(), ..bench.caller.clone() };
            let expect = allowed && !(mode == Mode::Enforce && matches!(principal, Principal::Role { .. }));
            let may = bench.iam.authorize(&cx, "s3:PutObject", &Resource::Any).is_ok();
            assert_eq!(may, expect, "{mode:?} {principal:?}");
        }
    }
    assert_eq!(bench.iam.find("AKIDROOT").unwrap().secret.expose(), "root secret");
    assert!(bench.iam.find("AKID").is_none());
}

#[tokio::test]
async fn each_kind_of_policy_has_its_reason() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    let who = "User: arn:aws:iam::000000000000:user/bob is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k";
    assert_eq!(
        denied(&bob, "s3:GetObject", KEY),
        format!("{who} because no identity-based policy allows the s3:GetObject action")
    );
    let put =
        |name: &str, text: String| json!({"UserName": "bob", "PolicyName": name, "PolicyDocument": text});
    bench.ok("PutUserPolicy", put("a", allow("s3:*", "*"))).await;
    assert!(bob.may("s3:GetObject", KEY));
    bench.ok("CreatePolicy", json!({"PolicyName": "b", "PolicyDocument": allow("s3:List*", "*")})).await;
    let boundary = json!({"UserName": "bob", "PermissionsBoundary": "arn:aws:iam::000000000000:policy/b"});
    bench.ok("PutUserPermissionsBoundary", boundary).await;
    assert_eq!(
        denied(&bob, "s3:GetObject", KEY),
        format!("{who} because no permissions boundary allows the s3:GetObject action")
    );
    assert!(
        bench
            .refused("DeletePolicy", json!({"PolicyArn": "arn:aws:iam::000000000000:policy/b"}))
            .await
            .starts_with("DeleteConflict")
    );
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}]});
    bench.ok("PutUserPolicy", put("d", deny.to_string())).await;
    assert_eq!(
        denied(&bob, "s3:GetObject", KEY),
        format!("{who} with an explicit deny in an identity-based policy")
    );
}

#[tokio::test]
async fn condition_keys_are_the_requests() {
    let bench = Bench::new(Mode::Enforce).await;
    let mut bob = bench.user("bob").await;
    bob.caller.source_ip = Some("203.0.113.9".to_owned());
    bench.ok("TagUser", json!({"UserName": "bob", "Tags": [{"Key": "team", "Value": "iot"}]})).await;
    let user_id = bob.ok("GetCallerIdentity", json!({})).await["UserId"].clone();
    for (condition, expect) in [
        (json!({"StringEquals": {"aws:username": "bob"}}), true),
        (json!({"StringEquals": {"aws:userid": user_id}}), true),
        (
            json!({"StringEquals": {"aws:PrincipalType": "User", "aws:PrincipalAccount": "000000000000"}}),
            true,
        ),
        (json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/b*"}}), true),
        (json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), true),
        (json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), false),
        (json!({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}), true),
        (json!({"StringEquals": {"aws:PrincipalTag/team": "iot"}}), true),
        (json!({"DateLessThan": {"aws:CurrentTime": "2017-08-26T07:47:13Z"}}), true),
        (json!({"NumericEquals": {"aws:EpochTime": "1503733632"}}), true),
        (json!({"Bool": {"aws:SecureTransport": "false"}}), true),
        (json!({"Null": {"aws:TokenIssueTime": "true"}}), true),
        (json!({"StringEquals": {"s3:prefix": "raw/"}}), true),
        (json!({"StringEquals": {"s3:prefix": "other/"}}), false),
        (json!({"StringEquals": {"aws:ResourceAccount": "000000000000"}}), true),
    ] {
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": condition},
        ]});
        bench
            .ok(
                "PutUserPolicy",
                json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": policy.to_string()}),
            )
            .await;
        let facts = Facts { keys: &[("s3:prefix", vec!["raw/".to_owned()])], ..Facts::default() };
        let bucket = Resource::Arn("arn:aws:s3:::b".parse().unwrap());
        let may = bob.iam.authorize_with(&bob.caller, "s3:ListBucket", &bucket, &facts).is_ok();
        assert_eq!(may, expect, "{condition}");
    }
}

#[tokio::test]
async fn a_resources_policy_speaks_too() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    let policy = |effect: &str, principal: Value| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
        ]})
        .to_string()
    };
    let key = Resource::Arn(KEY.parse().unwrap());
    let ask = |cx: &Context, text: &str, owner: &str| {
        let facts = Facts { owner: Some(owner), resource_policy: Some(text), keys: &[] };
        bench.iam.authorize_with(cx, "s3:GetObject", &key, &facts).map_err(|denied| denied.reason)
    };
    let home = "000000000000";
    let named = policy("Allow", json!({"AWS": "arn:aws:iam::000000000000:user/bob"}));
    assert_eq!(ask(&bob.caller, &named, home), Ok(()));
    let account = policy("Allow", json!({"AWS": home}));
    assert_eq!(
        ask(&bob.caller, &account, home).unwrap_err(),
        "because no identity-based policy allows the s3:GetObject action"
    );
    // Another account's bucket wants both.
    assert!(ask(&bob.caller, &named, "111111111111").unwrap_err().contains("identity-based"));
    let input = json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": allow("s3:*", "*")});
    bench.ok("PutUserPolicy", input).await;
    assert_eq!(ask(&bob.caller, &named, "111111111111"), Ok(()));
    let silent = policy("Allow", json!({"AWS": "222222222222"}));
    assert_eq!(
        ask(&bob.caller, &silent, "111111111111").unwrap_err(),
        "because no resource-based policy allows the s3:GetObject action"
    );
    let denies = policy("Deny", json!("*"));
    assert_eq!(
        ask(&bob.caller, &denies, home).unwrap_err(),
        "with an explicit deny in a resource-based policy"
    );
    let nobody = Context { principal: Principal::Anonymous, ..bob.caller.clone() };
    assert_eq!(ask(&nobody, &policy("Allow", json!("*")), home), Ok(()));
    assert!(ask(&nobody, &named, home).is_err());
    assert!(bench.iam.authorize(&nobody, "s3:GetObject", &key).is_err());
    // What another account owns by its ARN is not this account's to allow.
    assert!(!bob.may("s3:GetJobTagging", "arn:aws:s3:us-east-1:111111111111:job/x"));
}

#[tokio::test]
async fn what_another_account_owns_is_its_owners_to_allow_in_every_mode() {
    let everyone = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
    ]})
    .to_string();
    let nobody = everyone.replace("Allow", "Deny");
    let key = Resource::Arn(KEY.parse().unwrap());
    for mode in [Mode::Enforce, Mode::Audit, Mode::Off] {
        let bench = Bench::new(mode).await;
        let bob = bench.user("bob").await;
        let ask = |principal: Principal, text: Option<&str>, owner: &str| {
            let cx = Context { principal, ..bob.caller.clone() };
            let facts = Facts { owner: Some(owner), resource_policy: text, keys: &[] };
            bench.iam.authorize_with(&cx, "s3:GetObject", &key, &facts).is_ok()
        };
        let account = bob.caller.account.clone();
        let root = Principal::Root { account: account.clone() };
        let service = Principal::Service { account, name: "iot.amazonaws.com" };
        let (home, away) = ("000000000000", "111111111111");
        for principal in [&root, &service, &bob.caller.principal] {
            for text in [None, Some(nobody.as_str())] {
                assert!(!ask(principal.clone(), text, away), "{mode:?} {principal:?} {text:?}");
            }
            // In its own account a Deny is enforced where policies are.
            let enforced = mode == Mode::Enforce;
            assert_eq!(ask(principal.clone(), Some(&nobody), home), !enforced, "{mode:?} {principal:?}");
            assert!(ask(principal.clone(), Some(&everyone), home), "{mode:?} {principal:?}");
        }
        for principal in [root, service] {
            assert!(ask(principal.clone(), Some(&everyone), away), "{mode:?} {principal:?}");
            assert!(ask(principal, None, home), "{mode:?}");
        }
    }
}

/// What the root of an account sees of denied requests.
fn denials(bench: &Bench, account: &str) -> Vec<DeniedRequest> {
    let account: AccountId = account.parse().unwrap();
    let cx =
        Context { principal: Principal::Root { account: account.clone() }, account, ..bench.caller.clone() };
    bench.iam.denied(&cx, &DeniedQuery { limit: 100, ..DeniedQuery::default() }).unwrap().requests
}

#[tokio::test]
async fn an_audit_allows_and_remembers() {
    let bench = Bench::new(Mode::Audit).await;
    let bob = bench.user("bob").await;
    for _ in 0..2 {
        assert!(bob.may("s3:GetObject", KEY));
        bench.advance(1);
    }
    let denials = denials(&bench, "000000000000");
    assert_eq!((denials.len(), denials[0].outcome), (1, DenialOutcome::LetThrough));
    assert_eq!((denials[0].principal.as_str(), denials[0].count), ("arn:aws:iam::000000000000:user/bob", 2));
    assert_eq!(denials[0].last_at.as_millis(), NOW_MS + 1_000);
    assert_eq!(denials[0].reason, "because no identity-based policy allows the s3:GetObject action");
    let missing = denials[0].missing.as_ref().unwrap();
    assert_eq!(missing.policy, "identity-based policy");
    assert_eq!(missing.statement, json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": KEY}));
    let arn = "arn:aws:iam::000000000000:user/bob";
    let policy = bench.iam.least_privilege(&bench.caller, arn).unwrap().unwrap().policy;
    assert!(bench.iam.principals(&bench.caller).unwrap().iter().any(|used| used.arn == arn));
    // What it offers is enough where policies are enforced.
    let enforcing = Bench::over(Arc::clone(&bench.meta), Mode::Enforce).await;
    let bob = enforcing.as_principal(bob.caller.principal.clone());
    assert!(!bob.may("s3:GetObject", KEY));
    let input = json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": policy.to_string()});
    enforcing.ok("PutUserPolicy", input).await;
    assert!(bob.may("s3:GetObject", KEY) && !bob.may("s3:PutObject", KEY));
}

#[tokio::test]
async fn roles_are_passed_by_those_who_may() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    let role: kernel::Arn = "arn:aws:iam::000000000000:role/r".parse().unwrap();
    let refused = bob.iam.check_pass_role(&bob.caller, &role, "firehose.amazonaws.com").unwrap_err();
    assert_eq!(
        refused.message,
        "User: arn:aws:iam::000000000000:user/bob is not authorized to perform: iam:PassRole on resource: \
         arn:aws:iam::000000000000:role/r because no identity-based policy allows the iam:PassRole action"
    );
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:PassRole", "Resource": role,
        "Condition": {"StringEquals": {"iam:PassedToService": "firehose.amazonaws.com"}},
    }]});
    bench
        .ok(
            "PutUserPolicy",
            json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": policy.to_string()}),
        )
        .await;
    bob.iam.check_pass_role(&bob.caller, &role, "firehose.amazonaws.com").unwrap();
    bob.iam.check_pass_role(&bob.caller, &role, "lambda.amazonaws.com").unwrap_err();
    bench.iam.check_pass_role(&bench.caller, &role, "lambda.amazonaws.com").unwrap();
    let foreign = "arn:aws:iam::111111111111:role/r".parse().unwrap();
    let refused = bench.iam.check_pass_role(&bench.caller, &foreign, "firehose.amazonaws.com").unwrap_err();
    assert_eq!(refused.message, "Cross-account pass role is not allowed.");
}

#[tokio::test]
async fn a_service_assumes_a_role_only_for_the_resource_that_the_trust_names() {
    let bench = Bench::new(Mode::Enforce).await;
    let role: kernel::Arn = "arn:aws:iam::000000000000:role/r".parse().unwrap();
    let service = "firehose.amazonaws.com";
    let cx = Context::service(AccountId::default_account(), bench.caller.region.clone(), service);
    let mut trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": "000000000000"},
            "ArnLike": {"aws:SourceArn": "arn:aws:firehose:*:000000000000:deliverystream/beats-*"},
            "Bool": {"aws:SecureTransport": "true"},
        },
    }]});
    let create = json!({"RoleName": "r", "AssumeRolePolicyDocument": trust.to_string()});
    bench.ok("CreateRole", create).await;
    let assume = |name: &str| {
        let stream = cx.arn("firehose", &format!("deliverystream/{name}"));
        bench.iam.assume(&cx, &role, service, "delivery", &stream)
    };
    let before = bench.iam.epoch();
    assume("beats-1").unwrap();
    assume("steps").unwrap_err();
    trust["Statement"][0]["Condition"]["StringEquals"]["aws:SourceAccount"] = json!("111111111111");
    let update = json!({"RoleName": "r", "PolicyDocument": trust.to_string()});
    bench.ok("UpdateAssumeRolePolicy", update).await;
    assume("beats-1").unwrap_err();
    assert!(bench.iam.epoch() > before);
}

#[tokio::test]
async fn services_act_as_roles_that_trust_them() {
    let service = "firehose.amazonaws.com";
    for mode in [Mode::Enforce, Mode::Audit] {
        let bench = Bench::new(mode).await;
        let role: kernel::Arn = "arn:aws:iam::000000000000:role/r".parse().unwrap();
        let cx = Context::service(AccountId::default_account(), bench.caller.region.clone(), service);
        let stream = cx.arn("firehose", "deliverystream/beats");
        let assume = |role: &kernel::Arn| bench.iam.assume(&cx, role, service, "delivery", &stream);
        let missing = assume(&role);
        if mode == Mode::Audit {
            assert_eq!(missing.unwrap().principal.arn(), "arn:aws:sts::000000000000:assumed-role/r/delivery");
            let denial = &denials(&bench, "000000000000")[0];
            assert_eq!((denial.principal.as_str(), denial.action.as_str()), (service, "sts:AssumeRole"));
            continue;
        }
        assert_eq!(
            missing.unwrap_err().message,
            "firehose.amazonaws.com is unable to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/r"
        );
        let lambda = json!({"Service": "lambda.amazonaws.com"});
        bench.ok("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": trusts(&lambda)})).await;
        assert!(assume(&role).is_err());
        let both = trusts(&json!({"Service": ["lambda.amazonaws.com", service]}));
        bench.ok("UpdateAssumeRolePolicy", json!({"RoleName": "r", "PolicyDocument": both})).await;
        let acting = Bench { caller: assume(&role).unwrap(), ..bench.as_principal(Principal::Anonymous) };
        assert!(!acting.may("s3:PutObject", KEY));
        let policy = allow("s3:PutObject", "arn:aws:s3:::b/*");
        bench
            .ok("PutRolePolicy", json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": policy}))
            .await;
        assert!(acting.may("s3:PutObject", KEY) && !acting.may("s3:GetObject", KEY));
    }
}

#[tokio::test]
async fn what_is_refused_is_remembered_for_the_caller_and_the_owner_alone() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    assert!(!bob.may("s3:GetObject", KEY));
    let denials_of_bob = denials(&bench, "000000000000");
    assert_eq!((denials_of_bob.len(), denials_of_bob[0].outcome), (1, DenialOutcome::Refused));
    // Of nobody and of other accounts the owner learns, if it is here at all.
    let nobody = bench.as_principal(Principal::Anonymous);
    let key = Resource::Arn(KEY.parse().unwrap());
    for owner in ["000000000000", "999999999999"] {
        let facts = Facts { owner: Some(owner), ..Facts::default() };
        assert!(nobody.iam.authorize_with(&nobody.caller, "s3:GetObject", &key, &facts).is_err());
    }
    let seen = denials(&bench, "000000000000");
    assert!(seen.iter().any(|denied| denied.principal == "anonymous" && denied.action == "s3:GetObject"));
    assert!(denials(&bench, "999999999999").is_empty());
    assert!(denials(&bench, "111111111111").is_empty());
}

#[tokio::test]
async fn the_record_of_access_is_for_those_who_may_see_it() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    let query = DeniedQuery { contains: "USER/BOB".to_owned(), offset: 0, limit: 1 };
    let refused = bob.iam.denied(&bob.caller, &query).unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.message.as_str()),
        (
            "AccessDeniedException",
            "User: arn:aws:iam::000000000000:user/bob is not authorized to perform: cloudtrail:LookupEvents on resource: * \
             because no identity-based policy allows the cloudtrail:LookupEvents action"
        )
    );
    assert!(bob.iam.principals(&bob.caller).is_err());
    assert!(bob.iam.least_privilege(&bob.caller, "arn:aws:iam::000000000000:root").is_err());
    let found = bench.iam.denied(&bench.caller, &query).unwrap();
    assert_eq!((found.total, found.matching, found.requests.len()), (3, 3, 1));
    let input =
        json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": allow("access-analyzer:*", "*")});
    bench.ok("PutUserPolicy", input).await;
    assert!(bob.iam.principals(&bob.caller).unwrap().iter().any(|used| used.arn.ends_with(":root")));
}

#[tokio::test]
async fn what_was_used_survives_a_restart() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    let input = json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": allow("s3:*", "*")});
    bench.ok("PutUserPolicy", input).await;
    assert!(bob.may("s3:GetObject", KEY));
    assert!(!bob.may("iot:CreateThing", "*"));
    bench.iam.save_uses().await.unwrap();
    let bench = bench.restarted().await;
    let arn = "arn:aws:iam::000000000000:user/bob";
    let generated = bench.iam.least_privilege(&bench.caller, arn).unwrap().unwrap();
    assert_eq!(
        generated.policy["Statement"],
        json!([{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [KEY]}])
    );
    assert_eq!(bench.iam.least_privilege(&bench.caller, "arn:aws:iam::111111111111:user/bob").unwrap(), None);
}
