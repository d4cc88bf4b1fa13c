#include "correlator/rules/values.h"

#include "base/buf.h"
#include "base/clock.h"
#include "correlator/rules/auditevent.h"
#include "correlator/rules/extra.h"
#include "correlator/rules/fold.h"
#include "correlator/rules/statementfacts.h"

#include <assert.h>

#define NUMBER_TEXT_MAX 40
#define UNFOLDED_MIN    64 /* shorter texts are folded again */
#define TEXTS_MAX       (3 * FIELD_LIMIT)

int values_init(struct values_maker *maker, struct error *err)
{
	*maker = (struct values_maker){.event = NULL};
	arena_init(&maker->arena, VALUES_BYTES_MAX);
	return statementfacts_new(&maker->facts, err);
}

void values_done(struct values_maker *maker)
{
	arena_done(&maker->arena);
	statementfacts_free(maker->facts);
}

void values_begin(struct values_maker *maker, const struct rules_event *event)
{
	if (maker->arena.used_bytes != 0) {
		arena_clear(&maker->arena);
	}
	maker->event = event;
	maker->has_facts = false;
	maker->unfolded = str_make(NULL, 0);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "there is no memory for an event's values");
}

static struct value *allocate(struct values_maker *maker, size_t count)
{
	return arena_alloc(&maker->arena, count * sizeof(struct value));
}

static struct value text_value(struct str text)
{
	return (struct value){.text = text, .type = VALUE_TEXT};
}

int values_text(struct values_maker *maker, struct str text, struct value *out_value,
		struct error *err)
{
	struct str copy;

	if (arena_str(&maker->arena, text, &copy) != 0) {
		return no_memory(err);
	}
	*out_value = text_value(copy);
	return 0;
}

/* A buf of fixed size in the arena; ptr NULL without memory. */
static struct buf fixed_buf(struct values_maker *maker, size_t size)
{
	return (struct buf){.ptr = arena_alloc(&maker->arena, size + 1),
			    .capacity = size + 1,
			    .max_bytes = size};
}

/* Appends a number of the type as a value with its text. */
static int add_number(struct values_maker *maker, enum value_type type, int64_t number,
		      struct values *values)
{
	struct buf text;
	struct value *value = &values->first[values->count];

	*value = (struct value){.type = type, .number = number};
	if (type == VALUE_BOOL) {
		value->text = number != 0 ? STR_LIT("true") : STR_LIT("false");
		values->count++;
		return 0;
	}
	text = fixed_buf(maker, NUMBER_TEXT_MAX);
	if (text.ptr == NULL) {
		return -ERR_NOMEM;
	}
	if (type == VALUE_TIME) {
		clock_put_rfc3339(&text, number, 9);
	} else {
		text.len = value_put_number(number, text.ptr);
	}
	value->text = buf_str(&text);
	values->count++;
	return 0;
}

/* Appends a field of a record, if it has it. */
static int add_field(struct values_maker *maker, const struct record *record, unsigned field,
		     struct values *values)
{
	if (record == NULL || !record_has(record, field)) {
		return 0;
	}
	switch (field_info(field)->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		values->first[values->count++] = text_value(record->value[field].text);
		return 0;
	case FIELD_TYPE_INT:
		return add_number(maker, VALUE_INT, record->value[field].number, values);
	case FIELD_TYPE_BOOL:
		return add_number(maker, VALUE_BOOL, record->value[field].number, values);
	case FIELD_TYPE_TIME:
		return add_number(maker, VALUE_TIME, record->value[field].number, values);
	}
	return 0;
}

static void add_text(struct values *values, struct str text)
{
	values->first[values->count++] = text_value(text);
}

/* The record whose name and time the event has: a statement's before a request's. */
static const struct record *main_record(const struct rules_event *event)
{
	if (event->statement != NULL) {
		return event->statement;
	}
	return event->request != NULL ? event->request : event->other;
}

static int add_any(struct values_maker *maker, unsigned field, struct values *values)
{
	const struct rules_event *event = maker->event;
	unsigned kinds = field_info(field)->kinds;
	int result = 0;

	if ((kinds >> RECORD_STATEMENT & 1) != 0) {
		result = add_field(maker, event->statement, field, values);
	}
	if (result == 0 && (kinds >> RECORD_VERDICT & 1) != 0 && values->count == 0) {
		result = add_field(maker, event->verdict, field, values);
	}
	if (result == 0 && (kinds >> RECORD_REQUEST & 1) != 0) {
		result = add_field(maker, event->request, field, values);
	}
	return result;
}

