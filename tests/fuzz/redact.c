/* Redacting ends on every input. Bytes that are a record lose no key and gain nothing; a statement of any bytes keeps its template and has no literal but
 * '?' left. */
#include "model/redact.h"
#include "model/tsql/template.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Redacts; what is left is a record with the name of before. False: nothing was taken. */
static bool redact(enum redact_degree degree, struct str encoded, struct buf *out,
		   struct record *left)
{
	const struct redact_order order = {degree, STR_LIT("f1")};
	struct redactor *redactor = redactor_new();
	struct record before;
	struct error err;
	assert(redactor != NULL);
	int rc = redact_record(redactor, &order, encoded, out, &err);
	redactor_free(redactor);
	if (rc < 0 || out->len == 0) {
		assert(rc == 0 || rc == -ERR_CORRUPT || rc == -ERR_LIMIT);
		return false;
	}
	assert(record_decode(encoded, &before, &err) == 0);
	assert(record_decode(buf_str(out), left, &err) == 0);
	assert(left->kind == before.kind && left->time_ns == before.time_ns &&
	       str_equal(left->source, before.source) && str_equal(left->key, before.key));
	assert(redact_degree_of(left, NULL) == degree && record_has(left, FIELD_digest));
	return true;
}

static void check_statement(struct str text)
{
	static const struct tsql_options doubt = {.quotes_are_strings = true};
	struct tsql_template before, after;
	struct record record, left;
	struct buf encoded, out;
	struct error err;
	buf_init(&encoded, 0);
	buf_init(&out, 0);
	tsql_template_init(&before);
	tsql_template_init(&after);
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("s");
	record.key = STR_LIT("k");
	record_set_text(&record, FIELD_statement, text);
	record_set_text(&record, FIELD_raw, text);
	if (record_encode(&record, &encoded, &err) == 0 &&
	    redact(REDACT_LITERALS, buf_str(&encoded), &out, &left)) {
		struct str masked = record_text(&left, FIELD_statement);
		assert(!record_has(&left, FIELD_raw));
		assert(tsql_template_split(&before, text, &doubt) == 0);
		assert(tsql_template_split(&after, masked, &doubt) == 0);
		bool same = str_equal(buf_str(&before.text), buf_str(&after.text));
		assert(same || str_equal(masked, buf_str(&before.text)));
		for (size_t i = 0; same && i < after.literal_count; i++) {
			assert(str_is(after.literals[i].text, "?"));
		}
	}
	tsql_template_done(&before);
	tsql_template_done(&after);
	buf_done(&encoded);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_make((const char *)data, size);
	struct record left;
	struct buf out;
	if (size > 65536) {
		return 0;
	}
	buf_init(&out, 0);
	if (redact(REDACT_LITERALS, bytes, &out, &left)) {
		struct buf second;
		buf_init(&second, 0);
		(void)redact(REDACT_ALL, buf_str(&out), &second, &left);
		buf_done(&second);
	}
	buf_done(&out);
	check_statement(bytes);
	return 0;
}
