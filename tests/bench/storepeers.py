"""The columns of store.py: how each program is loaded and asked. A column has name, load(data), ask(key, floor), close()."""
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
COLD_RUNS, WARM_RUNS = 3, 5
IDS = 2000


class Missing(Exception):
    """A program that can't be had."""


def drop_pages(path):
    """Takes a file's or folder's pages out of the system's memory."""
    names = [path] if os.path.isfile(path) else [os.path.join(at, name) for at, _, names in os.walk(path) for name in names]
    for name in names:
        try:
            file = os.open(name, os.O_RDONLY)
        except OSError:
            continue  # sockets; what was removed meanwhile
        try:
            os.fdatasync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


def size_of(path):
    """du -sb: lengths of files and folders."""
    return int(subprocess.run(["du", "-sb", path], check=True, capture_output=True, text=True).stdout.split()[0])


def timed(command, **options):
    """Runs a command; its output, seconds by the clock, CPU seconds and peak with all that it waited for."""
    start = time.monotonic()
    with subprocess.Popen(command, **options) as process:
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    return process.returncode, output, {"wall_s": wall, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_kib": usage.ru_maxrss}


def must(command, **options):
    status, output, spent = timed(command, **options)
    if status:
        raise SystemExit(f"{' '.join(command)[:300]} ended with status {status}")
    return output, spent


def add(spents):
    return {"wall_s": sum(s["wall_s"] for s in spents), "cpu_s": sum(s["cpu_s"] for s in spents),
            "peak_kib": max(s["peak_kib"] for s in spents)}


class Column:
    """What columns share: folder, sizes, cold and warm runs."""

    def __init__(self, build, work, options):
        self.build, self.options = build, options
        self.path = os.path.join(work, self.name)
        if os.path.isdir(self.path):
            shutil.rmtree(self.path)

    def parts(self):
        return [self]

    def close(self):
        if not self.options.keep:
            shutil.rmtree(self.path, ignore_errors=True)

    def figures(self, spent, data):
        return {**spent, "bytes": size_of(self.path), "raw": data.raw, "events": data.events}

    def forget(self):
        drop_pages(self.path)

    def look_inside(self, figures, data):
        """What only this column can tell."""

    def ask(self, key, floor):
        """Median cold and warm; the warm runs follow one that is not counted. None: it has no such question."""
        question = self.question(key, floor)
        if question is None:
            return None
        cold = []
        for _ in range(COLD_RUNS):
            self.forget()
            answer = self.run(question)
            if answer is None:
                return None
            cold.append(answer)
            if answer["ms"] > 20000:
                break
        warm = [self.run(question) for _ in range(WARM_RUNS if cold[-1]["ms"] < 20000 else 1)]
        return {"rows": cold[0]["rows"], "sum": cold[0]["sum"], "cold": statistics.median(a["ms"] for a in cold),
                "warm": statistics.median(a["ms"] for a in warm), "peak_kib": max(a["peak_kib"] for a in cold + warm),
                "cpu_ms": statistics.median(a.get("cpu_ms", 0) for a in warm)}


class Querytrail(Column):
    name = "querytrail"

    def __init__(self, build, work, options):
        super().__init__(build, work, options)
        self.program = build + "/query/querytrail"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("QUERYTRAIL_CONFIG")}
        self.env["QUERYTRAIL_LIBEXEC"] = ":".join(build + "/" + part for part in ("query", "collector", "correlator"))
        self.config = []
        if not options.rules:
            with open(os.path.join(work, "no-rules.yaml"), "w", encoding="utf-8") as file:
                file.write('rules: {disabled: ["*"]}\n')
            self.config = ["--config", file.name]

    def load(self, data):
        spent = self.take_in(data.access, data.audit)
        for source, path in (("api", data.access), ("db", data.audit)):
            with subprocess.Popen([self.program, "export", "--raw", "--store", self.path, "--source", source], env=self.env,
                                  stdout=subprocess.PIPE) as export:
                if subprocess.run(["cmp", "-", path], stdin=export.stdout, check=False).returncode:
                    raise SystemExit(f"querytrail: export --raw of {source} is not {path}")
        return self.figures(add(spent), data)

    def take_in(self, access, audit):
        return [must([self.program, "import", *self.config, "--store", self.path, "--source", source, "--type", kind, path],
                     env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)[1]
                for source, kind, path in (("api", "access-log", access), ("db", "audit-rows", audit))]

    def question(self, key, floor):
        literal = {"once": floor["literal_once"], "many": floor["literal_many"]}
        return {
            "id": ["show", floor["request_id"], "--format", "json"],
            "user_statements": ["who", "user:" + floor["user_frequent"], "grade:ABC", "--format", "jsonl"],
            "typical_statements": ["who", "user:" + floor["user_typical"], "grade:ABC", "--format", "jsonl"],
            "once": ["who", f'statement:"*{literal["once"]}*"', "--format", "jsonl"],
            "regex": ["top", "database", 'statement~"(?-i)' + floor["regex"].replace("\\", "\\\\").replace('"', '\\"') + '"', "--format", "jsonl"],
            "many": ["top", "database", f'statement:"*{literal["many"]}*"', "--format", "jsonl"],
            "statements_by_route": ["top", "route", "grade:ABC", "--format", "jsonl"],
            "statements_by_user": ["top", "user", "grade:ABC", "--format", "jsonl"],
        }.get(key)

    def run(self, question):
        status, output, spent = timed([self.program, *question, "--store", self.path], env=self.env, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL)
        if status not in (0, 1):
            return None
        rows, total = len(json.loads(output)["statements"]) if question[0] == "show" else None, None
        if question[-1] == "jsonl":
            lines = [json.loads(line) for line in output.splitlines()]
            lines = [line for line in lines if "coverage" not in line]
            rows = len(lines)
            if question[0] == "top":
                total = sum(line.get("statements", line.get("count", 0)) for line in lines)
                rows = None
        return {"rows": rows, "sum": total, "ms": spent["wall_s"] * 1000, "cpu_ms": spent["cpu_s"] * 1000, "peak_kib": spent["peak_kib"]}

    def look_inside(self, figures, data):
        program = self.build + "/tests/bench/bench-inside"
        columns = subprocess.run([program, "columns", self.path], capture_output=True, check=True)
        inside = figures["inside"] = {"find": self.find(data.access, data.events), "columns": json.loads(columns.stdout)}
        if "once" in figures:
            inside["audit_gb_per_cpu_s"] = data.floor["audit_bytes"] / 1e6 / figures["once"]["cpu_ms"]
        search = subprocess.run([self.build + "/tests/bench/bench-search", self.path], capture_output=True, text=True, check=True)
        inside["search"] = [json.loads(line) for line in search.stdout.splitlines()]
        if self.options.days > 1:
            self.add_days(inside, data)

    def find(self, access, events):
        """Some ids of a file, looked up in one process."""
        ids = []
        with open(access, encoding="utf-8") as file:
            lines = sum(1 for _ in file)
            file.seek(0)
            ids = [json.loads(line)["requestId"] for number, line in enumerate(file) if number % max(1, lines // IDS) == 0]
        done = subprocess.run([self.build + "/tests/bench/bench-inside", "find", self.path], input="\n".join(ids), text=True,
                              capture_output=True, check=True)
        return {**json.loads(done.stdout), "events": events}

    def add_days(self, inside, data):
        """More days, one after the other, each removed when it is in."""
        folder, events, spent = self.path + "-day", data.events, []
        for day in range(1, self.options.days):
            subprocess.run([self.build + "/tests/bench/bench-world", "--requests", str(data.floor["requests"]), "--seed",
                            str(self.options.seed), "--day", str(day), "--quiet", folder], check=True, stdout=subprocess.DEVNULL)
            spent += self.take_in(folder + "/access.jsonl", folder + "/audit.jsonl")
            with open(folder + "/floor.json", encoding="utf-8") as file:
                floor = json.load(file)
            events += floor["events"]
        inside["find_days"] = self.find(folder + "/access.jsonl", events)
        inside["bytes_days"] = size_of(self.path)
        inside["events_per_cpu_s_days"] = (events - data.events) / add(spent)["cpu_s"]
        inside["show_days_ms"] = statistics.median(self.run(self.question("id", floor))["ms"] for _ in range(WARM_RUNS))
        shutil.rmtree(folder)


JOIN = "FROM requests r JOIN statements s ON s.request_id = r.requestId"


def sql_question(key, floor, dialect):
    """The question in SQL; dialect gives what differs: has(column, literal), like(column, regex)."""
    has, matches = dialect
    user = "SELECT s.event_time, s.statement, s.object_name, r.httpMethod, r.resourcePath, r.path, r.status " + JOIN + " WHERE r.email = '{}'"
    return {
        "id": f"SELECT r.*, s.* FROM requests r LEFT JOIN statements s ON s.request_id = r.requestId WHERE r.requestId = '{floor['request_id']}'",
        "user_requests": "SELECT requestTimeEpoch, httpMethod, resourcePath, path, status, sourceIp FROM requests "
                         f"WHERE email = '{floor['user_frequent']}'",
        "user_statements": user.format(floor["user_frequent"]),
        "typical_statements": user.format(floor["user_typical"]),
        "once": f"SELECT event_time, request_id, statement FROM statements WHERE {has.format('statement', floor['literal_once'])}",
        "many": f"SELECT count(*) FROM statements WHERE {has.format('statement', floor['literal_many'])}",
        "regex": f"SELECT count(*) FROM statements WHERE {matches.format('statement', floor['regex'])}",
        "requests_by_route": "SELECT httpMethod, resourcePath, count(*) FROM requests GROUP BY httpMethod, resourcePath",
        "statements_by_route": f"SELECT r.httpMethod, r.resourcePath, count(*) {JOIN} GROUP BY r.httpMethod, r.resourcePath",
        "statements_by_user": f"SELECT r.email, count(*) {JOIN} GROUP BY r.email",
    }[key]


SUMMED = ("many", "regex", "requests_by_route", "statements_by_route", "statements_by_user")


class SQLite(Column):
    name = "sqlite"

    def load(self, data):
        os.makedirs(self.path)
        self.program = self.build + "/tests/bench/bench-sqlite"
        _, spent = must([self.program, "load", self.path + "/db", data.access, data.audit])
        return self.figures(spent, data)

    def question(self, key, floor):
        # GLOB has no groups, but sets: enough for this expression
        return key, sql_question(key, floor, ("instr({}, '{}') > 0", "{} GLOB '*{}*'"))

    def run(self, question):
        output, _ = must([self.program, "ask", self.path + "/db", question[1]], stdout=subprocess.PIPE)
        answer = json.loads(output)
        answer["sum"] = answer["sum"] if question[0] in SUMMED else None
        return answer


class DuckDB(Column):
    name = "duckdb"
    command = "native"

    def __init__(self, build, work, options):
        super().__init__(build, work, options)
        modules = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "querytrail-bench")
        if not shutil.which("node") or not shutil.which("npm"):
            raise Missing("node and npm are not installed")
        if not os.path.isdir(modules + "/node_modules/@duckdb/node-api"):
            os.makedirs(modules, exist_ok=True)
            done = subprocess.run(["npm", "install", "--prefix", modules, "--no-audit", "--no-fund", "@duckdb/node-api@1.5.6-r.1"],
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                raise Missing("npm could not install @duckdb/node-api: " + (done.stderr.strip().splitlines() or [""])[-1])
        self.env = {**os.environ, "NODE_PATH": modules + "/node_modules"}

    def place(self):
        os.makedirs(self.path)
        return self.path + "/db"

    def load(self, data):
        self.data = self.place()
        _, spent = must(["node", HERE + "/duckdb.js", self.command, self.data, data.access, data.audit], env=self.env)
        return self.figures(spent, data)

    def question(self, key, floor):
        return {"sql": sql_question(key, floor, ("contains({}, '{}')", "regexp_matches({}, '{}')")), "sum": key in SUMMED}

    def run(self, question):
        output, _ = must(["node", HERE + "/duckdb.js", "ask", self.data], env=self.env, stdout=subprocess.PIPE,
                         stdin=self.given(json.dumps(question)))
        return json.loads(output)

    @staticmethod
    def given(text):
        """A pipe with a text in it."""
        reader, writer = os.pipe()
        os.write(writer, text.encode() + b"\n")
        os.close(writer)
        return os.fdopen(reader)


class Parquet(DuckDB):
    name = "parquet"
    command = "parquet"

    def place(self):
        return self.path


class Zstd(Column):
    """zstd on the files as they are: -3 on all, -19 --long=27 on the first part, or it would take hours."""
    name = "zstd"

    def __init__(self, build, work, options, level=None):
        self.level = level
        super().__init__(build, work, options)
        if not shutil.which("zstd"):
            raise Missing("zstd is not installed")
        self.work = work

    def parts(self):
        parts = [Zstd(self.build, self.work, self.options, level) for level in (["-3"], ["-19", "--long=27"])]
        parts[0].name, parts[1].name = "zstd -3", "zstd -19 --long=27"
        return parts

    def load(self, data):
        os.makedirs(self.path, exist_ok=True)
        limit = None if self.level[0] == "-3" else 400e6 if self.options.full else 100e6
        share = 1 if limit is None or data.raw < limit else limit / data.raw
        spent, raw = [], 0
        for path in (data.access, data.audit):
            part = os.path.join(self.path, os.path.basename(path))
            raw += int(os.path.getsize(path) * share)
            with subprocess.Popen(["head", "-c", str(int(os.path.getsize(path) * share)), path], stdout=subprocess.PIPE) as head:
                spent.append(must(["zstd", "-q", "-f", "-T1", *self.level, "-o", part + ".zst"], stdin=head.stdout)[1])
        figures = self.figures(add(spent), data)
        return {**figures, "events": data.events * raw / data.raw, "raw": raw}

    def ask(self, key, floor):
        return None


class ClickHouse(Column):
    name = "clickhouse"

    def __init__(self, build, work, options):
        super().__init__(build, work, options)
        self.server = None
        if not shutil.which("clickhouse-server"):
            raise Missing("clickhouse-server is not installed")

    def start(self):
        os.makedirs(self.path + "/data", exist_ok=True)
        for name, text in (("config.xml", CLICKHOUSE_CONFIG), ("users.xml", CLICKHOUSE_USERS)):
            with open(f"{self.path}/{name}", "w", encoding="utf-8") as file:
                file.write(text.replace("@PATH@", self.path).replace("@HTTP@", str(self.port)).replace("@TCP@", str(free_port())))
        log = open(self.path + "/out", "ab")  # pylint: disable=consider-using-with
        self.server = subprocess.Popen(["clickhouse-server", "--config-file=" + self.path + "/config.xml"], stdout=log, stderr=log)
        for _ in range(300):
            time.sleep(0.1)
            try:
                self.send("SELECT 1")
                return
            except OSError:
                if self.server.poll() is not None:
                    break
        raise Missing("clickhouse-server does not start: see " + self.path + "/out")

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait()
            self.server = None

    def close(self):
        self.stop()
        super().close()

    def send(self, sql, body=None):
        """One question over HTTP; all bytes of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3600)
        try:
            path = "/" if body is None else "/?query=" + sql.replace(" ", "%20")
            connection.request("POST", path, sql.encode() if body is None else body)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise SystemExit(f"clickhouse: {sql[:200]}: {text[:500].decode(errors='replace')}")
        return text

    def usage(self):
        with open(f"/proc/{self.server.pid}/stat", encoding="utf-8") as file:
            words = file.read().rsplit(")", 1)[1].split()
        with open(f"/proc/{self.server.pid}/status", encoding="utf-8") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"), peak

    def load(self, data):
        self.port = free_port()
        self.start()
        start, cpu = time.monotonic(), self.usage()[0]
        for sql in CLICKHOUSE_TABLES:
            self.send(sql)
        for name, path in (("requests", data.access), ("statements_in", data.audit)):
            with open(path, "rb") as file:
                self.send(f"INSERT INTO {name} FORMAT JSONEachRow", file)
        for name in ("requests", "statements"):
            self.send(f"OPTIMIZE TABLE {name} FINAL")
        after, peak = self.usage()
        spent = {"wall_s": time.monotonic() - start, "cpu_s": after - cpu, "peak_kib": peak}
        size = int(self.send("SELECT sum(bytes_on_disk) FROM system.parts WHERE active").split()[0])
        self.stop()
        self.start()  # so that the peak of the questions is their own
        return {**spent, "bytes": size, "raw": data.raw, "events": data.events}

    def forget(self):
        self.send("SYSTEM DROP MARK CACHE")
        drop_pages(self.path + "/data")

    def question(self, key, floor):
        simple = ("position({}, '{}') > 0", "match({}, '{}')")
        user = ("SELECT event_second, event_ticks, text, object_name, httpMethod, resourcePath, path, status FROM statements ANY INNER JOIN "
                "(SELECT requestId AS request_id, httpMethod, resourcePath, path, status FROM requests WHERE email = '{}') USING request_id")
        group = ("SELECT {0}, count(*) FROM statements ANY INNER JOIN (SELECT requestId AS request_id, {0} FROM requests) USING request_id "
                 "GROUP BY {0}")
        own = {
            "id": [f"SELECT * FROM requests WHERE requestId = '{floor['request_id']}'",
                   f"SELECT * FROM statements WHERE request_id = '{floor['request_id']}'"],
            "user_statements": [user.format(floor["user_frequent"])],
            "typical_statements": [user.format(floor["user_typical"])],
            "statements_by_route": [group.format("httpMethod, resourcePath")],
            "statements_by_user": [group.format("email")],
        }
        sql = sql_question(key, floor, simple).replace("statement,", "text,").replace("(statement,", "(text,")
        return key, own.get(key) or [sql.replace("event_time", "event_second, event_ticks").replace(", statement FROM", ", text FROM")]

    def run(self, question):
        key, sqls = question
        start = time.monotonic()
        answers = [self.send(sql) for sql in sqls]
        spent = (time.monotonic() - start) * 1000
        lines = answers[-1].splitlines()
        total = sum(int(line.split(b"\t")[-1]) for line in lines) if key in SUMMED else None
        return {"rows": len(lines), "sum": total, "ms": spent, "peak_kib": self.usage()[1]}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


CLICKHOUSE_CONFIG = """<yandex>
 <logger><level>warning</level><log>@PATH@/log</log><errorlog>@PATH@/errors</errorlog></logger>
 <http_port>@HTTP@</http_port><tcp_port>@TCP@</tcp_port><listen_host>127.0.0.1</listen_host>
 <path>@PATH@/data/</path><tmp_path>@PATH@/tmp/</tmp_path><user_files_path>@PATH@/files/</user_files_path>
 <users_config>@PATH@/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
 <timezone>UTC</timezone><mark_cache_size>536870912</mark_cache_size>
 <compression><case><min_part_size>0</min_part_size><min_part_size_ratio>0</min_part_size_ratio><method>zstd</method></case></compression>
</yandex>
"""
CLICKHOUSE_USERS = """<yandex>
 <profiles><default><max_threads>2</max_threads>
  <allow_experimental_low_cardinality_type>1</allow_experimental_low_cardinality_type></default></profiles>
 <users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
 <quotas><default></default></quotas>
</yandex>
"""


# Lines of statements go into a table that keeps nothing; a view takes the request's id out of the text and the time apart.
CLICKHOUSE_REQUESTS = "requestId UUID, extendedRequestId String, integrationRequestId UUID, requestTimeEpoch UInt64, requestTime String, " \
    "httpMethod FEW, resourcePath FEW, path String, protocol FEW, status UInt16, responseLength UInt32, responseLatency UInt32, " \
    "integrationLatency UInt32, integrationStatus UInt16, apiId FEW, stage FEW, accountId FEW, domainName FEW, sourceIp FEW, userAgent FEW, " \
    "principalId FEW, email FEW, wafResponseCode FEW"
CLICKHOUSE_ROW = "sequence_number UInt32, action_id FEW, succeeded UInt8, session_id UInt32, object_id UInt64, class_type FEW, " \
    "session_server_principal_name FEW, server_principal_name FEW, database_principal_name FEW, server_instance_name FEW, " \
    "database_name FEW, schema_name FEW, object_name FEW, file_name FEW, audit_file_offset UInt64, transaction_id UInt64, client_ip FEW, " \
    "application_name FEW, duration_milliseconds UInt32, response_rows UInt64, affected_rows UInt64, connection_id FEW, host_name FEW"
CLICKHOUSE_OWN = [
    ("event_second DateTime", "toDateTime(replaceOne(substring(event_time, 1, 19), 'T', ' '))"),
    ("event_ticks UInt32", "toUInt32(substring(event_time, 21, 7))"),
    ("text String", r"replaceRegexpOne(statement, '/\\*request_id=[0-9a-f-]{36}\\*/$', '')"),
    ("request_id UUID", r"toUUID(if(extract(statement, '/\\*request_id=([0-9a-f-]{36})\\*/$') = '', '00000000-0000-0000-0000-000000000000', "
                        r"extract(statement, '/\\*request_id=([0-9a-f-]{36})\\*/$')))"),
]
CLICKHOUSE_TABLES = [sql.replace("FEW", "LowCardinality(String)") for sql in (
    f"CREATE TABLE requests ({CLICKHOUSE_REQUESTS}) ENGINE = MergeTree ORDER BY requestTimeEpoch",
    f"CREATE TABLE statements_in (event_time String, statement String, {CLICKHOUSE_ROW}) ENGINE = Null",
    f"CREATE TABLE statements ({', '.join(own for own, _ in CLICKHOUSE_OWN)}, {CLICKHOUSE_ROW}) ENGINE = MergeTree "
    "ORDER BY (event_second, event_ticks)",
    f"CREATE MATERIALIZED VIEW statements_typed TO statements AS SELECT "
    f"{', '.join(f'{source} AS {own.split()[0]}' for own, source in CLICKHOUSE_OWN)}, "
    f"{', '.join(column.split()[0] for column in CLICKHOUSE_ROW.split(', '))} FROM statements_in",
)]
