#include "model/carried.h"

#include "base/hash.h"
#include "base/parse.h"
#include "model/context.h"

#include <ctype.h>

static const struct hash_key id_key = {0x7175657279747261, 0x66696c7465723031};

uint64_t carried_key(struct str id)
{
	return hash_bytes(&id_key, id);
}

uint64_t carried_key_borne(uint64_t key)
{
	return hash_u64(key ^ UINT64_C(0x6361727269656401));
}

bool carried_uuid(struct str application, char out[CARRIED_UUID])
{
	uint8_t bytes[16];
	for (ptrdiff_t dash = str_find_byte(application, '-', 8); dash >= 0;
	     dash = str_find_byte(application, '-', (size_t)dash + 1)) {
		size_t at = (size_t)dash - 8;
		if (at + CARRIED_UUID > application.len) {
			return false;
		}
		if ((at > 0 && isalnum((unsigned char)application.ptr[at - 1])) ||
		    (at + CARRIED_UUID < application.len &&
		     isalnum((unsigned char)application.ptr[at + CARRIED_UUID])) ||
		    !parse_uuid(str_slice(application, at, CARRIED_UUID), bytes)) {
			continue;
		}
		for (size_t i = 0; i < CARRIED_UUID; i++) {
			out[i] = (char)tolower((unsigned char)application.ptr[at + i]);
		}
		return true;
	}
	return false;
}

bool carried_speaks_of_context(struct str statement)
{
	for (ptrdiff_t at = str_find_byte(statement, '_', 0); at >= 0;
	     at = str_find_byte(statement, '_', (size_t)at + 1)) {
		size_t after = (size_t)at + 1;
		if (str_equal_fold(str_slice(statement, after, 7), STR_LIT("context")) ||
		    (at >= 7 && str_equal_fold(str_slice(statement, after, 4), STR_LIT("info")) &&
		     str_equal_fold(str_slice(statement, (size_t)at - 7, 7), STR_LIT("context")))) {
			return true;
		}
	}
	return false;
}

unsigned carried_marks(const struct record *row)
{
	static const struct {
		const char *action;
		unsigned marks;
	} known[] = {{"LGIS", CARRIED_RESETS},
		     {"DBAS", CARRIED_RESETS},
		     {"LGO", CARRIED_RESETS},
		     {"UDAU", CARRIED_WRITES}};
	struct str action = str_trim(record_text(row, FIELD_action));
	unsigned marks = 0;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		marks |= str_is(action, known[i].action) ? known[i].marks : 0;
	}
	if ((marks & CARRIED_WRITES) == 0 &&
	    carried_speaks_of_context(record_text(row, FIELD_statement))) {
		marks |= CARRIED_SETS;
	}
	return marks;
}

bool carried_is_connection(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '0' && text.ptr[i] != '-') {
			return true;
		}
	}
	return false;
}

bool carried_session(const struct record *row, uint64_t *out_session)
{
	struct str connection = record_text(row, FIELD_connection_id);
	uint64_t session = 0;
	if (carried_is_connection(connection)) {
		session = carried_key(connection);
	} else if (record_has(row, FIELD_session_id)) {
		session = hash_u64(carried_key(record_text(row, FIELD_server)) ^
				   (uint64_t)record_number(row, FIELD_session_id, 0));
	} else {
		return false;
	}
	*out_session = hash_u64(session ^ hash_u64(carried_key(row->source)));
	return true;
}

uint64_t carried_key_marks(uint64_t session, enum carried_mark mark)
{
	return hash_u64(session + (uint64_t)mark);
}

static void say_context(const struct context *context, carried_fn *each, void *owner)
{
	const struct str id[] = {context->extended_request_id, context->lambda_request_id,
				 context->request_id};
	for (size_t i = 0; i < sizeof id / sizeof *id; i++) {
		if (id[i].len > 0) {
			each(owner, id[i]);
		}
	}
}

void carried_ids(const struct record *row, carried_fn *each, void *owner)
{
	struct str column = record_text(row, FIELD_session_context);
	struct str statement = record_text(row, FIELD_statement);
	struct context context;
	char uuid[CARRIED_UUID];
	bool clears = false;
	if (column.len > 0 && context_parse(column, (struct str){0}, &context)) {
		say_context(&context, each, owner);
	}
	if (carried_uuid(record_text(row, FIELD_application), uuid)) {
		each(owner, str_make(uuid, sizeof uuid));
	}
	if (str_is(str_trim(record_text(row, FIELD_action)), "UDAU")) {
		if (context_parse(record_text(row, FIELD_user_defined_information), (struct str){0},
				  &context)) {
			say_context(&context, each, owner);
		}
	} else if (carried_speaks_of_context(statement) &&
		   context_from_set(statement, (struct str){0}, &context, &clears)) {
		say_context(&context, each, owner);
	}
	if (statement.len >= 4 && context_from_comment(statement, (struct str){0}, &context)) {
		say_context(&context, each, owner);
	}
}
