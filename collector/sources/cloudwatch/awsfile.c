#include "collector/sources/cloudwatch/awsfile.h"

/* Whether line is the header of a section, and then whether of the one that is wanted. */
static bool is_header(struct str line, const char *profile, bool prefixed, bool *out_wanted)
{
	if (line.len < 2 || line.ptr[0] != '[') {
		return false;
	}
	ptrdiff_t end = str_find_byte(line, ']', 0);
	struct str name = str_trim(str_slice(line, 1, end > 0 ? (size_t)end - 1 : line.len));
	if (prefixed && !str_is(name, "default")) {
		struct str word = STR_LIT("profile");
		if (!str_has_prefix(name, word) || name.len <= word.len ||
		    (name.ptr[word.len] != ' ' && name.ptr[word.len] != '\t')) {
			*out_wanted = false;
			return true;
		}
		name = str_trim(str_slice(name, word.len, name.len));
	}
	*out_wanted = str_is(name, profile);
	return true;
}

static struct str without_comment(struct str value)
{
	for (size_t i = 1; i < value.len; i++) {
		bool mark = value.ptr[i] == '#' || value.ptr[i] == ';';
		if (mark && (value.ptr[i - 1] == ' ' || value.ptr[i - 1] == '\t')) {
			return str_trim(str_slice(value, 0, i));
		}
	}
	return value;
}

bool awsfile_get(struct str text, const char *profile, bool prefixed, const char *key,
		 struct str *out_value)
{
	struct str rest = text;
	bool inside = false;
	bool found = false;

	while (rest.ptr != NULL) {
		struct str line = str_split(&rest, '\n');
		bool indented = line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
		bool wanted = false;
		line = str_trim(line);
		if (indented || line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';') {
			continue;
		}
		if (is_header(line, profile, prefixed, &wanted)) {
			inside = wanted;
			continue;
		}
		struct str value = line;
		struct str name = str_trim(str_split(&value, '='));
		if (inside && value.ptr != NULL && str_equal_fold(name, str_of(key))) {
			*out_value = without_comment(str_trim(value));
			found = true;
		}
	}
	return found;
}

bool awsfile_has(struct str text, const char *profile, bool prefixed)
{
	struct str rest = text;

	while (rest.ptr != NULL) {
		bool wanted = false;
		struct str line = str_trim(str_split(&rest, '\n'));
		if (is_header(line, profile, prefixed, &wanted) && wanted) {
			return true;
		}
	}
	return false;
}
