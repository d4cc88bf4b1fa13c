#include "query/rule-list.h"

#include "base/json.h"
#include "base/utf8.h"
#include "model/alert.h"
#include "query/layout.h"

enum { LEVEL, STATE, TITLE, SOURCE, TAGS, ID, FILE_NAME, COLUMN_COUNT };

static const struct layout_column template[COLUMN_COUNT] = {
	[LEVEL] = {"LEVEL", 0, 8, 13, false, 0, 0},
	[STATE] = {"STATE", 5, 5, 5, false, 0, 0},
	[TITLE] = {"TITLE", 0, 24, 64, false, 0, 0},
	[SOURCE] = {"LOG SOURCE", 3, 16, 0, false, 0, 0},
	[TAGS] = {"ATT&CK", 2, 6, 0, false, 0, 0},
	[ID] = {"ID", 1, 36, 36, false, 0, 0},
	[FILE_NAME] = {"FILE", 4, 20, 0, false, 0, 0},
};

struct str rule_list_file(const struct pack *pack, const char *file)
{
	size_t common = strlen(file);
	for (size_t i = 0; i < pack_rule_count(pack) + pack_problem_count(pack); i++) {
		const char *other = i < pack_rule_count(pack)
					    ? pack_rule(pack, i)->file
					    : pack_problem(pack, i - pack_rule_count(pack))->file;
		size_t same = 0;
		while (same < common && other[same] == file[same]) {
			same++;
		}
		common = same;
	}
	while (common > 0 && file[common - 1] != '/') {
		common--;
	}
	return str_of(file + common);
}

static void put_source(const struct rule *rule, struct buf *out)
{
	const struct str parts[] = {rule->category, rule->product, rule->service};
	bool first = true;
	for (size_t i = 0; i < 3; i++) {
		if (parts[i].len != 0) {
			buf_put_text(out, first ? "" : "/");
			utf8_put_printable(out, parts[i]);
			first = false;
		}
	}
}

/* The techniques of a rule: "T1485 T1490". */
static void put_techniques(const struct rule *rule, struct buf *out)
{
	for (size_t i = 0; i < rule->tag_count; i++) {
		struct str tag = rule->tags[i];
		if (str_has_prefix(tag, STR_LIT("attack.t")) && tag.len > 8 && tag.ptr[8] >= '0' &&
		    tag.ptr[8] <= '9') {
			buf_put_text(out, out->len != 0 ? " " : "");
			buf_put_byte(out, 'T');
			utf8_put_printable(out, str_slice(tag, 8, tag.len));
		}
	}
}

static void put_cell(const struct pack *pack, const struct rule *rule, unsigned column,
		     struct buf *out)
{
	switch (column) {
	case LEVEL:
		buf_put_text(out, alert_severity_word(rule->severity));
		return;
	case STATE:
		buf_put_text(out, rule->idle ? "idle" : "ok");
		return;
	case TITLE:
		utf8_put_printable(out, rule->title);
		return;
	case SOURCE:
		put_source(rule, out);
		return;
	case TAGS:
		put_techniques(rule, out);
		return;
	case ID:
		utf8_put_printable(out, rule->id);
		return;
	case FILE_NAME:
		utf8_put_printable(out, rule_list_file(pack, rule->file));
		return;
	}
}

static void put_line(struct output *out, const struct pack *pack,
		     const struct layout_column *columns, const struct rule *rule)
{
	struct buf cell;
	unsigned last = 0;
	bool first = true;
	buf_init(&cell, 0);
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		last = columns[i].width != 0 ? i : last;
	}
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].width == 0) {
			continue;
		}
		buf_clear(&cell);
		if (rule != NULL) {
			put_cell(pack, rule, i, &cell);
		} else {
			buf_put_text(&cell, columns[i].title);
		}
		buf_put_text(&out->text, first ? "" : "  ");
		first = false;
		layout_put_cell(&out->text, &columns[i], buf_str(&cell), i == last, out->width > 0);
	}
	buf_put_byte(&out->text, '\n');
	buf_done(&cell);
}

static void put_table(struct output *out, const struct pack *pack)
{
	struct layout_column columns[COLUMN_COUNT];
	struct buf cell;
	memcpy(columns, template, sizeof(template));
	layout_begin(columns, COLUMN_COUNT);
	buf_init(&cell, 0);
	for (size_t i = 0; i < pack_rule_count(pack); i++) {
		for (unsigned c = 0; c < COLUMN_COUNT; c++) {
			buf_clear(&cell);
			put_cell(pack, pack_rule(pack, i), c, &cell);
			layout_see(&columns[c], utf8_width(buf_str(&cell)));
		}
	}
	buf_done(&cell);
	layout_decide(columns, COLUMN_COUNT, out->width);
	output_style(out, STYLE_TITLE);
	put_line(out, pack, columns, NULL);
	output_style(out, STYLE_NONE);
	for (size_t i = 0; i < pack_rule_count(pack); i++) {
		put_line(out, pack, columns, pack_rule(pack, i));
		output_row_done(out);
	}
}

