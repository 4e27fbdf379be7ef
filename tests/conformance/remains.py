"""What a pipeline has left behind, by the listings of every service it used."""


def remains(node):
    """Every name that the listings know and that is not there from the start."""
    s3, iot, firehose = node.client("s3"), node.client("iot"), node.client("firehose")
    glue, athena, iam = node.client("glue"), node.client("athena"), node.client("iam")
    found = {
        "buckets": [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]],
        "things": [thing["thingName"] for thing in iot.list_things()["things"]],
        "certificates": [item["certificateId"] for item in iot.list_certificates()["certificates"]],
        "policies": [policy["policyName"] for policy in iot.list_policies()["policies"]],
        "rules": [rule["ruleName"] for rule in iot.list_topic_rules()["rules"]],
        "streams": firehose.list_delivery_streams()["DeliveryStreamNames"],
        "databases": [base["Name"] for base in glue.get_databases()["DatabaseList"] if base["Name"] != "default"],
        "workgroups": [
            group["Name"] for group in athena.list_work_groups()["WorkGroups"] if group["Name"] != "primary"
        ],
        "queries": athena.list_named_queries()["NamedQueryIds"],
        "roles": [role["RoleName"] for role in iam.list_roles()["Roles"]],
        "managed policies": [policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]],
    }
    return {kind: names for kind, names in found.items() if names}
