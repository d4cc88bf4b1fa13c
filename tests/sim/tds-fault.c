#include "tests/sim/tds-fault.h"

#include <stdio.h>

#include "base/parse.h"

struct fault_form {
	const char *name;
	enum tds_fault_kind kind;
	const char *number_key; /* NULL: takes no number */
	int64_t number;         /* when not given; INT64_MIN: must be given */
	const char *bytes_key;  /* NULL: takes none; else it must be given */
	const char *word_key;   /* NULL: takes none; else it must be given */
	const char *words;      /* the values it may have, each between bars; NULL: any */
};

static const struct fault_form forms[] = {
	{"error", TDS_FAULT_ERROR, "number", INT64_MIN, NULL, NULL, NULL},
	{"skip", TDS_FAULT_SKIP, "row", 0, NULL, NULL, NULL},
	{"login-failed", TDS_FAULT_LOGIN_FAILED, NULL, 0, NULL, NULL, NULL},
	{"close", TDS_FAULT_CLOSE, "rows", 0, NULL, NULL, NULL},
	{"silent", TDS_FAULT_SILENT, "rows", 0, NULL, "when", "|prelogin|login|query|row|"},
	{"drip", TDS_FAULT_DRIP, "ms", INT64_MIN, "bytes", NULL, NULL},
	{"packet", TDS_FAULT_PACKET, NULL, 0, "bytes", NULL, NULL},
	{"write", TDS_FAULT_WRITE, NULL, 0, "bytes", NULL, NULL},
	{"bad-length", TDS_FAULT_BAD_LENGTH, NULL, 0, NULL, "where",
	 "|row|colmetadata|info|packet|"},
	{"bad-token", TDS_FAULT_BAD_TOKEN, NULL, 0, NULL, NULL, NULL},
	{"no-encryption", TDS_FAULT_NO_ENCRYPTION, NULL, 0, NULL, NULL, NULL},
	{"bad-certificate", TDS_FAULT_BAD_CERTIFICATE, NULL, 0, NULL, "kind", "|name|ca|expired|"},
	{"freeze", TDS_FAULT_FREEZE, NULL, 0, NULL, NULL, NULL},
	{"deny", TDS_FAULT_DENY, NULL, 0, NULL, "object", NULL},
	{"clear", TDS_FAULT_CLEAR, NULL, 0, NULL, NULL, NULL},
	{"delete-file", TDS_FAULT_DELETE_FILE, "index", -1, NULL, NULL, NULL},
	{"transmit-file", TDS_FAULT_TRANSMIT_FILE, "index", -1, NULL, NULL, NULL},
	{"gone", TDS_FAULT_GONE, NULL, 0, NULL, NULL, NULL},
	{"back", TDS_FAULT_BACK, NULL, 0, NULL, NULL, NULL},
};

void tds_faults_init(struct tds_faults *faults)
{
	memset(faults, 0, sizeof(*faults));
	(void)pthread_mutex_init(&faults->lock, NULL); /* cannot fail with these attributes */
}

void tds_faults_done(struct tds_faults *faults)
{
	(void)pthread_mutex_destroy(&faults->lock); /* nobody holds it any more */
}

static bool is_key(struct str key, const char *name)
{
	return name != NULL && str_is(key, name);
}

static bool word_allowed(const struct fault_form *form, struct str value)
{
	char between[TDS_FAULT_WORD_MAX + 2];
	(void)snprintf(between, sizeof(between), "|%.*s|",
		       STR_ARG(value)); /* the length was checked */
	return form->words == NULL || strstr(form->words, between) != NULL;
}

/* Reads key=value into the fault; false when the form has no such key or the value does not fit. */
static bool read_pair(const struct fault_form *form, struct str pair, struct tds_fault *out)
{
	ptrdiff_t equals = str_find_byte(pair, '=', 0);
	if (equals <= 0) {
		return false;
	}
	struct str key = str_slice(pair, 0, (size_t)equals);
	struct str value = str_slice(pair, (size_t)equals + 1, SIZE_MAX);
	if (is_key(key, form->word_key)) {
		if (value.len == 0 || value.len >= sizeof(out->word) ||
		    !word_allowed(form, value)) {
			return false;
		}
		memcpy(out->word, value.ptr, value.len);
		out->word[value.len] = '\0';
		return true;
	}
	int64_t *number = is_key(key, form->number_key)  ? &out->number
			  : is_key(key, form->bytes_key) ? &out->bytes
			  : str_is(key, "times")         ? &out->times
							 : NULL;
	return number != NULL && parse_i64(value, number) && *number >= 0;
}

