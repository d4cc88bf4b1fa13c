#include "query/report/cell.h"

#include "query/report/chart.h"
#include "query/when.h"

#include <inttypes.h>

bool cell_is_number(enum report_form form)
{
	return form == REPORT_NUMBER || form == REPORT_SHARE;
}

void cell_put(struct buf *out, const struct report_column *column, const struct report_cell *cell,
	      const struct zone *zone)
{
	if (cell->absent) {
		buf_put_text(out, "\xe2\x80\x93");
		return;
	}
	switch (column->form) {
	case REPORT_TEXT:
	case REPORT_CODE:
	case REPORT_GRADE:
	case REPORT_SEVERITY:
		buf_put_str(out, cell->text);
		return;
	case REPORT_NUMBER:
		chart_put_number(out, cell->number);
		return;
	case REPORT_SHARE:
		buf_putf(out, "%" PRId64 ".%d %%", cell->number / 10,
			 (int)(cell->number < 0 ? -(cell->number % 10) : cell->number % 10));
		return;
	case REPORT_TIME:
		when_put(out, zone, cell->number, 0, false);
		return;
	case REPORT_BOOL:
		buf_put_text(out, cell->number != 0 ? "yes" : "no");
		return;
	}
}
