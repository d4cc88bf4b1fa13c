#include "correlator/rules/names.h"

#include "model/letters.h"

#define NAMES_MAX 512

struct name {
	const char *text;
	unsigned logs;
	struct name_ref ref;
};

static const struct name table[] = {
#define NAME(text_, logs_, kind_, what_) {text_, logs_, {NAME_##kind_, what_}},
#include "correlator/rules/names.def"
#undef NAME
};

struct own { /* a field of fields.def */
	const char *text;
	unsigned field, kinds;
};

static const struct own fields[] = {
#define FIELD(name, number, type, kinds, unit, help, ocsf) {#name, number, kinds},
#include "model/fields.def"
#undef FIELD
};

#define TABLE_COUNT  (sizeof(table) / sizeof(table[0]))
#define FIELDS_COUNT (sizeof(fields) / sizeof(fields[0]))

_Static_assert(TABLE_COUNT + FIELDS_COUNT < NAMES_MAX, "names_nearest has room");

struct route { /* a logsource: an empty text is "not given", NULL is "whatever" */
	const char *product, *category, *service;
	enum log log;
};

static const struct route routes[] = {
	{"mssql", "", NULL, L_SQL},
	{"mssql", "database", NULL, L_SQL},
	{"", "database", "", L_SQL},
	{"", "database", "mssql", L_SQL},
	{"windows", "", "application", L_SQL},
	{"windows", "", "mssql", L_SQL},
	{"", "webserver", NULL, L_WEB},
	{"aws", "webserver", NULL, L_WEB},
	{"apigateway", "webserver", NULL, L_WEB},
	{"aws", "", "cloudtrail", L_AWS},
	{"aws", "", "apigateway", L_AWS},
	{"querytrail", "", "statement", L_SQL},
	{"querytrail", "", "request", L_REQUEST},
	{"querytrail", "", "trail", L_TRAIL},
	{"querytrail", "", "gap", L_GAP},
	{"querytrail", "", "reject", L_REJECT},
	{"querytrail", "", "access", L_ACCESS},
	{"querytrail", "", "lifecycle", L_LIFECYCLE},
};

static bool fits(const char *wanted, struct str given)
{
	return wanted == NULL || str_equal_fold(given, str_of(wanted));
}

int names_log(const struct rule *rule, enum log *out_log, struct error *err)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (fits(routes[i].product, rule->product) &&
		    fits(routes[i].category, rule->category) &&
		    fits(routes[i].service, rule->service)) {
			*out_log = routes[i].log;
			return 0;
		}
	}
	if (str_is(rule->product, "querytrail")) {
		return error_set(err, ERR_CONFIG,
				 "logsource: product querytrail has the services statement, "
				 "request, trail, gap, reject, access and lifecycle, not \"%.*s\"",
				 STR_ARG(rule->service));
	}
	return error_set(err, ERR_CONFIG,
			 "logsource: there are no events of product \"%.*s\", category \"%.*s\", "
			 "service \"%.*s\"; there are product mssql, category database, product "
			 "windows with service application, category webserver, product aws with "
			 "service cloudtrail or apigateway, and product querytrail",
			 STR_ARG(rule->product), STR_ARG(rule->category), STR_ARG(rule->service));
}

const char *names_log_text(enum log log)
{
	switch (log) {
	case L_SQL:
		return "SQL Server's statements";
	case L_WEB:
		return "category webserver";
	case L_AWS:
		return "product aws";
	case L_REQUEST:
		return "product querytrail, service request";
	case L_TRAIL:
		return "product querytrail, service trail";
	case L_GAP:
		return "product querytrail, service gap";
	case L_REJECT:
		return "product querytrail, service reject";
	case L_ACCESS:
		return "product querytrail, service access";
	case L_LIFECYCLE:
		return "product querytrail, service lifecycle";
	}
	return "";
}

/* Where a log has a field of these record kinds; false when it has not. */
static bool own_ref(enum log log, unsigned kinds, unsigned field, struct name_ref *out_ref)
{
	static const struct {
		unsigned log, kinds;
		enum name_kind kind;
	} places[] = {
		{L_SQL, S, NAME_STATEMENT_FIELD},
		{L_SQL, V, NAME_VERDICT_FIELD},
		{L_SQL, R, NAME_REQUEST_FIELD},
		{L_TRAIL, S | V | R, NAME_ANY_FIELD},
		{L_WEB | L_AWS | L_REQUEST, R, NAME_REQUEST_FIELD},
		{L_GAP, G, NAME_OTHER_FIELD},
		{L_REJECT, J, NAME_OTHER_FIELD},
		{L_ACCESS, C, NAME_OTHER_FIELD},
		{L_LIFECYCLE, L, NAME_OTHER_FIELD},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if ((places[i].log & log) != 0 && (places[i].kinds & kinds) != 0) {
			enum name_kind kind = places[i].kind;

			/* a field of one side is the same by either way */
			if (kind == NAME_ANY_FIELD && (kinds & (S | V | R)) == S) {
				kind = NAME_STATEMENT_FIELD;
			} else if (kind == NAME_ANY_FIELD && (kinds & (S | V | R)) == V) {
				kind = NAME_VERDICT_FIELD;
			} else if (kind == NAME_ANY_FIELD && (kinds & (S | V | R)) == R) {
				kind = NAME_REQUEST_FIELD;
			}
			*out_ref = (struct name_ref){kind, field};
			return true;
		}
	}
	return false;
}

static bool is_named(const char *text, struct str name)
{
	size_t len = strlen(text);

	if (text[len - 1] == '*') {
		return str_equal_fold(str_slice(name, 0, len - 1), str_make(text, len - 1));
	}
	return str_equal_fold(name, str_make(text, len));
}

bool names_find(enum log log, struct str name, struct name_ref *out_ref)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if ((table[i].logs & log) != 0 && is_named(table[i].text, name)) {
			*out_ref = table[i].ref;
			return true;
		}
	}
	for (size_t i = 0; i < FIELDS_COUNT; i++) {
		if (str_equal_fold(name, str_of(fields[i].text)) &&
		    own_ref(log, fields[i].kinds, fields[i].field, out_ref)) {
			return true;
		}
	}
	return false;
}

const char *names_nearest(enum log log, struct str name)
{
	const char *candidates[NAMES_MAX];
	struct name_ref ref;
	size_t count = 0;

	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if ((table[i].logs & log) != 0 && strchr(table[i].text, '*') == NULL) {
			candidates[count++] = table[i].text;
		}
	}
	for (size_t i = 0; i < FIELDS_COUNT; i++) {
		if (own_ref(log, fields[i].kinds, fields[i].field, &ref)) {
			candidates[count++] = fields[i].text;
		}
	}
	return str_nearest(name, candidates, count);
}

bool names_needs_trail(enum log log, struct name_ref ref)
{
	if (log == L_TRAIL) {
		return true;
	}
	if (log != L_SQL) {
		return false;
	}
	return ref.kind == NAME_VERDICT_FIELD || ref.kind == NAME_REQUEST_FIELD ||
	       (ref.kind == NAME_PART &&
		(ref.what == PART_REQUEST_TIME || ref.what == PART_REQUEST_SOURCE));
}

bool names_is_fact(struct name_ref ref)
{
	return ref.kind == NAME_FACT || ref.kind == NAME_TEXTS;
}
