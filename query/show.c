#include "query/show.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "query/fmt.h"
#include "query/when.h"

#define NAME_COLUMNS 24

/* The part of text that stands on one line of width columns; it ends behind a space where there is one in its second half. */
static struct str line_part(struct str text, size_t width)
{
	if (width == SIZE_MAX || utf8_width(text) <= width) {
		return text;
	}
	struct str part = utf8_fit(text, width);
	for (size_t i = part.len; i > part.len / 2; i--) {
		if (part.ptr[i - 1] == ' ') {
			return str_slice(part, 0, i);
		}
	}
	return part.len > 0 ? part : text; /* not even one character fits */
}

void show_put_wrapped(struct output *out, const char *indent, struct str text)
{
	size_t width = out->width > strlen(indent) + 20 ? out->width - strlen(indent) : SIZE_MAX;
	struct buf safe;
	struct str rest = text;
	buf_init(&safe, 0);
	do {
		struct str line = str_split(&rest, '\n');
		buf_clear(&safe);
		utf8_put_printable(&safe, line);
		struct str left = buf_str(&safe);
		do {
			struct str part = line_part(left, width);
			buf_put_text(&out->text, indent);
			buf_put_str(&out->text, part);
			buf_put_byte(&out->text, '\n');
			left = str_slice(left, part.len, left.len);
		} while (left.len > 0);
	} while (rest.ptr != NULL);
	buf_done(&safe);
}

static void put_name(struct output *out, const char *name)
{
	size_t len = strlen(name);
	buf_put_text(&out->text, "    ");
	output_style(out, STYLE_DIM);
	buf_put_text(&out->text, name);
	output_style(out, STYLE_NONE);
	buf_put_fill(&out->text, ' ', len < NAME_COLUMNS ? NAME_COLUMNS - len : 1);
}

/* A value, wrapped behind its name. */
static void put_value(struct output *out, struct str value)
{
	size_t width = out->width > NAME_COLUMNS + 24 ? out->width - NAME_COLUMNS - 4 : SIZE_MAX;
	bool first = true;
	do {
		struct str part = line_part(value, width);
		buf_put_fill(&out->text, ' ', first ? 0 : NAME_COLUMNS + 4);
		buf_put_str(&out->text, part.len < value.len ? str_trim(part) : part);
		buf_put_byte(&out->text, '\n');
		value = str_slice(value, part.len, value.len);
		first = false;
	} while (value.len > 0);
}

static void put_field(struct output *out, const struct record *record, unsigned field)
{
	struct buf value;
	const struct field_info *info = field_info(field);
	buf_init(&value, 0);
	switch (info->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		fmt_put_one_line(&value, record_text(record, field));
		break;
	case FIELD_TYPE_INT:
		buf_put_i64(&value, record_number(record, field, 0));
		if (info->unit[0] != '\0' && strcmp(info->unit, info->name) != 0) {
			buf_putf(&value, " %s", info->unit);
		}
		break;
	case FIELD_TYPE_TIME:
		when_put(&value, out->zone, record_number(record, field, 0), 9, true);
		break;
	case FIELD_TYPE_BOOL:
		buf_put_text(&value, record_number(record, field, 0) != 0 ? "true" : "false");
		break;
	}
	put_name(out, info->name);
	put_value(out, buf_str(&value));
	buf_done(&value);
}

/* Whether a field says only what another one says too. */
static bool is_repetition(const struct record *record, unsigned field)
{
	switch (field) {
	case FIELD_schema:
	case FIELD_object:
		return record_has(record, FIELD_table);
	case FIELD_session_principal:
		return str_equal(record_text(record, field), record_text(record, FIELD_principal));
	case FIELD_raw:
	case FIELD_statement:
		return true; /* shown above, or by export --raw */
	default:
		return false;
	}
}

static bool is_among(unsigned field, const unsigned *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fields[i] == field) {
			return true;
		}
	}
	return false;
}

/* Who and what first, the rest in order of number, what has no field of its own last. */
static void put_fields(struct output *out, const struct record *record)
{
	static const unsigned first[] = {FIELD_user,   FIELD_user_kind, FIELD_route,
					 FIELD_method, FIELD_path,      FIELD_status};
	static const unsigned last[] = {FIELD_parse, FIELD_extra};
	const size_t first_count = sizeof(first) / sizeof(first[0]);
	for (size_t i = 0; i < first_count; i++) {
		if (record_has(record, first[i])) {
			put_field(out, record, first[i]);
		}
	}
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		if (field_info(field)->name != NULL && record_has(record, field) &&
		    !is_among(field, first, first_count) && !is_among(field, last, 2) &&
		    !is_repetition(record, field)) {
			put_field(out, record, field);
		}
	}
	if (record_has(record, FIELD_parse) && !str_is(record_text(record, FIELD_parse), "ok")) {
		put_field(out, record, FIELD_parse);
	}
	if (record_has(record, FIELD_extra)) {
		put_field(out, record, FIELD_extra);
	}
}

