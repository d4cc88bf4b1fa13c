/* format - a compiled access log format, and how a line is split by it.
 *
 * Shape:   literal[0] slot[0] literal[1] slot[1] .. literal[slot_count]: the line begins with the first literal and ends with the
 *          last; every literal between two slots has at least one byte.
 * Life:    a format owns a copy of its template; literals and names borrow from it. Values borrow from the line.
 * Threads: one at a time: but for its memo of keys a format is read-only after compile. Blocking: never. Tests: tests/unit/accesslog.c, tests/unit/accesslog-hostile.c
 */
#ifndef MODEL_ACCESSLOG_FORMAT_H
#define MODEL_ACCESSLOG_FORMAT_H

#include "model/accesslog/accesslog.h"

#define FORMAT_SLOTS_MAX     128
#define FORMAT_TEXT_MAX      16384
#define FORMAT_USERS_MAX     64
#define FORMAT_BUILTIN_COUNT 3

/* What a value may look like; "-" and "(none)" always may. */
enum shape {
	SHAPE_FREE, /* anything */
	SHAPE_WORD, /* printable ASCII without space, quotes, backslash, comma; at most 2048 bytes */
	SHAPE_ARN,  /* as WORD, and commas: names of roles and sessions */
	SHAPE_TEMPLATE, /* as ARN, and spaces */
	SHAPE_ID,       /* A-Z a-z 0-9 + / = _ - : . ; at most 128 bytes */
	SHAPE_NUMBER,   /* digits, a sign, a dot; letters, should there be any; at most 24 bytes */
};

enum role {
	ROLE_EXTRA,
	ROLE_TEXT,
	ROLE_INT,
	ROLE_ROUTE_KEY,
	ROLE_RESOURCE_PATH,
	ROLE_EPOCH,
	ROLE_TIME,
};

struct variable {
	struct str name;
	enum role role;
	unsigned field;
	enum shape shape;
};

struct slot {
	struct str name; /* "identity.sourceIp" */
	const struct variable *variable;
	struct str before;    /* the literal in front of it */
	struct str extra_key; /* ,"identity.sourceIp": */
	unsigned repeats;     /* 1 + the earlier slot with the same name, or 0 */
	bool quoted;          /* stands between quotes of a JSON string */
	bool stops_cleanly; /* its end can be told by the first byte behind it, as long as no value holds a quote */
};

struct user_choice {
	struct str name;  /* of the variable */
	const char *kind; /* "jwt" */
	int slot;         /* -1: not in the template */
};

struct accesslog_format {
	struct buf text, extra_keys, user_names; /* what the rest borrows from */
	struct slot slot[FORMAT_SLOTS_MAX];
	size_t slot_count;
	struct str last; /* the literal at the end */
	bool json;
	bool wellknown;     /* no template */
	bool stops_cleanly; /* all slots do */
	struct user_choice user[FORMAT_USERS_MAX];
	size_t user_count;
	struct wellknown_memo *memo; /* of the lines read by their keys; what it holds changes */
	struct accesslog_format
		*builtin[FORMAT_BUILTIN_COUNT]; /* text formats tried when there is no template */
};

/* The variable of a name; a stand-in with role EXTRA and shape FREE for an unknown one. */
const struct variable *variable_find(struct str name);

/* Whether a value fits a shape; whether a byte may stand in it. */
bool shape_fits(enum shape shape, struct str value);
bool shape_has_byte(enum shape shape, uint8_t byte);

/* The longest value that fits. */
size_t shape_limit(enum shape shape);

/* "-", "" and "(none)": the gateway had no value. */
bool value_is_unset(struct str value);

/* Where the user's name may stand, in the order that counts. */
void user_choices_default(struct accesslog_format *format);
const char *user_kind_of(struct str name);

struct value {
	struct str name;
	const struct variable *variable;
	struct str text;
	bool sure;    /* every reading of the line gives this same text */
	bool escaped; /* text is the inside of a JSON string and holds backslashes */
};

enum damage {
	DAMAGE_NONE,      /* as the format says */
	DAMAGE_RECOVERED, /* one reading, but not well formed */
	DAMAGE_AMBIGUOUS, /* several readings; values that differ between them are not sure */
};

struct reading {
	struct value value[FORMAT_SLOTS_MAX];
	size_t count;
	enum damage damage;
	bool by_slot; /* value[i] is that of the template's slot[i] */
};

enum split {
	SPLIT_NOTHING, /* the line is not of this template */
	SPLIT_FRONT, /* only its front is; only values before the first that a caller sets are sure */
	SPLIT_WHOLE,
};

/* Splits a line by the template. */
enum split split_line(const struct accesslog_format *format, struct str line,
		      struct reading *reading);

/* Puts the values of a reading into the record. Returns 0 or ERR_LIMIT. */
int reading_take(const struct accesslog_format *format, struct reading *reading,
		 struct arena *arena, struct record *record, struct error *err);

/* Chooses the user among the values and sets user and user_kind. Returns the index of the value that is the user, or -1. */
int user_choose(const struct accesslog_format *format, const struct reading *reading,
		struct record *record);

#endif
