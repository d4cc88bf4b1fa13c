#include "model/accesslog/format.h"

static const struct variable table[] = {
#define VARIABLE(name_, role_, field_, shape_)             \
	{.name = {.ptr = name_, .len = sizeof(name_) - 1}, \
	 .role = ROLE_##role_,                             \
	 .field = field_,                                  \
	 .shape = SHAPE_##shape_},
#include "model/accesslog/variables.def"
#undef VARIABLE
};

const struct variable *variable_find(struct str name)
{
	static const struct variable unknown = {.role = ROLE_EXTRA, .shape = SHAPE_FREE};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (str_equal(table[i].name, name)) {
			return &table[i];
		}
	}
	return &unknown;
}

static bool is_alphanumeric(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z');
}

static bool is_printable(uint8_t byte)
{
	return byte > ' ' && byte < 0x7f && byte != '"' && byte != '\'' && byte != '\\';
}

bool shape_has_byte(enum shape shape, uint8_t byte)
{
	switch (shape) {
	case SHAPE_FREE:
		return true;
	case SHAPE_WORD:
		return is_printable(byte) && byte != ',';
	case SHAPE_ARN:
		return is_printable(byte);
	case SHAPE_ID:
		return is_alphanumeric(byte) || (byte != 0 && strchr("+/=_-:.", byte) != NULL);
	case SHAPE_NUMBER:
		return is_alphanumeric(byte) || byte == '-' || byte == '.';
	case SHAPE_TEMPLATE:
		return is_printable(byte) || byte == ' ';
	}
	return false;
}

size_t shape_limit(enum shape shape)
{
	switch (shape) {
	case SHAPE_ID:
		return 128;
	case SHAPE_NUMBER:
		return 24;
	case SHAPE_WORD:
	case SHAPE_ARN:
	case SHAPE_TEMPLATE:
		return 2048;
	case SHAPE_FREE:
		break;
	}
	return ACCESSLOG_LINE_MAX;
}

bool shape_fits(enum shape shape, struct str value)
{
	if (shape == SHAPE_FREE || value_is_unset(value)) {
		return true;
	}
	if (value.len > shape_limit(shape)) {
		return false;
	}
	for (size_t i = 0; i < value.len; i++) {
		if (!shape_has_byte(shape, (uint8_t)value.ptr[i])) {
			return false;
		}
	}
	return true;
}

bool value_is_unset(struct str value)
{
	return value.len == 0 || (value.len == 1 && value.ptr[0] == '-') ||
	       (value.len == 6 && memcmp(value.ptr, "(none)", 6) == 0);
}
