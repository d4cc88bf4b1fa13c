// Proves that an independent client, npm's tedious, can use the SQL Server simulator: verified TLS, parameters, every column of every
// row, several results, cancelling, and errors. Prints TAP.
//   usage: node check.js PORT SCENE (the folder that querytrail-sim --dir wrote)
'use strict';
const fs = require('fs');
const path = require('path');
const { Connection, Request, TYPES } = require('tedious');

const [port, scene] = [Number(process.argv[2]), process.argv[3]];
const password = fs.readFileSync(path.join(scene, 'password'), 'utf8');
const ca = fs.readFileSync(path.join(scene, 'ca.pem'));
const world = fs.readFileSync(path.join(scene, 'audit.jsonl'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
const everything = 'SELECT * FROM sys.fn_get_audit_file(@p, @f, @o)';
const pattern = { p: [TYPES.NVarChar, 'D:\\audit\\*'], f: [TYPES.NVarChar, null], o: [TYPES.BigInt, null] };

function connect(changes = {}) {
	return new Promise((resolve, reject) => {
		const { secret = password, ...options } = changes;
		const connection = new Connection({
			server: 'localhost',
			authentication: { type: 'default', options: { userName: 'querytrail', password: secret } },
			options: {
				port, encrypt: true, trustServerCertificate: false, cryptoCredentialsDetails: { ca },
				database: 'msdb', useUTC: true, requestTimeout: 20000, connectTimeout: 5000, ...options,
			},
		});
		connection.connect((error) => (error ? reject(error) : resolve(connection)));
	});
}

// Runs one text with parameters (a batch without them); the rows as objects, or arrays of values for each result.
function ask(connection, text, parameters, onRow) {
	return new Promise((resolve, reject) => {
		const rows = [];
		const infos = [];
		const hear = (message) => infos.push(message);
		const request = new Request(text, (error, count) => {
			connection.removeListener('infoMessage', hear);
			return error ? reject(error) : resolve({ rows, infos, count });
		});
		connection.on('infoMessage', hear);
		for (const [name, [type, value]] of Object.entries(parameters || {})) {
			request.addParameter(name, type, value);
		}
		request.on('row', (columns) => {
			rows.push(Object.fromEntries(columns.map((column) => [column.metadata.colName, column.value])));
			if (onRow) onRow(request);
		});
		if (parameters) connection.execSql(request);
		else connection.execSqlBatch(request);
	});
}

// A value as the JSON line has it.
function plain(name, value) {
	if (Buffer.isBuffer(value)) return '0x' + value.toString('hex');
	if (value instanceof Date) {
		const rest = Math.round((value.nanosecondsDelta || 0) * 1e7).toString().padStart(4, '0');
		return value.toISOString().replace('Z', rest);
	}
	if (['audit_file_offset', 'transaction_id', 'duration_milliseconds', 'response_rows', 'affected_rows'].includes(name)) {
		return Number(value);
	}
	return name === 'action_id' ? value.trimEnd() : value;
}

function refusedWith(promise) {
	return promise.then(() => 'no error', (error) => error);
}

const tests = {
	async 'every column of every row arrives'(connection) {
		const { rows } = await ask(connection, everything, pattern);
		if (rows.length !== world.length) return `${rows.length} rows, not ${world.length}`;
		for (let i = 0; i < rows.length; i++) {
			for (const [name, expected] of Object.entries(world[i])) {
				const got = plain(name, rows[i][name]);
				if (got !== expected) return `row ${i}, ${name}: ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`;
			}
		}
		return rows.length > 300 ? null : 'too few rows to prove anything';
	},
	async 'reading goes on behind a file and an offset'(connection) {
		const at = world[50];
		const behind = world.findIndex((row, i) => i > 50 &&
			(row.audit_file_offset !== at.audit_file_offset || row.file_name !== at.file_name));
		const { rows } = await ask(connection, everything, {
			...pattern, f: [TYPES.NVarChar, at.file_name], o: [TYPES.BigInt, at.audit_file_offset],
		});
		return rows.length === world.length - behind ? null : `${rows.length} rows, not ${world.length - behind}`;
	},
	async 'parameters of each type come back'(connection) {
		const { rows } = await ask(connection, 'SELECT @i AS i, @b AS b, @t AS t, @n AS n, @s AS s, @d AS d', {
			i: [TYPES.Int, -5], b: [TYPES.BigInt, '9007199254740993'], t: [TYPES.Bit, true], n: [TYPES.NVarChar, null],
			s: [TYPES.NVarChar, 'blåbær \u{1F600} \ud83d'], d: [TYPES.DateTime2, new Date('2026-11-22T10:00:00.123Z')],
		});
		const expected = { i: -5, b: '9007199254740993', t: true, n: null, s: 'blåbær \u{1F600} \ud83d' };
		const { d, ...others } = rows[0];
		return JSON.stringify(others) === JSON.stringify(expected) && d.toISOString() === '2026-11-22T10:00:00.123Z'
			? null : JSON.stringify(rows[0]);
	},
	async 'a long text goes and comes in chunks'(connection) {
		const text = 'x'.repeat(100000);
		const { rows } = await ask(connection, 'SELECT @s AS s', { s: [TYPES.NVarChar, text] });
		return rows[0].s === text ? null : `${rows[0].s.length} characters`;
	},
	async 'a batch gives several results and what was printed'(connection) {
		const { rows, infos } = await ask(connection, "USE master; PRINT N'hello'; SELECT 1 AS a; SELECT N'b' AS b");
		const told = infos.map((info) => info.message);
		return rows.length === 2 && rows[0].a === 1 && rows[1].b === 'b' && told.includes('hello') &&
			told.includes("Changed database context to 'master'.") ? null : JSON.stringify([rows, told]);
	},
	async 'an answer can be cancelled, and the connection lives on'(connection) {
		let cancelled = false;
		const error = await refusedWith(ask(connection, everything, pattern, (request) => {
			if (!cancelled) request.cancel();
			cancelled = true;
		}));
		if (error.code !== 'ECANCEL') return String(error);
		const { rows } = await ask(connection, 'SELECT 7 AS n');
		return rows[0].n === 7 ? null : JSON.stringify(rows);
	},
	async 'an error has its number, and the connection lives on'(connection) {
		const wrong = { ...pattern, f: [TYPES.NVarChar, 'D:\\audit\\none.sqlaudit'], o: [TYPES.BigInt, 1] };
		const numbers = [
			(await refusedWith(ask(connection, everything, wrong))).number,
			(await refusedWith(ask(connection, 'SELECT * FROM dbo.Orders'))).number,
			(await refusedWith(ask(connection, 'DELETE x'))).number,
		];
		const { rows } = await ask(connection, 'SELECT 7 AS n');
		return JSON.stringify([numbers, rows[0].n]) === '[[33225,208,156],7]' ? null : JSON.stringify(numbers);
	},
	async 'the catalog answers'(connection) {
		const { rows } = await ask(connection, 'SELECT name, status_desc, audit_file_path FROM sys.dm_server_audit_status');
		const last = world[world.length - 1].file_name;
		return rows.length === 1 && rows[0].audit_file_path === last ? null : JSON.stringify(rows);
	},
	async 'a wrong password is refused'() {
		const error = await refusedWith(connect({ secret: 'wrong' }));
		return error.code === 'ELOGIN' && /Login failed for user/.test(error.message) ? null : String(error);
	},
	async 'an authority that is not known is refused'() {
		const error = await refusedWith(connect({ cryptoCredentialsDetails: {} }));
		return /certificate/.test(String(error)) ? null : String(error);
	},
	async 'a client in the clear is turned away'() {
		const error = await refusedWith(connect({ encrypt: false }));
		return error instanceof Error ? null : String(error);
	},
};

async function main() {
	const names = Object.keys(tests);
	let failed = 0;
	console.log(`1..${names.length}`);
	const connection = await connect();
	for (const [i, name] of names.entries()) {
		const wrong = await tests[name](connection).catch((error) => String(error.stack));
		failed += wrong ? 1 : 0;
		console.log(`${wrong ? 'not ok' : 'ok'} ${i + 1} - ${name}`);
		if (wrong) console.log('# ' + wrong.replaceAll('\n', '\n# '));
	}
	connection.close();
	process.exitCode = failed ? 1 : 0;
}

main().catch((error) => {
	console.log(`Bail out! ${error.message}`);
	process.exitCode = 1;
});
