#include "model/accesslog/wellknown.h"

#include "base/json.h"

#define KEY_MAX 128

struct alias {
	struct str
		key; /* in lower case, without anything but letters and digits, without a leading "context" */
	struct str variable;
};

/* With their lengths, which tell nearly all of them apart. */
#define ALIAS(key_, variable_)                                         \
	{                                                              \
		{.ptr = key_, .len = sizeof(key_) - 1},                \
		{                                                      \
			.ptr = variable_, .len = sizeof(variable_) - 1 \
		}                                                      \
	}

static const struct alias aliases[] = {
	ALIAS("requestid", "requestId"),
	ALIAS("extendedrequestid", "extendedRequestId"),
	ALIAS("extendedid", "extendedRequestId"),
	ALIAS("integrationrequestid", "integration.requestId"),
	ALIAS("lambdarequestid", "integration.requestId"),
	ALIAS("awsendpointrequestid", "awsEndpointRequestId"),
	ALIAS("xraytraceid", "xrayTraceId"),
	ALIAS("traceid", "xrayTraceId"),
	ALIAS("apiid", "apiId"),
	ALIAS("api", "apiId"),
	ALIAS("stage", "stage"),
	ALIAS("accountid", "accountId"),
	ALIAS("domainname", "domainName"),
	ALIAS("routekey", "routeKey"),
	ALIAS("route", "routeKey"),
	ALIAS("resourcepath", "resourcePath"),
	ALIAS("resource", "resourcePath"),
	ALIAS("httpmethod", "httpMethod"),
	ALIAS("method", "httpMethod"),
	ALIAS("path", "path"),
	ALIAS("protocol", "protocol"),
	ALIAS("status", "status"),
	ALIAS("statuscode", "status"),
	ALIAS("responselatency", "responseLatency"),
	ALIAS("latency", "responseLatency"),
	ALIAS("responselength", "responseLength"),
	ALIAS("integrationstatus", "integration.status"),
	ALIAS("integrationintegrationstatus", "integration.integrationStatus"),
	ALIAS("integrationlatency", "integration.latency"),
	ALIAS("integrationerror", "integration.error"),
	ALIAS("integrationerrormessage", "integrationErrorMessage"),
	ALIAS("error", "error.message"),
	ALIAS("errormessage", "error.message"),
	ALIAS("errormessagestring", "error.messageString"),
	ALIAS("errorresponsetype", "error.responseType"),
	ALIAS("requesttimeepoch", "requestTimeEpoch"),
	ALIAS("requesttime", "requestTime"),
	ALIAS("time", "requestTime"),
	ALIAS("ip", "identity.sourceIp"),
	ALIAS("sourceip", "identity.sourceIp"),
	ALIAS("identitysourceip", "identity.sourceIp"),
	ALIAS("useragent", "identity.userAgent"),
	ALIAS("identityuseragent", "identity.userAgent"),
	ALIAS("apikeyid", "identity.apiKeyId"),
	ALIAS("identityapikeyid", "identity.apiKeyId"),
	ALIAS("caller", "identity.caller"),
	ALIAS("identitycaller", "identity.caller"),
	ALIAS("identityuser", "identity.user"),
	ALIAS("userarn", "identity.userArn"),
	ALIAS("identityuserarn", "identity.userArn"),
	ALIAS("identityaccountid", "identity.accountId"),
	ALIAS("cognitoidentityid", "identity.cognitoIdentityId"),
	ALIAS("identitycognitoidentityid", "identity.cognitoIdentityId"),
	ALIAS("cognitoauthenticationprovider", "identity.cognitoAuthenticationProvider"),
	ALIAS("identitycognitoauthenticationprovider", "identity.cognitoAuthenticationProvider"),
	ALIAS("principalid", "authorizer.principalId"),
	ALIAS("authorizerprincipalid", "authorizer.principalId"),
	ALIAS("email", "authorizer.claims.email"),
	ALIAS("claimsemail", "authorizer.claims.email"),
	ALIAS("authorizerclaimsemail", "authorizer.claims.email"),
	ALIAS("username", "authorizer.claims.username"),
	ALIAS("claimsusername", "authorizer.claims.username"),
	ALIAS("authorizerclaimsusername", "authorizer.claims.username"),
	ALIAS("sub", "authorizer.claims.sub"),
	ALIAS("claimssub", "authorizer.claims.sub"),
	ALIAS("authorizerclaimssub", "authorizer.claims.sub"),
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

/* The variable that a key stands for, and its name, which is the key's own where it is no usual one. */
static const struct variable *look_up(struct str key, struct str *out_name)
{
	char space[KEY_MAX];
	struct str folded = fold_key(key, space);

	*out_name = key;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (str_equal(folded, aliases[i].key)) {
			*out_name = aliases[i].variable;
			break;
		}
	}
	return variable_find(*out_name);
}