int tds_fault_parse(struct str line, struct tds_fault *out, struct error *err)
{
	struct str rest = str_trim(line);
	struct str name = str_split(&rest, ' ');
	const struct fault_form *form = NULL;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		form = str_is(name, forms[i].name) ? &forms[i] : form;
	}
	if (form == NULL) {
		return error_set(err, ERR_INPUT, "There is no fault \"%.*s\".", STR_ARG(name));
	}
	*out = (struct tds_fault){.kind = form->kind, .number = form->number};
	while (rest.ptr != NULL) {
		struct str pair = str_split(&rest, ' ');
		if (pair.len != 0 && !read_pair(form, pair, out)) {
			return error_set(err, ERR_INPUT, "The fault %s does not take \"%.*s\".",
					 form->name, STR_ARG(pair));
		}
	}
	const char *missing = out->number == INT64_MIN                         ? form->number_key
			      : form->bytes_key != NULL && out->bytes == 0     ? form->bytes_key
			      : form->word_key != NULL && out->word[0] == '\0' ? form->word_key
									       : NULL;
	if (missing != NULL) {
		return error_set(err, ERR_INPUT, "The fault %s needs %s=.", form->name, missing);
	}
	return 0;
}

static int deny(struct tds_faults *faults, const struct tds_fault *fault, struct error *err)
{
	if (faults->denied_count == TDS_DENIED_MAX) {
		return error_set(err, ERR_LIMIT, "%d objects are denied already.", TDS_DENIED_MAX);
	}
	memcpy(faults->denied[faults->denied_count], fault->word, sizeof(fault->word));
	faults->denied_count++;
	return 0;
}

int tds_faults_set(struct tds_faults *faults, const struct tds_fault *fault, struct error *err)
{
	int rc = 0;
	(void)pthread_mutex_lock(&faults->lock);
	if (fault->kind == TDS_FAULT_CLEAR) {
		memset(faults->set, 0, sizeof(faults->set));
		faults->denied_count = 0;
	} else if (fault->kind == TDS_FAULT_DENY) {
		rc = deny(faults, fault, err);
	} else if (fault->kind < TDS_FAULT_DENY) {
		faults->set[fault->kind] = true;
		faults->fault[fault->kind] = *fault;
	}
	(void)pthread_mutex_unlock(&faults->lock);
	return rc;
}

static bool find(struct tds_faults *faults, enum tds_fault_kind kind, const char *word,
		 struct tds_fault *out)
{
	if (!faults->set[kind] || (word != NULL && strcmp(word, faults->fault[kind].word) != 0)) {
		return false;
	}
	*out = faults->fault[kind];
	return true;
}

bool tds_faults_look(struct tds_faults *faults, enum tds_fault_kind kind, const char *word,
		     struct tds_fault *out)
{
	(void)pthread_mutex_lock(&faults->lock);
	bool found = find(faults, kind, word, out);
	(void)pthread_mutex_unlock(&faults->lock);
	return found;
}

bool tds_faults_use(struct tds_faults *faults, enum tds_fault_kind kind, const char *word,
		    struct tds_fault *out)
{
	(void)pthread_mutex_lock(&faults->lock);
	bool found = find(faults, kind, word, out);
	if (found && out->times > 0) {
		faults->fault[kind].times--;
		faults->set[kind] = faults->fault[kind].times > 0;
	}
	(void)pthread_mutex_unlock(&faults->lock);
	return found;
}

bool tds_faults_denies(struct tds_faults *faults, struct str object)
{
	bool denied = false;
	(void)pthread_mutex_lock(&faults->lock);
	for (size_t i = 0; i < faults->denied_count; i++) {
		denied = denied || str_equal_fold(object, str_of(faults->denied[i]));
	}
	(void)pthread_mutex_unlock(&faults->lock);
	return denied;
}
