"""What a user does becomes a policy that is enough for it, by IAM Access Analyzer's operations."""

import json

ACCOUNT = "000000000000"


def test_a_policy_of_what_a_user_did(node):
    iam, analyzer = node.client("iam"), node.client("accessanalyzer")
    iam.create_user(UserName="carol")
    key = iam.create_access_key(UserName="carol")["AccessKey"]
    credentials = (key["AccessKeyId"], key["SecretAccessKey"])
    arn = f"arn:aws:iam::{ACCOUNT}:user/carol"

    def generated():
        job = analyzer.start_policy_generation(policyGenerationDetails={"principalArn": arn})["jobId"]
        answer = analyzer.get_generated_policy(jobId=job)
        assert answer["jobDetails"]["status"] == "SUCCEEDED"
        assert answer["generatedPolicyResult"]["properties"]["principalArn"] == arn
        return [json.loads(found["policy"]) for found in answer["generatedPolicyResult"]["generatedPolicies"]]

    assert generated() == []
    iam.put_user_policy(
        UserName="carol",
        PolicyName="all",
        PolicyDocument=json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}),
    )
    s3 = node.client("s3", credentials)
    s3.create_bucket(Bucket="of-carol")
    for n in range(30):
        s3.put_object(Bucket="of-carol", Key=f"raw/{n}", Body=b"beat")
    [policy] = generated()
    assert {"Effect": "Allow", "Action": ["s3:CreateBucket"], "Resource": ["arn:aws:s3:::of-carol"]} in policy["Statement"]
    # Many objects are their prefix.
    assert {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::of-carol/raw/*"]} in policy["Statement"]

    iam.put_user_policy(UserName="carol", PolicyName="used", PolicyDocument=json.dumps(policy))
    simulated = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["s3:PutObject"], ResourceArns=["arn:aws:s3:::of-carol/raw/31"]
    )
    assert simulated["EvaluationResults"][0]["EvalDecision"] == "allowed"
    listed = analyzer.list_policy_generations(principalArn=arn)["policyGenerations"]
    assert [row["status"] for row in listed] == ["SUCCEEDED", "SUCCEEDED"]
