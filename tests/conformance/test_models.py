"""The shapes on the wire against AWS's API models, as botocore ships them.

For every operation that is served, by the samples of `model_samples.py`:

1. A good input is answered with members of the model only, of the model's types, the required ones among them.
2. A required member that is missing or null is refused with the service's validation error; an optional one that is null is absent.
3. A member of the wrong type is refused. This finds every member that is accepted and ignored, since that would not be noticed there.
4. A value that is not in its enum is refused.
5. Every error is one that the model gives the operation, or one that every operation has.
"""

import base64
import copy
import json
import re
import xml.etree.ElementTree as ElementTree

import aws_operations
import pytest
from botocore.exceptions import ClientError
from conftest import ROOT
from model_samples import NOT_CONFIGURED, REFUSED, SAMPLES, served
from model_world import World

OPERATIONS = served()

# What a service answers to a request that violates its model.
VALIDATION = {
    "sts": {"ValidationError", "MissingParameter", "InvalidParameterValue"},
    "iam": {"ValidationError", "MissingParameter", "InvalidParameterValue"},
    "iot": {"InvalidRequestException"},
    "iot-data": {"InvalidRequestException"},
    "firehose": {"ValidationException"},
    "glue": {"InvalidInputException", "ValidationException"},
    "athena": {"InvalidRequestException"},
    "cloudwatch": {
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "MissingParameter",
        "ValidationError",
    },
    "resourcegroupstaggingapi": {"InvalidParameterException"},
    "accessanalyzer": {"ValidationException"},
}

# Errors that every operation has and no model lists.
COMMON = {
    "AccessDenied",
    "AccessDeniedException",
    "MalformedInput",
    "SerializationException",
    "ThrottlingException",
    "ValidationException",
}


@pytest.fixture(scope="module")
def world(node):
    return World(node)


class Answer:
    """What came back, as bytes."""

    def __init__(self):
        self.status = None
        self.body = b""
        self.headers = {}
        self.code = None
        self.parsed = None


def call(world, service, operation, params, body=None):
    """Calls an operation and keeps the raw answer; `body` takes the place of what botocore made of the input."""
    client = world.caller(service, operation)
    model = client.meta.service_model.operation_model(operation)
    answer = Answer()
    event = f"{client.meta.service_model.service_id.hyphenize()}.{operation}"

    def keep(response_dict, **_):
        raw = response_dict["body"]
        answer.status, answer.headers = response_dict["status_code"], response_dict["headers"]
        answer.body = raw if isinstance(raw, bytes) else b""

    def replace(params, **_):
        params["body"] = body

    client.meta.events.register(f"before-parse.{event}", keep)
    if body is not None:
        client.meta.events.register(f"before-call.{event}", replace)
    try:
        answer.parsed = client._make_api_call(operation, params)
    except ClientError as error:
        answer.code = error.response["Error"]["Code"]
        check_error(service, model, answer)
    finally:
        client.meta.events.unregister(f"before-parse.{event}", keep)
        client.meta.events.unregister(f"before-call.{event}", replace)
    return answer


def check_error(service, model, answer):
    # What S3 does not implement; the answer to HEAD has no code.
    refused = service == "s3" and answer.status == 501
    assert answer.status < 500 or refused, (answer.status, answer.body)
    if service in VALIDATION:
        listed = {shape.error_code for shape in model.error_shapes}
        known = listed | COMMON | VALIDATION[service]
        assert answer.code in known, f"{answer.code} is not an error of {model.name}: {answer.body}"


def model_of(world, service, operation):
    return world.client(service).meta.service_model.operation_model(operation)


def good(world, service, operation):
    return SAMPLES[service, operation](world)


def test_the_list_of_operations_is_that_of_botocore():
    kept = (ROOT / "docs" / "aws-operations.txt").read_text()
    assert kept == aws_operations.text(), "stale: .venv/bin/python tests/conformance/aws_operations.py > docs/aws-operations.txt"


def test_every_operation_has_a_sample():
    assert not set(OPERATIONS) - set(SAMPLES)


# --- 1. answers


