#!/bin/sh
# Measures: run.sh BUILD_FOLDER [NAME..]. Without a name those that need no arguments run (about a minute). Each prints one line a figure.
set -eu
build=$1
shift
root=$(cd "$build" && pwd)
QUERYTRAIL_LIBEXEC="$root/query:$root/collector:$root/correlator:$root/correlator/notify:$root/tests/sim"
export QUERYTRAIL_LIBEXEC
if [ "${1:-}" = store ]; then # beside its peers; has options of its own
	shift
	exec python3 "$(dirname "$0")/store.py" "$build" "$@"
fi
if [ "${1:-}" = answers ]; then # over a store of synthesised blocks; likewise
	shift
	exec python3 "$(dirname "$0")/answers.py" "$build" "$@"
fi
if [ "${1:-}" = log ]; then # over a store that it imports; likewise
	shift
	exec sh "$(dirname "$0")/log.sh" "$build" "$@"
fi
[ "$#" -gt 0 ] || set -- feed collect join tsql rules values
for name in "$@"; do
	program="$build/tests/bench/bench-$name"
	[ -x "$program" ] || { echo "no benchmark named $name" >&2; exit 2; }
	echo "== $name"
	"$program"
done
