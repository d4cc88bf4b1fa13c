#include "correlator/join/restore.h"

#include "correlator/join/grade.h"

uint32_t restore_mark(struct str text)
{
	return (uint32_t)fingerprint_fixed(text).lo;
}

static uint8_t word_index(struct str word, const char *(*name)(unsigned), unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		if (str_is(word, name(i))) {
			return (uint8_t)i;
		}
	}
	return 0;
}

static const char *grade_word(unsigned value)
{
	return grade_name((enum grade)value);
}

static const char *carrier_word(unsigned value)
{
	return grade_carrier_name((enum carrier)value);
}

static const char *matched_word(unsigned value)
{
	return grade_matched_name((enum matched)value);
}

/* A statement's verdict that names a request takes back what was said of the request alone before. */
static int restore_covered(struct book *book, uint64_t request_leaf, uint64_t verdict_leaf)
{
	struct said said;
	uint32_t item = book_find_leaf(book, request_leaf);
	if (item != BOOK_NONE && (item & BOOK_REQUEST_BIT) != 0) {
		past_cover(&book->requests[item & ~BOOK_REQUEST_BIT], verdict_leaf);
		return 0;
	}
	if (item == BOOK_NONE && book_take_restored(book, request_leaf, &said)) {
		said.what = said.leaf < verdict_leaf ? 0 : said.what;
		return book_keep_restored(book, request_leaf, &said);
	}
	return 0;
}

uint16_t restore_what(unsigned grade, unsigned carrier, unsigned matched, unsigned settled)
{
	return (uint16_t)(grade | carrier << 4 | matched << 8 | settled << 12);
}

/* Sets what was said of a record in the book; false when a newer verdict is known. */
static bool restore_said(struct book *book, uint32_t item, const struct said *said)
{
	struct said *known = (item & BOOK_REQUEST_BIT) != 0
				     ? &book->requests[item & ~BOOK_REQUEST_BIT].said
				     : &book->statements[item].said;
	if (known->count >= said->count && known->count < UINT16_MAX) {
		return false;
	}
	*known = *said;
	return true;
}

/* The fields of a stored verdict as what was said. */
static struct said read_said(const struct record *verdict, unsigned grade)
{
	unsigned carrier =
		word_index(record_text(verdict, FIELD_carrier), carrier_word, CARRIER_COUNT);
	unsigned matched =
		word_index(record_text(verdict, FIELD_matched_by), matched_word, MATCHED_COUNT);
	bool final = str_is(record_text(verdict, FIELD_settled), "final");
	int64_t revision = record_number(verdict, FIELD_revision, 0);
	return (struct said){
		.request_leaf = (uint64_t)record_number(verdict, FIELD_request_leaf, -1),
		.reason = restore_mark(record_text(verdict, FIELD_reason)),
		.what = restore_what(grade, carrier, matched,
				     final ? JOIN_FINAL : JOIN_PROVISIONAL),
		.count = (uint16_t)(revision < 0                ? 1
				    : revision < UINT16_MAX - 1 ? revision + 1
								: UINT16_MAX),
	};
}

int restore_verdict(struct book *book, uint64_t verdict_leaf, const struct record *verdict,
		    struct error *err)
{
	bool has_statement = record_has(verdict, FIELD_statement_leaf);
	bool has_request = record_has(verdict, FIELD_request_leaf);
	unsigned grade = word_index(record_text(verdict, FIELD_grade), grade_word, GRADE_COUNT);
	if (verdict->kind != RECORD_VERDICT || grade == GRADE_NONE ||
	    (!has_statement && !has_request)) {
		return error_set(err, ERR_INPUT,
				 "join: a stored verdict has no grade, or names neither statement "
				 "nor request");
	}
	struct said said = read_said(verdict, grade);
	said.leaf = verdict_leaf;
	uint64_t leaf = has_statement ? (uint64_t)record_number(verdict, FIELD_statement_leaf, 0)
				      : said.request_leaf;
	uint32_t item = book_find_leaf(book, leaf);
	int rc = 0;
	if (item == BOOK_NONE) {
		rc = book_keep_restored(book, leaf, &said);
	} else if (!restore_said(book, item, &said)) {
		return 0;
	}
	if (rc == 0 && has_statement && has_request) {
		rc = restore_covered(book, said.request_leaf, verdict_leaf);
	}
	return rc == 0 ? 0 : error_set(err, ERR_NOMEM, "join: no memory");
}
