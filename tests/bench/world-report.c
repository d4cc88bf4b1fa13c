/* What was measured beside what was wanted, and the entropy floor as JSON. */
#include "tests/bench/world-state.h"

#include <math.h>

struct comparison {
	FILE *out;
	size_t misses;
	double widen; /* small sets scatter */
};

static void compare(struct comparison *c, const char *name, double wanted, double found,
		    double tolerance)
{
	bool fits = fabs(found - wanted) <= tolerance * c->widen * fabs(wanted);
	c->misses += fits ? 0 : 1;
	(void)fprintf(c->out, "%-52s %12.3f %12.3f %s\n", name, wanted, found,
		      fits ? "" : "differs");
}

static double share(uint64_t part, uint64_t all)
{
	return all > 0 ? (double)part / (double)all : 0;
}

static double quantile(const uint64_t *counts, size_t size, double at)
{
	uint64_t sum = 0, passed = 0;
	for (size_t i = 0; i < size; i++) {
		sum += counts[i];
	}
	for (size_t i = 0; i < size; i++) {
		passed += counts[i];
		if ((double)passed >= at * (double)sum) {
			return (double)i;
		}
	}
	return 0;
}

static void compare_sizes(struct comparison *c, const struct world_shape *s)
{
	double access = share(s->bytes[WORLD_ACCESS], s->lines[WORLD_ACCESS]);
	double audit = share(s->bytes[WORLD_AUDIT], s->lines[WORLD_AUDIT]);
	double all = share(s->bytes[0] + s->bytes[1], s->lines[0] + s->lines[1]);
	double seconds = (double)(s->last_ms - s->first_ms) / 1000;
	compare(c, "bytes per gateway line", 790, access, 0.03);
	compare(c, "bytes per audit row", 1034, audit, 0.03);
	compare(c, "bytes per event", 978, all, 0.03);
	compare(c, "bytes per request", 4293,
		share(s->bytes[0] + s->bytes[1], s->lines[WORLD_ACCESS]), 0.03);
	compare(c, "requests per second", 23, share(s->lines[WORLD_ACCESS], 1) / seconds, 0.03);
	compare(c, "rows per request", 3.388, share(s->lines[WORLD_AUDIT], s->lines[WORLD_ACCESS]),
		0.02);
	compare(c, "share of rows without request", 0.0237,
		share(s->adhoc_rows, s->lines[WORLD_AUDIT]), 0.05);
	compare(c, "statement bytes, 1 %", 110, quantile(s->text_bytes, WORLD_TEXT_MAX, 0.01), 0.2);
	compare(c, "statement bytes, median", 332, quantile(s->text_bytes, WORLD_TEXT_MAX, 0.5),
		0.05);
	compare(c, "statement bytes, 99 %", 577, quantile(s->text_bytes, WORLD_TEXT_MAX, 0.99),
		0.07);
}

static void compare_requests(struct comparison *c, const struct world_shape *s)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
	static const double method_shares[] = {0.75, 0.13, 0.06, 0.06};
	static const char *const statuses[] = {"200 and 201", "404", "403", "400", "500", "401"};
	static const double status_shares[] = {0.955, 0.015, 0.01, 0.01, 0.006, 0.004};
	uint64_t all = s->lines[WORLD_ACCESS];
	char name[64];
	compare(c, "share of the first route", 0.19, share(s->route[0], all), 0.05);
	compare(c, "share of the first user", 0.07, share(s->user[0], all), 0.1);
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "share of %s", methods[i]); /* fits */
		compare(c, name, method_shares[i], share(s->method[i], all), 0.1);
	}
	compare(c, "share of requests with a path id", 0.68, 1 - share(s->path[PATH_NONE], all),
		0.03);
	compare(c, "of these, customers", 0.667,
		share(s->path[PATH_CUSTOMER], all - s->path[PATH_NONE]), 0.03);
	for (size_t i = 0; i < 6; i++) {
		uint64_t count = i == 0 ? s->status[0] + s->status[1] : s->status[i + 1];
		(void)snprintf(name, sizeof(name), "share of status %s", statuses[i]); /* fits */
		/* chance alone: four deviations of a rare event */
		double scatter = 4 / sqrt(status_shares[i] * share(all, 1)) / c->widen;
		compare(c, name, status_shares[i], share(count, all), 0.01 + scatter);
	}
	compare(c, "share of lines that start before the line above", 0.14,
		share(s->late_lines, all), 0.6);
	compare(c, "by at most, in seconds", 0.55, (double)s->most_late_ms / 1000, 0.8);
	compare(c, "different numbers of the 240 sessions", 185, (double)s->sessions, 0.08);
}