@pytest.mark.parametrize("service, operation", OPERATIONS)
def test_an_answer_is_of_its_shape(world, service, operation):
    model = model_of(world, service, operation)
    answer = call(world, service, operation, good(world, service, operation))
    expected = (NOT_CONFIGURED | REFUSED).get((service, operation))
    assert answer.code == expected, (answer.code, answer.body)
    if answer.code:
        return
    shape = model.output_shape
    faults = []
    protocol = model.service_model.resolved_protocol
    if shape is None and protocol == "query":
        assert [local(child) for child in ElementTree.fromstring(answer.body)] == ["ResponseMetadata"]
        return
    if shape is None:
        assert answer.body in (b"", b"{}"), answer.body
        return
    payload = shape.members.get(shape.serialization.get("payload"))
    if payload is not None and payload.type_name in ("blob", "string"):
        return
    if protocol in ("json", "rest-json"):
        given = json.loads(answer.body or b"{}")
        check_json(in_body(shape), given, operation, faults)
    elif answer.body:
        root = ElementTree.fromstring(answer.body)
        if protocol == "query":
            assert local(root) == f"{operation}Response"
            root = root.find(f"{{{root.tag[1:].split('}')[0]}}}{operation}Result")
        check_xml(shape, root, operation, faults)
    assert not faults, faults


def in_body(shape):
    """The same shape without what travels in headers."""
    shape = copy.copy(shape)
    outside = {name for name, member in shape.members.items() if "location" in member.serialization}
    return BodyShape(shape, outside)


class BodyShape:
    type_name = "structure"

    def __init__(self, shape, outside):
        self.members = {k: v for k, v in shape.members.items() if k not in outside}
        self.required_members = [k for k in shape.required_members if k not in outside]


TYPES = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": (int, float),
    "float": (int, float),
    "timestamp": (int, float),
    "blob": str,
    "list": list,
    "map": dict,
    "structure": dict,
}


def check_json(shape, value, path, faults):
    kind = shape.type_name
    if kind == "timestamp" and shape.serialization.get("timestampFormat") == "iso8601":
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", str(value)):
            faults.append(f"{path}: {value!r} is no time of ISO 8601")
        return
    numeric = kind in ("integer", "long", "double", "float", "timestamp")
    if not isinstance(value, TYPES[kind]) or numeric and isinstance(value, bool):
        faults.append(f"{path}: {value!r} is no {kind}")
    elif kind == "structure":
        names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        faults += [f"{path}.{name} is not in the model" for name in value.keys() - names.keys()]
        faults += [f"{path}.{name} is required" for name in shape.required_members if name not in value]
        for name in value.keys() & names.keys():
            check_json(shape.members[names[name]], value[name], f"{path}.{name}", faults)
    elif kind == "list":
        for item in value:
            check_json(shape.member, item, f"{path}[]", faults)
    elif kind == "map":
        for key, item in value.items():
            check_json(shape.value, item, f"{path}[{key}]", faults)
    elif kind == "blob":
        base64.b64decode(value, validate=True)
    elif kind == "string" and shape.enum and value not in shape.enum:
        faults.append(f"{path}: {value!r} is not one of {shape.enum}")


# What IAM says and its own model does not know.
SAID = {
    "PermissionsBoundaryAttachmentType": ["Policy"],
    "PolicySourceType": ["IAM Policy"],
}


def local(element):
    return element.tag.rsplit("}")[-1]


def check_xml(shape, element, path, faults):
    kind = shape.type_name
    if kind == "structure":
        payload = shape.serialization.get("payload")
        if payload:
            return check_xml(shape.members[payload], element, path, faults)
        names = {}
        for name, member in shape.members.items():
            flat = member.type_name == "list" and member.serialization.get("flattened")
            inner = member.member.serialization.get("name") if flat else None
            names[member.serialization.get("name") or inner or name] = (name, member)
        for child in element:
            if local(child) not in names:
                faults.append(f"{path}.{local(child)} is not in the model")
                continue
            name, member = names[local(child)]
            if member.type_name == "list" and member.serialization.get("flattened"):
                member = member.member
            check_xml(member, child, f"{path}.{name}", faults)
        given = {names[local(child)][0] for child in element if local(child) in names}
        given |= {name for name, member in shape.members.items() if "xmlAttribute" in member.serialization}
        faults += [f"{path}.{name} is required" for name in shape.required_members if name not in given]
    elif kind == "list":
        for child in element:
            if local(child) != shape.member.serialization.get("name", "member"):
                faults.append(f"{path} has no {local(child)}")
            check_xml(shape.member, child, f"{path}[]", faults)
    elif kind in ("integer", "long") and not (element.text or "").lstrip("-").isdigit():
        faults.append(f"{path}: {element.text!r} is no {kind}")
    elif kind == "boolean" and element.text not in ("true", "false"):
        faults.append(f"{path}: {element.text!r} is no boolean")
    elif kind == "string" and shape.enum and element.text not in [*shape.enum, *SAID.get(shape.name, ())]:
        faults.append(f"{path}: {element.text!r} is not one of {shape.enum}")


