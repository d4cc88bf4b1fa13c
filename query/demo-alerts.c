#include "query/demo-alerts.h"

#include "store/alerts.h"

#define MANY_ROWS \
	"48a89eeb-5d8e-40cf-a554-6555accbefba" /* conf/rules/access/classified-many-rows.yml */
#define WHOLE_TABLE \
	"058b5012-9f97-4556-9d29-ce7f02861015" /* conf/rules/access/classified-unbounded-read.yml */
#define HIGH    4
#define NO_LEAF UINT64_MAX

static void keep_id(struct str id, char out[ALERT_ID_DIGITS + 1])
{
	if (id.len == ALERT_ID_DIGITS) {
		memcpy(out, id.ptr, ALERT_ID_DIGITS);
		out[ALERT_ID_DIGITS] = '\0';
	}
}

struct look {
	struct demo_alerts alerts;
	int64_t bypass_ns;
};

static int look_for_bypass(void *owner, const struct store_alert *alert, struct error *err)
{
	struct look *look = owner;
	(void)err;
	look->alerts.count++;
	look->alerts.high += alert->severity >= HIGH ? 1 : 0;
	if (str_is(alert->rule, WHOLE_TABLE)) {
		keep_id(alert->id, look->alerts.bypass_id);
		look->bypass_ns = alert->time_ns;
	}
	return 0;
}

/* The bypass read many rows too; what came before it is the export. */
static int look_for_export(void *owner, const struct store_alert *alert, struct error *err)
{
	struct look *look = owner;
	(void)err;
	if (str_is(alert->rule, MANY_ROWS) && alert->time_ns < look->bypass_ns) {
		keep_id(alert->id, look->alerts.export_id);
	}
	return 0;
}

int demo_alerts_read(const char *store_dir, struct demo_alerts *out_alerts, struct error *err)
{
	struct store *store = NULL;
	struct look look = {.bypass_ns = INT64_MAX};
	const struct alerts_walk walks[] = {{.each = look_for_bypass, .owner = &look},
					    {.each = look_for_export, .owner = &look}};
	int result = store_open(store_dir, STORE_READ, &store, err);
	for (size_t i = 0; result == 0 && i < sizeof(walks) / sizeof(walks[0]); i++) {
		result = alerts_walk(store, &walks[i], err);
	}
	store_close(store);
	if (result == 0) {
		*out_alerts = look.alerts;
	}
	return result;
}