/* The same, remembered by the place of the key: a gateway's lines have their keys in one order. */
static const struct variable *recall(struct wellknown_memo *memo, size_t place, struct str key,
				     struct str *out_name)
{
	struct wellknown_known *known = &memo->known[place];

	if (known->variable == NULL || !str_equal(str_make(known->key, known->key_len), key)) {
		struct str name;
		const struct variable *variable = look_up(key, &name);

		if (key.len > sizeof(known->key)) {
			*out_name = name;
			return variable;
		}
		if (key.len != 0) {
			memcpy(known->key, key.ptr, key.len);
		}
		known->key_len = key.len;
		known->variable = variable;
		known->is_own_name = name.ptr == key.ptr;
		known->name = known->is_own_name ? str_make(NULL, 0) : name;
	}
	*out_name = known->is_own_name ? key : known->name;
	return known->variable;
}

void wellknown_add(struct reading *reading, struct wellknown_memo *memo, struct str key,
		   const struct value *given)
{
	struct value *value;

	if (reading->count == FORMAT_SLOTS_MAX) { /* raw keeps the rest */
		reading->damage = DAMAGE_RECOVERED;
		return;
	}
	value = &reading->value[reading->count];
	*value = *given;
	value->sure = true;
	value->variable = recall(memo, reading->count, key, &value->name);
	reading->count++;
}

struct members {
	struct json_scanner scanner;
	struct arena *arena;
	struct reading *reading;
	struct wellknown_memo *memo;
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
	wellknown_add(members->reading, members->memo, full, &value);
	return true;
}

/* Whether two values have the same name: those of known variables have the variable's. */
static bool is_same(const struct value *a, const struct value *b)
{
	return a->variable == b->variable &&
	       (a->variable->name.len != 0 || str_equal(a->name, b->name));
}

/* Whether two members mean the same: one value too many, and a sign of forgery. */
static bool mark_repeats(struct reading *reading)
{
	bool any = false;

	for (size_t i = 0; i < reading->count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (is_same(&reading->value[i], &reading->value[k])) {
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

/* Without a branch, so that the compiler takes many bytes at a time. */
static bool has_control_byte(struct str line)
{
	unsigned any = 0;

	for (size_t i = 0; i < line.len; i++) {
		any |= (unsigned)((uint8_t)line.ptr[i] < 0x20);
	}
	return any != 0;
}

bool wellknown_read(struct str line, struct wellknown_memo *memo, struct arena *arena,
		    struct reading *reading)
{
	struct members members = {
		.scanner = json_scanner(line), .arena = arena, .reading = reading, .memo = memo};

	reading->count = 0;
	reading->damage = DAMAGE_NONE;
	reading->by_slot = false;
	if (!read_object(&members)) {
		return false;
	}
	if (has_control_byte(line)) {
		reading->damage = DAMAGE_RECOVERED;
	}
	wellknown_distrust(reading);
	return true;
}
