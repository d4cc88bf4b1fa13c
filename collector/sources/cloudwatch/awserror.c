#include "collector/sources/cloudwatch/awserror.h"

#include <stdio.h>

#include "collector/sources/cloudwatch/reply.h"

#define CODE_MAX    256
#define MESSAGE_MAX 512

static const struct {
	const char *code;
	enum awserror_kind kind;
} known[] = {
	{"Throttling", AWSERROR_THROTTLED},
	{"ThrottlingException", AWSERROR_THROTTLED},
	{"ThrottledException", AWSERROR_THROTTLED},
	{"RequestThrottled", AWSERROR_THROTTLED},
	{"RequestThrottledException", AWSERROR_THROTTLED},
	{"TooManyRequestsException", AWSERROR_THROTTLED},
	{"RequestLimitExceeded", AWSERROR_THROTTLED},
	{"LimitExceededException", AWSERROR_THROTTLED},
	{"SlowDown", AWSERROR_THROTTLED},
	{"BandwidthLimitExceeded", AWSERROR_THROTTLED},
	{"ProvisionedThroughputExceededException", AWSERROR_THROTTLED},
	{"PriorRequestNotComplete", AWSERROR_AWAY},
	{"ServiceUnavailableException", AWSERROR_AWAY},
	{"ServiceUnavailable", AWSERROR_AWAY},
	{"InternalFailure", AWSERROR_AWAY},
	{"InternalServerError", AWSERROR_AWAY},
	{"InternalServerException", AWSERROR_AWAY},
	{"RequestTimeout", AWSERROR_AWAY},
	{"RequestTimeoutException", AWSERROR_AWAY},
	{"IDPCommunicationError", AWSERROR_AWAY},
	{"ExpiredToken", AWSERROR_EXPIRED},
	{"ExpiredTokenException", AWSERROR_EXPIRED},
	{"TokenRefreshRequired", AWSERROR_EXPIRED},
	{"RequestTimeTooSkewed", AWSERROR_SKEW},
	{"RequestExpired", AWSERROR_SKEW},
	{"InvalidSignatureException",
	 AWSERROR_SKEW}, /* of this and the next: if the clocks differ */
	{"SignatureDoesNotMatch", AWSERROR_SKEW},
	{"UnrecognizedClientException", AWSERROR_REFUSED},
	{"InvalidClientTokenId", AWSERROR_REFUSED},
	{"InvalidIdentityToken", AWSERROR_REFUSED},
	{"AccessDenied", AWSERROR_REFUSED},
	{"AccessDeniedException", AWSERROR_REFUSED},
	{"NotAuthorized", AWSERROR_REFUSED},
	{"OptInRequired", AWSERROR_REFUSED},
	{"IncompleteSignature", AWSERROR_REFUSED},
	{"IncompleteSignatureException", AWSERROR_REFUSED},
	{"MissingAuthenticationToken", AWSERROR_REFUSED},
	{"MissingAuthenticationTokenException", AWSERROR_REFUSED},
	{"InvalidParameterException", AWSERROR_PARAMETER},
	{"ResourceNotFoundException", AWSERROR_GONE},
};

bool awserror_xml(struct str body, const char *element, struct buf *out)
{
	char open[64];
	char close[64];

	if (strlen(element) > 48) {
		return false;
	}
	(void)snprintf(open, sizeof(open), "<%s>", element);    /* fits: checked above */
	(void)snprintf(close, sizeof(close), "</%s>", element); /* as above */
	ptrdiff_t start = str_find(body, str_of(open), 0);
	if (start < 0) {
		return false;
	}
	size_t from = (size_t)start + strlen(open);
	ptrdiff_t end = str_find(body, str_of(close), from);
	if (end < 0) {
		return false;
	}
	buf_put_str(out, str_trim(str_slice(body, from, (size_t)end - from)));
	return true;
}

/* "com.amazonaws.logs#X:http://..." is X */
static struct str bare_code(struct str code)
{
	ptrdiff_t hash = str_find_byte(code, '#', 0);

	if (hash >= 0) {
		code = str_slice(code, (size_t)hash + 1, code.len);
	}
	ptrdiff_t colon = str_find_byte(code, ':', 0);
	return str_trim(colon >= 0 ? str_slice(code, 0, (size_t)colon) : code);
}

static void find_code(const struct http_reply *reply, struct buf *out)
{
	buf_put_text(out, reply->error_type);
	if (out->len == 0 && !reply_member(reply->body, "__type", out) &&
	    !reply_member(reply->body, "code", out)) {
		(void)awserror_xml(reply->body, "Code", out); /* then there is no code */
	}
}

static void find_message(const struct http_reply *reply, struct buf *out)
{
	if (!reply_member(reply->body, "message", out) &&
	    !reply_member(reply->body, "Message", out) &&
	    !awserror_xml(reply->body, "Message", out) &&
	    !awserror_xml(reply->body, "title", out)) {
		buf_put_str(out, str_slice(str_trim(reply->body), 0, 120));
	}
}

static enum awserror_kind kind_by_status(long status)
{
	if (status == 429) {
		return AWSERROR_THROTTLED;
	}
	if (status >= 500 || status == 408) {
		return AWSERROR_AWAY;
	}
	return status == 401 || status == 403 ? AWSERROR_REFUSED : AWSERROR_OTHER;
}

static enum awserror_kind kind_of(long status, struct str code)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_is(code, known[i].code)) {
			return known[i].kind;
		}
	}
	return kind_by_status(status);
}

static enum error_code code_of(enum awserror_kind kind)
{
	switch (kind) {
	case AWSERROR_THROTTLED:
	case AWSERROR_AWAY:
		return ERR_AGAIN;
	case AWSERROR_EXPIRED:
	case AWSERROR_SKEW:
	case AWSERROR_REFUSED:
		return ERR_AUTH;
	case AWSERROR_GONE:
		return ERR_GONE;
	case AWSERROR_NONE:
	case AWSERROR_PARAMETER:
	case AWSERROR_OTHER:
		break;
	}
	return ERR_CONFIG;
}

enum awserror_kind awserror_of(const struct http_reply *reply, const char *what, struct error *err)
{
	struct buf code;
	struct buf message;

	if (reply->status >= 200 && reply->status < 300) {
		return AWSERROR_NONE;
	}
	buf_init(&code, HTTP_BODY_MAX);
	buf_init(&message, HTTP_BODY_MAX);
	find_code(reply, &code);
	find_message(reply, &message);
	struct str name = str_slice(bare_code(buf_str(&code)), 0, CODE_MAX);
	struct str text = str_slice(buf_str(&message), 0, MESSAGE_MAX);
	enum awserror_kind kind = kind_of(reply->status, name);
	(void)error_set(err, code_of(kind), "%s: HTTP %ld%s%.*s%s%.*s", what, reply->status,
			name.len > 0 ? " " : "", STR_ARG(name), text.len > 0 ? ": " : "",
			STR_ARG(text)); /* the kind is what the caller asks for */
	buf_done(&code);
	buf_done(&message);
	return kind;
}
