//! Roles, inline and managed policies, simulations.

use super::*;

const ACCOUNT: &str = "arn:aws:iam::000000000000";

fn firehose() -> Value {
    json!({"Service": "firehose.amazonaws.com"})
}

#[tokio::test]
async fn a_role_lives_as_terraform_makes_it() {
    let bench = Bench::new(Mode::Enforce).await;
    let trust = trusts(&firehose());
    let made = bench
        .ok("CreateRole", json!({"RoleName": "r", "Path": "/service-role/", "AssumeRolePolicyDocument": trust, "MaxSessionDuration": "7200"}))
        .await;
    let role = &made["Role"];
    assert_eq!(role["Arn"], format!("{ACCOUNT}:role/service-role/r"));
    assert_eq!(role["MaxSessionDuration"], 7_200);
    let encoded = role["AssumeRolePolicyDocument"].as_str().unwrap();
    assert!(encoded.starts_with("%7B%22Version%22%3A%222012-10-17%22"), "{encoded}");
    let name = json!({"RoleName": "r"});
    assert_eq!(bench.ok("GetRole", name.clone()).await["Role"]["RoleLastUsed"], json!({}));
    assert_eq!(
        bench.ok("ListRolePolicies", name.clone()).await,
        json!({"PolicyNames": [], "IsTruncated": false})
    );
    assert_eq!(bench.ok("ListAttachedRolePolicies", name.clone()).await["AttachedPolicies"], json!([]));
    let inline = allow("s3:PutObject", "*");
    bench.ok("PutRolePolicy", json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": inline})).await;
    let got = bench.ok("GetRolePolicy", json!({"RoleName": "r", "PolicyName": "p"})).await;
    assert_eq!((&got["RoleName"], &got["PolicyName"]), (&json!("r"), &json!("p")));
    let managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    bench.ok("AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": managed})).await;
    let attached = bench.restarted().await.ok("ListAttachedRolePolicies", name.clone()).await;
    assert_eq!(
        attached["AttachedPolicies"],
        json!([{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": managed}])
    );
    assert_eq!(bench.ok("UpdateRole", json!({"RoleName": "r", "Description": "d"})).await, json!({}));
    bench.ok("UpdateRole", json!({"RoleName": "r", "MaxSessionDuration": "3600"})).await;
    let updated = bench.ok("GetRole", name.clone()).await;
    assert_eq!(
        (&updated["Role"]["MaxSessionDuration"], &updated["Role"]["Description"]),
        (&json!(3_600), &json!("d"))
    );
    let described = bench.ok("UpdateRoleDescription", json!({"RoleName": "r", "Description": "e"})).await;
    assert_eq!(described["Role"]["Description"], "e");
    bench
        .ok(
            "UpdateAssumeRolePolicy",
            json!({"RoleName": "r", "PolicyDocument": trusts(&json!({"AWS": "000000000000"}))}),
        )
        .await;
    bench.ok("TagRole", json!({"RoleName": "r", "Tags": [{"Key": "k", "Value": "v"}]})).await;
    assert_eq!(bench.ok("ListRoleTags", name.clone()).await["Tags"][0]["Key"], "k");
    assert_eq!(
        bench.refused("DeleteRole", name.clone()).await,
        "DeleteConflict: Cannot delete entity, must detach all policies first."
    );
    bench.ok("DetachRolePolicy", json!({"RoleName": "r", "PolicyArn": managed})).await;
    assert_eq!(
        bench.refused("DetachRolePolicy", json!({"RoleName": "r", "PolicyArn": managed})).await,
        format!("NoSuchEntity: Policy {managed} was not found.")
    );
    assert_eq!(
        bench.refused("DeleteRole", name.clone()).await,
        "DeleteConflict: Cannot delete entity, must delete policies first."
    );
    bench.ok("DeleteRolePolicy", json!({"RoleName": "r", "PolicyName": "p"})).await;
    assert_eq!(
        bench.refused("GetRolePolicy", json!({"RoleName": "r", "PolicyName": "p"})).await,
        "NoSuchEntity: The role policy with name p cannot be found."
    );
    bench.ok("DeleteRole", name.clone()).await;
    assert_eq!(bench.refused("GetRole", name).await, "NoSuchEntity: The role with name r cannot be found.");
}

#[tokio::test]
async fn what_is_no_policy_is_refused_in_awss_words() {
    let bench = Bench::new(Mode::Enforce).await;
    bench.ok("CreateUser", json!({"UserName": "bob"})).await;
    for (text, expect) in [
        ("{", "Syntax errors in policy."),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"allow","Action":"a:b","Resource":"*"}]}"#,
            "Syntax errors in policy.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*"}]}"#,
            "Policy statement must contain actions.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:b"}]}"#,
            "Policy statement must contain resources.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:b","Resource":"x"}]}"#,
            "Resource x must be in ARN format or \"*\".",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*"}]}"#,
            "Policy document should not specify a principal.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"a b","Effect":"Allow","Action":"a:b","Resource":"*"}]}"#,
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
        ),
    ] {
        let input = json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": text});
        assert_eq!(bench.refused("PutUserPolicy", input).await, format!("MalformedPolicyDocument: {expect}"));
    }
    let long = allow("s3:GetObject", &format!("arn:aws:s3:::{}", "x".repeat(2_048)));
    assert_eq!(
        bench
            .refused("PutUserPolicy", json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": long}))
            .await,
        "LimitExceeded: Maximum policy size of 2048 bytes exceeded for user bob"
    );
    for (principal, expect) in [
        (
            json!({"AWS": "arn:aws:iam::000000000000:user/eve"}),
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::000000000000:user/eve\"",
        ),
        (json!({"AWS": "bob"}), "Invalid principal in policy: \"AWS\":\"bob\""),
        (json!({"Service": "firehose"}), "Invalid principal in policy: \"SERVICE\":\"firehose\""),
    ] {
        let input = json!({"RoleName": "r", "AssumeRolePolicyDocument": trusts(&principal)});
        assert_eq!(bench.refused("CreateRole", input).await, format!("MalformedPolicyDocument: {expect}"));
    }
    let bob = trusts(&json!({"AWS": "arn:aws:iam::000000000000:user/bob"}));
    bench.ok("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": bob})).await;
}

