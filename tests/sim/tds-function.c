#include "base/clock.h"
#include "tests/sim/tds-eval.h"

enum result {
	RESULT_FIXED,
	RESULT_FIRST /* the type of the first argument */,
	RESULT_TEXT /* text like the first argument */,
	RESULT_BRANCHES
};

struct tds_function {
	const char *name;
	size_t least, most;
	enum result result;
	struct tds_type type;
	struct tds_value (*call)(struct tds_scope *scope, const struct tds_node *call);
};

static const struct tds_type whole_text = {TDS_NVARCHAR, TDS_LENGTH_MAX};

/* The n-th argument as text, or as a number. */
static struct tds_value text_at(struct tds_scope *scope, const struct tds_node *call, int n)
{
	const struct tds_node *at = call->child;
	while (n-- > 0) {
		at = at->next;
	}
	return tds_cast(scope, tds_eval(scope, at), whole_text, 0, false);
}

static struct tds_value number_at(struct tds_scope *scope, const struct tds_node *call, int n)
{
	const struct tds_node *at = call->child;
	while (n-- > 0) {
		at = at->next;
	}
	return tds_cast(scope, tds_eval(scope, at), (struct tds_type){TDS_INT, 8}, 0, false);
}

static bool is_ascii(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] >= 0x80) {
			return false;
		}
	}
	return true;
}

/* Units [from, from + count) of a text; a pair may be halved, as the server does. */
static struct str units_of(struct tds_scope *scope, struct str text, size_t from, size_t count)
{
	if (is_ascii(text)) {
		return str_slice(text, from, count);
	}
	struct buf wide __attribute__((cleanup(buf_done)));
	struct buf part __attribute__((cleanup(buf_done)));
	buf_init(&wide, 0);
	buf_init(&part, 0);
	size_t units = tds_put_utf16(&wide, text, SIZE_MAX);
	from = from < units ? from : units;
	count = count < units - from ? count : units - from;
	tds_put_wtf8(&part, str_slice(buf_str(&wide), 2 * from, 2 * count));
	return tds_keep(scope, scope->scratch, buf_str(&part));
}

static size_t units_in(struct str text)
{
	return is_ascii(text) ? text.len : tds_utf16_units(text);
}

static struct tds_value call_len(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value text = text_at(scope, call, 0);
	while (text.text.len > 0 && text.text.ptr[text.text.len - 1] == ' ') {
		text.text.len--;
	}
	return text.null ? tds_null(TDS_INT) : tds_number(TDS_INT, (int64_t)units_in(text.text));
}

static struct tds_value call_datalength(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value value = tds_eval(scope, call->child);
	size_t bytes = value.kind == TDS_NVARCHAR    ? 2 * units_in(value.text)
		       : value.kind == TDS_INT       ? call->child->type.length
		       : value.kind == TDS_DATETIME2 ? 8
		       : value.kind == TDS_BIT       ? 1
						     : value.text.len;
	return value.null ? tds_null(TDS_INT) : tds_number(TDS_INT, (int64_t)bytes);
}

/* LEFT, RIGHT and SUBSTRING: `from` and `count` may be beyond the text. */
static struct tds_value part_of(struct tds_scope *scope, struct tds_value text, int64_t from,
				int64_t count)
{
	if (count < 0) {
		tds_scope_fail(scope, 537, 16,
			       "Invalid length parameter passed to the %.*s function.",
			       STR_LIT("LEFT or SUBSTRING"));
		return tds_null(TDS_NVARCHAR);
	}
	if (from < 0) {
		count = count + from > 0 ? count + from : 0;
		from = 0;
	}
	text.text = units_of(scope, text.text, (size_t)from, (size_t)count);
	return text;
}

static struct tds_value call_left(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value text = text_at(scope, call, 0);
	struct tds_value count = number_at(scope, call, 1);
	return text.null || count.null ? tds_null(TDS_NVARCHAR)
				       : part_of(scope, text, 0, count.number);
}

