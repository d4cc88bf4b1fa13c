/* facts-cache - facts computed once per template.
 *
 * Shape:   sets of four entries by hash; in a full set the one that was asked for longest ago goes. A hit is an equal template
 *          with literals of equal kinds in full, never an equal hash alone.
 * Rules:   a text whose facts depend on values of its literals (dynamic SQL, folding, 1=1, a line comment at its end, doubt) is
 *          computed each time and not kept.
 * Limits:  max_bytes given at tsql_cache_init, for what is kept; beside it there is the memory of one scratch and one template.
 * Threads: one cache per thread. Blocking: never.
 * Tests:   tests/unit/tsql-facts-cache.c, tests/fuzz/tsql-facts.c
 */
#ifndef MODEL_TSQL_FACTS_CACHE_H
#define MODEL_TSQL_FACTS_CACHE_H

#include "base/hash.h"
#include "model/tsql/facts.h"
#include "model/tsql/template.h"

struct tsql_cache_entry;

struct tsql_cache {
	struct tsql_cache_entry **entries;
	size_t set_count; /* a power of two */
	size_t kept_bytes, max_bytes;
	size_t hand; /* where the next one that goes is looked for when there are too many bytes */
	uint64_t now;
	struct hash_key hash;
	struct tsql_template template;
	struct buf key;
	struct tsql_scratch scratch;
	struct tsql_facts facts; /* of a text that is not kept */
	uint64_t hit_count, miss_count;
	uint64_t bypass_count; /* texts whose facts depend on values */
};

/* Prepares an empty cache; allocates nothing before the first text. */
void tsql_cache_init(struct tsql_cache *cache, size_t max_bytes);
void tsql_cache_done(struct tsql_cache *cache);

/* The facts of a text, as tsql_facts_of gives them.
 *   out_facts  borrowed until the next call with this cache, and no longer than the text
 * Returns 0 or -ERR_NOMEM. */
int tsql_cache_facts(struct tsql_cache *cache, struct str text, const struct tsql_options *options,
		     const struct tsql_facts **out_facts);

#endif
