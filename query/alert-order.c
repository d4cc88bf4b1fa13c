#include "query/alert-order.h"

#include "query/order.h"

static void set_text(struct record *record, unsigned field, struct str text)
{
	if (text.len > 0) {
		record_set_text(record, field, text);
	}
}

int alert_order_give(struct session *session, const struct alert_order *order, struct error *err)
{
	struct record record;
	record_init(&record, RECORD_LIFECYCLE);
	record_set_text(&record, FIELD_event, str_of(order->event));
	set_text(&record, FIELD_alert_id, order->alert_id);
	set_text(&record, FIELD_channel, order->channel);
	set_text(&record, FIELD_note, order->note);
	return order_give(session, &(struct order){.record = &record}, err);
}