static struct tds_value call_right(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value text = text_at(scope, call, 0);
	struct tds_value count = number_at(scope, call, 1);
	if (text.null || count.null) {
		return tds_null(TDS_NVARCHAR);
	}
	int64_t units = (int64_t)units_in(text.text);
	int64_t take = count.number < units ? count.number : units;
	return part_of(scope, text, units - take, take);
}

static struct tds_value call_substring(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value text = text_at(scope, call, 0);
	struct tds_value from = number_at(scope, call, 1);
	struct tds_value count = number_at(scope, call, 2);
	bool null = text.null || from.null || count.null;
	int64_t start = from.number > INT32_MAX    ? INT32_MAX
			: from.number < -INT32_MAX ? -INT32_MAX
						   : from.number;
	int64_t most = count.number > INT32_MAX ? INT32_MAX : count.number;
	return null ? tds_null(TDS_NVARCHAR) : part_of(scope, text, start - 1, most);
}

static struct tds_value call_charindex(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value part = text_at(scope, call, 0);
	struct tds_value text = text_at(scope, call, 1);
	if (part.null || text.null) {
		return tds_null(TDS_INT);
	}
	ptrdiff_t found = part.text.len == 0 ? -1 : str_find_fold(text.text, part.text, 0);
	size_t before = found > 0 ? units_in(str_slice(text.text, 0, (size_t)found)) : 0;
	return tds_number(TDS_INT, found < 0 ? 0 : (int64_t)before + 1);
}

static struct tds_value call_reverse(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value text = text_at(scope, call, 0);
	struct buf wide __attribute__((cleanup(buf_done)));
	struct buf back __attribute__((cleanup(buf_done)));
	buf_init(&wide, 0);
	buf_init(&back, 0);
	size_t units = tds_put_utf16(&wide, text.text, SIZE_MAX);
	for (size_t i = 0; i < units / 2; i++) {
		char swap[2];
		char *low = wide.ptr + 2 * i;
		char *high = wide.ptr + 2 * (units - 1 - i);
		memcpy(swap, low, 2);
		memcpy(low, high, 2);
		memcpy(high, swap, 2);
	}
	tds_put_wtf8(&back, buf_str(&wide));
	text.text = tds_keep(scope, scope->scratch, buf_str(&back));
	return text;
}

/* A copy of a text with ASCII letters changed: upper or lower. */
static struct tds_value change_case(struct tds_scope *scope, struct tds_value text, char first,
				    int change)
{
	struct str kept = tds_keep(scope, scope->scratch, text.text);
	char *bytes = (char *)(uintptr_t)kept.ptr; /* ours: it was just allocated */
	for (size_t i = 0; i < kept.len; i++) {
		bytes[i] = (char)(bytes[i] >= first && bytes[i] < first + 26 ? bytes[i] + change
									     : bytes[i]);
	}
	text.text = kept;
	return text;
}

static struct tds_value call_upper(struct tds_scope *scope, const struct tds_node *call)
{
	return change_case(scope, text_at(scope, call, 0), 'a', -32);
}

static struct tds_value call_lower(struct tds_scope *scope, const struct tds_node *call)
{
	return change_case(scope, text_at(scope, call, 0), 'A', 32);
}

static struct str trim(struct str text, bool left, bool right)
{
	while (left && text.len > 0 && text.ptr[0] == ' ') {
		text = str_slice(text, 1, SIZE_MAX);
	}
	while (right && text.len > 0 && text.ptr[text.len - 1] == ' ') {
		text.len--;
	}
	return text;
}

static struct tds_value call_ltrim(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value text = text_at(scope, call, 0);
	text.text = trim(text.text, true, false);
	return text;
}

static struct tds_value call_rtrim(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value text = text_at(scope, call, 0);
	text.text = trim(text.text, false, true);
	return text;
}

static struct tds_value call_trim(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value text = text_at(scope, call, 0);
	text.text = trim(text.text, true, true);
	return text;
}

