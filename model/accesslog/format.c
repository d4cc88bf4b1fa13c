#include "model/accesslog/format.h"

#include "base/buf.h"
#include "base/json.h"
#include "model/accesslog/wellknown.h"

#include <assert.h>
#include <stdlib.h>

#define PREFIX "$context."

/* What AWS's console offers beside JSON, for lines that come without a template. */
static const char *const builtin_templates[] = {
	"$context.identity.sourceIp $context.identity.caller $context.identity.user "
	"[$context.requestTime]\"$context.httpMethod $context.resourcePath $context.protocol\" "
	"$context.status $context.responseLength $context.requestId $context.extendedRequestId",
	"$context.identity.sourceIp $context.identity.caller $context.identity.user "
	"[$context.requestTime] \"$context.httpMethod $context.resourcePath $context.protocol\" "
	"$context.status $context.responseLength $context.requestId $context.extendedRequestId",
	"$context.identity.sourceIp,$context.identity.caller,$context.identity.user,"
	"$context.requestTime,$context.httpMethod,$context.resourcePath,$context.protocol,"
	"$context.status,$context.responseLength,$context.requestId,$context.extendedRequestId",
};

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The name of the variable that begins at pos: letters, digits and "_"; with more behind it "."; in what an issuer named (claims)
 * also ":" and "-". */
static struct str read_name(struct str text, size_t pos)
{
	bool issued = str_has_prefix(str_slice(text, pos, text.len), STR_LIT("authorizer."));
	size_t end = pos;

	while (end < text.len) {
		char c = text.ptr[end];
		bool more = end + 1 < text.len &&
			    (is_alphanumeric(text.ptr[end + 1]) || text.ptr[end + 1] == '_');

		if (!is_alphanumeric(c) && c != '_' && !(more && c == '.') &&
		    !(more && issued && (c == ':' || c == '-'))) {
			break;
		}
		end++;
	}
	return str_slice(text, pos, end - pos);
}

/* Whether a literal leaves us inside a JSON string, given whether it began inside one. */
static bool toggles_quotes(struct str literal, bool inside)
{
	for (size_t i = 0; i < literal.len; i++) {
		if (literal.ptr[i] == '\\') {
			i++;
		} else if (literal.ptr[i] == '"') {
			inside = !inside;
		}
	}
	return inside;
}

static int add_slot(struct accesslog_format *format, struct str before, struct str name,
		    size_t offset, struct error *err)
{
	struct slot *slot = &format->slot[format->slot_count];
	bool inside = false;

	if (name.len == 0) {
		return error_set(err, ERR_CONFIG,
				 "the access log format names no variable at offset %zu", offset);
	}
	if (format->slot_count == FORMAT_SLOTS_MAX) {
		return error_set(err, ERR_CONFIG,
				 "the access log format has more than %d variables, at offset %zu",
				 FORMAT_SLOTS_MAX, offset);
	}
	if (format->slot_count > 0 && before.len == 0) {
		return error_set(
			err, ERR_CONFIG,
			"the access log format has nothing between two variables at offset "
			"%zu, so their values can't be told apart",
			offset);
	}
	*slot = (struct slot){.name = name, .variable = variable_find(name), .before = before};
	for (size_t i = 0; i < format->slot_count; i++) {
		inside = toggles_quotes(format->slot[i].before, inside);
		if (str_equal(format->slot[i].name, name) && slot->repeats == 0) {
			slot->repeats = (unsigned)i + 1;
		}
	}
	slot->quoted = format->json && toggles_quotes(before, inside);
	format->slot_count++;
	return 0;
}

static int read_template(struct accesslog_format *format, struct str text, struct error *err)
{
	size_t literal = 0;
	ptrdiff_t at;

	while ((at = str_find(text, STR_LIT(PREFIX), literal)) >= 0) {
		size_t offset = (size_t)at + strlen(PREFIX);
		struct str name = read_name(text, offset);
		struct str before = str_slice(text, literal, (size_t)at - literal);
		int code = add_slot(format, before, name, (size_t)at, err);

		if (code != 0) {
			return code;
		}
		literal = offset + name.len;
	}
	format->last = str_slice(text, literal, text.len);
	return 0;
}

static int check_template(struct str text, struct error *err)
{
	if (text.len > FORMAT_TEXT_MAX) {
		return error_set(
			err, ERR_CONFIG,
			"the access log format has %zu bytes, more than %d, from offset %d on",
			text.len, FORMAT_TEXT_MAX, FORMAT_TEXT_MAX);
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n' || text.ptr[i] == '\r' || text.ptr[i] == '\0') {
			return error_set(
				err, ERR_CONFIG,
				"the access log format is not one line: it breaks at offset %zu",
				i);
		}
	}
	return 0;
}

static bool names_request(const struct accesslog_format *format)
{
	for (size_t i = 0; i < format->slot_count; i++) {
		if (str_is(format->slot[i].name, "requestId") ||
		    str_is(format->slot[i].name, "extendedRequestId")) {
			return true;
		}
	}
	return false;
}

/* Whether a value stands between the members of a JSON object without quotes of its own. */
static bool is_bare(const struct accesslog_format *format, const struct slot *slot)
{
	return format->json && !slot->quoted;
}

