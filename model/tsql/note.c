#include "model/tsql/part.h"

size_t tsql_note_statement(struct tsql_scan *scan, enum tsql_verb verb, enum tsql_class kind)
{
	struct tsql_work *work = scan->work;

	if (work->statement_count == TSQL_STATEMENTS_MAX) {
		work->flags |= TSQL_TRUNCATED;
		return TSQL_STATEMENTS_MAX - 1;
	}
	work->statements[work->statement_count] =
		(struct tsql_statement){.verb = verb,
					.kind = kind,
					.via = scan->origin.via,
					.depth = scan->origin.depth,
					.defined = scan->origin.defined};
	return work->statement_count++;
}

void tsql_note_flags(struct tsql_scan *scan, uint32_t flags)
{
	struct tsql_work *work = scan->work;

	/* a module's body is not run by this text, but its limits are those of the text */
	work->flags |= scan->origin.defined ? flags & (TSQL_TRUNCATED | TSQL_DOUBTFUL) : flags;
	if (work->statement_count > 0) {
		work->statements[work->statement_count - 1].flags |= flags;
	}
}

/* FNV-1a of the letters folded: only to compare fewer names. */
static uint32_t hash_part(uint32_t hash, struct str part)
{
	for (size_t i = 0; i < part.len; i++) {
		uint8_t c = (uint8_t)part.ptr[i];

		hash = (hash ^ (c >= 'A' && c <= 'Z' ? c | 0x20 : c)) * 16777619u;
	}
	return (hash ^ 0x2E) * 16777619u;
}

static bool equal_names(const struct tsql_name *a, const struct tsql_name *b)
{
	return str_equal_fold(a->object, b->object) && str_equal_fold(a->schema, b->schema) &&
	       str_equal_fold(a->database, b->database) && str_equal_fold(a->server, b->server);
}

static bool is_temporary(const struct tsql_name *name, enum tsql_class kind)
{
	/* a variable stands for a name that is not known: 'SELECT a FROM ' + QUOTENAME(@t) */
	if (name->object.len > 0 && (name->object.ptr[0] == '#' || name->object.ptr[0] == '@')) {
		return true;
	}
	return kind == TSQL_CLASS_TABLE && name->schema.ptr == NULL &&
	       (str_equal_fold(name->object, STR_LIT("inserted")) ||
		str_equal_fold(name->object, STR_LIT("deleted")));
}

static int find_object(const struct tsql_work *work, const struct tsql_object *object,
		       uint32_t hash)
{
	for (size_t i = 0; i < work->object_count; i++) {
		const struct tsql_object *other = &work->objects[i];

		if (work->object_hashes[i] == hash && other->statement == object->statement &&
		    other->access == object->access && other->kind == object->kind &&
		    equal_names(&other->name, &object->name)) {
			return (int)i;
		}
	}
	return -1;
}

int tsql_note_object(struct tsql_scan *scan, const struct tsql_name *name, enum tsql_class kind,
		     enum tsql_access access)
{
	struct tsql_work *work = scan->work;
	struct tsql_object object = {.name = *name,
				     .kind = kind,
				     .access = access,
				     .via = scan->origin.via,
				     .defined = scan->origin.defined};
	uint32_t hash = 2166136261u;
	int found;

	if (name->object.len == 0 || is_temporary(name, kind)) {
		return -1;
	}
	if (work->object_count == TSQL_OBJECTS_MAX) {
		work->flags |= TSQL_TRUNCATED;
		return -1;
	}
	if (object.name.server.len == 0 && scan->origin.server.len > 0) {
		object.name.server = scan->origin.server;
	} else if (object.name.server.len > 0) {
		tsql_note_flags(scan, TSQL_LINKED_SERVER);
	}
	object.statement = work->statement_count > 0 ? (unsigned)work->statement_count - 1 : 0;
	hash = hash_part(hash_part(hash, object.name.server), object.name.database);
	hash = hash_part(hash_part(hash, object.name.schema), object.name.object);
	found = find_object(work, &object, hash + (uint32_t)access);
	if (found >= 0) {
		return found;
	}
	work->object_hashes[work->object_count] = hash + (uint32_t)access;
	work->objects[work->object_count] = object;
	return (int)work->object_count++;
}

void tsql_note_inner(struct tsql_scan *scan, struct tsql_inner inner, struct str server)
{
	struct tsql_work *work = scan->work;

	if (work->inner_count == TSQL_INNER_MAX ||
	    inner.text.len > TSQL_INNER_BYTES_MAX - work->inner_bytes) {
		tsql_note_flags(scan, TSQL_TRUNCATED);
		return;
	}
	work->inner_bytes += inner.text.len;
	work->inner_servers[work->inner_count] = server;
	work->inner[work->inner_count++] = inner;
	work->from_values = true;
}

const struct tsql_variable *tsql_variable_find(const struct tsql_scan *scan, struct str name)
{
	const struct tsql_work *work = scan->work;

	for (size_t i = work->variable_count; i > scan->variable_base; i--) {
		if (str_equal_fold(work->variables[i - 1].name, name)) {
			return &work->variables[i - 1];
		}
	}
	return NULL;
}

void tsql_variable_set(struct tsql_scan *scan, const struct tsql_variable *variable)
{
	struct tsql_work *work = scan->work;

	for (size_t i = scan->variable_base; i < work->variable_count; i++) {
		if (str_equal_fold(work->variables[i].name, variable->name)) {
			work->variables[i] = *variable;
			return;
		}
	}
	if (variable->value.ptr == NULL) {
		return;
	}
	if (work->variable_count == TSQL_VARIABLES_MAX) {
		tsql_note_flags(scan, TSQL_TRUNCATED);
		return;
	}
	work->variables[work->variable_count++] = *variable;
}