/* ISNULL and COALESCE: the first that is not NULL. */
static struct tds_value call_coalesce(struct tds_scope *scope, const struct tds_node *call)
{
	for (const struct tds_node *at = call->child; at != NULL; at = at->next) {
		struct tds_value value = tds_eval(scope, at);
		if (!value.null) {
			return tds_cast(scope, value, call->type, 0, false);
		}
	}
	return tds_null(call->type.kind);
}

static struct tds_value call_nullif(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value left = tds_eval(scope, call->child);
	struct tds_value right = tds_eval(scope, call->child->next);
	bool same = !left.null && !right.null && tds_compare(scope, left, right) == 0;
	return same ? tds_null(left.kind) : left;
}

static struct tds_value call_concat(struct tds_scope *scope, const struct tds_node *call)
{
	struct buf joined __attribute__((cleanup(buf_done)));
	buf_init(&joined, 0);
	for (const struct tds_node *at = call->child; at != NULL; at = at->next) {
		struct tds_value value = tds_cast(scope, tds_eval(scope, at), whole_text, 0, false);
		buf_put_str(&joined, value.null ? STR_LIT("") : value.text);
	}
	return tds_text(TDS_NVARCHAR, tds_keep(scope, scope->scratch, buf_str(&joined)));
}

static struct tds_value call_database(struct tds_scope *scope, const struct tds_node *call)
{
	(void)call;
	return tds_text(TDS_NVARCHAR, scope->facts->database);
}

static struct tds_value call_login(struct tds_scope *scope, const struct tds_node *call)
{
	(void)call;
	return tds_text(TDS_NVARCHAR, scope->facts->user);
}

static struct tds_value call_host(struct tds_scope *scope, const struct tds_node *call)
{
	(void)call;
	return tds_text(TDS_NVARCHAR, scope->facts->host);
}

static struct tds_value call_application(struct tds_scope *scope, const struct tds_node *call)
{
	(void)call;
	return tds_text(TDS_NVARCHAR, scope->facts->application);
}

static struct tds_value call_now(struct tds_scope *scope, const struct tds_node *call)
{
	(void)call;
	return tds_number(TDS_DATETIME2, tds_ticks(scope->facts->now_ns));
}

static struct tds_value call_yes(struct tds_scope *scope, const struct tds_node *call)
{
	(void)scope;
	(void)call;
	return tds_number(TDS_INT, 1);
}

static struct tds_value call_serverproperty(struct tds_scope *scope, const struct tds_node *call)
{
	static const struct {
		const char *name;
		const char *text; /* NULL: the number */
		int64_t number;
	} known[] = {
		{"Edition", "Developer Edition (64-bit)", 0},
		{"EngineEdition", NULL, 3},
		{"ProductLevel", "RTM", 0},
		{"Collation", "SQL_Latin1_General_CP1_CI_AS", 0},
		{"IsClustered", NULL, 0},
		{"IsHadrEnabled", NULL, 0},
		{"IsIntegratedSecurityOnly", NULL, 0},
	};
	struct str name = text_at(scope, call, 0).text;
	const struct tds_facts *facts = scope->facts;
	if (str_equal_fold(name, STR_LIT("ServerName"))) {
		return tds_text(TDS_NVARCHAR, facts->server);
	}
	if (str_equal_fold(name, STR_LIT("MachineName")) ||
	    str_equal_fold(name, STR_LIT("ComputerNamePhysicalNetBIOS"))) {
		ptrdiff_t instance = str_find_byte(facts->server, '\\', 0);
		return tds_text(
			TDS_NVARCHAR,
			str_slice(facts->server, 0, instance >= 0 ? (size_t)instance : SIZE_MAX));
	}
	if (str_equal_fold(name, STR_LIT("ProductVersion"))) {
		return tds_text(TDS_NVARCHAR, facts->product_version);
	}
	if (str_equal_fold(name, STR_LIT("ProductMajorVersion"))) {
		ptrdiff_t dot = str_find_byte(facts->product_version, '.', 0);
		return tds_text(TDS_NVARCHAR, str_slice(facts->product_version, 0, (size_t)dot));
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_equal_fold(name, str_of(known[i].name))) {
			return known[i].text != NULL ? tds_text(TDS_NVARCHAR, str_of(known[i].text))
						     : tds_number(TDS_INT, known[i].number);
		}
	}
	return tds_null(TDS_NVARCHAR); /* also for InstanceName of a default instance */
}

