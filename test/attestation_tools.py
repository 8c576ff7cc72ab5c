"""What the field does: securesystemslib's DSSE, in-toto's statements, model-signing's signatures of a directory, a reader of Markdown.

Usage: attestation_tools.py sign DIRECTORY SHA256 SHA256     prints {"keys": {name: PEM}, "envelopes": {name: DSSE envelope}}
       attestation_tools.py verify < [{"envelope": ..., "keys": [PEM, ...]}, ...]     prints how many keys verified each
       attestation_tools.py read < [[text, Markdown, Markdown of one line], ...]     prints what does not read as the text
       attestation_tools.py headings < Markdown     prints them and the numbers of columns of tables

The digests are those of a version and of an artifact; model-signing makes its own, of the files of the directory.
"""

import json
import pathlib
import re
import sys
import tempfile

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from google.protobuf import json_format
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from markdown_it import MarkdownIt
from model_signing import signing
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey

TYPE = "application/vnd.in-toto+json"


def pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def signer(key):
    return CryptoSigner(key, SSlibKey.from_crypto(key.public_key()))


def envelope(sha256, predicate_type, *keys):
    statement = Statement([ResourceDescriptor(name="a subject", digest={"sha256": sha256}).pb], predicate_type, {"by": "Zoë"})
    statement.validate()
    dsse = Envelope(json_format.MessageToJson(statement.pb).encode(), TYPE, {})
    for key in keys:
        dsse.sign(signer(key))
    return dsse.to_dict()


def sign(directory, version, artifact):
    ed, p256 = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    with tempfile.TemporaryDirectory() as private:
        key, bundle = pathlib.Path(private, "key.pem"), pathlib.Path(private, "bundle.json")
        key.write_bytes(p256.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        signing.Config().use_elliptic_key_signer(private_key=key).sign(directory, bundle)
        model = json.loads(bundle.read_text())["dsseEnvelope"]
    return {"keys": {"tools-ed": pem(ed), "tools-p256": pem(p256)},
            "envelopes": {"approval, Ed25519": envelope(version, "https://example.com/approval/v1", ed),
                          "provenance, P-256": envelope(artifact, "https://slsa.dev/provenance/v1", p256),
                          "evaluation, both": envelope(version, "https://in-toto.io/attestation/test-result/v0.1", p256, ed),
                          "model-signing": model}}


def verify(things):
    counts = []
    for thing in things:
        keys = [SSlibKey.from_crypto(serialization.load_pem_public_key(text.encode())) for text in thing["keys"]]
        # its keyids are its own, and a hint: any of the keys may be the one
        for signature, key in zip(thing["envelope"]["signatures"], keys):
            signature["keyid"] = key.keyid
        counts.append(len(Envelope.from_dict(thing["envelope"]).verify(keys, len(keys))))
    return counts


def parse(markdown):
    return MarkdownIt("gfm-like").parse(markdown)


def text_of(markdown):
    """What a reader sees of what is text and nothing else; None if it is more than that."""
    paragraphs = []
    for token in parse(markdown):
        if token.type not in ("paragraph_open", "inline", "paragraph_close"):
            return None
        if token.type == "inline":
            if any(child.type not in ("text", "softbreak", "text_special") for child in token.children):
                return None
            paragraphs.append("".join("\n" if child.type == "softbreak" else child.content for child in token.children))
    return "\n\n".join(paragraphs)


def read(things):
    wrong = []
    for text, markdown, one_line in things:
        lines = [line.replace("\t", " ").strip(" ") for line in text.replace("\r", "").split("\n")]
        told = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n ")
        if text_of(markdown) != told or text_of(one_line) != re.sub(r"\n", " ", re.sub(r"(?<=\n)\n+", "", told)).strip(" "):
            wrong.append([text, markdown, one_line])
    return wrong


def headings(markdown):
    tokens, found = parse(markdown), []
    for token, after in zip(tokens, tokens[1:]):
        if token.type == "heading_open":
            found.append(token.tag + " " + "".join(child.content for child in after.children))
        elif token.type == "thead_open":
            found.append(0)
        elif token.type == "th_open":
            found[-1] += 1
        elif token.type in ("html_block", "fence", "code_block", "blockquote_open", "ordered_list_open", "hr"):
            found.append(token.type)
    return found


if __name__ == "__main__":
    mode = sys.argv[1]
    print(json.dumps(sign(*sys.argv[2:]) if mode == "sign" else headings(sys.stdin.read()) if mode == "headings" else
                     {"verify": verify, "read": read}[mode](json.load(sys.stdin))))