static int add_part(struct values_maker *maker, enum name_part part, struct values *values)
{
	const struct rules_event *event = maker->event;
	const struct record *record = main_record(event);

	switch (part) {
	case PART_TIME:
	case PART_SOURCE:
	case PART_KIND:
		break;
	case PART_STATEMENT_TIME:
	case PART_STATEMENT_SOURCE:
		record = event->statement;
		break;
	case PART_REQUEST_TIME:
	case PART_REQUEST_SOURCE:
		record = event->request;
		break;
	}
	if (record == NULL) {
		return 0;
	}
	if (part == PART_TIME || part == PART_STATEMENT_TIME || part == PART_REQUEST_TIME) {
		return record->time_ns == 0
			       ? 0
			       : add_number(maker, VALUE_TIME, record->time_ns, values);
	}
	if (part != PART_KIND && record->source.len == 0) {
		return 0;
	}
	add_text(values,
		 part == PART_KIND ? str_of(record_kind_name(record->kind)) : record->source);
	return 0;
}

static int begin_facts(struct values_maker *maker, struct error *err)
{
	int result = 0;

	if (!maker->has_facts) {
		result = statementfacts_of(
			maker->facts, record_text(maker->event->statement, FIELD_statement), err);
		maker->has_facts = result == 0;
	}
	return result;
}

static bool has_statement(const struct values_maker *maker)
{
	return maker->event->statement != NULL &&
	       record_has(maker->event->statement, FIELD_statement);
}

static int get_facts(struct values_maker *maker, enum name_fact fact, struct values *out_values,
		     struct error *err)
{
	struct str words;
	size_t count = 0;
	int result;

	*out_values = (struct values){NULL, 0};
	if (!has_statement(maker)) {
		return 0;
	}
	result = begin_facts(maker, err);
	if (result != 0) {
		return result;
	}
	if (fact == FACT_NORMALIZED) {
		result = statementfacts_normalized(maker->facts, &words, err);
		out_values->first = allocate(maker, 1);
		if (result == 0 && out_values->first == NULL) {
			return no_memory(err);
		}
		if (result == 0) {
			add_text(out_values, words);
		}
		return result;
	}
	words = statementfacts_words(maker->facts, fact);
	for (size_t i = 0; i < words.len; i++) {
		count += words.ptr[i] == '\0' ? 1 : 0;
	}
	out_values->first = allocate(maker, count);
	if (out_values->first == NULL) {
		return no_memory(err);
	}
	while (words.len != 0) {
		size_t len = strlen(words.ptr);

		add_text(out_values, str_slice(words, 0, len));
		words = str_slice(words, len + 1, words.len);
	}
	return 0;
}

static void add_web(struct values_maker *maker, enum name_web part, struct values *values)
{
	const struct record *request = maker->event->request;
	struct str path = record_text(request, FIELD_path);
	ptrdiff_t mark = str_find_byte(path, '?', 0);
	struct str query = str_make(NULL, 0);
	bool has_query = mark >= 0;
	struct buf uri;

	if (has_query) {
		query = str_slice(path, (size_t)mark + 1, path.len);
	} else if (part != WEB_STEM) {
		has_query = extra_find(record_text(request, FIELD_extra), EXTRA_QUERY,
				       &maker->arena, &query);
	}
	if (part == WEB_QUERY &&
	    has_query) { /* and the whole below: many rules look for paths in it */
		add_text(values, query);
	}
	if (!record_has(request, FIELD_path)) {
		return;
	}
	if (part == WEB_STEM || mark >= 0 || !has_query) {
		bool cut = part == WEB_STEM && mark >= 0;

		add_text(values, cut ? str_slice(path, 0, (size_t)mark) : path);
		return;
	}
	uri = fixed_buf(maker, path.len + 1 + query.len);
	if (uri.ptr != NULL) {
		buf_put_str(&uri, path);
		buf_put_byte(&uri, '?');
		buf_put_str(&uri, query);
		add_text(values, buf_str(&uri));
	}
}

