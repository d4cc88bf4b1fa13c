#include "model/accesslog/format.h"

#define SIGN_IN ":CognitoSignIn:"

struct kind {
	const char *prefix; /* of the variable's name */
	const char *kind;
};

/* The first prefix that fits counts. */
static const struct kind kinds[] = {
	{"authorizer.claims.cognito:", "cognito"},
	{"authorizer.claims.", "jwt"},
	{"authorizer.", "authorizer"},
	{"identity.cognito", "cognito"},
	{"identity.clientCert.", "certificate"},
	{"identity.apiKey", "api_key"},
	{"identity.", "iam"},
};

/* The built-in order: what names a person before what names a program, what an issuer signed before what a function said. */
static const char *const default_order[] = {
	"authorizer.claims.email",
	"authorizer.claims.preferred_username",
	"authorizer.claims.username",
	"authorizer.claims.cognito:username",
	"authorizer.claims.upn",
	"authorizer.claims.sub",
	"authorizer.email",
	"authorizer.username",
	"authorizer.user",
	"authorizer.userId",
	"authorizer.sub",
	"authorizer.principalId",
	"identity.cognitoAuthenticationProvider",
	"identity.cognitoIdentityId",
	"identity.userArn",
	"identity.user",
	"user", /* a key of lines without a template */
	"identity.caller",
	"authorizer.claims.client_id",
	"identity.clientCert.subjectDN",
	"identity.apiKeyId",
};

_Static_assert(sizeof(default_order) / sizeof(default_order[0]) <= FORMAT_USERS_MAX,
	       "the built-in order fits a format");

const char *user_kind_of(struct str name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_has_prefix(name, str_of(kinds[i].prefix))) {
			return kinds[i].kind;
		}
	}
	return "authorizer";
}

void user_choices_default(struct accesslog_format *format)
{
	format->user_count = sizeof(default_order) / sizeof(default_order[0]);
	for (size_t i = 0; i < format->user_count; i++) {
		struct str name = str_of(default_order[i]);

		format->user[i] = (struct user_choice){.name = name, .kind = user_kind_of(name)};
	}
}

static int find_value(const struct reading *reading, const struct user_choice *choice)
{
	if (reading->by_slot) {
		return choice->slot;
	}
	for (size_t i = 0; i < reading->count; i++) {
		if (str_equal(reading->value[i].name, choice->name)) {
			return (int)i;
		}
	}
	return -1;
}

/* The part of a value that names the user: behind ":CognitoSignIn:" stands the pool's own id of the user. */
static struct str user_part(struct str text)
{
	ptrdiff_t at = str_find(text, STR_LIT(SIGN_IN), 0);

	return at < 0 ? text : str_slice(text, (size_t)at + strlen(SIGN_IN), text.len);
}

int user_choose(const struct accesslog_format *format, const struct reading *reading,
		struct record *record)
{
	for (size_t i = 0; i < format->user_count; i++) {
		const struct user_choice *choice = &format->user[i];
		int index = find_value(reading, choice);
		struct str text;

		if (index < 0) {
			continue;
		}
		if (!reading->value[index].sure) {
			return -1; /* on doubt nobody is named, not the next one either */
		}
		text = reading->value[index].text;
		if (value_is_unset(text) || user_part(text).len == 0) {
			continue;
		}
		record_set_text(record, FIELD_user, user_part(text));
		record_set_text(record, FIELD_user_kind, str_of(choice->kind));
		return user_part(text).len == text.len ? index : -1;
	}
	record_set_text(record, FIELD_user_kind, STR_LIT("none"));
	return -1;
}
