#include "model/tsql/facts-cache.h"

#include <stdlib.h>

#define WAYS        4
#define ENTRY_USUAL 2048 /* bytes; to choose the number of sets by */
#define SETS_MIN    16
#define SETS_MAX    (1u << 15)
#define ENTRY_PART  16 /* no entry takes more than this part of max_bytes */

/* One template with its facts, in one block of memory. */
struct tsql_cache_entry {
	uint64_t hash;
	uint64_t used; /* when it was asked for last */
	size_t size_bytes;
	struct str key;
	struct tsql_facts facts;
};

void tsql_cache_init(struct tsql_cache *cache, size_t max_bytes)
{
	*cache = (struct tsql_cache){.max_bytes = max_bytes, .hash = hash_key_random()};
	tsql_template_init(&cache->template);
	buf_init(&cache->key, 0);
	tsql_scratch_init(&cache->scratch);
}

void tsql_cache_done(struct tsql_cache *cache)
{
	for (size_t i = 0; i < cache->set_count * WAYS; i++) {
		free(cache->entries[i]);
	}
	free(cache->entries);
	cache->entries = NULL;
	cache->set_count = 0;
	cache->kept_bytes = 0;
	tsql_template_done(&cache->template);
	buf_done(&cache->key);
	tsql_scratch_done(&cache->scratch);
}

static bool has_other_than(struct str text, const char *bytes)
{
	for (size_t i = 0; i < text.len; i++) {
		if (strchr(bytes, text.ptr[i]) == NULL || text.ptr[i] == '\0') {
			return true;
		}
	}
	return false;
}

/* The kind of a literal as far as facts see it: literals of one letter give equal facts, unless facts say from_values. */
static char letter_of(const struct tsql_literal *literal)
{
	switch (literal->kind) {
	case TSQL_LITERAL_INT:
		return literal->text.ptr[0] == '-' ? 'n' : 'i';
	case TSQL_LITERAL_DECIMAL:
		return literal->text.ptr[0] == '-' ? 'n' : 'd';
	case TSQL_LITERAL_FLOAT:
		return 'd';
	case TSQL_LITERAL_HEX:
		return 'h';
	case TSQL_LITERAL_MONEY:
		return 'm';
	case TSQL_LITERAL_COMMENT:
		return 'c';
	case TSQL_LITERAL_REST:
		return 'r';
	case TSQL_LITERAL_STRING:
	case TSQL_LITERAL_NSTRING:
		return literal->text.len > 0 && !has_other_than(literal->text, "%") ? 'p' : 's';
	case TSQL_LITERAL_TEXT:
		break;
	}
	if (literal->text.len > 1 && (literal->text.ptr[1] | 0x20) == 'x') {
		return 'h';
	}
	if (!has_other_than(literal->text, "0123456789")) {
		return 'i';
	}
	if (has_other_than(literal->text, "0123456789.")) { /* n'..' or ".." */
		return has_other_than(literal->text, "nN'\"%") ? 's' : 'p';
	}
	return 'd';
}

/* The key of a text: the option, the number of literals, their letters, the template. */
static int make_key(struct tsql_cache *cache, struct str text, const struct tsql_options *options)
{
	int result = tsql_template_split(&cache->template, text, options);

	if (result != 0) {
		return result;
	}
	buf_clear(&cache->key);
	buf_put_byte(&cache->key, options != NULL && options->quotes_are_strings ? 1 : 0);
	buf_put(&cache->key, &cache->template.literal_count, sizeof(size_t));
	for (size_t i = 0; i < cache->template.literal_count; i++) {
		buf_put_byte(&cache->key, (uint8_t)letter_of(&cache->template.literals[i]));
	}
	buf_put_str(&cache->key, buf_str(&cache->template.text));
	return cache->key.failed ? -ERR_NOMEM : 0;
}

static bool make_sets(struct tsql_cache *cache)
{
	size_t wanted = cache->max_bytes / ENTRY_USUAL / WAYS;
	size_t count = SETS_MIN;

	while (count < wanted && count < SETS_MAX) {
		count *= 2;
	}
	cache->entries = calloc(count * WAYS, sizeof(struct tsql_cache_entry *));
	cache->set_count = cache->entries != NULL ? count : 0;
	return cache->entries != NULL;
}

static struct tsql_cache_entry **set_of(const struct tsql_cache *cache, uint64_t hash)
{
	return cache->entries + (hash & (cache->set_count - 1)) * WAYS;
}

static struct tsql_cache_entry *find(const struct tsql_cache *cache, uint64_t hash)
{
	struct tsql_cache_entry **set = set_of(cache, hash);

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i] != NULL && set[i]->hash == hash &&
		    str_equal(set[i]->key, buf_str(&cache->key))) {
			return set[i];
		}
	}
	return NULL;
}

