"""Prints the operations of AWS's API models, as botocore ships them: `docs/aws-operations.txt`.

    .venv/bin/python tests/conformance/aws_operations.py > docs/aws-operations.txt

`docs/operations.md` is made from it, so that no build needs Python. A test holds the file to the pinned botocore.
"""

import botocore
import botocore.session

# By botocore's name, in the order of the document.
SERVICES = ("sts", "iam", "iot", "iot-data", "firehose", "s3", "glue", "athena", "cloudwatch", "resourcegroupstaggingapi", "accessanalyzer")


def text():
    session = botocore.session.get_session()
    lines = [
        f"# Operations of AWS's API models, from botocore {botocore.__version__}.",
        "# Made by tests/conformance/aws_operations.py; `cargo xtask gen` makes operations.md from it.",
    ]
    for name in SERVICES:
        model = session.get_service_model(name)
        lines += ["", f"[{name}] {model.metadata['serviceFullName']}, {model.api_version}"]
        lines += sorted(model.operation_names)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(text(), end="")
