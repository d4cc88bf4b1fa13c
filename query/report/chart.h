/* chart - draws the charts of a report on a canvas.
 *
 * Shape:   as wide as the canvas; as high as chart_height says. The title is not part of it.
 * Labels:  cut with an ellipsis where they do not fit; the table beside a chart has them whole.
 * Errors:  none. Threads: pure. Blocking: never. Tests: tests/unit/chart.c
 */
#ifndef QUERY_REPORT_CHART_H
#define QUERY_REPORT_CHART_H

#include "query/report/canvas.h"
#include "query/report/writer.h"

/* The height that a chart takes on a canvas of this width. 0: there is nothing to be drawn. */
double chart_height(const struct report_chart *chart, double width);

/* Draws it. */
void chart_draw(const struct report_chart *chart, struct canvas *canvas);

/* Appends a number with commas between thousands: 12,345. */
void chart_put_number(struct buf *out, int64_t number);

/* The tone of a grade ("A", "U1", "pending"). */
enum tone chart_grade_tone(struct str grade);

#endif
