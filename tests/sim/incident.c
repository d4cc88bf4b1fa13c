#include "tests/sim/world-state.h"

#include <assert.h>

enum { EXPORTS = 12, FULL_WORLD = 100 };

/* The insider is a support agent whose route use is ordinary by day. */
static const struct user *insider(const struct world *world)
{
	return &world->users[USER_STAFF][world->user_count[USER_STAFF] > 5 ? 5 : 0];
}

/* 02:13 UTC, if that lies well inside the world; else somewhere in its second half. */
static int64_t night(const struct world_options *options)
{
	int64_t span = options->to_ns - options->from_ns;
	int64_t at = options->from_ns - options->from_ns % NS_PER_DAY + 133 * NS_PER_MIN;
	while (at < options->from_ns + span / 20) {
		at += NS_PER_DAY;
	}
	bool inside = at + NS_PER_HOUR < options->to_ns - span / 20;
	int64_t start = inside ? at : options->from_ns + span / 2;
	return start - start % NS_PER_MS;
}

uint32_t incident_count(const struct world *world)
{
	return world->options.incident && world->request_count >= FULL_WORLD ? EXPORTS : 0;
}

int64_t incident_time(const struct world *world, uint32_t ordinal)
{
	int64_t span = world->options.to_ns - world->options.from_ns;
	int64_t step = span / 60 < 4 * NS_PER_MIN ? span / 60 : 4 * NS_PER_MIN;
	int64_t at = night(&world->options) + (int64_t)ordinal * step;
	return at - at % NS_PER_MS;
}

int64_t incident_bypass_time(const struct world *world)
{
	return incident_time(world, EXPORTS + 1);
}

void incident_request(struct world *world, uint32_t index, uint32_t ordinal)
{
	static const int64_t sizes[EXPORTS] = {50,   100,  100,  200,   250,   500,
					       1000, 2500, 5000, 10000, 25000, 50000};
	assert(ordinal < EXPORTS);
	int64_t customer = 100000;
	for (uint32_t i = 0; i < ordinal; i++) {
		customer += sizes[i];
	}
	world->requests[index].status = 200;
	world->notes[index] = (struct note){
		.route = (uint16_t)company_find_route("GET", "/customers/export"),
		.fault = ordinal == EXPORTS / 2 ? FAULT_LOGIN : FAULT_NONE,
		.incident = true,
		.user = insider(world),
		.path_id = customer,
		.page_size = sizes[ordinal],
	};
}

void incident_tell(struct world *world)
{
	world->story.table = STR_LIT("crm.Customers");
	world->story.bypass_login = STR_LIT(BYPASS_LOGIN);
	world->story.insider = insider(world)->name;
	for (uint32_t i = 0; i < world->request_count; i++) {
		const struct note *note = &world->notes[i];
		bool good = note->fault == FAULT_NONE && !note->lost &&
			    world->requests[i].lambda_request_id.len > 0 &&
			    company_route(note->route)->service == SERVICE_CRM;
		if (good && (note->incident || world->story.extended_request_id.len == 0)) {
			world->story.extended_request_id = world->requests[i].extended_request_id;
		}
	}
}
