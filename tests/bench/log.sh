#!/bin/sh
# What the log costs: log.sh BUILD_FOLDER [REQUESTS]. Imports the bench's traffic (20,000 requests, or as many as said) into a new store and measures hashing, tree, proofs
# and verify over it.
set -eu
build=$1
requests=${2:-20000}
work=$(mktemp -d "${TMPDIR:-/tmp}/querytrail-bench-log.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$build/tests/bench/bench-world" --requests "$requests" --seed 1 --quiet "$work"
printf 'rules:\n  folders: [%s]\n' "$work/none" >"$work/querytrail.yaml"
mkdir "$work/none"
cpu() { awk '{ print ($14 + $15 + $16 + $17) / '"$(getconf CLK_TCK)"' }' /proc/$$/stat; }
before=$(cpu)
for one in "api access-log access" "db audit-rows audit"; do
	set -- $one
	"$build/query/querytrail" --config "$work/querytrail.yaml" import --quiet --store "$work/store" --source "$1" --type "$2" "$work/$3.jsonl" >/dev/null
done
spent=$(awk -v a="$before" -v b="$(cpu)" 'BEGIN { print b - a }')
events=$(cat "$work"/*.jsonl | wc -l)
echo "import: $events events, $spent s of processor time"
"$build/tests/bench/bench-log" "$work/store" "$spent" "$events"