#[tokio::test]
async fn a_managed_policy_has_versions() {
    let bench = Bench::new(Mode::Enforce).await;
    let bob = bench.user("bob").await;
    let (get, put) = (allow("s3:GetObject", "*"), allow("s3:PutObject", "*"));
    let made =
        bench.ok("CreatePolicy", json!({"PolicyName": "p", "PolicyDocument": get, "Description": "d"})).await;
    let arn = format!("{ACCOUNT}:policy/p");
    assert_eq!(made["Policy"]["Arn"], arn);
    assert_eq!(
        bench.refused("CreatePolicy", json!({"PolicyName": "P", "PolicyDocument": get})).await,
        "EntityAlreadyExists: A policy called P already exists. Duplicate names are not allowed."
    );
    bench.ok("AttachUserPolicy", json!({"UserName": "bob", "PolicyArn": arn})).await;
    assert!(bob.may("s3:GetObject", "arn:aws:s3:::b/k"));
    let second = bench
        .ok("CreatePolicyVersion", json!({"PolicyArn": arn, "PolicyDocument": put, "SetAsDefault": "true"}))
        .await;
    assert_eq!(second["PolicyVersion"]["VersionId"], "v2");
    assert!(!bob.may("s3:GetObject", "arn:aws:s3:::b/k") && bob.may("s3:PutObject", "arn:aws:s3:::b/k"));
    let version = |id: &str| json!({"PolicyArn": arn, "VersionId": id});
    assert_eq!(
        bench.refused("DeletePolicyVersion", version("v2")).await,
        "DeleteConflict: Cannot delete the default version of a policy."
    );
    bench.ok("SetDefaultPolicyVersion", version("v1")).await;
    assert!(bob.may("s3:GetObject", "arn:aws:s3:::b/k"));
    assert_eq!(bench.ok("GetPolicyVersion", version("v1")).await["PolicyVersion"]["IsDefaultVersion"], true);
    assert_eq!(
        bench.refused("GetPolicyVersion", version("v9")).await,
        format!("NoSuchEntity: Policy {arn} version v9 does not exist or is not attachable.")
    );
    for _ in 0..3 {
        bench.ok("CreatePolicyVersion", json!({"PolicyArn": arn, "PolicyDocument": put})).await;
    }
    assert!(
        bench
            .refused("CreatePolicyVersion", json!({"PolicyArn": arn, "PolicyDocument": put}))
            .await
            .starts_with("LimitExceeded: A managed policy can have up to 5 versions.")
    );
    let listed = bench.restarted().await.ok("ListPolicyVersions", json!({"PolicyArn": arn})).await;
    let ids: Vec<_> =
        listed["Versions"].as_array().unwrap().iter().map(|version| &version["VersionId"]).collect();
    assert_eq!(ids, ["v5", "v4", "v3", "v2", "v1"]);
    assert_eq!(bench.ok("GetPolicy", json!({"PolicyArn": arn})).await["Policy"]["AttachmentCount"], 1);
    let entities = bench.ok("ListEntitiesForPolicy", json!({"PolicyArn": arn})).await;
    assert_eq!(
        (&entities["PolicyUsers"][0]["UserName"], &entities["PolicyRoles"]),
        (&json!("bob"), &json!([]))
    );
    let listed = bench.ok("ListPolicies", json!({"OnlyAttached": "true"})).await;
    assert_eq!(listed["Policies"].as_array().unwrap().len(), 1);
    assert_eq!(
        bench.refused("DeletePolicy", json!({"PolicyArn": arn})).await,
        "DeleteConflict: Cannot delete a policy attached to entities."
    );
    bench.ok("DetachUserPolicy", json!({"UserName": "bob", "PolicyArn": arn})).await;
    assert!(
        bench
            .refused("DeletePolicy", json!({"PolicyArn": arn}))
            .await
            .starts_with("DeleteConflict: This policy has more than one version.")
    );
    for id in ["v2", "v3", "v4", "v5"] {
        bench.ok("DeletePolicyVersion", version(id)).await;
    }
    bench.ok("DeletePolicy", json!({"PolicyArn": arn})).await;
    assert_eq!(
        bench.refused("GetPolicy", json!({"PolicyArn": arn})).await,
        format!("NoSuchEntity: Policy {arn} was not found.")
    );
}

