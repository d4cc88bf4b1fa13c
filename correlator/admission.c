#include "correlator/admission.h"

#include "base/digest.h"
#include "model/redact.h"

#include <sys/random.h>

void admission_init(struct admission *admission)
{
	*admission = (struct admission){.floor_ns = INT64_MIN};
	buf_init(&admission->masked, RECORD_MAX_BYTES);
}

void admission_done(struct admission *admission)
{
	redactor_free(admission->redactor);
	buf_done(&admission->masked);
	*admission = (struct admission){.floor_ns = INT64_MIN};
}

int admission_read(struct admission *admission, struct store *store, struct error *err)
{
	struct store_removed removed;
	int rc = store_removed(store, &removed, err);
	if (rc == 0) {
		admission_raise(admission, removed.floor_ns);
	}
	return rc;
}

void admission_raise(struct admission *admission, int64_t floor_ns)
{
	admission->floor_ns = floor_ns > admission->floor_ns ? floor_ns : admission->floor_ns;
}

static bool comes_from_outside(const struct record *record)
{
	return record->kind == RECORD_REQUEST || record->kind == RECORD_STATEMENT ||
	       record->kind == RECORD_REJECT;
}

bool admission_refuses(struct admission *admission, const struct record *record)
{
	if (!comes_from_outside(record)) {
		return false;
	}
	bool gone = record->kind != RECORD_REJECT && record->time_ns < admission->floor_ns;
	gone = gone || (admission->ledger != NULL && ledger_look(admission->ledger, record->source,
								 record->key) == LEDGER_ERASED);
	admission->refused += gone ? 1 : 0;
	return gone;
}

static bool was_masked(const struct admission *admission, const struct record *record)
{
	return admission->ledger != NULL && comes_from_outside(record) &&
	       ledger_look(admission->ledger, record->source, record->key) == LEDGER_MASKED;
}

/* With a salt that nobody keeps: what was masked can't be guessed. */
static int commit(struct str encoded, uint8_t out[DIGEST_BYTES], struct error *err)
{
	char salt[DIGEST_BYTES];
	if (getrandom(salt, sizeof salt, 0) != sizeof salt) {
		return error_errno(err, "the system gives no random bytes");
	}
	const struct str parts[] = {str_make(salt, sizeof salt), encoded};
	digest_sha256_parts(parts, 2, out);
	return 0;
}

int admission_mask(struct admission *admission, const struct record **io_record,
		   struct str *io_encoded, struct error *err)
{
	uint8_t commitment[DIGEST_BYTES];
	const struct redact_order order = {
		.degree = REDACT_LITERALS,
		.id = STR_LIT("ledger"),
		.commitment = str_make((const char *)commitment, sizeof commitment)};
	if (!was_masked(admission, *io_record)) {
		return 0;
	}
	if (admission->redactor == NULL) {
		admission->redactor = redactor_new();
	}
	if (admission->redactor == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to mask records");
	}
	buf_clear(&admission->masked);
	int rc = commit(*io_encoded, commitment, err);
	rc = rc < 0 ? rc
		    : redact_record(admission->redactor, &order, *io_encoded, &admission->masked,
				    err);
	if (rc < 0 || admission->masked.len == 0) {
		return rc;
	}
	*io_encoded = buf_str(&admission->masked);
	*io_record = &admission->left;
	return record_decode(*io_encoded, &admission->left, err);
}