/* 100 ns ticks of one unit of a date part; 0 for what is not known here. */
static int64_t part_ticks(struct tds_scope *scope, const struct tds_node *part)
{
	static const struct {
		const char *name;
		int64_t ticks;
	} known[] = {
		{"day", 864000000000}, {"dd", 864000000000},  {"hour", 36000000000},
		{"hh", 36000000000},   {"minute", 600000000}, {"mi", 600000000},
		{"second", 10000000},  {"ss", 10000000},      {"millisecond", 10000},
		{"ms", 10000},         {"microsecond", 10},   {"mcs", 10},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_equal_fold(part->name, str_of(known[i].name))) {
			return known[i].ticks;
		}
	}
	tds_scope_fail(scope, 155, 15, "'%.*s' is not a recognized dateadd option.", part->name);
	return 0;
}

static struct tds_value time_of(struct tds_scope *scope, const struct tds_node *node)
{
	return tds_cast(scope, tds_eval(scope, node), (struct tds_type){TDS_DATETIME2, 0}, 0,
			false);
}

static struct tds_value call_dateadd(struct tds_scope *scope, const struct tds_node *call)
{
	int64_t unit = part_ticks(scope, call->child);
	struct tds_value count = number_at(scope, call, 1);
	struct tds_value from = time_of(scope, call->child->next->next);
	int64_t ticks;
	if (unit == 0 || count.null || from.null ||
	    __builtin_mul_overflow(unit, count.number, &ticks) ||
	    __builtin_add_overflow(ticks, from.number, &ticks) || ticks < 0) {
		return tds_null(TDS_DATETIME2);
	}
	return tds_number(TDS_DATETIME2, ticks);
}

static struct tds_value call_datediff(struct tds_scope *scope, const struct tds_node *call)
{
	int64_t unit = part_ticks(scope, call->child);
	struct tds_value from = time_of(scope, call->child->next);
	struct tds_value to = time_of(scope, call->child->next->next);
	if (unit == 0 || from.null || to.null) {
		return tds_null(TDS_INT);
	}
	return tds_number(TDS_INT,
			  to.number / unit - from.number / unit); /* borders that were crossed */
}

