#!/bin/sh
# Proves that an independent client, Debian's awscli, can talk to the CloudWatch simulator: every page of filter-log-events, logs tail,
# describe, get-log-events, STS, IMDS and Secrets Manager; and that a wrong key is refused.
#   usage: cloudwatch-aws.sh QUERYTRAIL-SIM
set -u
sim=$1
aws=/usr/bin/aws
[ -x "$aws" ] || { echo "Bail out! awscli is not installed"; exit 1; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/cloudwatch-aws.XXXXXX") || exit 99
mkfifo "$dir/stdin"
"$sim" --requests 400 --dir "$dir/scene" <"$dir/stdin" >"$dir/ready" 2>"$dir/sim.err" &
pid=$!
exec 9>"$dir/stdin"
trap 'exec 9>&-; wait $pid; rm -rf "$dir"' EXIT
tries=0
until [ -s "$dir/ready" ]; do
	tries=$((tries + 1))
	[ $tries -gt 100 ] && { echo "Bail out! the simulator does not start: $(cat "$dir/sim.err")"; exit 1; }
	sleep 0.1
done
url=$(sed 's/^ready cloudwatch=\([^ ]*\) .*/\1/' "$dir/ready")
group=/aws/apigateway/fjordkjop-prod
export AWS_SHARED_CREDENTIALS_FILE="$dir/scene/aws-credentials" AWS_CONFIG_FILE=/dev/null AWS_DEFAULT_REGION=eu-north-1
export AWS_EC2_METADATA_DISABLED=true AWS_PAGER= AWS_MAX_ATTEMPTS=3 LC_ALL=C.UTF-8
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

number=0
failed=0
check() { # check NAME EXPECTED ACTUAL
	number=$((number + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $number - $1"
	else
		failed=$((failed + 1))
		echo "not ok $number - $1"
		echo "# expected: $2"
		echo "# got:      $(printf %s "$3" | head -c 400)"
	fi
}
logs() { "$aws" --endpoint-url "$url" --output text logs "$@" 2>&1; }

lines=$(wc -l <"$dir/scene/access.log")
all=$(logs filter-log-events --log-group-name $group --query 'events[].[eventId]')
check "filter-log-events pages through every line once" $((lines + 1)) "$(printf '%s\n' "$all" | sort -u | wc -l)"
check "no line comes twice" $((lines + 1)) "$(printf '%s\n' "$all" | wc -l)"

"$aws" --endpoint-url "$url" --output json logs filter-log-events --log-group-name $group \
	--query 'events[].message' >"$dir/messages"
check "messages arrive byte for byte" \
	"$(sort "$dir/scene/access.log" | sha256sum)" \
	"$(python3 -c 'import json,sys
for m in json.load(open(sys.argv[1], encoding="utf-8")):
    if not m.startswith("Permissions are set"): sys.stdout.buffer.write(m.encode() + b"\n")' "$dir/messages" | sort | sha256sum)"

check "logs tail follows the group" "$lines" "$(logs tail $group --since 25h --format short | grep -c requestId)"
check "describe-log-groups" "$group" "$(logs describe-log-groups --query 'logGroups[].logGroupName')"
stream=$(logs describe-log-streams --log-group-name $group --no-paginate --limit 1 --query 'logStreams[0].logStreamName')
in_stream=$(logs filter-log-events --log-group-name $group --log-stream-names "$stream" --query 'events[].[timestamp]')
got=$(logs get-log-events --log-group-name $group --log-stream-name "$stream" --start-from-head --query 'events[].[timestamp]')
check "get-log-events reads one stream" "$in_stream" "$got"

case $(logs filter-log-events --log-group-name nothing) in
*ResourceNotFoundException*) check "a group that is not there" 1 1 ;;
*) check "a group that is not there" ResourceNotFoundException "$(logs filter-log-events --log-group-name nothing)" ;;
esac

export AWS_ACCESS_KEY_ID=AKIASIMULATED0000001 AWS_SECRET_ACCESS_KEY=wrong
answer=$(logs describe-log-groups)
check "a wrong secret key is refused" 1 "$(printf %s "$answer" | grep -c InvalidSignatureException)"
export AWS_ACCESS_KEY_ID=AKIANOBODY
answer=$(logs describe-log-groups)
check "an unknown key is refused" 1 "$(printf %s "$answer" | grep -c UnrecognizedClientException)"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY

credentials=$("$aws" --endpoint-url "$url" --output text sts assume-role --role-session-name test \
	--role-arn arn:aws:iam::123456789012:role/querytrail-reader \
	--query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' 2>&1)
check "credentials of assume-role work" "$group" "$(
	set -- $credentials
	AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_SESSION_TOKEN=$3 logs describe-log-groups \
		--query 'logGroups[].logGroupName')"
check "without their session token they do not" 1 "$(
	set -- $credentials
	AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 logs describe-log-groups | grep -c UnrecognizedClientException)"
check "credentials of the instance metadata work" "$group" "$(
	AWS_EC2_METADATA_DISABLED=false AWS_SHARED_CREDENTIALS_FILE=/dev/null \
		AWS_EC2_METADATA_SERVICE_ENDPOINT="$url/" logs describe-log-groups --query 'logGroups[].logGroupName')"
check "get-secret-value" sqlserver "$("$aws" --endpoint-url "$url" --output text secretsmanager get-secret-value \
	--secret-id prod/sqlserver/querytrail --query SecretString 2>&1 | python3 -c 'import json,sys; print(json.load(sys.stdin)["engine"])')"

python3 - "$url" <<'PYTHON'
import sys, urllib.request
script = b'{"faults":[{"kind":"throttle","times":2,"op":"DescribeLogGroups"}]}'
urllib.request.urlopen(sys.argv[1] + "/_sim/faults", script).read()
PYTHON
check "throttled calls succeed on a later try" "$group" "$(logs describe-log-groups --query 'logGroups[].logGroupName')"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
mkfifo "$dir/stdin-tls"
"$sim" --requests 50 --cert "$dir/cert.pem" --key "$dir/key.pem" <"$dir/stdin-tls" >"$dir/ready-tls" 2>"$dir/sim.err" &
tls_pid=$!
exec 8>"$dir/stdin-tls"
trap 'exec 8>&- 9>&-; wait $pid $tls_pid; rm -rf "$dir"' EXIT
tries=0
until [ -s "$dir/ready-tls" ] || [ $tries -gt 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
url=$(sed 's/^ready cloudwatch=\([^ ]*\) .*/\1/' "$dir/ready-tls")
check "HTTPS with the certificate's authority" "$group" \
	"$(AWS_CA_BUNDLE="$dir/cert.pem" logs describe-log-groups --query 'logGroups[].logGroupName')"
check "HTTPS with no authority for it is refused" 1 \
	"$(AWS_MAX_ATTEMPTS=1 logs describe-log-groups | grep -c -i 'SSL validation failed')"

echo "1..$number"
[ $failed -eq 0 ]
