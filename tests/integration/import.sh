#!/bin/bash
# Proves: import takes plain and packed files once, goes on after an interruption, and export --raw gives each file back byte for byte,
# with and without a last line end, but for lines of white space. Speaks TAP. usage: import.sh QUERYTRAIL
set -u
querytrail=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export QUERYTRAIL_CONFIG=$work/none.yaml
unset QUERYTRAIL_STORE
number=0

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

# lines FIRST LAST: access log lines.
lines() {
	local time=$((1795305600000 + $1))
	seq "$1" "$2" | sed "s#.*#{\"requestId\":\"r-&\",\"extendedRequestId\":\"X&=\",\"requestTimeEpoch\":\"$time\",\"routeKey\":\"GET /a\",\"status\":\"200\"}#"
}

import() { # STORE FILE..
	local store=$1
	shift
	"$querytrail" import --store "$work/$store" --source api --type access-log "$@" >"$work/said" 2>&1
}

export_is() { # STORE FILE
	"$querytrail" export --raw --source api --store "$work/$1" >"$work/given"
	cmp "$work/given" "$2"
}

records() { # STORE: stored records of the source
	"$querytrail" status --json --store "$work/$1" | sed -n 's/.*"source":"api".*"stored":\([0-9]*\),"duplicate".*/\1/p'
}

stored_is() { # STORE COUNT
	local count
	count=$(records "$1")
	[ "$count" = "$2" ] || { echo "stored $count, not $2"; return 1; }
}

lines 1 300 >"$work/whole"
printf '%s' "$(lines 1 3)" >"$work/open"
lines 1 3 | sed 's/$/\r/' >"$work/crlf"
{ lines 1 3; echo; } >"$work/blank"
printf '%s\r' "$(lines 1 1)" >"$work/open-cr"
printf '%s\n\n\n%s' "$(lines 1 1)" "$(lines 2 2)" >"$work/holes"
printf 'no JSON at all\n%s\n\001\002' "$(lines 1 1)" >"$work/rejects"
{ lines 1 1; head -c 3000000 /dev/zero | tr '\0' x; printf '\n\t \n'; lines 2 2; head -c 200000 /dev/zero | tr '\0' y; } >"$work/long"
gzip -c "$work/whole" >"$work/whole.gz"

check "a plain file is taken in" import plain "$work/whole"
check "it has all its records" stored_is plain 300
check "and comes back byte for byte" export_is plain "$work/whole"
check "a second import runs" import plain "$work/whole"
check "and adds nothing" stored_is plain 300
check "the same file packed runs" import plain "$work/whole.gz"
check "and adds nothing either" stored_is plain 300
check "a packed file is taken in" import packed "$work/whole.gz"
check "and comes back unpacked, byte for byte" export_is packed "$work/whole"
for file in open crlf open-cr rejects blank holes long; do
	import "from-$file" "$work/$file"
	check "$file comes back byte for byte" export_is "from-$file" "$work/$file"
done

lines 1 200000 >"$work/large"
"$querytrail" import --store "$work/torn" --source api --type access-log "$work/large" >"$work/said" 2>&1 &
pid=$!
for _ in $(seq 100); do
	[ "$(records torn 2>/dev/null || echo 0)" != 0 ] && [ -n "$(records torn 2>/dev/null)" ] && break
	sleep 0.02
done
kill -TERM $pid
wait $pid
status=$?
check "an interrupted import says so" test "$status" -eq 2
check "it goes on from where it was" import torn "$work/large"
check "nothing is missing or double" stored_is torn 200000
check "and it comes back byte for byte" export_is torn "$work/large"
echo "1..$number"
