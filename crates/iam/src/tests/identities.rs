//! Users, groups, access keys, instance profiles, aliases.

use super::*;

#[tokio::test]
async fn a_user_lives() {
    let bench = Bench::new(Mode::Enforce).await;
    let made = bench
        .ok(
            "CreateUser",
            json!({"UserName": "Bob", "Path": "/lab/", "Tags": [{"Key": "team", "Value": "iot"}]}),
        )
        .await;
    let user = &made["User"];
    assert_eq!(user["Arn"], "arn:aws:iam::000000000000:user/lab/Bob");
    assert_eq!(user["CreateDate"], "2017-08-26T07:47:12Z");
    assert!(user["UserId"].as_str().unwrap().starts_with("AIDA"));
    assert_eq!(bench.ok("GetUser", json!({"UserName": "Bob"})).await, made);
    let row = bench.ok("ListUsers", json!({"PathPrefix": "/lab"})).await;
    assert_eq!((row["Users"][0]["UserName"].as_str(), row["Users"][0].get("Tags")), (Some("Bob"), None));
    assert_eq!(bench.ok("ListUsers", json!({"PathPrefix": "/x/"})).await["Users"], json!([]));
    for (operation, input, expect) in [
        ("CreateUser", json!({"UserName": "bob"}), "EntityAlreadyExists: User with name bob already exists."),
        ("GetUser", json!({"UserName": "eve"}), "NoSuchEntity: The user with name eve cannot be found."),
        (
            "CreateUser",
            json!({"UserName": "a b"}),
            "ValidationError: The specified value for userName is invalid. It must contain only alphanumeric characters \
             and/or the following: +=,.@_-",
        ),
        (
            "CreateUser",
            json!({}),
            "ValidationError: 1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null",
        ),
        (
            "ListUsers",
            json!({"MaxItems": "1001"}),
            "ValidationError: 1 validation error detected: Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000",
        ),
        ("ListUsers", json!({"MaxItems": "x"}), "ValidationError: x is not a whole number"),
        ("ListUsers", json!({"Marker": "%"}), "ValidationError: Invalid Marker."),
        (
            "TagUser",
            json!({"UserName": "Bob", "Tags": [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]}),
            "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
        (
            "PutUserPermissionsBoundary",
            json!({"UserName": "Bob", "PermissionsBoundary": "arn:aws:iam::aws:policy/Nope"}),
            "NoSuchEntity: Policy arn:aws:iam::aws:policy/Nope does not exist or is not attachable.",
        ),
    ] {
        assert_eq!(bench.refused(operation, input).await, expect);
    }
    bench.ok("TagUser", json!({"UserName": "Bob", "Tags": [{"Key": "Team", "Value": "x"}]})).await;
    let tags = bench.ok("ListUserTags", json!({"UserName": "Bob"})).await;
    assert_eq!(tags, json!({"Tags": [{"Key": "Team", "Value": "x"}], "IsTruncated": false}));
    bench.ok("UntagUser", json!({"UserName": "Bob", "TagKeys": ["Team"]})).await;
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    bench.ok("PutUserPermissionsBoundary", json!({"UserName": "Bob", "PermissionsBoundary": admin})).await;
    bench.ok("UpdateUser", json!({"UserName": "Bob", "NewUserName": "Rob", "NewPath": "/"})).await;
    let after = bench.restarted().await;
    let user = after.ok("GetUser", json!({"UserName": "Rob"})).await;
    assert_eq!(user["User"]["Arn"], "arn:aws:iam::000000000000:user/Rob");
    assert_eq!(user["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"], admin);
    after.ok("DeleteUserPermissionsBoundary", json!({"UserName": "Rob"})).await;
    after.ok("DeleteUser", json!({"UserName": "Rob"})).await;
    assert_eq!(
        after.restarted().await.ok("ListUsers", json!({})).await,
        json!({"Users": [], "IsTruncated": false})
    );
}

#[tokio::test]
async fn pages_lead_to_each_other() {
    let bench = Bench::new(Mode::Enforce).await;
    for name in ["c", "B", "a"] {
        bench.ok("CreateUser", json!({"UserName": name})).await;
    }
    let mut input = json!({"MaxItems": "2"});
    let mut names = Vec::new();
    loop {
        let page = bench.ok("ListUsers", input.clone()).await;
        names.extend(
            page["Users"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["UserName"].as_str().unwrap().to_owned()),
        );
        if page["IsTruncated"] == false {
            assert_eq!(page.get("Marker"), None);
            break;
        }
        input["Marker"] = page["Marker"].clone();
    }
    assert_eq!(names, ["a", "B", "c"]);
}

#[tokio::test]
async fn a_key_works_until_it_does_not() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    let first = bench.ok("ListAccessKeys", json!({"UserName": "bob"})).await;
    let id = first["AccessKeyMetadata"][0]["AccessKeyId"].as_str().unwrap().to_owned();
    let second = bench.ok("CreateAccessKey", json!({"UserName": "bob"})).await;
    let (second_id, secret) = (&second["AccessKey"]["AccessKeyId"], &second["AccessKey"]["SecretAccessKey"]);
    assert_eq!(
        bench.refused("CreateAccessKey", json!({"UserName": "bob"})).await,
        "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2"
    );
    let find = |bench: &Bench, id: &str| bench.iam.find(id).map(|found| found.secret.expose().clone());
    let after = bench.restarted().await;
    assert_eq!(find(&after, second_id.as_str().unwrap()).as_deref(), secret.as_str());
    let update = |status: &str| json!({"UserName": "bob", "AccessKeyId": id, "Status": status});
    bench.ok("UpdateAccessKey", update("Inactive")).await;
    assert_eq!(find(&bench, &id), None);
    bench.ok("UpdateAccessKey", update("Active")).await;
    assert!(find(&bench, &id).is_some());
    assert_eq!(
        bench.refused("DeleteUser", json!({"UserName": "bob"})).await,
        "DeleteConflict: Cannot delete entity, must delete access keys first."
    );
    let unused = bench.ok("GetAccessKeyLastUsed", json!({"AccessKeyId": id})).await;
    assert_eq!(unused["AccessKeyLastUsed"], json!({"ServiceName": "N/A", "Region": "N/A"}));
    bob.may("s3:ListAllMyBuckets", "*");
    let used = bench.ok("GetAccessKeyLastUsed", json!({"AccessKeyId": id})).await;
    assert_eq!(
        used,
        json!({"UserName": "bob", "AccessKeyLastUsed":
            {"LastUsedDate": "2017-08-26T07:47:12Z", "ServiceName": "s3", "Region": "us-east-1"}})
    );
    bench.ok("UpdateUser", json!({"UserName": "bob", "NewUserName": "rob"})).await;
    let renamed = bench.iam.find(&id).unwrap().principal;
    assert_eq!(renamed.arn(), "arn:aws:iam::000000000000:user/rob");
    bench.ok("DeleteAccessKey", json!({"UserName": "rob", "AccessKeyId": id})).await;
    assert_eq!(find(&bench, &id), None);
    assert_eq!(
        bench.refused("DeleteAccessKey", json!({"UserName": "rob", "AccessKeyId": id})).await,
        format!("NoSuchEntity: The Access Key with id {id} cannot be found.")
    );
    let owner = bench.ok("GetAccessKeyInfo", json!({"AccessKeyId": second_id})).await;
    assert_eq!(owner, json!({"Account": "000000000000"}));
}

