#!/bin/bash
# Proves: querytrail-serve answers over query.sock, has each access committed before the first row, shows nothing without the daemon,
# refuses strangers, and ends the command of a client that left. serve.sh QUERYTRAIL SERVE DAEMON
set -u
querytrail=$1
serve=$2
daemon=$3
work=$(mktemp -d)
chmod 755 "$work"
export QUERYTRAIL_CONFIG=$work/querytrail.yaml
unset QUERYTRAIL_STORE
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
	if "$@"; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
	fi
}

is() { # a b
	[ "$1" = "$2" ] || { echo "# got \"$1\", wanted \"$2\""; return 1; }
}

start_daemon() {
	"$daemon" --config "$QUERYTRAIL_CONFIG" 2>>"$work/log" &
	daemon_pid=$!
	wait_for "$work/run/feed.sock"
}

wait_for() {
	for _ in $(seq 100); do
		[ -S "$1" ] && return 0
		sleep 0.05
	done
	return 1
}

# Accesses that the store holds, newest last, one a line.
accesses() {
	local leaf=0
	while text=$("$querytrail" show "$leaf" --store "$work/store" --json 2>/dev/null); do
		case $text in *'"kind":"access"'*) printf '%s\n' "$text" | sed -n 's/.*"arguments":"\([^"]*\)".*/\1/p' ;; esac
		leaf=$((leaf + 1))
	done
}

printf 'store: %s/store\nruntime: %s/run\n' "$work" "$work" >"$QUERYTRAIL_CONFIG"
echo "1..11"
start_daemon
"$serve" --config "$QUERYTRAIL_CONFIG" 2>>"$work/log" &
serve_pid=$!
wait_for "$work/run/query.sock"

"$querytrail" status >"$work/out" 2>&1
check "an empty store is answered with status 0" is $? 0
check "the answer is the command's" grep -q 'daemon:      running' "$work/out"
"$querytrail" who 'user:alice bob' >"$work/out" 2>&1
check "the exit status passes through" is $? 1
check "each access is in the store, as it was asked" is "$(accesses | tail -1)" "who 'user:alice bob'"
"$querytrail" who --store /etc >"$work/out" 2>&1
check "a named store is read without serve" is $? 78
"$querytrail" top user --verified >"$work/out" 2>&1
check "--verified is answered behind serve" grep -qE '(not )?verified( against checkpoint [0-9]+ of|: nothing was signed)' "$work/out"
"$querytrail" who --verified --policy /etc/passwd >"$work/out" 2>&1
check "a policy is not read for somebody else" grep -q -- '--policy needs --store' "$work/out"
kill "$daemon_pid"
wait "$daemon_pid" 2>/dev/null
daemon_pid=
"$querytrail" who >"$work/out" 2>"$work/messages"
check "without the daemon nothing is shown" is "$?,$(wc -c <"$work/out")" "2,0"
check "and it says why" grep -q 'the access cannot be recorded, so nothing is shown' "$work/messages"
start_daemon
if [ "$(id -u)" = 0 ]; then # the stranger's copy stands where everybody may read, wherever the build is
	install -m 755 "$querytrail" "$work/querytrail"
	(cd "$work" && setpriv --reuid 65534 --clear-groups ./querytrail who) >"$work/out" 2>&1
	check "a stranger is denied with status 4" is $? 4
else
	number=$((number + 1))
	echo "ok $number - a stranger is denied # SKIP needs root"
fi
# A client that goes in the middle: nothing of its question is left running.
timeout -s KILL 0.2 python3 - "$work/run/query.sock" <<'PY'
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"\x20\x00")
time.sleep(5)
PY
sleep 0.5
check "a client that left leaves no process" is "$(pgrep -c -P "$serve_pid")" 0
