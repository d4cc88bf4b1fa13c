/* zone - a time zone: what to add to UTC at an instant.
 *
 * Shape:   UTC, a fixed offset ("+02:00"), or a zone of the system's database by name ("Europe/Berlin", "local").
 * Limits:  a zone file <= 1 MiB, 4096 transitions; behind the last transition its offset goes on.
 * Threads: read-only once opened. Blocking: zone_open reads a file.
 * Source:  RFC 8536 (TZif), versions 1 to 4. Tests: tests/unit/zone.c
 */
#ifndef QUERY_ZONE_H
#define QUERY_ZONE_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

#define ZONE_TRANSITIONS_MAX 4096
#define ZONE_NAME_MAX        64

struct zone {
	char name[ZONE_NAME_MAX];
	int32_t first_offset_s; /* before the first transition, or always */
	size_t transition_count;
	int64_t *at_s;     /* when a new offset begins, rising */
	int32_t *offset_s; /* what it is */
};

/* The zone UTC; owns nothing. */
struct zone zone_utc(void);

/* Opens a zone. name: "UTC", "Z", "+HH:MM", "-HHMM", "local" (TZ, else /etc/localtime), or a name of the database.
 *   folder  the database; NULL: /usr/share/zoneinfo
 * Returns 0, or ERR_USAGE for a name that is none, ERR_INPUT for a damaged file; then *out_zone is untouched. */
int zone_open(struct str name, const char *folder, struct zone *out_zone, struct error *err);

/* Frees. */
void zone_close(struct zone *zone);

/* Seconds to add to UTC at ns. */
int32_t zone_offset_s(const struct zone *zone, int64_t ns);

/* The instant of a local time given as if it were UTC. In the hour that happens twice the first one is meant; one that never
 * happens is taken with the offset before the change. */
int64_t zone_from_local(const struct zone *zone, int64_t local_ns);

#endif