#[tokio::test]
async fn secrets_are_stored_sealed() {
    let bench = Bench::new(Mode::Enforce).await;
    bench.ok("CreateUser", json!({"UserName": "bob"})).await;
    let key = bench.ok("CreateAccessKey", json!({"UserName": "bob"})).await;
    let secret = key["AccessKey"]["SecretAccessKey"].as_str().unwrap().as_bytes();
    for (_, stored) in bench.meta.scan(b"", None, 1_000).await.unwrap() {
        assert!(!stored.value.windows(secret.len()).any(|window| window == secret));
    }
    assert!(!format!("{:?}", bench.iam.find("AKIDROOT")).contains("root secret"));
}

#[tokio::test]
async fn a_user_sees_itself_and_a_root_its_account() {
    let bench = Bench::new(Mode::Enforce).await;
    let root = bench.ok("GetUser", json!({})).await;
    assert_eq!(
        (&root["User"]["Arn"], &root["User"]["UserId"]),
        (&json!("arn:aws:iam::000000000000:root"), &json!("000000000000"))
    );
    let bob = bench.user("bob").await;
    assert_eq!(
        bob.refused("GetUser", json!({})).await,
        "AccessDenied: User: arn:aws:iam::000000000000:user/bob is not authorized to perform: iam:GetUser on resource: \
         arn:aws:iam::000000000000:user/bob because no identity-based policy allows the iam:GetUser action"
    );
    let policy = allow("iam:GetUser", "arn:aws:iam::000000000000:user/${aws:username}");
    bench
        .ok("PutUserPolicy", json!({"UserName": "bob", "PolicyName": "self", "PolicyDocument": policy}))
        .await;
    assert_eq!(bob.ok("GetUser", json!({})).await["User"]["UserName"], "bob");
    let identity = bob.ok("GetCallerIdentity", json!({})).await;
    assert_eq!(identity["Arn"], "arn:aws:iam::000000000000:user/bob");
    assert!(identity["UserId"].as_str().unwrap().starts_with("AIDA"));
    assert_eq!(
        bench.ok("GetCallerIdentity", json!({})).await,
        json!({"UserId": "000000000000", "Account": "000000000000", "Arn": "arn:aws:iam::000000000000:root"})
    );
}

