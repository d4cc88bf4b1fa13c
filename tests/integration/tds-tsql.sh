#!/bin/sh
# Proves that an independent client, FreeTDS's tsql, can log in to the SQL Server simulator over verified TLS and read every audit row
# byte for byte; and that a wrong password, an unknown authority, another name and a client in the clear are refused.
#   usage: tds-tsql.sh QUERYTRAIL-SIM
set -u
sim=$1
command -v tsql >/dev/null || { echo "Bail out! freetds-bin is not installed"; exit 1; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/tds-tsql.XXXXXX") || exit 99
pids=""
trap 'exec 9>&- 8>&-; for p in $pids; do wait $p; done; rm -rf "$dir"' EXIT
unset TDSVER TDSPORT TDSHOST TDSQUERY TDSDUMP TDSDUMPCONFIG FREETDS
export FREETDSCONF="$dir/freetds.conf" LC_ALL=C.UTF-8

# start NAME FD OPTIONS..: starts a simulator that lives until FD is closed; sets port.
start() {
	name=$1
	mkfifo "$dir/$name.stdin"
	fd=$2
	shift 2
	"$sim" --requests 300 --seed 11 --dir "$dir/$name" "$@" <"$dir/$name.stdin" >"$dir/$name.ready" 2>"$dir/$name.err" &
	pids="$pids $!"
	eval "exec $fd>\"$dir/$name.stdin\""
	tries=0
	until [ -s "$dir/$name.ready" ]; do
		tries=$((tries + 1))
		[ $tries -gt 100 ] && { echo "Bail out! the simulator does not start: $(cat "$dir/$name.err")"; exit 1; }
		sleep 0.1
	done
	port=$(sed 's/.*sqlserver=127.0.0.1:\([0-9]*\).*/\1/' "$dir/$name.ready")
}

# server NAME HOST PORT ENCRYPTION CA: a section of freetds.conf.
server() {
	cat >>"$FREETDSCONF" <<END
[$1]
host = $2
port = $3
tds version = 7.4
encryption = $4
$([ -n "$5" ] && echo "ca file = $5")
check certificate hostname = yes
client charset = UTF-8
text size = 2147483647
END
}

ask() { # ask SERVER PASSWORD <SQL
	timeout 30 tsql -S "$1" -U querytrail -P "$2" -o fhq 2>&1
}

# tell LINE: a command to the first simulator (scene_command in tests/sim/scene.h); returns when it is done.
told=1
tell() {
	echo "$1" >&9
	told=$((told + 1))
	tries=0
	while [ "$(wc -l <"$dir/good.ready")" -lt $told ] && [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	[ "$(sed -n ${told}p "$dir/good.ready")" = ok ] || echo "# $1: $(sed -n ${told}p "$dir/good.ready")"
}

number=0
failed=0
check() { # check NAME EXPECTED ACTUAL
	number=$((number + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $number - $1"
	else
		failed=$((failed + 1))
		echo "not ok $number - $1"
		printf '%s' "$2" | head -c 400 | sed 's/^/# expected: /'
		printf '%s' "$3" | head -c 400 | sed 's/^/# got: /'
	fi
}
says() { # says NAME PART TEXT
	case $3 in *"$2"*) check "$1" yes yes ;; *) check "$1" "$2" "$3" ;; esac
}

start good 9
server good 127.0.0.1 "$port" require "$dir/good/ca.pem"
server by-name localhost "$port" require "$dir/good/ca.pem"
server clear 127.0.0.1 "$port" off ""
password=$(cat "$dir/good/password")
all="sys.fn_get_audit_file(N'D:\\audit\\*', DEFAULT, DEFAULT)"

check "an address in the certificate is accepted" 1 "$(printf 'SELECT 1\ngo\n' | ask good "$password")"
check "so is a name" 1 "$(printf 'SELECT 1\ngo\n' | ask by-name "$password")"
says "a wrong password is message 18456" 'Msg 18456 (severity 14' "$(ask good wrong </dev/null)"
says "a client in the clear is turned away" 'Adaptive Server connection failed' "$(ask clear "$password" </dev/null)"

printf "SELECT audit_file_offset, sequence_number, transaction_id, CAST(statement AS varbinary(8000)) FROM %s\ngo\n" "$all" |
	ask good "$password" >"$dir/rows"
python3 - "$dir/good/audit.jsonl" "$dir/rows" >"$dir/compared" 2>&1 <<'END'
import json, sys
world = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8", errors="surrogatepass")]
rows = open(sys.argv[2], encoding="utf-8").read().rstrip("\n").split("\n")
assert len(world) == len(rows), (len(world), len(rows))
for event, row in zip(world, rows):
    offset, sequence, transaction, statement = row.split("\t")
    text = event["statement"].encode("utf-16-le", "surrogatepass").hex()
    assert [int(offset), int(sequence), int(transaction)] == [
        event["audit_file_offset"], event["sequence_number"], event["transaction_id"]], (event, row)
    assert statement in (text, "" if not text else text), (text, statement)
print("equal", len(rows) > 300)
END
check "every row arrives byte for byte" "equal True" "$(tail -1 "$dir/compared")"

last=$(tail -1 "$dir/good/audit.jsonl" | sed 's/.*"file_name":"\([^"]*\)".*/\1/; s/\\\\/\\/g')
check "the status names the current file" "$last" \
	"$(printf 'SELECT audit_file_path FROM sys.dm_server_audit_status\ngo\n' | ask good "$password")"
says "a file and offset that are none are message 33225" 'Msg 33225 (severity 16' \
	"$(printf "SELECT 1 FROM sys.fn_get_audit_file('D:\\\\audit\\\\*', '%s', 77)\ngo\n" "$last" | ask good "$password")"
check "two results of one batch arrive" "1 2" \
	"$(printf 'SELECT 1 SELECT 2\ngo\n' | ask good "$password" | tr '\n' ' ' | sed 's/ $//; s/  */ /g')"

tell 'sql gone'
says "a server that is gone does not answer" 'Adaptive Server' "$(ask good "$password" </dev/null)"
tell 'sql back'
check "when it is back it does" 1 "$(printf 'SELECT 1\ngo\n' | ask good "$password")"
tell 'sql login-failed times=1'
says "a fault can be set while it runs" 'Msg 18456' "$(ask good "$password" </dev/null)"
check "and is over after as many uses as it was given" 1 "$(printf 'SELECT 1\ngo\n' | ask good "$password")"
tell 'sql delete-file index=0'
check "a deleted file is no longer among them" "$(($(sed 's/.*"file_name":"\([^"]*\)".*/\1/' "$dir/good/audit.jsonl" | sort -u | wc -l) - 1))" \
	"$(printf "SELECT DISTINCT file_name FROM %s\ngo\n" "$all" | ask good "$password" | wc -l)"

start stranger 8 --sql-fault 'bad-certificate kind=ca times=1'
server stranger 127.0.0.1 "$port" require "$dir/stranger/ca.pem"
says "an authority that is not known is refused" 'Adaptive Server connection failed' "$(ask stranger "$password" </dev/null)"
check "the next connection has the good certificate" 1 "$(printf 'SELECT 1\ngo\n' | ask stranger "$password")"
exec 8>&-

start torn 8 --sql-fault 'packet bytes=1' --sql-fault 'write bytes=1'
server torn 127.0.0.1 "$port" require "$dir/torn/ca.pem"
check "packets of one byte, written byte by byte, are read" "$(sed -n '2s/.*"transaction_id":\([0-9]*\).*/\1/p' "$dir/torn/audit.jsonl")" \
	"$(printf 'SELECT TOP 2 transaction_id FROM %s\ngo\n' "$all" | ask torn "$password" | tail -1)"
exec 8>&-

start open 8 --tls-sql off
server open 127.0.0.1 "$port" off ""
check "a server without TLS talks in the clear" 1 "$(printf 'SELECT 1\ngo\n' | ask open "$password")"
server strict 127.0.0.1 "$port" require "$dir/open/ca.pem"
says "a client that must encrypt refuses it" 'Adaptive Server connection failed' "$(ask strict "$password" </dev/null)"
exec 8>&-

start cloud 8 --rds
server cloud 127.0.0.1 "$port" require "$dir/cloud/ca.pem"
check "RDS has its own function" "$(wc -l <"$dir/cloud/audit.jsonl")" \
	"$(printf "SELECT COUNT(*) FROM msdb.dbo.rds_fn_get_audit_file('D:\\\\rdsdbdata\\\\SQLAudit\\\\*', default, default)
SELECT COUNT(*) FROM msdb.dbo.rds_fn_get_audit_file('D:\\\\rdsdbdata\\\\SQLAudit\\\\transmitted\\\\*', default, default)\ngo\n" |
		ask cloud "$password" | awk '/^[0-9]+$/ { sum += $1 } END { print sum }')"
exec 8>&-

echo "1..$number"
[ $failed -eq 0 ]