static int fetch(struct show *show, uint64_t leaf, struct record *out_record, struct error *err)
{
	int64_t ignored;
	return scan_fetch_record(show->fetch, leaf, out_record, &ignored, err);
}

static void put_verdict(struct output *out, const struct record *record, uint64_t leaf)
{
	static const struct {
		unsigned field;
		const char *before;
	} parts[] = {{FIELD_matched_by, " by "},
		     {FIELD_carrier, " in "},
		     {FIELD_settled, ", "},
		     {FIELD_reason, ": "}};
	struct buf line;
	buf_init(&line, 0);
	buf_put_text(&line, grade_name(grade_of(record_text(record, FIELD_grade))));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct str text = record_text(record, parts[i].field);
		if (text.len > 0) {
			buf_put_text(&line, parts[i].before);
			fmt_put_one_line(&line, text);
		}
	}
	buf_putf(&line, " (leaf %llu)", (unsigned long long)leaf);
	put_value(out, buf_str(&line));
	buf_done(&line);
}

/* "verdict  A by extended_request_id in session_context, final: reason", for each one said. */
static int put_history(struct show *show, uint64_t statement, uint64_t request, struct error *err)
{
	bool any = false;
	for (size_t i = 0; i < show->story->verdict_count; i++) {
		const struct story_verdict *verdict = &show->story->verdicts[i];
		struct record record;
		if (verdict->statement_leaf != statement ||
		    (statement == STORY_NO_LEAF && verdict->request_leaf != request)) {
			continue;
		}
		int result = fetch(show, verdict->leaf, &record, err);
		if (result != 0) {
			return result;
		}
		enum grade grade = grade_of(record_text(&record, FIELD_grade));
		put_name(show->out, any ? "  then" : "verdict");
		output_style(show->out, fmt_grade_style(grade));
		put_verdict(show->out, &record, verdict->leaf);
		output_style(show->out, STYLE_NONE);
		any = true;
	}
	if (!any && statement != STORY_NO_LEAF) {
		put_name(show->out, "verdict");
		buf_put_text(&show->out->text, "pending: not joined yet\n");
	}
	return 0;
}

static void put_heading(struct show *show, const char *what, const struct record *record,
			uint64_t leaf)
{
	struct buf *out = &show->out->text;
	output_style(show->out, STYLE_TITLE);
	buf_putf(out, "%s ", what);
	when_put(out, show->out->zone, record->time_ns, 7, true);
	output_style(show->out, STYLE_NONE);
	buf_put_text(out, "  source ");
	fmt_put_one_line(out, record->source);
	buf_putf(out, ", leaf %llu\n", (unsigned long long)leaf);
}

static int put_statement(struct show *show, uint64_t leaf, struct error *err)
{
	struct record record;
	int result = fetch(show, leaf, &record, err);
	if (result != 0) {
		return result;
	}
	put_heading(show, "  statement", &record, leaf);
	show_put_wrapped(show->out, "    | ", record_text(&record, FIELD_statement));
	result = put_history(show, leaf, STORY_NO_LEAF, err);
	/* The verdicts have taken the record's place in the fetch. */
	result = result == 0 ? fetch(show, leaf, &record, err) : result;
	if (result == 0) {
		put_fields(show->out, &record);
	}
	return result;
}

/* Statements that stand under the request now (standing), or did once. */
static int put_statements(struct show *show, uint64_t request, bool standing, struct error *err)
{
	const struct story_list *list = &show->story->statements;
	bool any = false;
	for (size_t i = 0; i < list->count; i++) {
		const struct story_verdict *last = story_standing(show->story, list->leaf[i]);
		bool under = last != NULL && last->request_leaf == request;
		bool once = false;
		for (size_t v = 0; !standing && !under && v < show->story->verdict_count; v++) {
			const struct story_verdict *verdict = &show->story->verdicts[v];
			once = once || (verdict->statement_leaf == list->leaf[i] &&
					verdict->request_leaf == request);
		}
		if (standing ? !under : !once) {
			continue;
		}
		if (!standing && !any) {
			buf_put_text(&show->out->text,
				     "\n  once taken for this request, no longer:\n");
		}
		buf_put_byte(&show->out->text, '\n');
		any = true;
		int result = put_statement(show, list->leaf[i], err);
		if (result != 0) {
			return result;
		}
	}
	if (standing && !any) {
		buf_put_text(&show->out->text, "\n  no statement is known for this request\n");
	}
	return 0;
}