#[tokio::test]
async fn groups_have_users() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    let made = bench.ok("CreateGroup", json!({"GroupName": "lab", "Path": "/x/"})).await;
    assert_eq!(made["Group"]["Arn"], "arn:aws:iam::000000000000:group/x/lab");
    let both = json!({"GroupName": "lab", "UserName": "bob"});
    bench.ok("AddUserToGroup", both.clone()).await;
    let policy = allow("s3:*", "*");
    bench
        .ok("PutGroupPolicy", json!({"GroupName": "lab", "PolicyName": "p", "PolicyDocument": policy}))
        .await;
    assert!(bob.may("s3:GetObject", "arn:aws:s3:::b/k"));
    for (operation, input, expect) in [
        (
            "DeleteGroup",
            json!({"GroupName": "lab"}),
            "DeleteConflict: Cannot delete entity, must remove users from group first.",
        ),
        (
            "DeleteUser",
            json!({"UserName": "bob"}),
            "DeleteConflict: Cannot delete entity, must delete access keys first.",
        ),
        (
            "AddUserToGroup",
            json!({"GroupName": "x", "UserName": "bob"}),
            "NoSuchEntity: The group with name x cannot be found.",
        ),
        ("GetGroup", json!({"GroupName": "x"}), "NoSuchEntity: The group with name x cannot be found."),
    ] {
        assert_eq!(bench.refused(operation, input).await, expect);
    }
    bench.ok("UpdateGroup", json!({"GroupName": "lab", "NewGroupName": "works"})).await;
    let after = bench.restarted().await;
    let group = after.ok("GetGroup", json!({"GroupName": "works"})).await;
    assert_eq!((&group["Users"][0]["UserName"], &group["Group"]["Path"]), (&json!("bob"), &json!("/x/")));
    assert_eq!(
        after.ok("ListGroupsForUser", json!({"UserName": "bob"})).await["Groups"][0]["GroupName"],
        "works"
    );
    assert_eq!(after.ok("ListGroups", json!({})).await["Groups"].as_array().unwrap().len(), 1);
    bench.ok("RemoveUserFromGroup", json!({"GroupName": "works", "UserName": "bob"})).await;
    assert!(!bob.may("s3:GetObject", "arn:aws:s3:::b/k"));
    let twice = bench.refused("RemoveUserFromGroup", json!({"GroupName": "works", "UserName": "bob"})).await;
    assert_eq!(twice, "NoSuchEntity: User bob is not in group works.");
    assert_eq!(
        bench.refused("DeleteGroup", json!({"GroupName": "works"})).await,
        "DeleteConflict: Cannot delete entity, must delete policies first."
    );
    bench.ok("DeleteGroupPolicy", json!({"GroupName": "works", "PolicyName": "p"})).await;
    bench.ok("DeleteGroup", json!({"GroupName": "works"})).await;
}

