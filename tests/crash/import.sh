#!/bin/bash
# Proves: a daemon that is killed -9 at any moment of an import that seals and merges loses nothing and stores nothing twice: the imports that follow go on, and at
# the end export --raw is the files. Speaks TAP. usage: import.sh QUERYTRAIL BENCH-WORLD SECONDS SEED
set -u
querytrail=$1
world=$2
RANDOM=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset QUERYTRAIL_STORE QUERYTRAIL_CONFIG
"$world" --quiet --requests 4000 --seed "$4" "$work/data" >/dev/null
printf 'seal: {requests: 128}\nrules: {disabled: ["*"]}\n' >"$work/small.yaml"
kills=0
broken=0

import() { # SOURCE
	local type=access-log file=access
	[ "$1" = db ] && type=audit-rows file=audit
	exec "$querytrail" import --config "$work/small.yaml" --store "$work/store" --source "$1" --type $type "$work/data/$file.jsonl" >"$work/said" 2>&1
}

# Kills the daemon of an import that is under way, after so many milliseconds.
kill_one() { # SOURCE MS
	(import "$1") &
	local import=$! daemon
	sleep "$(printf '0.%03d' "$2")"
	daemon=$(cat "/proc/$import/task/$import/children" 2>/dev/null)
	for pid in $daemon; do
		local workers
		workers=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
		kill -9 "$pid" 2>/dev/null && kills=$((kills + 1))
		for worker in $workers; do
			kill -9 "$worker" 2>/dev/null
		done
	done
	wait $import 2>/dev/null
	grep -qi "damaged\|missing" "$work/said" && broken=$((broken + 1)) && cut -c1-200 "$work/said" | sed 's/^/# /'
}

end=$((SECONDS + $3))
while [ $SECONDS -lt $end ]; do
	kill_one "$([ $((RANDOM % 3)) = 0 ] && echo api || echo db)" $((RANDOM % 700 + 30))
done
echo "1..4"
echo "# $kills kills"
[ $broken = 0 ] && echo "ok 1 - no start meets damage" || echo "not ok 1 - no start meets damage"
(import api) && (import db) && echo "ok 2 - the imports go on to their end" || { cut -c1-300 "$work/said" | sed 's/^/# /'; echo "not ok 2 - the imports go on to their end"; }
"$querytrail" export --raw --source api --store "$work/store" 2>/dev/null | cmp - "$work/data/access.jsonl" && echo "ok 3 - each access log line once" || echo "not ok 3 - each access log line once"
"$querytrail" export --raw --source db --store "$work/store" 2>/dev/null | cmp - "$work/data/audit.jsonl" && echo "ok 4 - each audit row once" || echo "not ok 4 - each audit row once"