static void compare_rows(struct comparison *c, const struct world_shape *s)
{
	static const char *const kinds[LITERAL_KINDS] = {"integers below 200",
							 "customers",
							 "orders",
							 "money",
							 "dates",
							 "addresses",
							 "names",
							 "timestamps",
							 "free texts",
							 "GUIDs",
							 "repeats",
							 "constants"};
	uint64_t all = s->lines[WORLD_AUDIT], literals = 0, used = 0;
	char name[64];
	for (size_t i = 0; i < LITERAL_KINDS; i++) {
		literals += s->literal[i];
	}
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) {
		used += s->template[i] > 0 ? 1 : 0;
	}
	compare(c, "templates used", PLAN_TEMPLATES, (double)used, 0.02);
	compare(c, "share of rows with parameters", 0.36, share(s->parameter_rows, all), 0.03);
	compare(c, "literals per row", 3.05, share(literals, all), 0.03);
	compare(c, "literals per row, 90 %", 7, quantile(s->literals, PLAN_SLOTS + 1, 0.9), 0.01);
	for (size_t i = 0; i < LITERAL_KINDS; i++) {
		(void)snprintf(name, sizeof(name), "%s per row", kinds[i]); /* fits */
		compare(c, name, plan_literal_share((enum literal_kind)i),
			share(s->literal[i], all), 0.1);
	}
}

size_t world_check(const struct world_shape *shape, FILE *out)
{
	double requests = (double)shape->lines[WORLD_ACCESS];
	struct comparison c = {.out = out, .widen = 1 + sqrt(20000 / requests)};
	(void)fprintf(out, "%-52s %12s %12s\n", "shape", "wanted", "measured");
	compare_sizes(&c, shape);
	compare_requests(&c, shape);
	compare_rows(&c, shape);
	return c.misses;
}

void world_put_floor(const struct world_shape *shape, const struct world_options *options,
		     FILE *out)
{
	uint64_t events = shape->lines[WORLD_ACCESS] + shape->lines[WORLD_AUDIT];
	double sum = 0;
	(void)fprintf(out, "{\n  \"version\": %d,\n", WORLD_VERSION);
	(void)fprintf(out, "  \"requests\": %llu,\n  \"seed\": %llu,\n  \"events\": %llu,\n",
		      (unsigned long long)options->requests, (unsigned long long)options->seed,
		      (unsigned long long)events);
	(void)fprintf(out, "  \"access_lines\": %llu,\n  \"access_bytes\": %llu,\n",
		      (unsigned long long)shape->lines[WORLD_ACCESS],
		      (unsigned long long)shape->bytes[WORLD_ACCESS]);
	(void)fprintf(out, "  \"audit_rows\": %llu,\n  \"audit_bytes\": %llu,\n",
		      (unsigned long long)shape->lines[WORLD_AUDIT],
		      (unsigned long long)shape->bytes[WORLD_AUDIT]);
	(void)fprintf(out, "  \"request_id\": \"%s\",\n  \"user_frequent\": \"%s\",\n",
		      shape->request_id, shape->user_top);
	(void)fprintf(out, "  \"user_typical\": \"%s\",\n  \"literal_once\": \"%s\",\n",
		      shape->user_middle, shape->needle);
	(void)fprintf(out, "  \"literal_many\": \"damaged\",\n"
			   "  \"regex\": \"user1234[0-9][0-9]@\",\n");
	(void)fprintf(out, "  \"bits\": {\n");
	for (int i = 0; i < WORLD_FIELD_COUNT; i++) {
		sum += shape->bits[i];
		(void)fprintf(out, "    \"%s\": %.0f%s\n", world_field_name((enum world_field)i),
			      shape->bits[i], i + 1 < WORLD_FIELD_COUNT ? "," : "");
	}
	(void)fprintf(out,
		      "  },\n  \"floor_bytes\": %.0f,\n  \"floor_bytes_per_event\": %.3f,\n"
		      "  \"floor_bytes_per_request\": %.3f\n}\n",
		      sum / 8, sum / 8 / (double)events, sum / 8 / (double)options->requests);
}