static void put_text_member(struct buf *out, bool *first, const char *key, struct str text)
{
	if (text.len != 0) {
		json_put_key(out, first, key);
		json_put_string(out, text);
	}
}

static void put_texts(struct buf *out, bool *first, const char *key, const struct str *texts,
		      size_t count)
{
	json_put_key(out, first, key);
	buf_put_byte(out, '[');
	for (size_t i = 0; i < count; i++) {
		buf_put_text(out, i == 0 ? "" : ",");
		json_put_string(out, texts[i]);
	}
	buf_put_byte(out, ']');
}

static void put_json(struct buf *out, const struct rule *rule)
{
	bool first = true;
	buf_put_byte(out, '{');
	put_text_member(out, &first, "id", rule->id);
	put_text_member(out, &first, "title", rule->title);
	put_text_member(out, &first, "level", str_of(alert_severity_word(rule->severity)));
	put_text_member(out, &first, "state", str_of(rule->idle ? "idle" : "ok"));
	put_text_member(out, &first, "idle_reason", rule->idle_reason);
	put_text_member(out, &first, "status", rule->status);
	put_text_member(out, &first, "description", rule->description);
	put_text_member(out, &first, "category", rule->category);
	put_text_member(out, &first, "product", rule->product);
	put_text_member(out, &first, "service", rule->service);
	put_texts(out, &first, "tags", rule->tags, rule->tag_count);
	put_texts(out, &first, "falsepositives", rule->falsepositives, rule->falsepositive_count);
	put_text_member(out, &first, "explanation", rule->explanation);
	put_text_member(out, &first, "next_steps", rule->next_steps);
	json_put_key(out, &first, "examples");
	buf_put_u64(out, rule->example_count);
	put_text_member(out, &first, "file", str_of(rule->file));
	json_put_key(out, &first, "line");
	buf_put_i64(out, rule->line);
	buf_put_byte(out, '}');
}

static void put_all_json(struct output *out, const struct pack *pack, bool lines)
{
	buf_put_text(&out->text, lines ? "" : "[\n");
	for (size_t i = 0; i < pack_rule_count(pack); i++) {
		buf_put_text(&out->text, i != 0 && !lines ? ",\n" : "");
		put_json(&out->text, pack_rule(pack, i));
		buf_put_text(&out->text, lines ? "\n" : "");
		output_row_done(out);
	}
	buf_put_text(&out->text, lines ? "" : "\n]\n");
}

/* A cell in quotes; one that a spreadsheet would take for a formula gets an apostrophe in front. */
static void put_csv_cell(struct buf *out, struct str text, bool first)
{
	buf_put_text(out, first ? "\"" : ",\"");
	if (text.len != 0 && memchr("=+-@\t\r\n", text.ptr[0], 7) != NULL) {
		buf_put_byte(out, '\'');
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"') {
			buf_put_byte(out, '"');
		}
		buf_put_byte(out, (uint8_t)text.ptr[i]);
	}
	buf_put_byte(out, '"');
}

static void put_csv(struct output *out, const struct pack *pack)
{
	struct buf cell;
	buf_init(&cell, 0);
	buf_put_text(&out->text, "level,state,title,log_source,techniques,id,file\r\n");
	for (size_t i = 0; i < pack_rule_count(pack); i++) {
		for (unsigned c = 0; c < COLUMN_COUNT; c++) {
			buf_clear(&cell);
			put_cell(pack, pack_rule(pack, i), c, &cell);
			put_csv_cell(&out->text, buf_str(&cell), c == 0);
		}
		buf_put_text(&out->text, "\r\n");
		output_row_done(out);
	}
	buf_done(&cell);
}

int rule_list_put(struct output *out, const struct pack *pack, const char *format,
		  struct error *err)
{
	if (format == NULL || strcmp(format, "table") == 0) {
		put_table(out, pack);
	} else if (strcmp(format, "json") == 0 || strcmp(format, "jsonl") == 0) {
		put_all_json(out, pack, format[4] != '\0');
	} else if (strcmp(format, "csv") == 0) {
		put_csv(out, pack);
	} else {
		return error_set(err, ERR_USAGE,
				 "\"querytrail rules list\" has the formats table, json, jsonl "
				 "and csv");
	}
	return 0;
}
