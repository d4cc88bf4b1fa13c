#!/bin/sh
# conf/querytrail.sample.yaml is what `querytrail config sample` prints, and conf/identity.yaml is accepted. usage: sample.sh QUERYTRAIL SOURCE
querytrail=$1
source=$2
echo 1..2
if "$querytrail" config sample | cmp -s - "$source/conf/querytrail.sample.yaml"; then
	echo "ok 1 - the sample is the table of options"
else
	echo "not ok 1 - write conf/querytrail.sample.yaml again: querytrail config sample"
fi
if "$querytrail" config check "$source/conf/identity.yaml" >/dev/null 2>&1; then
	echo "ok 2 - the identity example is accepted"
else
	echo "not ok 2 - querytrail config check conf/identity.yaml"
fi
