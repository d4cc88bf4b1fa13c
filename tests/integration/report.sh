#!/bin/bash
# Proves: reports are the same bytes twice and from stores that took the same records in another order and other pieces; a report of one's own
# works without C; files appear whole, and the old one stays when a report fails; through querytrail-serve the access is recorded and the head
# names the one who asked. Speaks TAP. usage: report.sh QUERYTRAIL SERVE DAEMON
set -u
querytrail=$1
serve=$2
daemon=$3
work=$(mktemp -d)
export QUERYTRAIL_CONFIG=$work/querytrail.yaml
unset QUERYTRAIL_STORE QUERYTRAIL_REPORTS
number=0
daemon_pid=
serve_pid=

finish() {
	[ -n "$serve_pid" ] && kill "$serve_pid" 2>/dev/null
	[ -n "$daemon_pid" ] && kill "$daemon_pid" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

check() { # NAME COMMAND..
	number=$((number + 1))
	local name=$1
	shift
	if "$@" >"$work/check.log" 2>&1; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		sed 's/^/# /' "$work/check.log" | head -20
	fi
}

is() { # a b
	[ "$1" = "$2" ] || { echo "got \"$1\", wanted \"$2\""; return 1; }
}

status() { # WANTED COMMAND..
	local wanted=$1
	shift
	"$@" >"$work/out" 2>"$work/messages"
	local got=$?
	[ "$got" = "$wanted" ] || { echo "status $got, not $wanted"; cat "$work/messages"; return 1; }
}

# requests FIRST LAST: access log lines, one a minute.
requests() {
	local i
	for i in $(seq "$1" "$2"); do
		printf '{"requestId":"r-%d","extendedRequestId":"X%d=","requestTimeEpoch":"%d","routeKey":"GET /a%d","status":"200","responseLatency":"900","user":"u%d@example.com"}\n' \
			"$i" "$i" $((1795305600000 + i * 60000)) $((i % 3)) $((i % 5))
	done
}

# statements FIRST LAST: audit rows, one in each request but every tenth, which has none; every seventh was refused.
statements() {
	local i
	for i in $(seq "$1" "$2"); do
		local text="/*request_id=r-$i*/ SELECT * FROM dbo.T$((i % 4)) WHERE id = $i"
		[ $((i % 10)) = 0 ] && text="DROP TABLE dbo.T$i"
		printf '{"event_time":"2026-11-22T%02d:%02d:00.5000000","sequence_number":1,"action_id":"SL","succeeded":%s,"session_id":%d,"server_principal_name":"app_%d","database_name":"shop","schema_name":"dbo","object_name":"T%d","statement":"%s","file_name":"a.sqlaudit","audit_file_offset":%d}\n' \
			$((i / 60)) $((i % 60)) "$([ $((i % 7)) = 0 ] && echo false || echo true)" $((50 + i % 3)) $((i % 2)) $((i % 4)) "$text" $((i * 512))
	done
}

import() { # STORE SOURCE TYPE FILE..
	local store=$1 source=$2 type=$3
	shift 3
	"$querytrail" import --store "$work/$store" --source "$source" --type "$type" "$@" >>"$work/log" 2>&1
}

# same NAME: the report of both stores, but for when the data came.
same() {
	local store
	for store in one two; do
		"$querytrail" report "$1" --store "$work/$store" --format jsonl 2>/dev/null |
			sed 's/"title":"Data as of","text":"[^"]*"/as of/' >"$work/$store.jsonl"
	done
	[ "$(wc -c <"$work/one.jsonl")" -gt 2000 ] || { echo "too little"; return 1; }
	cmp "$work/one.jsonl" "$work/two.jsonl"
}

twice() { # NAME FORMAT
	"$querytrail" report "$1" --store "$work/one" --format "$2" -o "$work/first.$2" 2>/dev/null
	"$querytrail" report "$1" --store "$work/one" --format "$2" -o "$work/second.$2" 2>/dev/null
	[ -s "$work/first.$2" ] && cmp "$work/first.$2" "$work/second.$2"
}

requests 1 200 >"$work/requests"
statements 1 200 >"$work/statements"
split -l 70 "$work/requests" "$work/requests-"
split -l 45 "$work/statements" "$work/statements-"
tac "$work/statements-ab" >"$work/statements-turned"
echo "1..33"
check "requests are taken in, then statements" eval 'import one api access-log "$work/requests" && import one sql audit-rows "$work/statements"'
check "in another order and other pieces" eval 'import two sql audit-rows "$work/statements-ae" "$work/statements-turned" && import two api access-log "$work/requests-ac" &&
	import two sql audit-rows "$work/statements-aa" "$work/statements-ad" "$work/statements-ac" && import two api access-log "$work/requests-ab" "$work/requests-aa"'
reports="who-ran-what-by-user who-ran-what-by-route who-ran-what-by-table privileged-activity statements-without-request failed-logins-and-denials"
for name in $reports alerts-and-disposition pci; do
	[ "$name" = pci ] || check "$name is the same from both" same "$name"
done
for format in html pdf csv jsonl md; do
	check "pci is the same bytes twice as $format" twice pci "$format"
done

mkdir -p "$work/mine/night-work" "$work/mine/broken"
cat >"$work/mine/night-work/report.yaml" <<'YAML'
title: Night work
purpose: What people ran in the first hour.
sections:
  - name: people
    title: People
    filter: user:* time<"2026-11-22 01:00"
    group: [user, hour]
    columns: [{name: user, title: Person}, hour, count, failed_share]
    order: [user, hour]
    charts: [{kind: timeline, title: By hour, by: hour, risk: failed}]
YAML
printf 'title: Broken\npurpose: x\nsections:\n  - {name: a, title: A, columns: [usr]}\n' >"$work/mine/broken/report.yaml"
check "a folder of one's own is a report" status 0 "$querytrail" report night-work --reports "$work/mine" --store "$work/one" --format csv
check "with its rows" is "$(grep -c '^row,people,' "$work/out")" 5
check "check names what is wrong" status 78 "$querytrail" report check "$work/mine"
check "with its place" grep -q 'broken/report.yaml:4:35: unknown field "usr"; did you mean "user"?' "$work/out"
check "and what is well" grep -q '^ok     night-work$' "$work/out"
check "a broken one is refused" status 78 "$querytrail" report broken --reports "$work/mine" --store "$work/one"

echo old >"$work/kept.md"
check "a report that fails" status 2 "$querytrail" report pci rout:x --store "$work/one" -o "$work/kept.md"
check "leaves the old file" is "$(cat "$work/kept.md")" old
check "and nothing beside it" is "$(find "$work" -maxdepth 1 -name 'kept.md?*' | wc -l)" 0
check "a folder gets every format" status 0 "$querytrail" report who-ran-what-by-user --store "$work/one" -o "$work/folder/"
check "and each table of CSV" is "$(cd "$work/folder" && echo *)" "who-ran-what-by-user.csv who-ran-what-by-user.html who-ran-what-by-user.jsonl who-ran-what-by-user.md who-ran-what-by-user.pdf who-ran-what-by-user.statements.csv who-ran-what-by-user.users.csv"
check "all rows are in the table's file" is "$(wc -l <"$work/folder/who-ran-what-by-user.statements.csv")" 201
check "and are for the owner alone" is "$(stat -c %a "$work/folder/who-ran-what-by-user.csv")" 600
check "a range is taken" status 0 "$querytrail" report who-ran-what-by-user --store "$work/one" --until 2026-11-22T02:00 --format md
check "its end is said as an instant" grep -q 'to before 2026-11-22 02:00:00Z' "$work/out"

printf 'store: %s/one\nruntime: %s/run\n' "$work" "$work" >"$QUERYTRAIL_CONFIG"
"$daemon" --config "$QUERYTRAIL_CONFIG" 2>>"$work/log" &
daemon_pid=$!
for _ in $(seq 100); do [ -S "$work/run/feed.sock" ] && break; sleep 0.05; done
"$serve" --config "$QUERYTRAIL_CONFIG" 2>>"$work/log" &
serve_pid=$!
for _ in $(seq 100); do [ -S "$work/run/query.sock" ] && break; sleep 0.05; done
check "serve makes reports" status 0 "$querytrail" report who-ran-what-by-user user:u1@example.com --format html --format jsonl -o "$work/served/"
check "the files are there, whole" eval 'tail -1 "$work/served/who-ran-what-by-user.jsonl" | grep -q "\"record\":\"end\"" && grep -q "</html>" "$work/served/who-ran-what-by-user.html"'
check "the head names the one who asked" grep -q "\"text\":\"$(id -un) (uid $(id -u))\"" "$work/served/who-ran-what-by-user.jsonl"
check "each question is on record" eval 'status 0 "$querytrail" report coverage-and-gaps --format csv && is "$(grep -c "^row,accesses,.*report --format" "$work/out")" 3'
