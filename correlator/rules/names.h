/* names - which log source a rule is about, and where the value of each name comes from there.
 *
 * Shape:   a log is one of the kinds of events that rules are run against; a name of a log becomes a struct name_ref, which is equal
 *          for names that mean the same value (cs-user-agent, user_agent).
 * Threads: static data. Blocking: never. Source: names.def, model/fields.def. Tests: tests/unit/names.c
 */
#ifndef CORRELATOR_RULES_NAMES_H
#define CORRELATOR_RULES_NAMES_H

#include "base/error.h"
#include "correlator/rules/event.h"
#include "correlator/rules/rule.h"

enum log {
	L_SQL = 1 << 0, /* statements */
	L_WEB = 1 << 1,
	L_AWS = 1 << 2,
	L_REQUEST = 1 << 3,
	L_TRAIL = 1 << 4,
	L_GAP = 1 << 5,
	L_REJECT = 1 << 6,
	L_ACCESS = 1 << 7,
	L_LIFECYCLE = 1 << 8,
};
#define L_ALL 0x1FF

enum name_kind {
	NAME_STATEMENT_FIELD, /* what: FIELD_* */
	NAME_VERDICT_FIELD,
	NAME_REQUEST_FIELD,
	NAME_OTHER_FIELD,
	NAME_ANY_FIELD, /* of whichever sides have it */
	NAME_PART,
	NAME_FACT,
	NAME_WEB,
	NAME_REQUEST_EXTRA,
	NAME_STATEMENT_EXTRA,
	NAME_WIN,
	NAME_AWS,
	NAME_NEVER,
	NAME_TEXTS, /* keywords: all texts of the record (RECORD) or of all sides (TRAIL) */
};

enum name_part {
	PART_TIME,
	PART_SOURCE,
	PART_KIND,
	PART_STATEMENT_TIME,
	PART_STATEMENT_SOURCE,
	PART_REQUEST_TIME,
	PART_REQUEST_SOURCE,
};

enum name_fact {
	FACT_FLAGS,
	FACT_VERBS,
	FACT_MAIN_VERB,
	FACT_DDL,
	FACT_TABLES,
	FACT_TABLES_READ,
	FACT_TABLES_WRITTEN,
	FACT_PROCEDURES,
	FACT_OBJECTS,
	FACT_SERVERS,
	FACT_DATABASES,
	FACT_VIA,
	FACT_NORMALIZED, /* depends on the text's own words: stands last */
};
#define FACT_COUNT FACT_NORMALIZED /* those that are lists of words */

enum name_web { WEB_STEM, WEB_QUERY, WEB_URI };

enum name_win { WIN_EVENT_ID, WIN_PROVIDER, WIN_CHANNEL, WIN_LEVEL, WIN_KEYWORDS, WIN_DATA };

enum name_aws { AWS_EVENT_SOURCE, AWS_EVENT_TYPE, AWS_ARN, AWS_TYPE, AWS_REGION };

enum name_extra { /* what is looked up in extra, and in raw: keys in extra.c */
		  EXTRA_QUERY,
		  EXTRA_REFERER,
		  EXTRA_COOKIE,
		  EXTRA_HOST,
		  EXTRA_PROTOCOL,
		  EXTRA_CONTENT_TYPE,
		  EXTRA_REQUEST_BYTES,
		  EXTRA_USER_ARN,
		  EXTRA_PRINCIPAL,
		  EXTRA_CALLER_ACCOUNT,
		  EXTRA_ACCOUNT,
		  EXTRA_ERROR_TYPE,
		  EXTRA_TARGET_LOGIN,
		  EXTRA_TARGET_USER,
		  EXTRA_COLUMN_PERMISSION,
		  EXTRA_PERMISSION,
		  EXTRA_SENSITIVITY,
};

struct name_ref {
	enum name_kind kind;
	unsigned what;
};

/* The log that a rule is about. Returns 0, or ERR_CONFIG with a sentence that says which there are. */
int names_log(const struct rule *rule, enum log *out_log, struct error *err);

/* A log as a rule says it: "product: mssql". Static text. */
const char *names_log_text(enum log log);

/* Finds a name of a log; letters are folded. False when it has none of this name. */
bool names_find(enum log log, struct str name, struct name_ref *out_ref);

/* The nearest name of the log, for "did you mean", or NULL. Static text. */
const char *names_nearest(enum log log, struct str name);

/* Whether a value is known only once the verdict is: it is of verdict or request, and the log is that of statements. */
bool names_needs_trail(enum log log, struct name_ref ref);

/* Whether it costs a look at what the statement's text does. */
bool names_is_fact(struct name_ref ref);

#endif
