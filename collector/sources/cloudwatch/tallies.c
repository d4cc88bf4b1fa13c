#include "collector/sources/cloudwatch/tallies.h"

static const struct {
	int64_t up_to_ms;
	const char *name;
} classes[TALLIES_CLASSES] = {
	{1000, "<=1s"},   {10000, "<=10s"},   {30000, "<=30s"},  {60000, "<=1m"},
	{300000, "<=5m"}, {1800000, "<=30m"}, {7200000, "<=2h"}, {INT64_MAX, ">2h"},
};

void tallies_late(struct tallies *tallies, int64_t late_ms)
{
	size_t i = 0;

	while (late_ms > classes[i].up_to_ms) {
		i++;
	}
	tallies->late[i]++;
}

static void put_count(struct buf *out, const char *name, uint64_t count)
{
	if (count > 0) {
		buf_putf(out, ", %s %llu", name, (unsigned long long)count);
	}
}

void tallies_put(const struct tallies *tallies, struct buf *out)
{
	const char *comma = "; visible after ";

	buf_putf(out, "lines %llu, found only by sweeps %llu", (unsigned long long)tallies->lines,
		 (unsigned long long)tallies->found_by_sweep);
	put_count(out, "repeats", tallies->repeats);
	put_count(out, "rejects", tallies->rejects);
	put_count(out, "test lines", tallies->noise);
	put_count(out, "throttled", tallies->throttled);
	put_count(out, "page tokens lost", tallies->tokens_lost);
	for (size_t i = 0; i < TALLIES_CLASSES; i++) {
		if (tallies->late[i] > 0) {
			buf_putf(out, "%s%s %llu", comma, classes[i].name,
				 (unsigned long long)tallies->late[i]);
			comma = ", ";
		}
	}
}