static void remove_entry(struct tsql_cache *cache, struct tsql_cache_entry **place)
{
	if (*place != NULL) {
		cache->kept_bytes -= (*place)->size_bytes;
		free(*place);
		*place = NULL;
	}
}

static size_t name_bytes(const struct tsql_name *name)
{
	return name->server.len + name->database.len + name->schema.len + name->object.len;
}

/* Copies a part of a name to *at and moves that; a part that is not there stays so. */
static struct str keep(struct str part, char **at)
{
	struct str kept = {.ptr = part.ptr == NULL ? NULL : *at, .len = part.len};

	if (part.len > 0) {
		memcpy(*at, part.ptr, part.len);
		*at += part.len;
	}
	return kept;
}

/* A copy of facts and key in one block; NULL without memory. Facts that are kept have no inner texts. */
static struct tsql_cache_entry *copy(const struct tsql_facts *facts, struct str key)
{
	size_t statement_bytes = facts->statement_count * sizeof(struct tsql_statement);
	size_t object_bytes = facts->object_count * sizeof(struct tsql_object);
	size_t size = sizeof(struct tsql_cache_entry) + object_bytes + statement_bytes + key.len;
	struct tsql_cache_entry *entry;
	struct tsql_statement *statements;
	struct tsql_object *objects;
	char *at;

	for (size_t i = 0; i < facts->object_count; i++) {
		size += name_bytes(&facts->objects[i].name);
	}
	entry = malloc(size);
	if (entry == NULL) {
		return NULL;
	}
	objects = (struct tsql_object *)(entry + 1);
	statements = (struct tsql_statement *)(objects + facts->object_count);
	at = (char *)(statements + facts->statement_count);
	*entry = (struct tsql_cache_entry){
		.size_bytes = size, .key = keep(key, &at), .facts = *facts};
	if (statement_bytes > 0) {
		memcpy(statements, facts->statements, statement_bytes);
	}
	for (size_t i = 0; i < facts->object_count; i++) {
		const struct tsql_name *name = &facts->objects[i].name;

		objects[i] = facts->objects[i];
		objects[i].name = (struct tsql_name){.server = keep(name->server, &at),
						     .database = keep(name->database, &at),
						     .schema = keep(name->schema, &at),
						     .object = keep(name->object, &at)};
	}
	entry->facts.statements = statements;
	entry->facts.objects = objects;
	entry->facts.inner = NULL;
	return entry;
}

/* Makes room for one more in the set: the place of the one that was asked for longest ago. */
static struct tsql_cache_entry **make_room(struct tsql_cache *cache, uint64_t hash)
{
	struct tsql_cache_entry **set = set_of(cache, hash);
	struct tsql_cache_entry **oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i] == NULL) {
			return &set[i];
		}
		if (set[i]->used < (*oldest)->used) {
			oldest = &set[i];
		}
	}
	remove_entry(cache, oldest);
	return oldest;
}

/* Keeps the facts unless they are too large or memory is out, which only costs time later. */
static void keep_facts(struct tsql_cache *cache, const struct tsql_facts *facts, uint64_t hash)
{
	struct tsql_cache_entry *entry = copy(facts, buf_str(&cache->key));

	if (entry == NULL || entry->size_bytes > cache->max_bytes / ENTRY_PART) {
		free(entry);
		return;
	}
	while (cache->kept_bytes + entry->size_bytes > cache->max_bytes) {
		remove_entry(cache, &cache->entries[cache->hand]);
		cache->hand = (cache->hand + 1) % (cache->set_count * WAYS);
	}
	entry->hash = hash;
	entry->used = ++cache->now;
	*make_room(cache, hash) = entry;
	cache->kept_bytes += entry->size_bytes;
}

int tsql_cache_facts(struct tsql_cache *cache, struct str text, const struct tsql_options *options,
		     const struct tsql_facts **out_facts)
{
	struct tsql_cache_entry *entry;
	uint64_t hash;
	int result = make_key(cache, text, options);

	if (result != 0 || (cache->set_count == 0 && !make_sets(cache))) {
		return -ERR_NOMEM;
	}
	hash = hash_bytes(&cache->hash, buf_str(&cache->key));
	entry = find(cache, hash);
	if (entry != NULL) {
		cache->hit_count++;
		entry->used = ++cache->now;
		*out_facts = &entry->facts;
		return 0;
	}
	result = tsql_facts_of(text, options, &cache->scratch, &cache->facts);
	if (result != 0) {
		return result;
	}
	if (cache->facts.from_values || cache->facts.inner_count > 0) {
		cache->bypass_count++;
	} else {
		cache->miss_count++;
		keep_facts(cache, &cache->facts, hash);
	}
	*out_facts = &cache->facts;
	return 0;
}