# --- 2. requiredness

VALIDATED = [(service, operation) for service, operation in OPERATIONS if service in VALIDATION]
QUERY = [row for row in VALIDATED if row[0] in ("sts", "iam")]
JSON = [row for row in VALIDATED if row not in QUERY]


def without(params, name):
    return {key: value for key, value in params.items() if key != name}


@pytest.mark.parametrize("service, operation", VALIDATED)
def test_a_required_member_is_required(world, service, operation):
    shape = model_of(world, service, operation).input_shape
    params = good(world, service, operation)
    faults = []
    for name in shape.required_members if shape else ():
        if shape.members[name].serialization.get("location") == "uri":
            continue
        answer = call(world, service, operation, without(params, name))
        if answer.code not in VALIDATION[service]:
            faults.append((name, answer.code, answer.body))
    assert not faults, faults


def body_of(world, service, operation, params):
    """The JSON that botocore makes of an input, and the shape it is of; None where the body is none."""
    model = model_of(world, service, operation)
    made = world.client(service)._serializer.serialize_to_request(copy.deepcopy(params), model)
    payload = model.input_shape.serialization.get("payload") if model.input_shape else None
    if payload and model.input_shape.members[payload].type_name == "blob" or not model.input_shape:
        return None, None
    shape = model.input_shape.members[payload] if payload else in_body(model.input_shape)
    return (json.loads(made["body"]) if made["body"] else {}), shape