/* Room for all that auditevent.c writes of a record. */
static size_t event_room(const struct record *statement)
{
	size_t room = 2048;

	for (unsigned field = 0; field < FIELD_LIMIT; field++) {
		if (record_has(statement, field) && field != FIELD_raw && field != FIELD_extra &&
		    (field_info(field)->type == FIELD_TYPE_TEXT)) {
			room += record_text(statement, field).len;
		}
	}
	return room;
}

static void add_windows(struct values_maker *maker, enum name_win part, struct values *values)
{
	const struct record *statement = maker->event->statement;
	bool failed = auditevent_is_failed_login(statement);
	struct buf text;

	switch (part) {
	case WIN_EVENT_ID:
		values->first[values->count++] = (struct value){
			.text = STR_LIT("33205"), .number = 33205, .type = VALUE_INT};
		if (failed) {
			values->first[values->count++] = (struct value){
				.text = STR_LIT("18456"), .number = 18456, .type = VALUE_INT};
		}
		break;
	case WIN_PROVIDER:
		add_text(values, STR_LIT("MSSQLSERVER$AUDIT"));
		if (failed) {
			add_text(values, STR_LIT("MSSQLSERVER"));
		}
		break;
	case WIN_CHANNEL:
		add_text(values, STR_LIT("Application"));
		break;
	case WIN_LEVEL:
		add_text(values, STR_LIT("Information"));
		break;
	case WIN_KEYWORDS:
		add_text(values, record_number(statement, FIELD_succeeded, 1) != 0
					 ? STR_LIT("Audit Success")
					 : STR_LIT("Audit Failure"));
		break;
	case WIN_DATA:
		text = fixed_buf(maker, event_room(statement));
		if (text.ptr != NULL) {
			auditevent_put_row(statement, &text);
			assert(!text.failed);
			add_text(values, buf_str(&text));
		}
		text = failed ? fixed_buf(maker, event_room(statement)) : (struct buf){NULL};
		if (text.ptr != NULL) {
			auditevent_put_login(statement, &text);
			add_text(values, buf_str(&text));
		}
		break;
	}
}

static struct str arn_of(struct values_maker *maker)
{
	const struct record *request = maker->event->request;
	struct str user = record_text(request, FIELD_user);
	struct str arn = {NULL, 0};

	if (str_has_prefix(user, STR_LIT("arn:"))) {
		return user;
	}
	(void)extra_find(record_text(request, FIELD_extra), EXTRA_USER_ARN, &maker->arena,
			 &arn); /* else it has none */
	return arn;
}

/* CloudTrail's word for who asked; user_kind has ours. */
static struct str identity_type(struct str kind, struct str arn)
{
	if (str_is(kind, "iam")) {
		return str_find(arn, STR_LIT(":assumed-role/"), 0) >= 0 ? STR_LIT("AssumedRole")
		       : str_has_suffix(arn, STR_LIT(":root"))          ? STR_LIT("Root")
									: STR_LIT("IAMUser");
	}
	return str_is(kind, "jwt") || str_is(kind, "cognito") ? STR_LIT("WebIdentityUser")
							      : STR_LIT("Unknown");
}

/* The region within "id.execute-api.eu-west-1.amazonaws.com"; empty when the name is another. */
static struct str region_of(struct str host)
{
	ptrdiff_t start = str_find(host, STR_LIT(".execute-api."), 0);
	ptrdiff_t end = start < 0 ? -1 : str_find_byte(host, '.', (size_t)start + 13);

	return end < 0 ? str_make(NULL, 0)
		       : str_slice(host, (size_t)start + 13, (size_t)end - (size_t)start - 13);
}

static void add_aws(struct values_maker *maker, enum name_aws part, struct values *values)
{
	const struct record *request = maker->event->request;
	struct str text = {NULL, 0};

	switch (part) {
	case AWS_EVENT_SOURCE:
		text = STR_LIT("execute-api.amazonaws.com");
		break;
	case AWS_EVENT_TYPE:
		text = STR_LIT("AwsApiCall");
		break;
	case AWS_ARN:
		text = arn_of(maker);
		break;
	case AWS_TYPE:
		if (record_has(request, FIELD_user_kind)) {
			text = identity_type(record_text(request, FIELD_user_kind), arn_of(maker));
		}
		break;
	case AWS_REGION:
		if (extra_find(record_text(request, FIELD_extra), EXTRA_HOST, &maker->arena,
			       &text)) {
			text = region_of(text);
		}
		break;
	}
	if (text.ptr != NULL) {
		add_text(values, text);
	}
}

