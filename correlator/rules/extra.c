#include "correlator/rules/extra.h"

#include "base/json.h"
#include "model/jsontext.h"

#define KEYS_MAX 5

static const char *const keys[][KEYS_MAX] = {
	[EXTRA_QUERY] = {"querystring", "rawquerystring", "query", "uriquery"},
	[EXTRA_REFERER] = {"referer", "referrer", "headersreferer", "httpreferer"},
	[EXTRA_COOKIE] = {"cookie", "headerscookie"},
	[EXTRA_HOST] = {"host", "headershost", "domainname"},
	[EXTRA_PROTOCOL] = {"protocol"},
	[EXTRA_CONTENT_TYPE] = {"contenttype", "headerscontenttype"},
	[EXTRA_REQUEST_BYTES] = {"requestlength", "requestbytes", "contentlength"},
	[EXTRA_USER_ARN] = {"identityuserarn", "userarn"},
	[EXTRA_PRINCIPAL] = {"authorizerprincipalid", "principalid", "identitycaller", "caller"},
	[EXTRA_CALLER_ACCOUNT] = {"identityaccountid"},
	[EXTRA_ACCOUNT] = {"accountid"},
	[EXTRA_ERROR_TYPE] = {"errorresponsetype"},
	[EXTRA_TARGET_LOGIN] = {"targetserverprincipalname"},
	[EXTRA_TARGET_USER] = {"targetdatabaseprincipalname"},
	[EXTRA_COLUMN_PERMISSION] = {"iscolumnpermission"},
	[EXTRA_PERMISSION] = {"permissionbitmask"},
	[EXTRA_SENSITIVITY] = {"datasensitivityinformation"},
};

/* Whether the letters and digits of key, small, are those of wanted. */
static bool spells(struct str key, const char *wanted)
{
	for (size_t i = 0; i < key.len; i++) {
		char c = key.ptr[i];

		if (c >= 'A' && c <= 'Z') {
			c = (char)(c + ('a' - 'A'));
		}
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
			if (c != *wanted++) {
				return false;
			}
		}
	}
	return *wanted == '\0';
}

static bool means(struct str key, enum name_extra what)
{
	static const struct str prefixes[] = {
		{"requestContext.", 15}, {"context.", 8}, {"$context.", 9}};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (str_has_prefix(key, prefixes[i])) {
			key = str_slice(key, prefixes[i].len, key.len);
			break;
		}
	}
	for (size_t i = 0; i < KEYS_MAX && keys[what][i] != NULL; i++) {
		if (spells(key, keys[what][i])) {
			return true;
		}
	}
	return false;
}

bool extra_find(struct str json, enum name_extra what, struct arena *arena, struct str *out_text)
{
	struct json_scanner scanner = json_scanner(json);
	bool wanted = false;

	for (;;) {
		enum json_event event = json_next(&scanner);

		switch (event) {
		case JSON_END:
		case JSON_ERROR:
			return false;
		case JSON_KEY:
			wanted = scanner.depth == 1 && means(scanner.text, what);
			break;
		case JSON_STRING:
			if (wanted) {
				return jsontext_get(scanner.text, scanner.has_escapes, arena,
						    out_text);
			}
			break;
		case JSON_NUMBER:
		case JSON_TRUE:
		case JSON_FALSE:
			if (wanted) {
				*out_text = scanner.text;
				return true;
			}
			break;
		case JSON_NULL:
		case JSON_OBJECT_BEGIN:
		case JSON_OBJECT_END:
		case JSON_ARRAY_BEGIN:
		case JSON_ARRAY_END:
			wanted = false;
			break;
		}
	}
}