/* Sees whether the end of each value can be told by the first byte of the literal behind it. */
static void set_stops(struct accesslog_format *format)
{
	format->stops_cleanly = true;
	for (size_t i = 0; i < format->slot_count; i++) {
		struct slot *slot = &format->slot[i];
		struct str next = i + 1 < format->slot_count ? slot[1].before : format->last;
		enum shape shape = slot->variable->shape;

		slot->stops_cleanly =
			next.len == 0 ? shape != SHAPE_FREE
				      : next.ptr[0] == '"' || is_bare(format, slot) ||
						!shape_has_byte(shape, (uint8_t)next.ptr[0]);
		format->stops_cleanly = format->stops_cleanly && slot->stops_cleanly;
	}
}

/* Writes what stands in front of a value in extra: ,"name": */
static int set_extra_keys(struct accesslog_format *format, struct buf *keys)
{
	size_t starts[FORMAT_SLOTS_MAX + 1];

	for (size_t i = 0; i < format->slot_count; i++) {
		starts[i] = keys->len;
		buf_put_byte(keys, ',');
		json_put_string(keys, format->slot[i].name);
		buf_put_byte(keys, ':');
	}
	starts[format->slot_count] = keys->len;
	if (keys->failed) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < format->slot_count; i++) {
		format->slot[i].extra_key =
			str_slice(buf_str(keys), starts[i], starts[i + 1] - starts[i]);
	}
	return 0;
}

static int compile(struct accesslog_format *format, struct str template, struct error *err)
{
	struct str text = str_trim(template);
	int code = check_template(text, err);

	if (code != 0) {
		return code;
	}
	buf_init(&format->text, 0);
	buf_init(&format->extra_keys, 0);
	buf_put_str(&format->text, text);
	format->json = text.ptr[0] == '{';
	code = read_template(format, buf_str(&format->text), err);
	if (code != 0) {
		return code;
	}
	if (!names_request(format)) {
		return error_set(err, ERR_CONFIG,
				 "the access log format names neither $context.requestId nor "
				 "$context.extendedRequestId (read up to offset %zu)",
				 text.len);
	}
	set_stops(format);
	if (format->text.failed || set_extra_keys(format, &format->extra_keys) != 0) {
		return error_set(err, ERR_NOMEM, "no memory for an access log format");
	}
	return 0;
}

static int add_users(struct accesslog_format *format, const struct accesslog_options *options,
		     struct error *err)
{
	if (options->user_field_count > FORMAT_USERS_MAX) {
		return error_set(err, ERR_CONFIG, "more than %d variables are to name the user",
				 FORMAT_USERS_MAX);
	}
	for (size_t i = 0; i < options->user_field_count; i++) {
		struct str name = str_of(options->user_fields[i]);

		if (str_has_prefix(name, STR_LIT(PREFIX))) {
			name = str_slice(name, strlen(PREFIX), name.len);
		}
		buf_put_str(&format->user_names, name);
		buf_put_byte(&format->user_names, 0);
	}
	if (format->user_names.failed) {
		return error_set(err, ERR_NOMEM, "no memory for an access log format");
	}
	for (size_t i = 0, pos = 0; i < options->user_field_count; i++) {
		struct str name = str_of(format->user_names.ptr + pos);

		format->user[i] = (struct user_choice){.name = name, .kind = user_kind_of(name)};
		pos += name.len + 1;
	}
	format->user_count = options->user_field_count;
	return 0;
}

/* Where in the template each choice stands. */
static void place_users(struct accesslog_format *format)
{
	for (size_t i = 0; i < format->user_count; i++) {
		format->user[i].slot = -1;
		for (size_t k = 0; k < format->slot_count && format->user[i].slot < 0; k++) {
			if (str_equal(format->slot[k].name, format->user[i].name)) {
				format->user[i].slot = (int)k;
			}
		}
	}
}

static int fill(struct accesslog_format *format, const struct accesslog_options *options,
		struct error *err)
{
	int code = 0;

	buf_init(&format->user_names, 0);
	if (options->user_field_count > 0) {
		code = add_users(format, options, err);
	} else {
		user_choices_default(format);
	}
	format->wellknown = str_trim(options->format).len == 0;
	if (code == 0 && !format->wellknown) {
		code = compile(format, options->format, err);
	}
	for (size_t i = 0; code == 0 && format->wellknown && i < FORMAT_BUILTIN_COUNT; i++) {
		struct accesslog_options builtin = *options;

		builtin.format = str_of(builtin_templates[i]);
		code = accesslog_format_new(&builtin, &format->builtin[i], err);
	}
	place_users(format);
	return code;
}

int accesslog_format_new(const struct accesslog_options *options,
			 struct accesslog_format **out_format, struct error *err)
{
	struct accesslog_format *format = calloc(1, sizeof(*format));
	int code;

	_Static_assert(sizeof(builtin_templates) / sizeof(builtin_templates[0]) ==
			       FORMAT_BUILTIN_COUNT,
		       "one format for each template");
	if (format == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for an access log format");
	}
	format->memo = calloc(1, sizeof(*format->memo));
	code = format->memo != NULL
		       ? fill(format, options, err)
		       : error_set(err, ERR_NOMEM, "no memory for an access log format");
	if (code != 0) {
		accesslog_format_free(format);
		return code;
	}
	*out_format = format;
	return 0;
}

void accesslog_format_free(struct accesslog_format *format)
{
	if (format == NULL) {
		return;
	}
	for (size_t i = 0; i < FORMAT_BUILTIN_COUNT; i++) {
		accesslog_format_free(format->builtin[i]);
	}
	buf_done(&format->text);
	buf_done(&format->extra_keys);
	buf_done(&format->user_names);
	free(format->memo);
	free(format);
}
