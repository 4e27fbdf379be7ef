"""A device over TLS, for the tests whose pipelines made its certificate."""

import json
import ssl
from contextlib import contextmanager

import paho.mqtt.client as mqtt
from conftest import wait_for


def connect(node, name, certificate, key):
    """A device of this name, with the certificate and key in these files."""
    device = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
    device.tls_set(
        ca_certs=node.environment["HEADWATER_CA"],
        certfile=str(certificate),
        keyfile=str(key),
        tls_version=ssl.PROTOCOL_TLS_CLIENT,
    )
    endpoint = node.client("iot").describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    device.connect(endpoint, node.ports["mqtts"])
    device.loop_start()
    wait_for(device.is_connected, what="the device's connection")
    return device


@contextmanager
def connected(node, name, certificate, key):
    """The same, until the block ends."""
    device = connect(node, name, certificate, key)
    try:
        yield device
    finally:
        device.disconnect()
        device.loop_stop()


def publish(device, topic, message):
    """Publishes and waits for the acknowledgement."""
    device.publish(topic, json.dumps(message), qos=1).wait_for_publish(10)
