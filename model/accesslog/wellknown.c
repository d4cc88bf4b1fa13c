#include "model/accesslog/wellknown.h"

#include "base/json.h"

#define KEY_MAX 128

struct alias {
	const char *
		key; /* in lower case, without anything but letters and digits, without a leading "context" */
	const char *variable;
};

static const struct alias aliases[] = {
	{"requestid", "requestId"},
	{"extendedrequestid", "extendedRequestId"},
	{"extendedid", "extendedRequestId"},
	{"integrationrequestid", "integration.requestId"},
	{"lambdarequestid", "integration.requestId"},
	{"awsendpointrequestid", "awsEndpointRequestId"},
	{"xraytraceid", "xrayTraceId"},
	{"traceid", "xrayTraceId"},
	{"apiid", "apiId"},
	{"api", "apiId"},
	{"stage", "stage"},
	{"accountid", "accountId"},
	{"domainname", "domainName"},
	{"routekey", "routeKey"},
	{"route", "routeKey"},
	{"resourcepath", "resourcePath"},
	{"resource", "resourcePath"},
	{"httpmethod", "httpMethod"},
	{"method", "httpMethod"},
	{"path", "path"},
	{"protocol", "protocol"},
	{"status", "status"},
	{"statuscode", "status"},
	{"responselatency", "responseLatency"},
	{"latency", "responseLatency"},
	{"responselength", "responseLength"},
	{"integrationstatus", "integration.status"},
	{"integrationintegrationstatus", "integration.integrationStatus"},
	{"integrationlatency", "integration.latency"},
	{"integrationerror", "integration.error"},
	{"integrationerrormessage", "integrationErrorMessage"},
	{"error", "error.message"},
	{"errormessage", "error.message"},
	{"errormessagestring", "error.messageString"},
	{"errorresponsetype", "error.responseType"},
	{"requesttimeepoch", "requestTimeEpoch"},
	{"requesttime", "requestTime"},
	{"time", "requestTime"},
	{"ip", "identity.sourceIp"},
	{"sourceip", "identity.sourceIp"},
	{"identitysourceip", "identity.sourceIp"},
	{"useragent", "identity.userAgent"},
	{"identityuseragent", "identity.userAgent"},
	{"apikeyid", "identity.apiKeyId"},
	{"identityapikeyid", "identity.apiKeyId"},
	{"caller", "identity.caller"},
	{"identitycaller", "identity.caller"},
	{"identityuser", "identity.user"},
	{"userarn", "identity.userArn"},
	{"identityuserarn", "identity.userArn"},
	{"identityaccountid", "identity.accountId"},
	{"cognitoidentityid", "identity.cognitoIdentityId"},
	{"identitycognitoidentityid", "identity.cognitoIdentityId"},
	{"cognitoauthenticationprovider", "identity.cognitoAuthenticationProvider"},
	{"identitycognitoauthenticationprovider", "identity.cognitoAuthenticationProvider"},
	{"principalid", "authorizer.principalId"},
	{"authorizerprincipalid", "authorizer.principalId"},
	{"email", "authorizer.claims.email"},
	{"claimsemail", "authorizer.claims.email"},
	{"authorizerclaimsemail", "authorizer.claims.email"},
	{"username", "authorizer.claims.username"},
	{"claimsusername", "authorizer.claims.username"},
	{"authorizerclaimsusername", "authorizer.claims.username"},
	{"sub", "authorizer.claims.sub"},
	{"claimssub", "authorizer.claims.sub"},
	{"authorizerclaimssub", "authorizer.claims.sub"},
};

/* The key in the spelling of the table: lower case, letters and digits only, without "context" or "requestContext" in front. */
static struct str fold_key(struct str key, char out[KEY_MAX])
{
	static const struct str prefixes[] = {{"requestcontext", 14}, {"context", 7}};
	struct str folded = str_make(out, 0);

	for (size_t i = 0; i < key.len && folded.len < KEY_MAX; i++) {
		char c = key.ptr[i];

		if (c >= 'A' && c <= 'Z') {
			c = (char)(c + ('a' - 'A'));
		}
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
			out[folded.len++] = c;
		}
	}
	for (size_t i = 0; i < 2; i++) {
		if (str_has_prefix(folded, prefixes[i])) {
			return str_slice(folded, prefixes[i].len, folded.len);
		}
	}
	return folded;
}

void wellknown_add(struct reading *reading, struct str key, const struct value *given)
{
	char space[KEY_MAX];
	struct str folded = fold_key(key, space);
	struct value *value;

	if (reading->count == FORMAT_SLOTS_MAX) { /* raw keeps the rest */
		reading->damage = DAMAGE_RECOVERED;
		return;
	}
	value = &reading->value[reading->count++];
	*value = *given;
	value->name = key;
	value->variable = variable_find(key);
	value->sure = true;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (str_is(folded, aliases[i].key)) {
			value->name = str_of(aliases[i].variable);
			value->variable = variable_find(value->name);
			return;
		}
	}
}