static const struct tds_function functions[] = {
	{"LEN", 1, 1, RESULT_FIXED, {TDS_INT, 4}, call_len},
	{"DATALENGTH", 1, 1, RESULT_FIXED, {TDS_INT, 4}, call_datalength},
	{"LEFT", 2, 2, RESULT_TEXT, {TDS_NVARCHAR, 4000}, call_left},
	{"RIGHT", 2, 2, RESULT_TEXT, {TDS_NVARCHAR, 4000}, call_right},
	{"SUBSTRING", 3, 3, RESULT_TEXT, {TDS_NVARCHAR, 4000}, call_substring},
	{"CHARINDEX", 2, 2, RESULT_FIXED, {TDS_INT, 4}, call_charindex},
	{"REVERSE", 1, 1, RESULT_TEXT, {TDS_NVARCHAR, 4000}, call_reverse},
	{"UPPER", 1, 1, RESULT_TEXT, {TDS_NVARCHAR, 4000}, call_upper},
	{"LOWER", 1, 1, RESULT_TEXT, {TDS_NVARCHAR, 4000}, call_lower},
	{"LTRIM", 1, 1, RESULT_TEXT, {TDS_NVARCHAR, 4000}, call_ltrim},
	{"RTRIM", 1, 1, RESULT_TEXT, {TDS_NVARCHAR, 4000}, call_rtrim},
	{"TRIM", 1, 1, RESULT_TEXT, {TDS_NVARCHAR, 4000}, call_trim},
	{"ISNULL", 2, 2, RESULT_FIRST, {TDS_INT, 4}, call_coalesce},
	{"COALESCE", 2, 32, RESULT_BRANCHES, {TDS_INT, 4}, call_coalesce},
	{"NULLIF", 2, 2, RESULT_FIRST, {TDS_INT, 4}, call_nullif},
	{"CONCAT", 2, 32, RESULT_FIXED, {TDS_NVARCHAR, 4000}, call_concat},
	{"DB_NAME", 0, 0, RESULT_FIXED, {TDS_NVARCHAR, 128}, call_database},
	{"SUSER_SNAME", 0, 0, RESULT_FIXED, {TDS_NVARCHAR, 128}, call_login},
	{"SUSER_NAME", 0, 0, RESULT_FIXED, {TDS_NVARCHAR, 128}, call_login},
	{"ORIGINAL_LOGIN", 0, 0, RESULT_FIXED, {TDS_NVARCHAR, 128}, call_login},
	{"HOST_NAME", 0, 0, RESULT_FIXED, {TDS_NVARCHAR, 128}, call_host},
	{"APP_NAME", 0, 0, RESULT_FIXED, {TDS_NVARCHAR, 128}, call_application},
	{"SYSUTCDATETIME", 0, 0, RESULT_FIXED, {TDS_DATETIME2, 0}, call_now},
	{"SYSDATETIME", 0, 0, RESULT_FIXED, {TDS_DATETIME2, 0}, call_now},
	{"GETUTCDATE", 0, 0, RESULT_FIXED, {TDS_DATETIME2, 0}, call_now},
	{"GETDATE", 0, 0, RESULT_FIXED, {TDS_DATETIME2, 0}, call_now},
	{"SERVERPROPERTY", 1, 1, RESULT_FIXED, {TDS_VARIANT, 0}, call_serverproperty},
	{"HAS_PERMS_BY_NAME", 3, 5, RESULT_FIXED, {TDS_INT, 4}, call_yes},
	{"DATEADD", 3, 3, RESULT_FIXED, {TDS_DATETIME2, 0}, call_dateadd},
	{"DATEDIFF", 3, 3, RESULT_FIXED, {TDS_INT, 4}, call_datediff},
	{"DATEDIFF_BIG", 3, 3, RESULT_FIXED, {TDS_INT, 8}, call_datediff},
};

const struct tds_function *tds_function_find(struct str name)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (str_equal_fold(name, str_of(functions[i].name))) {
			return &functions[i];
		}
	}
	return NULL;
}

size_t tds_function_index(const struct tds_function *function)
{
	return (size_t)(function - functions);
}

bool tds_function_takes(const struct tds_function *function, size_t argument_count)
{
	return argument_count >= function->least && argument_count <= function->most;
}

struct tds_type tds_function_type(size_t index, const struct tds_node *call)
{
	const struct tds_function *function = &functions[index];
	if (function->result == RESULT_FIXED) {
		return function->type;
	}
	const struct tds_node *at = call->child;
	bool null = at->kind == TDS_NODE_VALUE && at->value.null;
	if (function->result == RESULT_FIRST) {
		return null ? at->next->type : at->type;
	}
	if (function->result == RESULT_TEXT) {
		bool text = at->type.kind == TDS_VARCHAR || at->type.kind == TDS_NVARCHAR;
		return text ? at->type : function->type;
	}
	return tds_type_of_branches(at);
}

struct tds_value tds_function_call(struct tds_scope *scope, const struct tds_node *call)
{
	struct tds_value value = functions[call->index].call(scope, call);
	if (value.kind == TDS_NVARCHAR && call->type.kind == TDS_VARCHAR) {
		value.kind = TDS_VARCHAR;
	}
	return value;
}
