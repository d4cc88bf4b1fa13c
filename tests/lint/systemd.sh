#!/bin/sh
# Checks the units: systemd.sh BUILD_FOLDER SOURCE_FOLDER. Scores of systemd-analyze security (offline), directives that systemd does
# not know, users and folders that the units name and nobody creates. Says what is wrong, exits 1; exits 77 without systemd-analyze.
set -eu
units=$1/systemd
source=$2/systemd
command -v systemd-analyze >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
	echo "$*" >&2
	failed=1
}

# score UNIT LIMIT: the limit is ten times the exposure level
score() {
	report=$(systemd-analyze security --offline=yes --no-pager --threshold="$2" "$work/$1") || {
		fail "$1 is more exposed than allowed (limit $2 tenths):"
		echo "$report" | grep -E '✗|Overall' >&2
	}
}

for unit in querytraild.service querytrail-serve.service querytrail-collect@.service querytrail-notify.service querytrail-witness.service; do
	[ -f "$units/$unit" ] || { fail "$units/$unit is missing"; continue; }
	grep -q '@[a-z]*@' "$units/$unit" && fail "$unit has a placeholder left in it"
	# The programs need not be installed to check the rest.
	sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$units/$unit" >"$work/$unit"
	for directive in Type=notify WatchdogSec= ExecReload= NoNewPrivileges=yes ProtectSystem=strict RestrictAddressFamilies=AF_UNIX; do
		[ "$unit $directive" != "querytrail-witness.service ExecReload=" ] || continue # it has no configuration to load
		grep -q "^$directive" "$work/$unit" || fail "$unit has no $directive"
	done
done
score querytraild.service 3
score querytrail-serve.service 3
cp "$work/querytrail-collect@.service" "$work/querytrail-collect@db.service"
score querytrail-collect@db.service 10
score querytrail-notify.service 10
score querytrail-witness.service 10

# verify knows each directive and its syntax; messages about units of other packages, which are not installed here, are not ours.
SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no --recursive-errors=no "$work/querytraild.service" \
	"$work/querytrail-serve.service" "$work/querytrail-collect@db.service" "$work/querytrail-notify.service" "$work/querytrail-witness.service" 2>&1 | grep "$work" >"$work/complaints" || true
[ ! -s "$work/complaints" ] || { fail "systemd-analyze verify:"; cat "$work/complaints" >&2; }

for name in $(sed -n 's/^\(User\|Group\)=//p' "$work"/*.service | sort -u); do
	grep -Eq "^[ug] $name( |$)" "$source/sysusers.d/querytrail.conf" || fail "nobody creates the user or group $name"
done
for folder in $(sed -n 's/^\(RootDirectory\|BindPaths\)=//p' "$work"/*.service | tr ' ' '\n' | grep -v '^-' | sort -u); do
	grep -Eq "^d $folder " "$source/tmpfiles.d/querytrail.conf" || fail "nobody creates the folder $folder"
done
if command -v systemd-sysusers >/dev/null; then
	mkdir -p "$work/root/etc" "$work/root/usr/lib/sysusers.d"
	cp "$source/sysusers.d/querytrail.conf" "$work/root/usr/lib/sysusers.d/"
	systemd-sysusers --root="$work/root" querytrail.conf >/dev/null 2>"$work/complaints" || {
		fail "systemd-sysusers:"
		cat "$work/complaints" >&2
	}
	grep -q '^querytrail:' "$work/root/etc/passwd" || fail "systemd-sysusers did not create the user querytrail"
fi
exit $failed
