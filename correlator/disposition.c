#include "correlator/disposition.h"

#define STATES 5
#define EVENTS 4

static const enum alert_state next[STATES][EVENTS] = {
	[DISPOSITION_NONE] = {ALERT_STATE_FIRING, 0, 0, 0},
	[ALERT_STATE_FIRING] = {ALERT_STATE_FIRING, ALERT_STATE_REVOKED, ALERT_STATE_ACKNOWLEDGED,
				ALERT_STATE_EXPIRED},
	[ALERT_STATE_ACKNOWLEDGED] = {ALERT_STATE_ACKNOWLEDGED, ALERT_STATE_REVOKED,
				      ALERT_STATE_ACKNOWLEDGED, ALERT_STATE_ACKNOWLEDGED},
	[ALERT_STATE_REVOKED] = {ALERT_STATE_FIRING, ALERT_STATE_REVOKED, ALERT_STATE_REVOKED,
				 ALERT_STATE_REVOKED},
	[ALERT_STATE_EXPIRED] = {ALERT_STATE_EXPIRED, ALERT_STATE_REVOKED, ALERT_STATE_ACKNOWLEDGED,
				 ALERT_STATE_EXPIRED},
};

enum alert_state disposition_next(enum alert_state state, enum disposition_event event)
{
	return next[state][event];
}

bool disposition_fires(enum alert_state state)
{
	return state == ALERT_STATE_FIRING;
}
