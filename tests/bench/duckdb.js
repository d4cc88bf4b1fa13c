// DuckDB, as the store is compared with it: native file and Parquet with zstd.
//
// usage: node duckdb.js native DB ACCESS AUDIT     loads both files of bench-world
//        node duckdb.js parquet FOLDER ACCESS AUDIT
//        node duckdb.js ask DB|FOLDER              one question a line on stdin, as JSON {"sql": .., "sum": whether to add up the
//                                                  last column}; answers {"rows", "sum", "ms"} a line: from sending the question until all rows are read
"use strict";
const { DuckDBInstance } = require("@duckdb/node-api");
const fs = require("fs");
const readline = require("readline");

const text = (names) => Object.fromEntries(names.split(" ").map((name) => [name, "VARCHAR"]));
const numbers = (names) => Object.fromEntries(names.split(" ").map((name) => [name, "BIGINT"]));
const requestColumns = {
  ...text("requestId extendedRequestId integrationRequestId requestTimeEpoch requestTime httpMethod resourcePath path protocol status"),
  ...text("responseLength responseLatency integrationLatency integrationStatus apiId stage accountId domainName sourceIp userAgent"),
  ...text("principalId email wafResponseCode"),
};
const rowColumns = {
  event_time: "TIMESTAMP_NS", sequence_number: "BIGINT", action_id: "VARCHAR", succeeded: "BOOLEAN",
  ...numbers("session_id object_id"),
  ...text("class_type session_server_principal_name server_principal_name database_principal_name server_instance_name"),
  ...text("database_name schema_name object_name statement file_name"),
  ...numbers("audit_file_offset transaction_id"),
  ...text("client_ip application_name"),
  ...numbers("duration_milliseconds response_rows affected_rows"),
  connection_id: "UUID", host_name: "VARCHAR",
};

const quote = (value) => `'${value.replaceAll("'", "''")}'`;
const struct = (columns) => "{" + Object.entries(columns).map(([name, type]) => `${name}: '${type}'`).join(", ") + "}";
const lines = (path, columns) => `read_json(${quote(path)}, format = 'newline_delimited', columns = ${struct(columns)})`;

// Typed as narrowly as the values allow; the request's id leaves the statement and becomes a column, which halves its size.
const requests = (path) => `SELECT * REPLACE (requestId::UUID AS requestId, integrationRequestId::UUID AS integrationRequestId,
  principalId::UUID AS principalId, requestTimeEpoch::BIGINT AS requestTimeEpoch, status::SMALLINT AS status,
  responseLength::INTEGER AS responseLength, responseLatency::INTEGER AS responseLatency,
  integrationLatency::INTEGER AS integrationLatency, integrationStatus::SMALLINT AS integrationStatus)
  FROM ${lines(path, requestColumns)}`;
const statements = (path) => `SELECT * REPLACE (regexp_replace(statement, '/\\*request_id=[0-9a-f-]{36}\\*/$', '') AS statement),
  TRY_CAST(nullif(regexp_extract(statement, '/\\*request_id=([0-9a-f-]{36})\\*/$', 1), '') AS UUID) AS request_id
  FROM ${lines(path, rowColumns)}`;

async function connect(path) {
  const instance = await DuckDBInstance.create(path, { threads: "2" });
  const connection = await instance.connect();
  await connection.run("SET preserve_insertion_order = true");
  return connection;
}

async function native(path, access, audit) {
  const connection = await connect(path);
  await connection.run(`CREATE TABLE requests AS ${requests(access)}`);
  await connection.run(`CREATE TABLE statements AS ${statements(audit)}`);
  await connection.run("CHECKPOINT");
}

async function parquet(folder, access, audit) {
  const connection = await connect(":memory:");
  fs.mkdirSync(folder, { recursive: true });
  const how = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 9, PARQUET_VERSION v2)";
  await connection.run(`COPY (${requests(access)}) TO ${quote(folder + "/requests.parquet")} ${how}`);
  await connection.run(`COPY (${statements(audit)}) TO ${quote(folder + "/statements.parquet")} ${how}`);
}

async function ask(path) {
  const isFolder = fs.statSync(path).isDirectory();
  const connection = await connect(isFolder ? ":memory:" : path);
  if (isFolder) {
    for (const name of ["requests", "statements"]) {
      await connection.run(`CREATE VIEW ${name} AS SELECT * FROM ${quote(`${path}/${name}.parquet`)}`);
    }
  }
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const start = process.hrtime.bigint();
    const question = JSON.parse(line);
    const result = await connection.stream(question.sql);
    let rows = 0;
    let sum = question.sum ? 0 : null;
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      rows += chunk.rowCount;
      if (question.sum) {
        sum += chunk.getColumnValues(result.columnCount - 1).reduce((total, value) => total + Number(value), 0);
      }
    }
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    console.log(JSON.stringify({ rows, sum, ms, peak_kib: process.resourceUsage().maxRSS }));
  }
}

const [command, path, access, audit] = process.argv.slice(2);
const run = { native: () => native(path, access, audit), parquet: () => parquet(path, access, audit), ask: () => ask(path) }[command];
run().then(() => process.exit(0), (error) => {
  console.error(`duckdb.js: ${error.message}`);
  process.exit(1);
});
