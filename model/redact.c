#include "model/redact.h"

#include "base/digest.h"
#include "model/tsql/template.h"

#include <assert.h>
#include <stdlib.h>

enum fate { FATE_TAKE, FATE_KEEP, FATE_MASK };

struct fates {
	uint8_t literals, all;
};

static const struct fates fates[FIELD_LIMIT] = {
#define REDACT(field, literals_, all_) [FIELD_##field] = {FATE_##literals_, FATE_##all_},
#include "model/redact.def"
#undef REDACT
};

static const char *const words[] = {
	[REDACT_LITERALS] = "literals",
	[REDACT_ALL] = "erased",
};

struct redactor {
	struct tsql_template template, again;
	struct buf masked;
	char mark[16 + REDACT_ID_MAX];
	uint8_t digest[DIGEST_BYTES];
};

struct redactor *redactor_new(void)
{
	struct redactor *redactor = calloc(1, sizeof *redactor);
	if (redactor != NULL) {
		tsql_template_init(&redactor->template);
		tsql_template_init(&redactor->again);
		buf_init(&redactor->masked, RECORD_MAX_BYTES);
	}
	return redactor;
}

void redactor_free(struct redactor *redactor)
{
	if (redactor != NULL) {
		tsql_template_done(&redactor->template);
		tsql_template_done(&redactor->again);
		buf_done(&redactor->masked);
		free(redactor);
	}
}

bool redact_touches(enum record_kind kind)
{
	return kind == RECORD_REQUEST || kind == RECORD_STATEMENT || kind == RECORD_REJECT ||
	       kind == RECORD_ALERT;
}

static bool id_is_allowed(struct str id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool other = (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
		if (!letter && !other) {
			return false;
		}
	}
	return id.len > 0 && id.len <= REDACT_ID_MAX;
}

enum redact_degree redact_degree_of(const struct record *record, struct str *out_id)
{
	struct str id = {0};
	enum redact_degree degree = REDACT_NOTHING;
	if (redact_touches(record->kind) && record_has(record, FIELD_redacted)) {
		id = record_text(record, FIELD_redacted);
		struct str word = str_split(&id, ' ');
		for (unsigned i = REDACT_LITERALS; i <= REDACT_ALL; i++) {
			degree = str_is(word, words[i]) ? (enum redact_degree)i : degree;
		}
	}
	if (out_id != NULL) {
		*out_id = degree == REDACT_NOTHING ? (struct str){0} : id;
	}
	return degree;
}

/* The template with '?' for each literal, which is T-SQL of the same template again. Where that can't be (two literals without anything
 * between them), the template itself, in which no literal is either. Double quotes may hold a string: they are masked. */
static int mask(struct redactor *redactor, struct str text, struct str *out)
{
	static const struct tsql_options doubt = {.quotes_are_strings = true};
	struct tsql_template *template = &redactor->template;
	struct error ignored;
	if (tsql_template_split(template, text, &doubt) < 0) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < template->literal_count; i++) {
		bool comment = template->literals[i].kind == TSQL_LITERAL_COMMENT;
		template->literals[i] = (struct tsql_literal){.kind = comment ? TSQL_LITERAL_COMMENT
									      : TSQL_LITERAL_STRING,
							      .text = STR_LIT("?")};
	}
	buf_clear(&redactor->masked);
	int rc = tsql_template_join(buf_str(&template->text), template->literals,
				    template->literal_count, &redactor->masked, &ignored);
	if (rc == 0 &&
	    tsql_template_split(&redactor->again, buf_str(&redactor->masked), &doubt) < 0) {
		return -ERR_NOMEM;
	}
	bool same = rc == 0 && str_equal(buf_str(&redactor->again.text), buf_str(&template->text));
	*out = same ? buf_str(&redactor->masked) : buf_str(&template->text);
	return 0;
}

/* What stays of a field, in out. */
static int pass_field(struct redactor *redactor, const struct record *record, unsigned field,
		      enum fate fate, struct record *out)
{
	if (fate == FATE_MASK) {
		struct str masked;
		int rc = mask(redactor, record->value[field].text, &masked);
		if (rc == 0) {
			record_set_text(out, field, masked);
		}
		return rc;
	}
	if (fate == FATE_KEEP) {
		out->value[field] = record->value[field];
		out->present[field / 64] |= UINT64_C(1) << (field % 64);
	}
	return 0;
}

static void mark(struct redactor *redactor, const struct redact_order *order, struct str encoded,
		 struct record *out)
{
	struct buf text = {.ptr = redactor->mark,
			   .capacity = sizeof redactor->mark,
			   .max_bytes = sizeof redactor->mark - 1};
	buf_put_text(&text, words[order->degree]);
	buf_put_byte(&text, ' ');
	buf_put_str(&text, order->id);
	record_set_text(out, FIELD_redacted, buf_str(&text));
	if (order->commitment.len > 0 || !record_has(out, FIELD_digest)) {
		assert(order->commitment.len == 0 || order->commitment.len == DIGEST_BYTES);
		digest_sha256(encoded, redactor->digest);
		if (order->commitment.len > 0) {
			memcpy(redactor->digest, order->commitment.ptr, DIGEST_BYTES);
		}
		record_set_text(out, FIELD_digest,
				str_make((const char *)redactor->digest, DIGEST_BYTES));
	}
}

int redact_record(struct redactor *redactor, const struct redact_order *order, struct str encoded,
		  struct buf *out, struct error *err)
{
	struct record record, left;
	if (!id_is_allowed(order->id)) {
		return error_set(err, ERR_INPUT,
				 "\"%.*s\" is no id of an order: 1 to %d of A-Z a-z 0-9 . _ -",
				 STR_ARG(order->id), REDACT_ID_MAX);
	}
	int rc = record_decode(encoded, &record, err);
	if (rc < 0 || !redact_touches(record.kind) ||
	    redact_degree_of(&record, NULL) >= order->degree) {
		return rc;
	}
	record_init(&left, record.kind);
	left.source = record.source;
	left.key = record.key;
	left.time_ns = record.time_ns;
	for (unsigned field = 1; rc == 0 && field < FIELD_LIMIT; field++) {
		if (record_has(&record, field)) {
			uint8_t fate = order->degree == REDACT_ALL ? fates[field].all
								   : fates[field].literals;
			rc = pass_field(redactor, &record, field, (enum fate)fate, &left);
		}
	}
	if (rc < 0) {
		return error_set(err, ERR_NOMEM, "no memory to mask a statement of %.*s",
				 STR_ARG(record.source));
	}
	mark(redactor, order, encoded, &left);
	return record_encode(&left, out, err);
}