def places(shape, value, path=()):
    """Every member of the model below the structures that an input has: (path, its shape, whether it is required)."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            name = member.serialization.get("name", name)
            yield path + (name,), member, name in shape.required_members
            if name in value:
                yield from places(member, value[name], path + (name,))
    elif shape.type_name == "list" and isinstance(value, list) and value:
        yield from places(shape.member, value[0], path + (0,))


def replaced(value, path, new):
    value = copy.deepcopy(value)
    inside = value
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = new
    return json.dumps(value).encode()


def shown(path):
    return ".".join(map(str, path))


@pytest.mark.parametrize("service, operation", JSON)
def test_null_is_absent(world, service, operation):
    params = good(world, service, operation)
    body, shape = body_of(world, service, operation, params)
    faults = []
    for path, _, required in places(shape, body) if shape else ():
        answer = call(world, service, operation, params, replaced(body, path, None))
        if required and answer.code not in VALIDATION[service] or answer.code == "SerializationException":
            faults.append((shown(path), answer.code, answer.body))
    assert not faults, faults


# --- 3. types


def wrong(shape):
    return {"a": 1} if shape.type_name in ("string", "blob", "timestamp") else "x"


@pytest.mark.parametrize("service, operation", JSON)
def test_a_wrong_type_is_refused(world, service, operation):
    params = good(world, service, operation)
    body, shape = body_of(world, service, operation, params)
    faults = []
    for path, member, _ in places(shape, body) if shape else ():
        answer = call(world, service, operation, params, replaced(body, path, wrong(member)))
        # An operation on a batch refuses each item for itself.
        if answer.code is None and not answer.parsed.get("Errors"):
            faults.append(shown(path))
    assert not faults, f"accepted and ignored: {faults}"


# --- 4. values


@pytest.mark.parametrize("service, operation", JSON)
def test_a_value_outside_its_enum_is_refused(world, service, operation):
    params = good(world, service, operation)
    body, shape = body_of(world, service, operation, params)
    faults = []
    for path, member, _ in places(shape, body) if shape else ():
        if getattr(member, "enum", None):
            answer = call(world, service, operation, params, replaced(body, path, "NoSuchValue"))
            if answer.code is None or answer.code == "SerializationException":
                faults.append((shown(path), answer.code, answer.body))
    model = model_of(world, service, operation)
    for name, member in model.input_shape.members.items() if model.input_shape else ():
        if member.serialization.get("location") in ("querystring", "header"):
            if member.type_name == "string" and not member.enum:
                continue
            answer = call(world, service, operation, params | {name: "NoSuchValue"})
            if answer.code is None:
                faults.append((name, "accepted"))
    assert not faults, faults


# --- 5. errors


@pytest.mark.parametrize("service, operation", VALIDATED)
def test_a_name_of_nothing_has_an_error_of_the_model(world, service, operation):
    shape = model_of(world, service, operation).input_shape
    params = good(world, service, operation)
    for name, member in shape.members.items() if shape else ():
        if member.type_name == "string" and name in params:
            for text in ("", "absent", "a b", "x" * 3000):
                if text or member.serialization.get("location") != "uri":
                    call(world, service, operation, params | {name: text})


# --- Query: everything is text


@pytest.mark.parametrize("service, operation", QUERY)
def test_a_value_that_cannot_be_is_refused(world, service, operation):
    """Too long, not a number, not in its enum: finds the members that are accepted and ignored."""
    model = model_of(world, service, operation)
    params = good(world, service, operation)
    accepted = []
    for name, member in model.input_shape.members.items() if model.input_shape else ():
        value = "x" * 200_000
        if member.type_name == "boolean":
            # Whatever it is given, botocore makes it true or false.
            continue
        if member.type_name == "list" and member.member.type_name == "structure":
            parts = member.member.members.items()
            texts = {"string": value, "list": [value]}
            parts = member.member.members.items()
            value = [{name: texts[part.type_name] for name, part in parts if part.type_name in texts}]
        elif member.type_name == "list":
            value = [value]
        answer = call(world, service, operation, params | {name: value})
        if answer.code is None:
            accepted.append(name)
    assert not accepted, f"accepted and ignored: {accepted}"


# --- S3: what is not a body

S3 = [(service, operation) for service, operation in OPERATIONS if service == "s3"]

# Members that do something with any value, or do nothing for a reason that the crate's header states.
TAKEN = {
    *("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires"),
    *("Metadata", "MetadataDirective", "Tagging", "TaggingDirective", "ChecksumAlgorithm", "ChecksumMode"),
    *("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince"),
    *("CopySourceIfModifiedSince", "CopySourceIfNoneMatch"),
    *("ResponseCacheControl", "ResponseContentDisposition", "ResponseContentEncoding"),
    *("ResponseContentLanguage", "ResponseContentType", "ResponseExpires"),
    *("Delimiter", "EncodingType", "Prefix", "Marker", "KeyMarker", "UploadIdMarker", "StartAfter"),
    *("MaxParts", "PartNumberMarker", "BucketRegion"),
    # HTTP's own, and compared by the signature.
    *("ContentLength", "ContentMD5"),
    *("RequestPayer", "BypassGovernanceRetention", "OptionalObjectAttributes"),
    "ConfirmRemoveSelfBucketAccess",
}

# Where the first value of the enum is the one that is always so.
OTHER = {"ACL": "public-read", "StorageClass": "GLACIER", "ChecksumType": "NONE"}


def plausible(name, member):
    """A value of a member that no sample has."""
    if name in OTHER:
        return OTHER[name]
    if getattr(member, "enum", None):
        return member.enum[0]
    kind = member.type_name
    values = {"timestamp": "2026-01-01T00:00:00Z", "boolean": True, "integer": 1, "long": 1}
    return values.get(kind, "x")


@pytest.mark.parametrize("service, operation", S3)
def test_a_header_or_parameter_of_s3_is_taken_or_refused(world, service, operation):
    shape = model_of(world, service, operation).input_shape
    accepted = []
    for name, member in shape.members.items():
        outside = member.serialization.get("location") in ("header", "querystring")
        params = good(world, service, operation)
        if not outside or name in params or name in TAKEN:
            continue
        answer = call(world, service, operation, params | {name: plausible(name, member)})
        if answer.code is None:
            accepted.append(name)
    assert not accepted, f"accepted and ignored: {accepted}"
