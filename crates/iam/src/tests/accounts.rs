//! Several accounts on a node: their roots, their keys, and that none is anything to another.

use kernel::Secret;

use super::*;
use crate::Error;

const B: &str = "111122223333";

/// The root of another account.
async fn neighbour(bench: &Bench) -> (Bench, RootKey) {
    let (summary, key) = bench.iam.create_account(Some(B.parse().unwrap()), None).await.unwrap();
    assert_eq!((summary.account.as_str(), &summary.root_access_key_id), (B, &key.access_key_id));
    let found = bench.iam.find(&key.access_key_id).unwrap();
    assert_eq!(found.secret, key.secret_access_key);
    (bench.as_principal(found.principal), key)
}

fn secret_of(bench: &Bench, key: &RootKey) -> Option<Secret<String>> {
    bench.iam.find(&key.access_key_id).map(|found| found.secret)
}

#[tokio::test]
async fn an_account_has_a_root_of_its_own_at_once_and_after_a_restart() {
    let bench = Bench::new(Mode::Enforce).await;
    let (other, key) = neighbour(&bench).await;
    let identity = other.ok("GetCallerIdentity", json!({})).await;
    assert_eq!(
        (&identity["Arn"], &identity["Account"], &identity["UserId"]),
        (&json!("arn:aws:iam::111122223333:root"), &json!(B), &json!(B))
    );
    let info = bench.ok("GetAccessKeyInfo", json!({"AccessKeyId": key.access_key_id})).await;
    assert_eq!(info["Account"], B);
    let after = bench.restarted().await;
    assert_eq!(secret_of(&after, &key), Some(key.secret_access_key.clone()));
    assert_eq!(after.iam.accounts(), bench.iam.accounts());
    // The secret is nowhere as it is.
    let stored = bench.meta.scan(&[], None, 1_000).await.unwrap();
    let text: Vec<u8> = stored.iter().flat_map(|(_, found)| found.value.to_vec()).collect();
    assert!(!String::from_utf8_lossy(&text).contains(key.secret_access_key.expose().as_str()));
}

#[tokio::test]
async fn accounts_are_counted_named_and_never_made_twice() {
    let bench = Bench::new(Mode::Enforce).await;
    let (made, _) = bench.iam.create_account(None, Some("Lab 2".to_owned())).await.unwrap();
    assert_eq!((made.account.as_str().len(), made.name.as_deref()), (12, Some("Lab 2")));
    assert_eq!(made.created_at, Some(Timestamp::from_millis(NOW_MS)));
    let twice = bench.iam.create_account(Some(made.account.clone()), None).await.unwrap_err();
    assert!(matches!(twice, Error::EntityAlreadyExists(said) if said.contains(made.account.as_str())));
    let first = bench.iam.create_account(Some(AccountId::default_account()), None).await;
    assert!(matches!(first, Err(Error::EntityAlreadyExists(_))));
    for name in ["", "tab\there", "ü", &"x".repeat(51)] {
        let refused = bench.iam.create_account(None, Some(name.to_owned())).await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{name}");
    }
    let known: Vec<String> = bench.iam.accounts().iter().map(|found| found.account.to_string()).collect();
    assert_eq!(known, ["000000000000".to_owned(), made.account.to_string()]);
    for _ in 2..crate::limits::ACCOUNTS_MAX {
        bench.iam.create_account(None, None).await.unwrap();
    }
    let full = bench.iam.create_account(None, None).await;
    assert!(matches!(full, Err(Error::LimitExceeded(_))));
    assert_eq!(bench.iam.accounts().len(), crate::limits::ACCOUNTS_MAX);
}

