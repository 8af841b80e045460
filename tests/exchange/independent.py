"""Checks the test vectors of docs/protocol.md with `cryptography` and nothing of gmsafety.

python tests/exchange/independent.py tests/exchange/vectors
"""

import base64
import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def written(value: Any) -> str:
    """JSON by RFC 8785, for what the protocol allows: no fractions, integers of less than 2^53."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        assert abs(value) < 2**53
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(SHORT.get(c) or (c if c >= " " else f"\\u{ord(c):04x}") for c in value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    assert isinstance(value, dict)
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(f"{written(name)}:{written(value[name])}" for name in names) + "}"


def canonical(value: Any) -> bytes:
    return written(value).encode("utf-8")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Vectors:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.keys = {k["key_id"]: (k["node"], base64.b64decode(k["public_key"])) for k in self.read("keys.json")}

    def read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text("utf-8"))

    def same(self, expected: Any, actual: Any) -> None:
        assert expected == actual, f"{expected!r} != {actual!r}"
        self.count += 1

    def signed(self, body: Any, signature: dict[str, str], node: str) -> None:
        owner, raw = self.keys[signature["key_id"]]
        self.same((node, "Ed25519"), (owner, signature["algorithm"]))
        Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature["value"]), canonical(body))
        self.count += 1

    def parsed(self, content: bytes) -> Any:
        """What travels is canonical."""
        value = json.loads(content)
        self.same(content, canonical(value))
        return value

    def check_keys(self) -> None:
        for key in self.read("keys.json"):
            raw = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["seed_hex"])).public_key().public_bytes_raw()
            self.same(key["public_key"], base64.b64encode(raw).decode())
            self.same(key["fingerprint"], digest(raw))

    def check_canonical(self) -> None:
        for case in self.read("canonical.json"):
            self.same(case["canonical_hex"], canonical(json.loads(case["json"])).hex())
            self.same(case["sha256"], digest(bytes.fromhex(case["canonical_hex"])))

    def message(self, content: bytes) -> Any:
        message = self.parsed(content)
        envelope = message["envelope"]
        self.same(envelope["payload_hash"], digest(canonical(message["payload"])))
        for signature in message["signatures"]:
            self.signed(envelope, signature, envelope["sender"])
        return message

    def check_messages(self, name: str) -> None:
        for case in self.read(name):
            message = self.message(bytes.fromhex(case["bytes_hex"]))
            self.same(case["kind"], message["envelope"]["kind"])
            self.same(case["envelope_hex"], canonical(message["envelope"]).hex())
            self.same(case["payload_hex"], canonical(message["payload"]).hex())
            self.same(case["hash"], digest(canonical(message["envelope"])))

    def check_chain(self) -> None:
        previous = None
        for number, case in enumerate(self.read("chain.json"), 1):
            link = json.loads(bytes.fromhex(case["envelope_hex"]))["link"]
            self.same({"epoch": "e1", "sequence": number, "previous": previous}, link)
            previous = case["hash"]

    def answer(self, content: bytes) -> None:
        answer = self.parsed(content)
        body = answer.get("stored") or answer["refusal"]
        self.signed(body, answer["signature"], body["node"])

    def check_answers(self) -> None:
        for case in self.read("answers.json"):
            self.answer(bytes.fromhex(case["bytes_hex"]))

    def check_receipts(self) -> None:
        previous = None
        for case in self.read("receipts.json"):
            signed = self.parsed(bytes.fromhex(case["bytes_hex"]))
            self.signed(signed["receipt"], signed["signature"], signed["receipt"]["node"])
            hashed = digest(canonical(signed["receipt"]))
            code = "".join(CROCKFORD[int(hashed[:10], 16) >> shift & 31] for shift in range(35, -1, -5))
            self.same((case["hash"], case["code"]), (hashed, f"{code[:4]}-{code[4:]}"))
            self.same(previous, signed["receipt"]["previous"])
            previous = hashed

    def check_anchor(self) -> None:
        case = self.read("anchor.json")
        hashed = digest(canonical(self.parsed(bytes.fromhex(case["bytes_hex"]))))
        self.same(case["fingerprint"], " ".join(hashed[i : i + 4] for i in range(0, 32, 4)))

    def check_call(self) -> None:
        case = self.read("call.json")
        signed = self.parsed(base64.urlsafe_b64decode(case["header"]))
        self.same(case["call_hex"], canonical(signed["call"]).hex())
        self.signed(signed["call"], signed["signature"], signed["call"]["caller"])

    def check_package(self, name: str) -> None:
        with zipfile.ZipFile(self.folder / name) as package:
            signed = self.parsed(package.read("manifest.json"))
            manifest = signed["manifest"]
            for signature in signed["signatures"]:
                self.signed(manifest, signature, manifest["sender"])
            listed = {f"{k}/{n:06}.json": e for k in ("messages", "answers") for n, e in enumerate(manifest[k], 1)}
            listed |= {f"blobs/{e['hash']}": e for e in manifest["blobs"]}
            self.same({"manifest.json", *listed}, set(package.namelist()))
            for entry, said in listed.items():
                content = package.read(entry)
                self.same((said["hash"], said["size"]), (digest(content), len(content)))
                if entry.startswith("messages/"):
                    for file in self.message(content)["envelope"]["attachments"]:
                        self.same(file["size"], listed[f"blobs/{file['hash']}"]["size"])
                elif entry.startswith("answers/"):
                    self.answer(content)


def main(folder: Path) -> int:
    vectors = Vectors(folder)
    vectors.check_keys()
    vectors.check_canonical()
    vectors.check_messages("messages.json")
    vectors.check_messages("chain.json")
    vectors.check_chain()
    vectors.check_answers()
    vectors.check_receipts()
    vectors.check_anchor()
    vectors.check_call()
    vectors.check_package("package.gmx")
    vectors.check_package("answers.gmx")
    return vectors.count


if __name__ == "__main__":
    print(f"{main(Path(sys.argv[1]))} comparisons, all hold")