#[tokio::test]
async fn awss_policies_are_there_and_nobody_changes_them() {
    let bench = Bench::new(Mode::Enforce).await;
    let arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    let policy = bench.ok("GetPolicy", json!({"PolicyArn": arn})).await;
    assert_eq!(policy["Policy"]["PolicyName"], "AmazonS3ReadOnlyAccess");
    let version = bench.ok("GetPolicyVersion", json!({"PolicyArn": arn, "VersionId": "v1"})).await;
    assert!(version["PolicyVersion"]["Document"].as_str().unwrap().contains("s3%3AGet%2A"));
    assert!(bench.refused("DeletePolicy", json!({"PolicyArn": arn})).await.starts_with("AccessDenied"));
    let aws = bench.ok("ListPolicies", json!({"Scope": "AWS", "PathPrefix": "/service-role/"})).await;
    assert!(aws["Policies"].as_array().unwrap().len() > 5);
    let reader = bench.user("reader").await;
    bench.ok("AttachUserPolicy", json!({"UserName": "reader", "PolicyArn": arn})).await;
    assert!(
        reader.may("s3:GetObject", "arn:aws:s3:::b/k") && !reader.may("s3:PutObject", "arn:aws:s3:::b/k")
    );
    for at in 0..9 {
        let name = format!("p{at}");
        bench.ok("CreatePolicy", json!({"PolicyName": name, "PolicyDocument": allow("a:b", "*")})).await;
        bench
            .ok(
                "AttachUserPolicy",
                json!({"UserName": "reader", "PolicyArn": format!("{ACCOUNT}:policy/{name}")}),
            )
            .await;
    }
    let eleventh = json!({"UserName": "reader", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"});
    assert_eq!(
        bench.refused("AttachUserPolicy", eleventh).await,
        "LimitExceeded: Cannot exceed quota for PoliciesPerUser: 10"
    );
}

#[tokio::test]
async fn a_service_linked_role_is_the_services() {
    let bench = Bench::new(Mode::Enforce).await;
    let made =
        bench.ok("CreateServiceLinkedRole", json!({"AWSServiceName": "iot-events.amazonaws.com"})).await;
    assert_eq!(
        made["Role"]["Arn"],
        format!("{ACCOUNT}:role/aws-service-role/iot-events.amazonaws.com/AWSServiceRoleForIotEvents")
    );
    let name = json!({"RoleName": "AWSServiceRoleForIotEvents"});
    assert_eq!(
        bench.refused("DeleteRole", name.clone()).await,
        "UnmodifiableEntity: Cannot perform the operation on the protected role 'AWSServiceRoleForIotEvents' - this role is only modifiable by AWS"
    );
    assert!(
        bench
            .refused("CreateServiceLinkedRole", json!({"AWSServiceName": "iot-events.amazonaws.com"}))
            .await
            .starts_with("InvalidInput: Service role name AWSServiceRoleForIotEvents has been taken")
    );
    let task = bench.ok("DeleteServiceLinkedRole", name.clone()).await;
    let status = bench
        .ok("GetServiceLinkedRoleDeletionStatus", json!({"DeletionTaskId": task["DeletionTaskId"]}))
        .await;
    assert_eq!(status, json!({"Status": "SUCCEEDED"}));
    assert!(bench.refused("GetRole", name).await.starts_with("NoSuchEntity"));
    assert!(
        bench
            .refused("CreateServiceLinkedRole", json!({"AWSServiceName": "x"}))
            .await
            .starts_with("InvalidInput")
    );
}

#[tokio::test]
async fn simulations_say_what_would_be() {
    let bench = Bench::new(Mode::Enforce).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}/*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
    ]});
    let input = json!({
        "PolicyInputList": [policy.to_string()],
        "ActionNames": ["s3:GetObject", "s3:DeleteObject", "iam:GetUser"],
        "ResourceArns": ["arn:aws:s3:::bob/k"],
        "ContextEntries": [
            {"ContextKeyName": "aws:username", "ContextKeyValues": ["bob"], "ContextKeyType": "string"},
            {"ContextKeyName": "aws:securetransport", "ContextKeyValues": ["true"], "ContextKeyType": "boolean"},
        ],
    });
    let decisions = |output: &Value| {
        let results = output["EvaluationResults"].as_array().unwrap();
        results.iter().map(|result| result["EvalDecision"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let output = bench.ok("SimulateCustomPolicy", input.clone()).await;
    assert_eq!(decisions(&output), ["allowed", "explicitDeny", "implicitDeny"]);
    assert_eq!(
        output["EvaluationResults"][0]["MatchedStatements"],
        json!([{"SourcePolicyId": "PolicyInputList.1", "SourcePolicyType": "IAM Policy"}])
    );
    bench.ok("CreateUser", json!({"UserName": "bob"})).await;
    bench
        .ok(
            "PutUserPolicy",
            json!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": policy.to_string()}),
        )
        .await;
    let of_bob = json!({
        "PolicySourceArn": format!("{ACCOUNT}:user/bob"), "ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::bob/k"],
    });
    let output = bench.ok("SimulatePrincipalPolicy", of_bob.clone()).await;
    assert_eq!(decisions(&output), ["implicitDeny"]);
    assert_eq!(output["EvaluationResults"][0]["MissingContextValues"], json!(["aws:SecureTransport"]));
    let mut bounded = of_bob.clone();
    bounded["ContextEntries"] = input["ContextEntries"].clone();
    assert_eq!(decisions(&bench.ok("SimulatePrincipalPolicy", bounded.clone()).await), ["allowed"]);
    bounded["PermissionsBoundaryPolicyInputList"] = json!([allow("iam:*", "*")]);
    let output = bench.ok("SimulatePrincipalPolicy", bounded).await;
    assert_eq!(decisions(&output), ["implicitDeny"]);
    assert_eq!(
        output["EvaluationResults"][0]["PermissionsBoundaryDecisionDetail"],
        json!({"AllowedByPermissionsBoundary": false})
    );
    let nobody = json!({"PolicySourceArn": format!("{ACCOUNT}:user/eve"), "ActionNames": ["a:b"]});
    assert!(bench.refused("SimulatePrincipalPolicy", nobody).await.starts_with("NoSuchEntity"));
    let neighbours = json!({"PolicySourceArn": "arn:aws:iam::111111111111:user/bob", "ActionNames": ["a:b"]});
    assert!(bench.refused("SimulatePrincipalPolicy", neighbours).await.starts_with("NoSuchEntity"));
    let wild = json!({"PolicyInputList": [allow("a:b", "*")], "ActionNames": ["a:*"]});
    assert_eq!(bench.refused("SimulateCustomPolicy", wild).await, "InvalidInput: Invalid Entity Action: a:*");
}

#[tokio::test]
async fn what_a_simulation_cannot_regard_is_refused() {
    let bench = Bench::new(Mode::Enforce).await;
    for (member, value, expect) in [
        (
            "OrderedOrganizationPolicyInputList",
            json!([{}]),
            "InvalidInput: OrderedOrganizationPolicyInputList is not supported.",
        ),
        (
            "ResourceHandlingOption",
            json!("EC2-VPC-InstanceStore"),
            "InvalidInput: ResourceHandlingOption EC2-VPC-InstanceStore is not supported.",
        ),
        ("ResourceOwner", json!("me"), "InvalidInput: Invalid ResourceOwner: me"),
        ("CallerArn", json!("arn:aws:s3:::b"), "InvalidInput: Invalid CallerArn: arn:aws:s3:::b"),
        ("ResourcePolicy", json!("{"), "InvalidInput: Syntax errors in policy."),
    ] {
        let mut input = json!({"PolicyInputList": [allow("a:b", "*")], "ActionNames": ["a:b"]});
        input[member] = value;
        assert_eq!(bench.refused("SimulateCustomPolicy", input).await, expect);
    }
    let entry = json!([{"ContextKeyName": "aws:username", "ContextKeyType": "text"}]);
    let input =
        json!({"PolicyInputList": [allow("a:b", "*")], "ActionNames": ["a:b"], "ContextEntries": entry});
    assert!(
        bench
            .refused("SimulateCustomPolicy", input)
            .await
            .starts_with("ValidationError: unknown variant `text`")
    );
}

#[tokio::test]
async fn everything_of_an_account_is_told_in_pages_and_by_kind() {
    let bench = Bench::new(Mode::Enforce).await;
    bench.ok("CreateGroup", json!({"GroupName": "g"})).await;
    for user in ["a", "b"] {
        bench.ok("CreateUser", json!({"UserName": user, "Tags": [{"Key": "k", "Value": "v"}]})).await;
        bench.ok("AddUserToGroup", json!({"UserName": user, "GroupName": "g"})).await;
    }
    let trust = trusts(&json!({"AWS": "000000000000"}));
    bench.ok("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": trust})).await;
    bench.ok("CreateInstanceProfile", json!({"InstanceProfileName": "i"})).await;
    bench.ok("AddRoleToInstanceProfile", json!({"InstanceProfileName": "i", "RoleName": "r"})).await;
    let inline = json!({"RoleName": "r", "PolicyName": "own", "PolicyDocument": allow("s3:*", "*")});
    bench.ok("PutRolePolicy", inline).await;
    bench.ok("CreatePolicy", json!({"PolicyName": "p", "PolicyDocument": allow("s3:*", "*")})).await;
    let aws = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    bench.ok("AttachGroupPolicy", json!({"GroupName": "g", "PolicyArn": aws})).await;
    let all = bench.ok("GetAccountAuthorizationDetails", json!({})).await;
    let names = |answer: &Value, list: &str, name: &str| -> Vec<String> {
        let rows = answer[list].as_array().unwrap().iter();
        rows.map(|row| row[name].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&all, "UserDetailList", "UserName"), ["a", "b"]);
    assert_eq!(names(&all, "GroupDetailList", "GroupName"), ["g"]);
    assert_eq!(names(&all, "RoleDetailList", "RoleName"), ["r"]);
    assert_eq!(names(&all, "Policies", "PolicyName"), ["p", "ReadOnlyAccess"]);
    assert_eq!(all["UserDetailList"][0]["GroupList"], json!(["g"]));
    assert_eq!(
        all["GroupDetailList"][0]["AttachedManagedPolicies"],
        json!([{"PolicyName": "ReadOnlyAccess", "PolicyArn": aws}])
    );
    let role = &all["RoleDetailList"][0];
    assert_eq!(role["RolePolicyList"][0]["PolicyName"], "own");
    assert_eq!(role["InstanceProfileList"][0]["InstanceProfileName"], "i");
    assert_eq!(all["Policies"][0]["PolicyVersionList"][0]["VersionId"], "v1");
    assert_eq!(all["Policies"][1]["AttachmentCount"], 1);
    let mut seen = Vec::new();
    let mut input = json!({"MaxItems": "1"});
    loop {
        let page = bench.ok("GetAccountAuthorizationDetails", input.clone()).await;
        for (list, name) in [
            ("UserDetailList", "UserName"),
            ("GroupDetailList", "GroupName"),
            ("RoleDetailList", "RoleName"),
            ("Policies", "PolicyName"),
        ] {
            seen.extend(names(&page, list, name));
        }
        if page["IsTruncated"] != true {
            break;
        }
        input["Marker"] = page["Marker"].clone();
    }
    assert_eq!(seen, ["a", "b", "g", "r", "p", "ReadOnlyAccess"]);
    let roles = bench.ok("GetAccountAuthorizationDetails", json!({"Filter": ["Role"]})).await;
    assert_eq!(
        (&roles["UserDetailList"], &roles["RoleDetailList"][0]["RoleName"]),
        (&json!([]), &json!("r"))
    );
    let wrong = bench.refused("GetAccountAuthorizationDetails", json!({"Filter": ["Robot"]})).await;
    assert!(wrong.starts_with("ValidationError"), "{wrong}");
}
