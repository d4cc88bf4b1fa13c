#!/bin/bash
# Proves: a store whose key is lost, or is that of another log, is not signed any more; after "querytrail log continue" it is, under a new origin, and old and new evidence
# both check; while keys are changed, policies with either accept what both sign. Speaks TAP. usage: log-continue.sh QUERYTRAIL
set -u
querytrail=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export QUERYTRAIL_CONFIG=$work/none.yaml
unset QUERYTRAIL_STORE
number=0
store=$work/store

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

refuses() { # COMMAND..
	! "$@"
}

import() { # FIRST LAST
	seq "$1" "$2" | sed 's#.*#{"requestId":"r-&","extendedRequestId":"X&=","requestTimeEpoch":"1795305600000","routeKey":"GET /a","status":"200"}#' >"$work/lines"
	"$querytrail" import --store "$store" --source api --type access-log "$work/lines"
}

origin() {
	"$querytrail" log --store "$store" | sed -n 's/^origin  *//p'
}

changed() {
	[ -n "$(origin)" ] && [ "$(origin)" != "$first" ]
}

check "records are taken in and signed" import 1 20
first=$(origin)
"$querytrail" log policy --store "$store" >"$work/old.policy"
check "evidence is made" "$querytrail" prove r-3 -o "$work/old" --store "$store"
mv "$store/log.key" "$work/lost.key"
check "without its key the store is not opened" refuses import 21 30
check "it goes on under another origin" "$querytrail" log continue --store "$store" --reason "key lost" --yes
check "records are taken in again" import 21 30
check "under another origin" changed
check "the log says so" grep -q "signed .* records last, root .*key lost" <(for leaf in $(seq 20 36); do "$querytrail" show --json --store "$store" "$leaf"; done)
"$querytrail" log policy --store "$store" >"$work/new.policy"
check "new evidence is made" "$querytrail" prove r-3 r-25 -o "$work/new" --store "$store"
check "the new policy accepts it" "$querytrail" verify --bundle "$work/new" --policy "$work/new.policy"
check "the old one does not" refuses "$querytrail" verify --bundle "$work/new" --policy "$work/old.policy"
check "old evidence still checks" "$querytrail" verify --bundle "$work/old" --policy "$work/old.policy"
cp "$work/lost.key" "$store/log.key"
check "the key of another log is refused" refuses import 31 40

# a change of keys: both sign, then the new one alone
store=$work/changing
accepts() { # POLICY: of evidence that is made now
	rm -rf "$work/now"
	"$querytrail" prove leaf:3 -o "$work/now" --store "$store" && "$querytrail" verify --bundle "$work/now" --policy "$1"
}
check "another store is made" import 1 20
"$querytrail" log policy --store "$store" >"$work/old.policy"
"$querytrail" log next-key -o "$work/next.key" --store "$store" >"$work/new.policy"
echo "quorum none" >>"$work/new.policy"
cat "$work/old.policy" >"$work/both.policy"
sed -i "/^quorum/d" "$work/both.policy"
cat "$work/new.policy" >>"$work/both.policy"
check "before the change the new policy refuses" refuses accepts "$work/new.policy"
printf 'log:\n  next_key_file: %s\n' "$work/next.key" >"$QUERYTRAIL_CONFIG"
check "both keys sign" import 21 30
for policy in old new both; do
	check "the $policy policy accepts what both signed" accepts "$work/$policy.policy"
done
check "the store names both keys" [ "$("$querytrail" log keys --store "$store" | wc -l)" = 2 ]
printf 'log:\n  key_file: %s\n' "$work/next.key" >"$QUERYTRAIL_CONFIG"
check "the new key signs alone" import 31 40
check "the new policy accepts it" accepts "$work/new.policy"
check "the one with both, too" accepts "$work/both.policy"
check "the old one refuses it" refuses accepts "$work/old.policy"
echo "1..$number"