#[tokio::test]
async fn nothing_of_one_account_is_seen_or_changed_by_another() {
    let bench = Bench::new(Mode::Enforce).await;
    let (other, _) = neighbour(&bench).await;
    bench.ok("CreateUser", json!({"UserName": "bob"})).await;
    bench.ok("CreateAccountAlias", json!({"AccountAlias": "lab"})).await;
    let policy = json!({"PolicyName": "p", "PolicyDocument": allow("s3:*", "*")});
    let arn = bench.ok("CreatePolicy", policy).await["Policy"]["Arn"].clone();
    let key = bench.ok("CreateAccessKey", json!({"UserName": "bob"})).await["AccessKey"].clone();
    for operation in ["ListUsers", "ListRoles", "ListGroups", "ListInstanceProfiles", "ListAccountAliases"] {
        let answer = other.ok(operation, json!({})).await;
        assert!(
            answer.as_object().unwrap().values().all(|v| v.as_array().is_none_or(Vec::is_empty)),
            "{answer}"
        );
    }
    for (operation, input) in [
        ("GetUser", json!({"UserName": "bob"})),
        ("DeleteUser", json!({"UserName": "bob"})),
        ("GetPolicy", json!({"PolicyArn": arn})),
        ("DeletePolicy", json!({"PolicyArn": arn})),
        ("DeleteAccessKey", json!({"UserName": "bob", "AccessKeyId": key["AccessKeyId"]})),
        ("GetAccessKeyLastUsed", json!({"AccessKeyId": key["AccessKeyId"]})),
        ("DeleteAccountAlias", json!({"AccountAlias": "lab"})),
    ] {
        let said = other.refused(operation, input).await;
        assert!(said.starts_with("NoSuchEntity") || said.starts_with("AccessDenied"), "{operation}: {said}");
    }
    // The same names are other things; an alias is unique on the node, as it is in AWS.
    other.ok("CreateUser", json!({"UserName": "bob"})).await;
    let attach = json!({"UserName": "bob", "PolicyArn": arn});
    assert!(other.refused("AttachUserPolicy", attach).await.starts_with("NoSuchEntity"));
    let taken = other.refused("CreateAccountAlias", json!({"AccountAlias": "lab"})).await;
    assert!(taken.starts_with("EntityAlreadyExists"), "{taken}");
    let shared = json!({"UserName": "bob", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"});
    other.ok("AttachUserPolicy", shared).await;
    assert_eq!(
        bench.ok("ListAttachedUserPolicies", json!({"UserName": "bob"})).await["AttachedPolicies"],
        json!([])
    );
}

#[tokio::test]
async fn a_role_of_another_account_is_not_assumed_against_its_trust_in_any_mode() {
    for mode in [Mode::Enforce, Mode::Audit, Mode::Off] {
        let bench = Bench::new(mode).await;
        let (other, _) = neighbour(&bench).await;
        other
            .ok(
                "CreateRole",
                json!({"RoleName": "r", "AssumeRolePolicyDocument": trusts(&json!({"AWS": B}))}),
            )
            .await;
        let bob = bench.user("bob").await;
        let all = json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": allow("sts:*", "*")});
        bench.ok("PutUserPolicy", all).await;
        let input = json!({"RoleArn": format!("arn:aws:iam::{B}:role/r"), "RoleSessionName": "visit"});
        let said = bob.refused("AssumeRole", input.clone()).await;
        assert!(said.starts_with("AccessDenied: User: arn:aws:iam::000000000000:user/bob"), "{said}");
        let said = bench.refused("AssumeRole", input.clone()).await;
        assert_eq!(said, "AccessDenied: Roles may not be assumed by root accounts.");
        // Trusted, and with leave at home, it is: both sides have said so.
        let trust = trusts(&json!({"AWS": "arn:aws:iam::000000000000:root"}));
        other.ok("UpdateAssumeRolePolicy", json!({"RoleName": "r", "PolicyDocument": trust})).await;
        bob.ok("AssumeRole", input).await;
    }
}

#[tokio::test]
async fn a_roots_key_is_replaced_with_and_without_an_overlap() {
    let bench = Bench::new(Mode::Enforce).await;
    let (_, first) = neighbour(&bench).await;
    let account: AccountId = B.parse().unwrap();
    let hour = Duration::from_secs(3_600);
    let second = bench.iam.rotate_root_key(&account, hour).await.unwrap().unwrap();
    for node in [&bench, &bench.restarted().await] {
        assert_eq!(secret_of(node, &first), Some(first.secret_access_key.clone()));
        assert_eq!(secret_of(node, &second), Some(second.secret_access_key.clone()));
    }
    bench.advance(3_600);
    assert_eq!(secret_of(&bench, &first), None);
    let third = bench.iam.rotate_root_key(&account, Duration::ZERO).await.unwrap().unwrap();
    assert_eq!((secret_of(&bench, &second), secret_of(&bench.restarted().await, &second)), (None, None));
    assert_eq!(secret_of(&bench, &third), Some(third.secret_access_key.clone()));
    assert_eq!(bench.iam.accounts()[1].root_access_key_id, third.access_key_id);
    let unknown = bench.iam.rotate_root_key(&"999999999999".parse().unwrap(), hour).await;
    assert!(matches!(unknown, Err(Error::NoSuchEntity(_))));
    let long = bench.iam.rotate_root_key(&account, hour * 24 * 8).await;
    assert!(matches!(long, Err(Error::Validation(_))));
    // The first account's key was chosen by whoever started the node.
    let chosen = bench.iam.rotate_root_key(&AccountId::default_account(), hour).await;
    assert!(matches!(chosen, Err(Error::InvalidInput(_))));
}

#[tokio::test]
async fn a_key_in_the_clear_is_gone_at_the_first_start_and_what_it_sealed_still_opens() {
    let meta = crate::seal::tests::store_of_before().await;
    let bench = Bench::over(Arc::clone(&meta), Mode::Enforce).await;
    for node in [&bench, &bench.restarted().await] {
        let found = node.iam.find("AKIAOLD").unwrap();
        assert_eq!(
            (found.secret.expose().as_str(), found.principal.arn().as_str()),
            ("a secret", "arn:aws:iam::000000000000:user/bob")
        );
    }
    let stored = meta.scan(b"iam_sealing_key", None, 10).await.unwrap();
    assert!(stored.is_empty());
}
