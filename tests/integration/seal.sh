#!/bin/bash
# Proves: access log and audit rows that are imported one after the other are sealed into blocks and come together; export --raw gives both back byte for byte, a
# second import adds nothing, every question is answered as from a store that never seals. Speaks TAP. usage: seal.sh QUERYTRAIL QUERYTRAILD BENCH-WORLD
set -u
querytrail=$1
querytraild=$2
world=$3
work=$(mktemp -d)
trap 'kill %1 2>/dev/null; rm -rf "$work"' EXIT
unset QUERYTRAIL_STORE QUERYTRAIL_CONFIG
number=0

check() { # NAME COMMAND..
	number=$((number + 1))
	local name=$1
	shift
	if "$@" >"$work/check.log" 2>&1; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		cut -c1-200 "$work/check.log" | sed 's/^/# /' | head -6
	fi
}

import() { # STORE SOURCE TYPE FILE
	"$querytrail" import --config "$work/small.yaml" --store "$work/$1" --source "$2" --type "$3" "$4"
}

export_is() { # STORE SOURCE FILE
	"$querytrail" export --raw --source "$2" --store "$work/$1" 2>/dev/null | cmp - "$3"
}

stored() { # STORE: stored and duplicate records of all sources
	"$querytrail" status --json --store "$work/$1" | grep -o '"stored":[0-9]*'
}

blocks() { # STORE
	find "$work/$1/blocks" -name '*.qtb' 2>/dev/null | wc -l
}

# What is the same however records came to be stored: not their leaves, when they were taken in, how often a verdict was revised, and what was signed.
answers() { # STORE FILTER..
	local store=$1
	shift
	"$querytrail" who --store "$work/$store" --format jsonl "$@" 2>/dev/null |
		sed 's/"\(leaf\|verdict_leaf\|request_leaf\|revision\)":[0-9]*,\?//g; s/"ingest_time":"[^"]*",\?//g; s/"watermark":"[^"]*",\?//g; s/"daemon_running":[a-z]*,\?//; s/,"signed":[^]]*],.*"log_refused":"[^"]*"//' | sort
}

same_answers() { # STORE STORE FILTER..
	local a=$1 b=$2
	shift 2
	answers "$a" "$@" >"$work/answers.a"
	answers "$b" "$@" >"$work/answers.b"
	[ -s "$work/answers.a" ] && diff "$work/answers.a" "$work/answers.b"
}

# A daemon that never has as much as it would seal takes the same file in.
take_unsealed() { # SOURCE CONTENT FILE
	cat >"$work/never.yaml" <<END
store: $work/unsealed
runtime: $work/run
log_level: error
seal: {requests: 65536, head: 512GiB, age: 300d}
rules: {disabled: ["*"]}
sources:
  $1: {type: file, content: $2, from_start: true, files: [$3]}
END
	"$querytraild" --spawn --config "$work/never.yaml" >"$work/daemon.log" 2>&1 &
	local pid=$! lines
	lines=$(wc -l <"$3")
	for _ in $(seq 400); do
		"$querytrail" status --json --store "$work/unsealed" 2>/dev/null | grep -q "\"source\":\"$1\",[^}]*\"state\":\"done\".*\"stored\":$lines," && break
		sleep 0.05
	done
	sleep 1
	kill -TERM $pid
	wait $pid
}

mkdir "$work/data"
"$world" --quiet --requests 2000 "$work/data" >/dev/null
access=$work/data/access.jsonl
audit=$work/data/audit.jsonl
printf 'seal: {requests: 256}\nrules: {disabled: ["*"]}\n' >"$work/small.yaml"

check "the access log is taken in" import sealed api access-log "$access"
check "it stands in blocks" test "$(blocks sealed)" -ge 8
check "and comes back byte for byte" export_is sealed api "$access"
check "the audit rows are taken in" import sealed db audit-rows "$audit"
check "both come back byte for byte" export_is sealed api "$access"
check "the audit rows too" export_is sealed db "$audit"
check "the head holds nothing any more" test -z "$(find "$work/sealed/head" -name '*.qth' -size +200k)"
before=$(stored sealed)
count=$(blocks sealed)
check "the access log once more" import sealed api access-log "$access"
check "the audit rows once more" import sealed db audit-rows "$audit"
check "that adds nothing" test "$before" = "$(stored sealed)"
check "and makes no more blocks" test "$(blocks sealed)" -le $((count + 1))
check "both still come back" export_is sealed api "$access"
check "byte for byte" export_is sealed db "$audit"

check "the other way round: audit rows first" import turned db audit-rows "$audit"
check "then the access log" import turned api access-log "$access"
check "both come back" export_is turned api "$access"
check "byte for byte, too" export_is turned db "$audit"

take_unsealed api access-log "$access"
take_unsealed db audit-rows "$audit"
check "a store that never sealed has no blocks" test "$(blocks unsealed)" -eq 0
check "who answers as without blocks" same_answers sealed unsealed
check "and by grade" same_answers sealed unsealed grade:C
check "and by a word of the text" same_answers sealed unsealed verb:UPDATE
check "whichever side came first" same_answers turned unsealed
id=$(sed -n '1000s/.*"requestId":"\([^"]*\)".*/\1/p' "$access")
check "an id finds its request" "$querytrail" show --store "$work/sealed" "$id"
echo "1..$number"
