#!/usr/bin/python3
"""Proves: Debian's Alertmanager has our alerts: seen through its API with labels and annotations, grouped, silenced, kept firing for as
long as they fire, resolved when they are. notify-alertmanager.py QUERYTRAIL_NOTIFY"""
import base64
import http.server
import json
import os
import shutil
import sys
import threading
import time
import urllib.request

from notifystage import Notify, check, end, free_port, make_alert, rfc3339, skip_all, spawn, wait_for, work, write

program = sys.argv[1]
server = shutil.which("prometheus-alertmanager")
if server is None:
    skip_all("prometheus-alertmanager is not installed")
hooked = []


class Hook(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_POST(self):
        hooked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()


hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=hook.serve_forever, daemon=True).start()
write("am.yml", f"""
route: {{receiver: hook, group_by: [alertname, server], group_wait: 200ms, group_interval: 300ms, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "http://127.0.0.1:{hook.server_address[1]}/", send_resolved: true}}]}}]
""")
port = free_port()
base = f"http://127.0.0.1:{port}"
child = spawn([server, f"--config.file={work}/am.yml", f"--storage.path={work}/am", f"--web.listen-address=127.0.0.1:{port}",
               "--cluster.listen-address="])


def ask(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(base + path, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return json.loads(reply.read() or b"null")
    except OSError:
        return None


if not wait_for(lambda: ask("/api/v2/status"), 15):
    print(open(os.path.join(work, "prometheus-alertmanager.log"), encoding="utf-8").read(), file=sys.stderr)
    check("Alertmanager starts", False)
    end()

stage = Notify(program, f"""
  pager:
    type: alertmanager
    url: {base}/
    min_severity: low
    rate: 100000
    resend_interval: 1s
    retry_wait: 50ms
    generator_url: "https://wiki.example/alerts?a=1&b=\\"2\\""
  high:
    type: alertmanager
    url: {base}
    min_severity: critical
    rules: ["only-*"]
    resend_interval: 1s
  nobody:
    type: alertmanager
    url: http://127.0.0.1:1
""").start()
daemon = stage.daemon


def alerts(**how):
    found = ask("/api/v2/alerts") or []
    return [each for each in found if all(each["labels"].get(name) == value for name, value in how.items())]


# seen, with labels and annotations
first = make_alert(1)
daemon.send(first, ["pager"])
receipt = daemon.await_receipts(1)
check("Alertmanager takes the alert", receipt and receipt[0]["outcome"] == "delivered", receipt)
found = wait_for(lambda: alerts(alert_id="0000000000000001"))
check("it is seen through the API", len(found) == 1, found)
seen = found[0]
check("labels are what does not change", seen["labels"] == {
    "alertname": "xp_cmdshell was run", "alert_id": "0000000000000001", "severity": "high", "rule": "xp-cmdshell", "server": "sql1",
    "database": "shop"}, seen["labels"])
notes = seen["annotations"]
check("annotations tell it in words", notes["summary"] == "xp_cmdshell was run: alice ran EXECUTE on master.xp_cmdshell through POST /jobs"
      and notes["person"] == "alice (authorizer.claims.email) from 203.0.113.9" and notes["statement"] == first["statement"]
      and notes["next_steps"] == first["next_steps"] and notes["grade"] == "A" and "Why it is risky" in notes["description"], notes)
check("it begins when it was raised", seen["startsAt"][:19] == first["fired"][:19], (seen["startsAt"], first["fired"]))
check("the link is the configured one", seen["generatorURL"] == 'https://wiki.example/alerts?a=1&b="2"', seen["generatorURL"])

# grouped
daemon.send(make_alert(2, user="bob"), ["pager"])
daemon.send(make_alert(3, user="carol", title="another rule", rule="other"), ["pager"])
wait_for(lambda: len(daemon.receipts) == 3)
groups = wait_for(lambda: [group for group in ask("/api/v2/alerts/groups") or [] if len(group["alerts"]) == 2])
check("alerts of one rule and server are one group", groups and groups[0]["labels"] == {"alertname": "xp_cmdshell was run", "server": "sql1"}, groups)
told = wait_for(lambda: [each for each in hooked if each["groupLabels"].get("alertname") == "another rule"])
check("its own webhook tells of them", told and told[0]["alerts"][0]["status"] == "firing", hooked)

# silenced
now = time.time()
silence = ask("/api/v2/silences", {"matchers": [{"name": "alert_id", "value": "0000000000000002", "isRegex": False}], "startsAt": rfc3339(now - 1),
                                   "endsAt": rfc3339(now + 600), "createdBy": "test", "comment": "known"})
state = wait_for(lambda: [each for each in alerts(alert_id="0000000000000002") if each["status"]["state"] == "suppressed"])
check("a silence by alert_id suppresses that alert alone", silence and len(state) == 1
      and alerts(alert_id="0000000000000001")[0]["status"]["state"] == "active", state)

# kept firing: without resends it would end after four intervals
ends = alerts(alert_id="0000000000000001")[0]["endsAt"]
later = wait_for(lambda: [each for each in alerts(alert_id="0000000000000001") if each["endsAt"] > ends])
check("an alert that fires is sent again", len(later) == 1, (ends, later))
time.sleep(4.5)
check("and does not end by itself", {each["labels"]["alert_id"][-1] for each in alerts()} == {"1", "2", "3"}
      and not [each for each in hooked if each["status"] == "resolved"], alerts())
check("resends give no receipts", len(daemon.receipts) == 3, daemon.receipts)

# a later revision: the same alert, better known
daemon.send(make_alert(1, user="mallory", grade="C"), ["pager"], 2)
changed = wait_for(lambda: [each for each in alerts(alert_id="0000000000000001") if each["annotations"]["grade"] == "C"])
check("a revision changes annotations, not the alert", len(changed) == 1 and len(alerts(alert_id="0000000000000001")) == 1
      and "mallory" in changed[0]["annotations"]["person"], changed)

# resolved
fired = time.time() - 60
daemon.send(make_alert(1, state="resolved", fired=rfc3339(fired), resolved=rfc3339(time.time()), resolution="acknowledged: it was me"), ["pager"], 3)
wait_for(lambda: len(daemon.receipts) == 5)
gone = wait_for(lambda: not alerts(alert_id="0000000000000001"))
check("a resolved alert is gone from the API", gone, alerts())
told = wait_for(lambda: [each for group in hooked for each in group["alerts"] if each["status"] == "resolved"])
check("and told as resolved", [each["labels"]["alert_id"] for each in told] == ["0000000000000001"], told)
time.sleep(1.3)
check("it is not sent again", not alerts(alert_id="0000000000000001"), alerts())

# restart: alerts that fire come once per connection, without deliveries
stage.stop()
stage.start()
wait_for(lambda: len(daemon.hellos) == 2)
daemon.clear()
daemon.send(make_alert(4, user="dave"), [])
daemon.send(make_alert(5, user="erin"), ["nobody"])
for number in (2, 3):
    daemon.send(make_alert(number), [])
check("what fires is sent after a restart though nothing waits", wait_for(lambda: alerts(alert_id="0000000000000004")), alerts())
check("an alert that waits for another channel fires here too", wait_for(lambda: alerts(alert_id="0000000000000005")), alerts())
check("a channel that wants other rules hears nothing of it", not alerts(rule="only-x"))
daemon.send(make_alert(6, rule="only-x", severity="critical", title="only"), [])
check("and of its own all", wait_for(lambda: alerts(rule="only-x")), alerts())
check("no receipt for what was no delivery", not [each for each in daemon.receipts if each["channel"] != "nobody"], daemon.receipts)

# many at once
daemon.clear()
for number in range(300):
    daemon.send(make_alert(0x1000 + number), ["pager"])
wait_for(lambda: len([each for each in daemon.receipts if each["outcome"] == "delivered"]) == 300, 20)
delivered = [each for each in daemon.receipts if each["outcome"] == "delivered"]
check("300 alerts at once arrive", len(delivered) == 300 and len([each for each in alerts() if each["labels"]["alert_id"].startswith("00000000000010")
      or each["labels"]["alert_id"].startswith("00000000000011")]) == 300, len(delivered))

# Alertmanager refuses an alert: the others arrive; it refuses a time, and we never send one
daemon.send(make_alert(7, time="nonsense", fired="nonsense"), ["pager"])
daemon.send(make_alert(8, state="resolved", fired=rfc3339(time.time()), resolved=rfc3339(time.time() - 100)), ["pager"])
wait_for(lambda: len([each for each in daemon.receipts if each["id"][-1] in "78" and each["id"].startswith("0" * 15)]) == 2)
odd = {each["id"][-1]: each["outcome"] for each in daemon.receipts if each["id"].startswith("0" * 15)}
check("odd times are put right", odd.get("7") == "delivered" and odd.get("8") == "delivered", odd)

status, text = stage.test("pager")
check("--test: delivered, and seen as a test", status == 0 and wait_for(lambda: [
    each for each in alerts(rule="querytrail-test") if each["annotations"]["summary"].startswith("TEST, nothing happened: ")]), (status, text))
child.terminate()
child.wait()
status, text = stage.test("pager")
check("--test without Alertmanager: status 2, in words", status == 2 and "was not delivered" in text, (status, text))
check("SIGTERM ends it with status 0", stage.stop() == 0)


# user and password, token
class Guard(Hook):
    def do_POST(self):
        hooked.append(self.headers.get("Authorization"))
        super().do_POST()


guard = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guard)
threading.Thread(target=guard.serve_forever, daemon=True).start()
write("password", "right horse\n")
write("token", "tok.en\n")
where = f"type: alertmanager\n    url: http://127.0.0.1:{guard.server_address[1]}"
stage.configure(f"  a:\n    {where}\n    username: us\n    password_file: {work}/password\n  b:\n    {where}\n    token_file: {work}/token\n"
                f"  c:\n    {where}\n    token_file: {work}/missing\n")
hooked.clear()
check("basic authentication", stage.test("a")[0] == 0 and hooked[0] == "Basic " + base64.b64encode(b"us:right horse").decode(), hooked)
hooked.clear()
check("bearer token", stage.test("b")[0] == 0 and hooked[0] == "Bearer tok.en", hooked)
status, text = stage.test("c")
check("a token file that is missing is named", status == 2 and f"{work}/missing" in text, (status, text))
end()
