#!/bin/sh
# Proves that npm's tedious can use the SQL Server simulator (tds-tedious/check.js says what). The packages of its lock file are fetched
# once into the build folder; where no registry can be reached the test is skipped.
#   usage: tds-tedious.sh QUERYTRAIL-SIM BUILD-FOLDER
set -u
sim=$1
here=$(cd "$(dirname "$0")/tds-tedious" && pwd)
work=$2/tds-tedious
command -v node >/dev/null && command -v npm >/dev/null || { echo "Bail out! nodejs and npm are not installed"; exit 1; }

sum=$(cat "$here/package.json" "$here/package-lock.json" | sha256sum)
if [ "$(cat "$work/installed" 2>/dev/null)" != "$sum" ]; then
	rm -rf "$work"
	mkdir -p "$work"
	cp -r "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$work/"
	if ! (cd "$work" && npm ci --no-progress) >"$work/npm.log" 2>&1; then
		if grep -q 'ENOTFOUND\|EAI_AGAIN\|ECONNRESET\|CERT\|ECONNREFUSED\|ETIMEDOUT\|ENETUNREACH\|EHOSTUNREACH' "$work/npm.log"; then
			echo "1..0 # SKIP no package registry can be reached"
			exit 0
		fi
		echo "Bail out! npm ci failed: $(tail -3 "$work/npm.log" | tr '\n' ' ')"
		exit 1
	fi
	printf '%s' "$sum" >"$work/installed"
fi
cp "$here/check.js" "$work/check.js"

dir=$(mktemp -d "${TMPDIR:-/tmp}/tds-tedious.XXXXXX") || exit 99
mkfifo "$dir/stdin"
"$sim" --requests 400 --seed 13 --dir "$dir/scene" <"$dir/stdin" >"$dir/ready" 2>"$dir/err" &
pid=$!
exec 9>"$dir/stdin"
trap 'exec 9>&-; wait $pid; rm -rf "$dir"' EXIT
tries=0
until [ -s "$dir/ready" ]; do
	tries=$((tries + 1))
	[ $tries -gt 100 ] && { echo "Bail out! the simulator does not start: $(cat "$dir/err")"; exit 1; }
	sleep 0.1
done
cd "$work" && timeout 60 node --no-warnings check.js "$(sed 's/.*sqlserver=127.0.0.1:\([0-9]*\).*/\1/' "$dir/ready")" "$dir/scene"
