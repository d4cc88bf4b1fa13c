"""notifystage - the stage on which querytrail-notify is tested: a scripted querytraild, receivers on loopback, TAP.

Everything listens on 127.0.0.1, port 0, in a folder of its own that is removed at the end; what was started is ended.
"""
import atexit
import datetime
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HELLO, WELCOME, BATCH, COMMITTED, STATUS, ERROR, ALERT, RECEIPT = range(1, 9)
DELIVERED, RETRY, DEAD = 1, 2, 3
OUTCOMES = {DELIVERED: "delivered", RETRY: "retry", DEAD: "dead"}

with open(os.path.join(ROOT, "model", "alert.def"), encoding="utf-8") as table:
    FIELDS = re.findall(r"^ALERT_FIELD\((\w+),", table.read(), re.M)

work = tempfile.mkdtemp(prefix="notify-")
children = []
_number = 0
_failed = 0


def _finish():
    for child in children:
        if child.poll() is None:
            child.kill()
        child.wait()
    shutil.rmtree(work, ignore_errors=True)


atexit.register(_finish)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def check(name, good, seen=None):
    """One TAP line; a failure shows what was seen."""
    global _number, _failed
    _number += 1
    print(f"{'ok' if good else 'not ok'} {_number} - {name}", flush=True)
    if not good:
        _failed += 1
        print("# " + repr(seen)[:2000].replace("\n", "\n# "), flush=True)


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def end():
    print(f"1..{_number}")
    sys.exit(1 if _failed else 0)


def wait_for(condition, seconds=10.0):
    """What condition gives as soon as that is true; else what it gave last."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > until:
            return value
        time.sleep(0.02)


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def block(value):
    value = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return varint(len(value)) + value


class Reader:
    def __init__(self, data):
        self.data, self.pos = data, 0

    def take(self, count):
        self.pos += count
        return self.data[self.pos - count:self.pos]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize(form)))[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def block(self):
        return self.take(self.varint())


def encode_alert(fields):
    out = b""
    for number, name in enumerate(FIELDS):
        if name in fields:
            out += bytes([number + 1]) + block(fields[name])
    return out + b"\0"


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make_alert(number=1, **fields):
    """An alert with all that one usually has; fields replace or (None) remove."""
    now = time.time()
    alert = {
        "id": f"{number:016x}", "state": "firing", "severity": "high", "rule": "xp-cmdshell", "title": "xp_cmdshell was run",
        "explanation": "xp_cmdshell starts programs of the operating system.", "next_steps": "Ask alice.\nTurn xp_cmdshell off.",
        "tags": "attack.t1059", "matched": "verb=EXECUTE", "time": rfc3339(now - 5), "fired": rfc3339(now), "user": "alice",
        "user_kind": "authorizer.claims.email", "source_ip": "203.0.113.9", "route": "POST /jobs", "status": "200",
        "request_id": "req-1", "server": "sql1", "database": "shop", "table": "master.xp_cmdshell", "verb": "EXECUTE",
        "principal": "app_jobs", "application": "jobs", "host": "web1", "client_ip": "10.0.0.7", "succeeded": "true",
        "statement": "EXEC xp_cmdshell 'dir'\nGO", "statement_id": "stmt-1", "grade": "A", "grade_reason": "session context",
    }
    alert.update(fields)
    return {key: value for key, value in alert.items() if value is not None}


class Daemon:
    """The daemon's side of feed.sock: accepts one notify after the other, sends alerts, keeps the receipts."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, "feed.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(4)
        self.receipts, self.hellos, self.connection = [], [], None
        self.lock = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _frame(self, connection):
        head = self._exactly(connection, 4)
        return self._exactly(connection, struct.unpack("<I", head)[0])

    @staticmethod
    def _exactly(connection, count):
        data = b""
        while len(data) < count:
            more = connection.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _serve(self, connection):
        try:
            hello = Reader(self._frame(connection)[1:])
            hello.number("I")
            name = (hello.block(), hello.block(), hello.block(), hello.number("I"))
            connection.sendall(struct.pack("<IBI", 6, WELCOME, 1) + varint(0))
            with self.lock:
                self.hellos.append(name)
                self.connection = connection
                self.lock.notify_all()
            while True:
                frame = Reader(self._frame(connection))
                if frame.take(1)[0] != RECEIPT:
                    raise EOFError
                receipt = {"revision": frame.number("Q"), "id": frame.block().decode()}
                assert frame.varint() == 1
                receipt["channel"] = frame.block().decode()
                receipt["attempts"] = frame.number("I")
                receipt["next"] = frame.number("q") / 1e9
                receipt["outcome"] = OUTCOMES[frame.number("B")]
                receipt["text"] = frame.block().decode()
                receipt["at"] = time.time()
                with self.lock:
                    self.receipts.append(receipt)
                    self.lock.notify_all()
        except (EOFError, OSError):
            with self.lock:
                if self.connection is connection:
                    self.connection = None
                self.lock.notify_all()
            connection.close()

    def send(self, alert, deliveries, revision=1):
        """deliveries: channel names, or (name, attempts, next seconds)."""
        body = struct.pack("<BQ", ALERT, revision) + block(encode_alert(alert)) + varint(len(deliveries))
        for each in deliveries:
            name, attempts, due = each if isinstance(each, tuple) else (each, 0, 0)
            body += block(name) + struct.pack("<Iq", attempts, int(due * 1e9))
        with self.lock:
            self.lock.wait_for(lambda: self.connection is not None, 10)
            connection = self.connection
        connection.sendall(struct.pack("<I", len(body)) + body)

    def raw(self, data):
        with self.lock:
            self.lock.wait_for(lambda: self.connection is not None, 10)
            self.connection.sendall(data)

    def hang_up(self):
        with self.lock:
            connection, self.connection = self.connection, None
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)

    def await_receipts(self, count, seconds=15.0):
        with self.lock:
            self.lock.wait_for(lambda: len(self.receipts) >= count, seconds)
            return list(self.receipts)

    def clear(self):
        with self.lock:
            self.receipts.clear()