static int put_request(struct show *show, uint64_t leaf, struct error *err)
{
	struct record record;
	int result = fetch(show, leaf, &record, err);
	if (result != 0) {
		return result;
	}
	put_heading(show, "request", &record, leaf);
	put_fields(show->out, &record);
	result = put_history(show, STORY_NO_LEAF, leaf, err);
	result = result == 0 ? put_statements(show, leaf, true, err) : result;
	return result == 0 ? put_statements(show, leaf, false, err) : result;
}

static bool is_alone(const struct story *story, uint64_t statement)
{
	const struct story_verdict *last = story_standing(story, statement);
	return last == NULL || last->request_leaf == STORY_NO_LEAF;
}

int show_put_text(struct show *show, struct error *err)
{
	const struct story *story = show->story;
	int result = 0;
	const char *separator = "";
	for (size_t i = 0; result == 0 && i < story->requests.count; i++) {
		buf_put_text(&show->out->text, separator);
		separator = "\n";
		result = put_request(show, story->requests.leaf[i], err);
	}
	for (size_t i = 0; result == 0 && i < story->statements.count; i++) {
		if (story->requests.count > 0 || !is_alone(story, story->statements.leaf[i])) {
			continue;
		}
		buf_put_text(&show->out->text, separator);
		separator = "\n";
		buf_put_text(&show->out->text, "no request is known for this statement\n");
		result = put_statement(show, story->statements.leaf[i], err);
	}
	for (size_t i = 0; result == 0 && i < story->others.count; i++) {
		struct record record;
		result = fetch(show, story->others.leaf[i], &record, err);
		if (result == 0) {
			buf_put_text(&show->out->text, separator);
			separator = "\n";
			put_heading(show, record_kind_name(record.kind), &record,
				    story->others.leaf[i]);
			put_fields(show->out, &record);
		}
	}
	return result;
}

/* A record's JSON with its leaf in front and, when has_more, without the closing brace. */
static int put_record(struct show *show, uint64_t leaf, bool has_more, struct error *err)
{
	struct record record;
	struct buf json;
	int result = fetch(show, leaf, &record, err);
	if (result != 0) {
		return result;
	}
	buf_init(&json, 0);
	record_put_json(&record, &json);
	buf_putf(&show->out->text, "{\"leaf\":%llu,", (unsigned long long)leaf);
	buf_put_str(&show->out->text, str_slice(buf_str(&json), 1, json.len - (has_more ? 2 : 1)));
	buf_done(&json);
	return 0;
}

static int put_json_verdicts(struct show *show, uint64_t statement, uint64_t request,
			     struct error *err)
{
	int result = 0;
	bool first = true;
	buf_put_text(&show->out->text, ",\"verdicts\":[");
	for (size_t i = 0; result == 0 && i < show->story->verdict_count; i++) {
		const struct story_verdict *verdict = &show->story->verdicts[i];
		if (verdict->statement_leaf == statement &&
		    (statement != STORY_NO_LEAF || verdict->request_leaf == request)) {
			buf_put_text(&show->out->text, first ? "" : ",");
			first = false;
			result = put_record(show, verdict->leaf, false, err);
		}
	}
	buf_put_text(&show->out->text, "]");
	return result;
}

static int put_json_list(struct show *show, const char *key, const struct story_list *list,
			 struct error *err)
{
	int result = 0;
	bool requests = list == &show->story->requests;
	buf_putf(&show->out->text, "\"%s\":[", key);
	for (size_t i = 0; result == 0 && i < list->count; i++) {
		buf_put_text(&show->out->text, i > 0 ? ",\n" : "\n");
		if (list == &show->story->others) {
			result = put_record(show, list->leaf[i], false, err);
			continue;
		}
		result = put_record(show, list->leaf[i], true, err);
		if (result == 0) {
			result = put_json_verdicts(show, requests ? STORY_NO_LEAF : list->leaf[i],
						   list->leaf[i], err);
		}
		buf_put_byte(&show->out->text, '}');
	}
	buf_put_text(&show->out->text, "]");
	return result;
}

int show_put_json(struct show *show, struct error *err)
{
	buf_put_byte(&show->out->text, '{');
	int result = put_json_list(show, "requests", &show->story->requests, err);
	buf_put_text(&show->out->text, ",\n");
	if (result == 0) {
		result = put_json_list(show, "statements", &show->story->statements, err);
	}
	buf_put_text(&show->out->text, ",\n");
	if (result == 0) {
		result = put_json_list(show, "others", &show->story->others, err);
	}
	buf_put_text(&show->out->text, "}\n");
	return result;
}
