/* event - what rules look at: the records of one thing that happened, under the names that rules use.
 *
 * Shape:   RECORD: one record at its commit. TRAIL: a statement (or a request without one) with its final verdict and the request
 *          that it names. Values are made when a rule asks for them and kept until the next event.
 * Names:   correlator/rules/names.def maps (log source, name) to where the value comes from: our own field names; the words of
 *          SQL Server's events 33205 and 18456 (EventID, Provider_Name, Data as lines "key:value"); W3C names of web servers
 *          (cs-method, sc-status ..); CloudTrail's (eventName, sourceIPAddress, userIdentity.arn ..); and what the T-SQL facts
 *          give (model/tsql/facts.h): verbs, tables_read, tables_written, procedures, flags ..
 * Threads: one per thread. Blocking: never. Tests: tests/unit/values.c
 */
#ifndef CORRELATOR_RULES_EVENT_H
#define CORRELATOR_RULES_EVENT_H

#include "model/record.h"

enum rules_stage { RULES_STAGE_RECORD = 1, RULES_STAGE_TRAIL = 2 };

struct rules_event {
	enum rules_stage stage;
	const struct record *statement; /* NULL: none */
	const struct record *verdict;   /* TRAIL */
	const struct record *request;
	const struct record *other; /* RECORD: a gap, reject, access or lifecycle record */
};

#endif