#[tokio::test]
async fn instance_profiles_hold_one_role() {
    let bench = Bench::new(Mode::Enforce).await;
    let service = json!({"Service": "ec2.amazonaws.com"});
    for name in ["r", "s"] {
        bench.ok("CreateRole", json!({"RoleName": name, "AssumeRolePolicyDocument": trusts(&service)})).await;
    }
    bench
        .ok(
            "CreateInstanceProfile",
            json!({"InstanceProfileName": "p", "Tags": [{"Key": "k", "Value": "v"}]}),
        )
        .await;
    let both = |role: &str| json!({"InstanceProfileName": "p", "RoleName": role});
    bench.ok("AddRoleToInstanceProfile", both("r")).await;
    assert!(bench.refused("AddRoleToInstanceProfile", both("s")).await.starts_with("LimitExceeded"));
    let got = bench.restarted().await.ok("GetInstanceProfile", json!({"InstanceProfileName": "p"})).await;
    assert_eq!(got["InstanceProfile"]["Roles"][0]["RoleName"], "r");
    assert_eq!(
        bench.ok("ListInstanceProfilesForRole", json!({"RoleName": "r"})).await["InstanceProfiles"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        bench.ok("ListInstanceProfilesForRole", json!({"RoleName": "s"})).await["InstanceProfiles"],
        json!([])
    );
    assert_eq!(
        bench.ok("ListInstanceProfiles", json!({})).await["InstanceProfiles"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        bench.refused("DeleteRole", json!({"RoleName": "r"})).await,
        "DeleteConflict: Cannot delete entity, must remove roles from instance profile first."
    );
    let busy = bench.refused("DeleteInstanceProfile", json!({"InstanceProfileName": "p"})).await;
    assert_eq!(busy, "DeleteConflict: Cannot delete entity, must remove roles from instance profile first.");
    bench.ok("RemoveRoleFromInstanceProfile", both("r")).await;
    bench.ok("DeleteInstanceProfile", json!({"InstanceProfileName": "p"})).await;
    bench.ok("DeleteRole", json!({"RoleName": "r"})).await;
}

#[tokio::test]
async fn an_account_has_one_alias() {
    let bench = Bench::new(Mode::Enforce).await;
    for alias in ["lab-one", "lab-two"] {
        bench.ok("CreateAccountAlias", json!({"AccountAlias": alias})).await;
    }
    let listed = bench.restarted().await.ok("ListAccountAliases", json!({})).await;
    assert_eq!(listed, json!({"AccountAliases": ["lab-two"], "IsTruncated": false}));
    assert!(
        bench
            .refused("CreateAccountAlias", json!({"AccountAlias": "a--b"}))
            .await
            .starts_with("ValidationError")
    );
    assert_eq!(
        bench.refused("DeleteAccountAlias", json!({"AccountAlias": "lab-one"})).await,
        "NoSuchEntity: The account alias with name lab-one cannot be found."
    );
    let neighbour = bench.as_principal(Principal::Root { account: "111111111111".parse().unwrap() });
    assert_eq!(
        neighbour.refused("CreateAccountAlias", json!({"AccountAlias": "lab-two"})).await,
        "EntityAlreadyExists: The account alias lab-two already exists."
    );
    bench.ok("DeleteAccountAlias", json!({"AccountAlias": "lab-two"})).await;
    neighbour.ok("CreateAccountAlias", json!({"AccountAlias": "lab-two"})).await;
    let summary = bench.ok("GetAccountSummary", json!({})).await;
    let entries = summary["SummaryMap"]["entry"].as_array().unwrap();
    assert!(entries.contains(&json!({"key": "Users", "value": 0})));
}

#[tokio::test]
async fn accounts_do_not_see_each_other() {
    let bench = Bench::new(Mode::Enforce).await;
    let neighbour = bench.as_principal(Principal::Root { account: "111111111111".parse().unwrap() });
    bench.ok("CreateUser", json!({"UserName": "bob"})).await;
    assert_eq!(
        neighbour.refused("GetUser", json!({"UserName": "bob"})).await,
        "NoSuchEntity: The user with name bob cannot be found."
    );
    let key = bench.ok("CreateAccessKey", json!({"UserName": "bob"})).await;
    let id = key["AccessKey"]["AccessKeyId"].as_str().unwrap();
    neighbour.ok("CreateUser", json!({"UserName": "bob"})).await;
    assert_eq!(
        neighbour.refused("DeleteAccessKey", json!({"UserName": "bob", "AccessKeyId": id})).await,
        format!("NoSuchEntity: The Access Key with id {id} cannot be found.")
    );
    assert!(
        neighbour
            .refused("GetAccessKeyLastUsed", json!({"AccessKeyId": id}))
            .await
            .starts_with("NoSuchEntity")
    );
    assert!(bench.iam.find(id).is_some());
}
