"""A certificate authority that is not the node's, by the command line of OpenSSL."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


def openssl(*arguments, stdin=""):
    run = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, text=True, check=True)
    return run.stdout


def key():
    return openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")


@dataclass
class Authority:
    certificate: str
    key: str

    def sign(self, name):
        """A new certificate of this common name."""
        with tempfile.TemporaryDirectory() as folder:
            paths = {file: str(Path(folder, file)) for file in ("ca.pem", "ca.key", "device.key")}
            Path(paths["ca.pem"]).write_text(self.certificate)
            Path(paths["ca.key"]).write_text(self.key)
            Path(paths["device.key"]).write_text(key())
            request = openssl("req", "-new", "-key", paths["device.key"], "-subj", f"/CN={name}")
            signer = ("-CA", paths["ca.pem"], "-CAkey", paths["ca.key"], "-set_serial", "1", "-days", "100")
            return openssl("x509", "-req", *signer, stdin=request)


def create(name):
    """A new one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ca.key")
        path.write_text(key())
        certificate = openssl("req", "-x509", "-new", "-key", str(path), "-subj", f"/CN={name}", "-days", "100")
        return Authority(certificate, path.read_text())