/* Appends all texts of a record. */
static void add_texts(const struct record *record, struct values *values)
{
	if (record == NULL) {
		return;
	}
	for (unsigned field = 0; field < FIELD_LIMIT; field++) {
		enum field_type type = field_info(field)->type;

		if (record_has(record, field) &&
		    (type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES)) {
			add_text(values, record->value[field].text);
		}
	}
}

static int get_texts(struct values_maker *maker, struct values *out_values, struct error *err)
{
	const struct rules_event *event = maker->event;
	struct str normalized;
	struct values values = {.first = allocate(maker, TEXTS_MAX + 1)};

	if (values.first == NULL) {
		return no_memory(err);
	}
	add_texts(event->statement, &values);
	add_texts(event->verdict, &values);
	add_texts(event->request, &values);
	add_texts(event->other, &values);
	if (has_statement(maker)) {
		int result = begin_facts(maker, err);

		if (result == 0) {
			result = statementfacts_normalized(maker->facts, &normalized, err);
		}
		if (result != 0) {
			return result;
		}
		if (!str_equal(normalized, record_text(event->statement, FIELD_statement))) {
			add_text(&values, normalized);
		}
	}
	*out_values = values;
	return 0;
}

/* Those that have at most two values. */
static int get_few(struct values_maker *maker, struct name_ref ref, struct values *values)
{
	const struct rules_event *event = maker->event;
	const struct record *record = event->request;
	struct str text;

	switch (ref.kind) {
	case NAME_STATEMENT_FIELD:
		return add_field(maker, event->statement, ref.what, values);
	case NAME_VERDICT_FIELD:
		return add_field(maker, event->verdict, ref.what, values);
	case NAME_REQUEST_FIELD:
		return add_field(maker, event->request, ref.what, values);
	case NAME_OTHER_FIELD:
		return add_field(maker, event->other, ref.what, values);
	case NAME_ANY_FIELD:
		return add_any(maker, ref.what, values);
	case NAME_PART:
		return add_part(maker, ref.what, values);
	case NAME_WEB:
		if (event->request != NULL) {
			add_web(maker, ref.what, values);
		}
		return 0;
	case NAME_WIN:
		if (event->statement != NULL) {
			add_windows(maker, ref.what, values);
		}
		return 0;
	case NAME_AWS:
		if (event->request != NULL) {
			add_aws(maker, ref.what, values);
		}
		return 0;
	case NAME_STATEMENT_EXTRA:
		record = event->statement;
		break;
	case NAME_REQUEST_EXTRA:
		break;
	case NAME_NEVER:
	case NAME_FACT:
	case NAME_TEXTS:
		return 0;
	}
	if (record != NULL &&
	    extra_find(record_text(record, FIELD_extra), ref.what, &maker->arena, &text)) {
		add_text(values, text);
	}
	return 0;
}

int values_get(struct values_maker *maker, struct name_ref ref, struct values *out_values,
	       struct error *err)
{
	struct values values;

	if (ref.kind == NAME_FACT) {
		return get_facts(maker, ref.what, out_values, err);
	}
	if (ref.kind == NAME_TEXTS) {
		return get_texts(maker, out_values, err);
	}
	values = (struct values){.first = allocate(maker, 2)};
	if (values.first == NULL || get_few(maker, ref, &values) != 0) {
		return no_memory(err);
	}
	*out_values = values;
	return 0;
}

int value_fold(struct values_maker *maker, struct value *value, struct error *err)
{
	char *bytes;

	if (value->is_folded) {
		return 0;
	}
	value->is_folded = true;
	if (value->text.ptr == maker->unfolded.ptr && value->text.len == maker->unfolded.len &&
	    value->text.ptr != NULL) { /* the normalized text, most often, is the text */
		value->folded = maker->folded;
		return 0;
	}
	bytes = arena_alloc(&maker->arena, value->text.len);
	if (bytes == NULL) {
		return no_memory(err);
	}
	value->folded = str_make(bytes, fold_text(value->text, bytes));
	if (value->text.len >= UNFOLDED_MIN) {
		maker->unfolded = value->text;
		maker->folded = value->folded;
	}
	return 0;
}
