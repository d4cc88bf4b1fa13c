#!/bin/bash
# full-disk - collection on a disk that is full: it pauses without loss, questions are answered meanwhile, and it goes on by itself.
# Needs a small file system of its own: as root, or in a user namespace; without either it is skipped.
#   full-disk.sh QUERYTRAIL
set -u
if [ "${FULL_DISK_INSIDE:-}" = "" ]; then
	probe=$(mktemp -d)
	if mount -t tmpfs -o size=1m none "$probe" 2>/dev/null; then
		umount "$probe"
		rmdir "$probe"
		exec env FULL_DISK_INSIDE=1 bash "$0" "$@"
	fi
	rmdir "$probe"
	for propagation in private unchanged; do # within a chroot the former is refused
		if unshare -rm --propagation "$propagation" true 2>/dev/null; then
			exec env FULL_DISK_INSIDE=1 unshare -rm --propagation "$propagation" bash "$0" "$@"
		fi
	done
	echo "1..0 # SKIP no small file system can be mounted here"
	exit 0
fi
querytrail=$1
work=$(mktemp -d)
disk=$work/disk
mkdir "$disk"
mount -t tmpfs -o size=96m none "$disk" || { echo "1..0 # SKIP no small file system can be mounted here"; exit 0; }
# shellcheck disable=SC2317 # called by the trap
clean() {
	[ -z "${pid:-}" ] || kill "$pid" 2>/dev/null
	wait
	umount "$disk"
	rm -rf "$work"
}
trap clean EXIT
number=0
check() { # NAME COMMAND..
	local name=$1
	shift
	number=$((number + 1))
	if "$@" >"$work/check.log" 2>&1; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		cat "$work/check.log" "$work/said" | tail -n 30 | sed 's/^/# /'
	fi
}

said() { # TEXT: waits until the import has said it
	for _ in $(seq 600); do
		grep -q "$1" "$work/said" && return 0
		sleep 0.1
	done
	return 1
}

stored() {
	"$querytrail" status --json --store "$disk/store" | sed -n 's/.*"source":"api".*"stored":\([0-9]*\),"duplicate".*/\1/p'
}

same() {
	"$querytrail" export --raw --source api --store "$disk/store" >"$work/given"
	cmp "$work/given" "$work/lines"
}

answers() { # what is there is told, and that the source is not read to its end
	"$querytrail" coverage --store "$disk/store"
	[ $? = 3 ] || return 1
	! grep -q damage "$work/check.log"
}

seq 60000 | sed 's#.*#{"requestId":"r-&","extendedRequestId":"X&=","requestTimeEpoch":"1795305600&","routeKey":"GET /a","status":"200"}#' |
	sed 's/"1795305600\([0-9]\{3\}\)[0-9]*"/"1795305600\1"/' >"$work/lines"
head -c 91000000 /dev/zero >"$disk/filler"
"$querytrail" import --store "$disk/store" --source api --type access-log "$work/lines" >"$work/said" 2>&1 &
pid=$!
check "the disk is full and collection pauses" said "collection pauses"
check "a question is answered meanwhile" answers
check "status says that the disk is full" sh -c "'$querytrail' status --store '$disk/store' | grep -q 'full'"
check "the import still runs" kill -0 "$pid"
rm "$disk/filler"
check "with room it goes on by itself" said "collection goes on"
wait "$pid"
status=$?
pid=""
check "and ends well" test "$status" -eq 0
check "everything is stored once" test "$(stored)" = 60000
check "and comes back byte for byte" same
echo "1..$number"
