#!/usr/bin/python3
"""Proves, with the real daemon and the simulated company: its incident is an alert in Debian's Alertmanager and in a mail, with the person,
the route and the statement; it still fires after both programs were restarted, and ends when somebody acknowledges it.
notify-company.py BUILD"""
import email
import email.policy
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import urllib.request

from notifystage import check, children, end, free_port, skip_all, spawn, wait_for, work, write

try:
    from aiosmtpd.controller import Controller
except ImportError:
    skip_all("aiosmtpd is not installed")
server = shutil.which("prometheus-alertmanager")
if server is None:
    skip_all("prometheus-alertmanager is not installed")
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
build = sys.argv[1]
mails = []


class Mail:
    async def handle_DATA(self, session_server, session, envelope):
        mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"


class OnFreePort(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


smtp = OnFreePort(Mail(), hostname="127.0.0.1", port=0)
smtp.start()
write("am.yml", "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
port = free_port()
base = f"http://127.0.0.1:{port}"
spawn([server, f"--config.file={work}/am.yml", f"--storage.path={work}/am", f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="])


def alerts(**how):
    try:
        with urllib.request.urlopen(base + "/api/v2/alerts", timeout=5) as reply:
            found = json.loads(reply.read())
    except OSError:
        return []
    return [each for each in found if all(each["labels"].get(name) == value for name, value in how.items())]


def query(*words):
    return subprocess.run([f"{build}/query/querytrail", *words], capture_output=True, text=True, check=False,
                          env={**os.environ, "QUERYTRAIL_CONFIG": f"{work}/company/querytrail.yaml"})


company = subprocess.Popen([f"{build}/tests/sim/querytrail-sim", "--seed", "7", "--requests", "600", "--live", "4s", "--dir", f"{work}/company"],
                           stdout=subprocess.PIPE, stdin=subprocess.PIPE)
children.append(company)
company.stdout.readline()
with open(f"{work}/company/querytrail.yaml", "a", encoding="utf-8") as config:
    config.write(f"""
alerts:
  hold: 1s
channels:
  pager:
    type: alertmanager
    url: {base}
    min_severity: low
    resend_interval: 1s
    rate: 100000
  mail:
    type: smtp
    url: smtp://127.0.0.1:{smtp.port}
    tls: never
    from: alerts@example.org
    to: security@example.org
    min_severity: high
    group_wait: 500ms
    rate: 100000
""")


def start():
    return spawn([f"{build}/correlator/querytraild", "--spawn", "--config", f"{work}/company/querytrail.yaml"])


daemon = start()
found = wait_for(lambda: [each for each in alerts() if each["annotations"].get("person", "").startswith("nobody") is False
                          and each["annotations"].get("statement") and each["annotations"].get("route")], 40)
check("alerts of the company are in Alertmanager, with person, route and statement", bool(found), alerts()[:2])
if not found:
    end()
one = found[0]
identity = one["labels"]["alert_id"]
check("the alert tells why it is risky and what to do next", one["annotations"].get("explanation") and one["annotations"].get("next_steps"), one)
check("a mail tells of what is high, in words", wait_for(lambda: mails, 20) and "Why it is risky" in mails[0].get_body(("plain",)).get_content(), mails[:1])
if mails:
    print("# mail: " + mails[0]["Subject"])
shown = query("alerts", "show", identity)
check("querytrail alerts show knows it by the same id", shown.returncode == 0 and one["labels"]["alertname"] in shown.stdout, shown.stdout + shown.stderr)
daemon.send_signal(signal.SIGTERM)
check("the daemon ends cleanly", daemon.wait(30) == 0)
check("while it is away Alertmanager lets the alert end by itself", wait_for(lambda: not alerts(alert_id=identity), 10), alerts())
daemon = start()
check("when it is back the alert fires again", wait_for(lambda: alerts(alert_id=identity), 20))
done = wait_for(lambda: query("alerts", "ack", identity, "--note", "agreed").returncode == 0, 10)
check("it is acknowledged", done, query("alerts", "ack", identity, "--note", "agreed"))
check("and ends in Alertmanager", wait_for(lambda: not alerts(alert_id=identity), 20), alerts(alert_id=identity))
daemon.send_signal(signal.SIGTERM)
check("the daemon ends cleanly again", daemon.wait(30) == 0)
smtp.stop()
end()