class Notify:
    """querytrail-notify with a configuration; channels is YAML, indented by two."""

    def __init__(self, program, channels, name="a"):
        self.folder = os.path.join(work, "notify-" + name)
        self.run = os.path.join(self.folder, "run")
        self.daemon = Daemon(self.run)
        self.program = program
        self.log = os.path.join(self.folder, "log")
        self.config = os.path.join(self.folder, "querytrail.yaml")
        self.configure(channels)
        self.process = None

    def configure(self, channels):
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(f"runtime: {self.run}\nchannels:\n{channels}")

    def start(self, **environment):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.program, "--config", self.config], stderr=log, stdout=log, env={**os.environ, **environment})
        children.append(self.process)
        return self

    def test(self, channel):
        done = subprocess.run([self.program, "--config", self.config, "--test", channel], capture_output=True, text=True,
                              timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    def stop(self, seconds=10):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()


def spawn(arguments, **how):
    log = open(os.path.join(work, os.path.basename(arguments[0]) + ".log"), "ab")
    child = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **how)
    log.close()
    children.append(child)
    return child


def free_port():
    """A port that was free a moment ago, for receivers that can't be told to take any."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write(name, text, mode=0o600):
    path = os.path.join(work, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(path, mode)
    return path


def certificates():
    """A CA, a certificate for 127.0.0.1 and localhost, one for another name; returns paths by name."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=work)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "2", "-subj", "/CN=test CA")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "other-ca.key", "-out",
            "other-ca.pem", "-days", "2", "-subj", "/CN=other CA")
    for name, names in (("good", "IP:127.0.0.1,DNS:localhost"), ("wrong", "DNS:elsewhere.example")):
        write(name + ".ext", f"subjectAltName={names}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out", name + ".csr",
                "-subj", "/CN=" + name)
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", name + ".pem",
                "-days", "2", "-extfile", name + ".ext")
    for name in ("good.key", "wrong.key"):
        os.chmod(os.path.join(work, name), 0o600)
    return {name: os.path.join(work, name) for name in
            ("ca.pem", "other-ca.pem", "good.pem", "good.key", "wrong.pem", "wrong.key")}


def printable(data):
    """The documented escaped form of text from logs (docs/alerts.md), written anew from its description."""
    data = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    out = []
    pos = 0
    while pos < len(data):
        for size in (1, 2, 3, 4):
            try:
                character = data[pos:pos + size].decode("utf-8")
                break
            except UnicodeDecodeError:
                character = None
        if not character:
            out.append(f"\\x{data[pos]:02x}")
            pos += 1
            continue
        out.append(_shown(character))
        pos += size
    return "".join(out)


def _shown(character):
    code = ord(character)
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    hidden = (code < 0x20 or 0x7F <= code <= 0x9F or code in (0xAD, 0x61C, 0x180E, 0xFEFF) or 0x200B <= code <= 0x200F
              or 0x2028 <= code <= 0x202E or 0x2060 <= code <= 0x206F or 0xFFF9 <= code <= 0xFFFB
              or 0xE0000 <= code <= 0xE007F)
    return f"\\u{{{code:x}}}" if hidden else character
