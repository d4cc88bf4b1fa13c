#!/bin/sh
# The demo tells its story, its store agrees with the truth, and it leaves nothing running. Speaks TAP.
# usage: demo.sh QUERYTRAIL CHECK_TRUTH
set -u
querytrail=$1
check_truth=$2
folder=$(mktemp -d /tmp/demo-test-XXXXXX)
trap 'rm -rf "$folder"' EXIT
number=0
failed=0

# check WHAT COMMAND..: one test.
check() {
	what=$1
	shift
	number=$((number + 1))
	if "$@" >"$folder/check.log" 2>&1; then
		echo "ok $number - $what"
	else
		echo "not ok $number - $what"
		sed 's/^/# /' "$folder/check.log" | head -20
		failed=1
	fi
}

has() {
	grep -q -e "$1" "$folder/told"
}

# in_alert TITLE TEXT: the alert under that title has the text.
in_alert() {
	sed -n "/$1/,/^History/p" "$folder/told" | grep -q -e "$2"
}

# lacks_escapes: nothing that acts on a terminal is in the demo's output.
lacks_escapes() {
	! grep -q "$(printf '\033')" "$folder/told"
}

truth() {
	"$querytrail" who --store "$folder/demo/store" --format jsonl >"$folder/who.jsonl" 2>/dev/null
	"$check_truth" "$folder/demo/company/truth.jsonl" <"$folder/who.jsonl" >"$folder/truth" || { cat "$folder/truth"; return 1; }
}

clock_is_known() {
	"$querytrail" status --store "$folder/demo/store" | grep "^clock of database: .* by [0-9]* pairs"
}

# ack_judges_nothing: an acknowledgement without a daemon, which does not know the company's configuration, changes no verdict.
ack_judges_nothing() {
	id=$("$querytrail" alerts --store "$folder/demo/store" --severity high --format jsonl 2>/dev/null | sed -n '1s/^{"id":"\([0-9a-f]*\)".*/\1/p')
	"$querytrail" status --store "$folder/demo/store" | grep '^statements:' >"$folder/before"
	"$querytrail" alerts ack "$id" --note checked --store "$folder/demo/store" || return 1
	"$querytrail" status --store "$folder/demo/store" | grep '^statements:' >"$folder/after"
	grep -q 'X ' "$folder/before" && cmp "$folder/before" "$folder/after"
}

nothing_runs() {
	! pgrep -f -- "$folder/demo" >/dev/null
}

echo 1..18
check "the demo ends well" sh -c "'$querytrail' demo '$folder/demo' >'$folder/told' 2>&1"
check "question 1 is told" has "Who read the customers"
check "question 2 is told" has "What did this user run"
check "question 3 is told" has "had no API request"
check "question 4 is told" has "One of the requests"
check "question 5 is told" has "What contradicts itself"
check "the export raised an alert that names the person and the route" in_alert "page by page" "GET /customers/export"
check "the bypass raised an alert that names the login" in_alert "past the gateway" "dba_henrik"
check "why it is risky and what to do next is told" sh -c "grep -c -e 'Why it is risky' -e 'What to do next' '$folder/told' | grep -qx 4"
check "the report is a page" grep -q "Control crosswalk" "$folder/demo/reports/pci.html"
check "and a PDF without a fault" qpdf --check "$folder/demo/reports/pci.pdf"
check "it tells what to do next" has "QUERYTRAIL_STORE=$folder/demo/store"
check "each answer has its coverage" has "read up to"
check "no escape reaches the terminal" lacks_escapes
check "the store agrees with the truth; no wrong person" truth
check "the estimate of the server's clock is in the store" clock_is_known
check "an acknowledgement changes no verdict" ack_judges_nothing
check "nothing is left running" nothing_runs
exit $failed