struct members {
	struct json_scanner scanner;
	struct arena *arena;
	struct reading *reading;
	char path[KEY_MAX]; /* of the object that is read, each name ended by a dot */
	size_t path_len;
	size_t path_of[JSON_DEPTH_MAX + 1]; /* path_len at each depth */
};

/* The path of a key, kept in the arena when it stands in an inner object. */
static bool full_key(struct members *members, struct str key, struct str *out_key)
{
	char *copy;

	if (members->path_len == 0) {
		*out_key = key;
		return true;
	}
	copy = arena_alloc(members->arena, members->path_len + key.len + 1);
	if (copy == NULL) {
		return false;
	}
	memcpy(copy, members->path, members->path_len);
	memcpy(copy + members->path_len, key.ptr, key.len);
	*out_key = str_make(copy, members->path_len + key.len);
	return true;
}

static bool enter(struct members *members, struct str key)
{
	if (members->path_len + key.len + 1 > KEY_MAX) {
		return false;
	}
	memcpy(members->path + members->path_len, key.ptr, key.len);
	members->path_len += key.len;
	members->path[members->path_len++] = '.';
	return true;
}

/* Reads the value behind a key; inner objects are entered, arrays taken as their text. */
static bool read_member(struct members *members, struct str key)
{
	struct json_scanner before = members->scanner;
	enum json_event event = json_next(&members->scanner);
	struct value value = {.text = members->scanner.text};
	struct str full;

	if (event == JSON_OBJECT_BEGIN) {
		members->path_of[members->scanner.depth - 1] = members->path_len;
		return enter(members, key);
	}
	if (event == JSON_ARRAY_BEGIN) {
		members->scanner = before;
		if (!json_skip(&members->scanner, &value.text)) {
			return false;
		}
	} else if (event == JSON_STRING) {
		value.escaped = members->scanner.has_escapes;
	} else if (event == JSON_NULL) {
		value.text = str_make(NULL, 0);
	} else if (event != JSON_NUMBER && event != JSON_TRUE && event != JSON_FALSE) {
		return false;
	}
	if (!full_key(members, key, &full)) {
		return false;
	}
	wellknown_add(members->reading, full, &value);
	return true;
}

/* Whether two members mean the same: one value too many, and a sign of forgery. */
static bool mark_repeats(struct reading *reading)
{
	bool any = false;

	for (size_t i = 0; i < reading->count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (str_equal(reading->value[i].name, reading->value[k].name)) {
				reading->value[i].sure = false;
				any = true;
			}
		}
	}
	return any;
}

void wellknown_distrust(struct reading *reading)
{
	bool behind_free = false;
	bool repeated = mark_repeats(reading);

	if (repeated) {
		reading->damage = DAMAGE_AMBIGUOUS;
	}
	for (size_t i = 0; i < reading->count; i++) {
		struct value *value = &reading->value[i];
		bool free_text = value->variable->shape == SHAPE_FREE;

		if (repeated && behind_free) {
			value->sure = false;
		}
		if (reading->damage != DAMAGE_NONE &&
		    (!shape_fits(value->variable->shape, value->text) ||
		     (free_text && (str_find_byte(value->text, '"', 0) >= 0 ||
				    str_find_byte(value->text, '\\', 0) >= 0)))) {
			value->sure = false;
		}
		behind_free = behind_free || free_text;
	}
}

static bool read_object(struct members *members)
{
	enum json_event event = json_next(&members->scanner);

	if (event != JSON_OBJECT_BEGIN) {
		return false;
	}
	while ((event = json_next(&members->scanner)) != JSON_END) {
		if (event == JSON_KEY) {
			if (!read_member(members, members->scanner.text)) {
				return false;
			}
		} else if (event == JSON_OBJECT_END) {
			members->path_len = members->path_of[members->scanner.depth];
		} else {
			return false;
		}
	}
	return str_trim(str_slice(members->scanner.input, members->scanner.pos,
				  members->scanner.input.len))
		       .len == 0;
}

bool wellknown_read(struct str line, struct arena *arena, struct reading *reading)
{
	struct members members = {
		.scanner = json_scanner(line), .arena = arena, .reading = reading};

	reading->count = 0;
	reading->damage = DAMAGE_NONE;
	reading->by_slot = false;
	if (!read_object(&members)) {
		return false;
	}
	for (size_t i = 0; i < line.len && reading->damage == DAMAGE_NONE; i++) {
		reading->damage = (uint8_t)line.ptr[i] < 0x20 ? DAMAGE_RECOVERED : DAMAGE_NONE;
	}
	wellknown_distrust(reading);
	return true;
}
