#!/bin/sh
# Proves that programs we did not write accept our proofs and checkpoints, and refuse those that were changed: Go's x/mod/sumdb (tlog and note), npm's
# @sigstore/verify (inclusion), and openssl pkeyutl (signatures). Packages of the lock file are fetched once into the build folder; without a registry that part is left out.
#   usage: log-interop.sh LOG-INTEROP-PROOFS BUILD-FOLDER
set -u
proofs=$1
here=$(cd "$(dirname "$0")/log-interop" && pwd)
work=$2/log-interop-npm
dir=$(mktemp -d "${TMPDIR:-/tmp}/log-interop.XXXXXX") || exit 99
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
number=0

# check GOOD WHAT
check() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

# numbers FILE ACCEPTED: the last line says: accepted (at least so many), refused (more than none), wrong (none)
numbers() {
	tail -1 "$1" | awk -v least="$2" '{ exit !(NF == 3 && $1 >= least && $2 > 0 && $3 == 0) }'
}

made=$("$proofs" "$dir") || { echo "Bail out! no proofs were made"; exit 1; }
[ "$made" -ge 10000 ]
check $? "$made proofs of random trees are made, and hold by our own check"

mkdir -p "$dir/go"
cp "$here/check.go" "$dir/go/"
(cd "$dir/go" && GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$dir/cache" GOFLAGS= HOME="$dir" go build -o "$dir/check" check.go) >"$dir/go.log" 2>&1 &&
	"$dir/check" "$dir" >"$dir/go.out" 2>&1
numbers "$dir/go.out" "$made"
check $? "Go's tlog and note accept all and refuse what was changed: $(tail -1 "$dir/go.out" 2>/dev/null || head -2 "$dir/go.log")"

# the text before the empty line, the 64 bytes of the signature, the key as DER: what openssl wants
good=0
bad=0
while read -r kind file vkey; do
	sed '/^$/,$d' "$dir/$file" >"$dir/text"
	tail -1 "$dir/$file" | awk '{ print $3 }' | base64 -d | tail -c 64 >"$dir/signature"
	{
		printf '\060\052\060\005\006\003\053\145\160\003\041\000'
		printf '%s' "$vkey" | sed 's/^[^+]*+[^+]*+//' | base64 -d | tail -c 32
	} >"$dir/key.der"
	if openssl pkeyutl -verify -pubin -keyform DER -inkey "$dir/key.der" -rawin -in "$dir/text" -sigfile "$dir/signature" >/dev/null 2>&1; then
		holds=good
	else
		holds=bad
	fi
	if [ "$kind" = "$holds" ]; then
		[ $kind = good ] && good=$((good + 1)) || bad=$((bad + 1))
	else
		echo "# wrong: $kind $file"
		bad=-100000
	fi
done <"$dir/notes"
[ $good -ge 50 ] && [ $bad -ge 100 ]
check $? "openssl pkeyutl accepts $good checkpoints and refuses $bad"

sum=$(cat "$here/package.json" "$here/package-lock.json" | sha256sum)
if [ "$(cat "$work/installed" 2>/dev/null)" != "$sum" ]; then
	rm -rf "$work"
	mkdir -p "$work"
	cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$work/"
	(cd "$work" && npm ci --no-progress) >"$work/npm.log" 2>&1 && printf '%s' "$sum" >"$work/installed"
fi
if [ -f "$work/installed" ]; then
	cp "$here/check.js" "$work/check.js"
	node --no-warnings "$work/check.js" "$dir" >"$dir/js.out" 2>&1
	numbers "$dir/js.out" 5000
	check $? "@sigstore/verify accepts all proofs of leaves and refuses what was changed: $(tail -1 "$dir/js.out")"
elif grep -q 'ENOTFOUND\|EAI_AGAIN\|ECONNRESET\|CERT\|ECONNREFUSED\|ETIMEDOUT\|ENETUNREACH\|EHOSTUNREACH' "$work/npm.log"; then
	number=$((number + 1))
	echo "ok $number - @sigstore/verify # SKIP no package registry can be reached"
else
	check 1 "@sigstore/verify is fetched: $(tail -3 "$work/npm.log" | tr '\n' ' ')"
fi
echo "1..$number"
