"""CloudWatch in each of the protocols that its model has: which of them a client speaks is its SDK's choice."""

import copy

import boto3
import botocore.session
from botocore.config import Config

PROTOCOLS = ("query", "json", "smithy-rpc-v2-cbor")


def client(node, protocol, **options):
    """A client of the root's that speaks this protocol, whatever the model says first."""
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def chosen(service, kind, *version, **named):
        model = load(service, kind, *version, **named)
        if kind == "service-2" and service == "cloudwatch":
            model = copy.deepcopy(model)
            model["metadata"] |= {"protocol": protocol, "protocols": [protocol]}
        return model

    loader.load_service_model = chosen
    env = node.environment
    return boto3.Session(botocore_session=session).client(
        "cloudwatch",
        endpoint_url=env["AWS_ENDPOINT_URL"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name=env["AWS_REGION"],
        config=Config(retries={"max_attempts": 1}, **options),
    )
