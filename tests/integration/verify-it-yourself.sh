#!/bin/bash
# Proves: the commands of docs/verify-it-yourself.md, as they stand there, accept a folder that prove wrote, and some of them refuse it whichever file has another byte; also
# when the manifest was made to fit. Steps 4 (Go) and 5 (time stamps by an authority made here) run where there is Go, and openssl. Speaks TAP.
# usage: verify-it-yourself.sh QUERYTRAIL DOCUMENT
set -u
querytrail=$(realpath "$1")
document=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export QUERYTRAIL_CONFIG=$work/none.yaml POLICY=$work/auditor.policy TMP=$work/tmp
unset QUERYTRAIL_STORE
mkdir "$TMP"
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

# step N: the block of the document, in the folder.
step() {
	sed -n "/^# step $1\$/,/^\`\`\`\$/p" "$document" | sed '1d;$d' >"$work/step.sh"
	[ -s "$work/step.sh" ] && (cd "$work/evidence" && sh -e "$work/step.sh")
}

steps=$(sed -n 's/^# step \([0-9]*\)$/\1/p' "$document" | wc -l)
accepts() {
	local n
	for n in $tried; do
		step "$n" || return 1
	done
}

refuses() {
	! accepts
}

flip() { # FILE PLACE: another byte
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

mend() {
	(cd "$work/evidence" && sed 's/^[0-9a-f]*  //' manifest-sha256.txt | xargs sha256sum >"$work/manifest" && cp "$work/manifest" manifest-sha256.txt)
}

seq 1 40 | sed 's#.*#{"requestId":"r-&","extendedRequestId":"X&=","requestTimeEpoch":"1795305600000","routeKey":"GET /a","status":"200"}#' >"$work/lines"
"$querytrail" import --store "$work/store" --source api --type access-log "$work/lines" >"$work/said" 2>&1
"$querytrail" log policy --store "$work/store" >"$POLICY"
check "evidence is made" "$querytrail" prove r-7 r-20 -o "$work/evidence" --store "$work/store"
check "the document has five steps or fewer" [ "$steps" -le 5 ]
sed -n '/^```go$/,/^```$/p' "$document" | sed '1d;$d' >"$TMP/check.go"
tried="1 2 3"
if command -v go >/dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ]; then
	export GOCACHE=$work/cache
	tried="1 2 3 4"
fi
for n in $tried; do
	check "step $n accepts it" step "$n"
done
check "querytrail does" "$querytrail" verify --bundle "$work/evidence" --policy "$POLICY"
cp -r "$work/evidence" "$work/good"
all=$tried
for file in "$work"/good/*; do
	name=$(basename "$file")
	size=$(stat -c %s "$file")
	flip "$work/evidence/$name" $((size / 2))
	tried="1"
	check "another byte in $name is seen" refuses
	cp "$file" "$work/evidence/$name"
done
leaf=$(basename "$(ls "$work"/good/*.salt | head -n 1)" .salt)
# what the checks behind the manifest see by themselves; paths are for Go alone
for name in "$leaf.record" "$leaf.salt" "$leaf.entry" checkpoint "$leaf.tlog-proof"; do
	tried=$all
	if [ "$name" = "$leaf.tlog-proof" ] && [ "$all" = "1 2 3" ]; then
		number=$((number + 1))
		echo "ok $number - # SKIP there is no Go"
		continue
	fi
	flip "$work/evidence/$name" $(($(stat -c %s "$work/good/$name") - 20))
	mend
	check "another byte in $name is seen although the manifest fits" refuses
	cp "$work/good/$name" "$work/good/manifest-sha256.txt" "$work/evidence/"
done
sed -E 's/^(log [^+]+\+[0-9a-f]+\+.{20})Z/\1Y/;t;s/^(log [^+]+\+[0-9a-f]+\+.{20})./\1Z/' "$POLICY" >"$work/other.policy"
tried=2
POLICY=$work/other.policy check "another key is refused" refuses

# a time stamp authority, and its stamp on the checkpoint
cd "$work" || exit 1
{
	openssl req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -days 2 -subj /CN=tsa -addext extendedKeyUsage=critical,timeStamping
	printf '[tsa]\ndefault_tsa=t\n[t]\nserial=%s/serial\ndefault_policy=1.2.3.4\nsigner_digest=sha256\ndigests=sha256\ness_cert_id_alg=sha256\n' "$work" >tsa.conf
	cp evidence/checkpoint evidence/checkpoint.note
	openssl ts -query -data evidence/checkpoint.note -sha256 -cert -out query.tsq
	openssl ts -reply -config tsa.conf -section t -queryfile query.tsq -inkey tsa.key -signer tsa.pem -out evidence/tsa.tsr
} >"$work/said" 2>&1
export TSA=$work/tsa.pem
check "step 5 accepts a time stamp" step 5
flip evidence/checkpoint.note 3
tried=5
check "and refuses it for another checkpoint" refuses
echo "1..$number"
