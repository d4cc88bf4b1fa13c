/* awserror - what an AWS service's error reply means for the caller.
 *
 * Shape:   the code from x-amzn-ErrorType, else __type or code of a JSON body, else <Code> of an XML one; the sentence from message or
 *          Message. "com.amazonaws...#X", "X:http://..." are X.
 * Threads: pure. Blocking: never.
 * Source:  AWS JSON 1.1 and query protocols. Tests: tests/unit/awserror.c
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_AWSERROR_H
#define COLLECTOR_SOURCES_CLOUDWATCH_AWSERROR_H

#include "collector/sources/cloudwatch/http.h"

#include <stdint.h>

enum awserror_kind {
	AWSERROR_NONE,      /* no error */
	AWSERROR_THROTTLED, /* call less often: ERR_AGAIN */
	AWSERROR_AWAY,      /* passes: ERR_AGAIN */
	AWSERROR_EXPIRED,   /* new credentials may help: ERR_AUTH */
	AWSERROR_SKEW,      /* our clock and theirs differ: ERR_AUTH */
	AWSERROR_REFUSED,   /* ERR_AUTH */
	AWSERROR_PARAMETER, /* a parameter, perhaps the page token: ERR_CONFIG */
	AWSERROR_GONE,      /* the group does not exist: ERR_GONE */
	AWSERROR_OTHER,     /* ERR_CONFIG */
};

/* The kind of a reply, and (when it is an error) the ERR_* and a sentence with service, code and message in err.
 *   what  names the call: "FilterLogEvents on group x" */
enum awserror_kind awserror_of(const struct http_reply *reply, const char *what, struct error *err);

/* The text of the first XML element of that name, appended to out; false when there is none. */
bool awserror_xml(struct str body, const char *element, struct buf *out);

#endif
