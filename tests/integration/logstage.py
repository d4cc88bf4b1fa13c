"""logstage - a Merkle log in Python, made from RFC 6962 and C2SP alone: trees, proofs, notes, keys; signatures by the openssl program."""
import base64
import hashlib
import os
import subprocess

ED25519, COSIGNATURE = 1, 4
PUBLIC_HEAD = bytes.fromhex("302a300506032b6570032100")
PRIVATE_HEAD = bytes.fromhex("302e020100300506032b657004220420")


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(count):
    at = 1
    while at * 2 < count:
        at *= 2
    return at


def root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    at = split(len(leaves))
    return node(root(leaves[:at]), root(leaves[at:]))


def consistency(old, leaves):
    """RFC 6962 section 2.1.2."""
    def sub(count, part, whole):
        if count == len(part):
            return [] if whole else [root(part)]
        at = split(len(part))
        if count <= at:
            return sub(count, part[:at], whole) + [root(part[at:])]
        return sub(count - at, part[at:], False) + [root(part[:at])]
    return [] if old in (0, len(leaves)) else sub(old, leaves, True)


def b64(data):
    return base64.b64encode(data).decode()


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


class Key:
    """An Ed25519 key of a log or a witness, in a folder."""

    def __init__(self, folder, name, kind=ED25519, seed=None):
        self.name, self.kind = name, kind
        self.seed = seed or os.urandom(32)
        self.file = os.path.join(folder, hashlib.sha256(name.encode() + self.seed).hexdigest()[:16] + ".der")
        with open(self.file, "wb") as file:
            file.write(PRIVATE_HEAD + self.seed)
        self.public = openssl("pkey", "-inform", "DER", "-in", self.file, "-pubout", "-outform", "DER")[-32:]
        self.id = key_id(name, kind, self.public)
        self.vkey = f"{name}+{self.id.hex()}+{b64(bytes([kind]) + self.public)}"
        self.private = f"PRIVATE+KEY+{name}+{self.id.hex()}+{b64(bytes([kind]) + self.seed)}"

    def sign(self, data):
        message = self.file + ".message"
        with open(message, "wb") as file:
            file.write(data)
        return openssl("pkeyutl", "-sign", "-keyform", "DER", "-inkey", self.file, "-rawin", "-in", message)

    def line(self, text):
        return f"\u2014 {self.name} {b64(self.id + self.sign(text.encode()))}\n"


def verify(vkey, message, signature, folder):
    """Whether a signature by the key of a vkey holds."""
    public = base64.b64decode(vkey.split("+", 2)[2])[1:]
    paths = [os.path.join(folder, "verify." + end) for end in ("der", "message", "signature")]
    for path, data in zip(paths, (PUBLIC_HEAD + public, message, signature)):
        with open(path, "wb") as file:
            file.write(data)
    return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths[0], "-rawin", "-in", paths[1],
                           "-sigfile", paths[2]], capture_output=True, check=False).returncode == 0


def verify_cosignature(vkey, note, line, folder):
    """The time at which a witness signed a note, or None when its line is wrong."""
    name, number, _ = vkey.split("+", 2)
    dash, signer, coded = line.rstrip("\n").split(" ")
    raw = base64.b64decode(coded)
    if dash != "\u2014" or signer != name or raw[:4].hex() != number or len(raw) != 76:
        return None
    text = note[:note.rindex("\n\n") + 1]
    seconds = int.from_bytes(raw[4:12], "big")
    message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
    return seconds if verify(vkey, message, raw[12:], folder) else None


class Log:
    """A log of leaves under a key."""

    def __init__(self, key, count=0, salt=b""):
        self.key, self.leaves = key, []
        self.grow(count, salt)

    def grow(self, count, salt=b""):
        while len(self.leaves) < count:
            self.leaves.append(leaf(b"entry %d" % len(self.leaves) + salt))

    def text(self, size=None):
        size = len(self.leaves) if size is None else size
        return f"{self.key.name}\n{size}\n{b64(root(self.leaves[:size]))}\n"

    def note(self, size=None):
        text = self.text(size)
        return text + "\n" + self.key.line(text)

    def request(self, old, size=None, proof=None):
        size = len(self.leaves) if size is None else size
        hashes = consistency(old, self.leaves[:size]) if proof is None else proof
        return f"old {old}\n" + "".join(b64(each) + "\n" for each in hashes) + "\n" + self.note(size)
