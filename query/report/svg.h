/* svg - a chart as inline SVG for an HTML page.
 *
 * Trust:   texts are escaped; the SVG has no script, link, style attribute or foreign object.
 * Errors:  what memory refuses shows as out->failed. Threads: pure. Blocking: never.
 * Source:  SVG 1.1, W3C. Tests: tests/unit/svg.c
 */
#ifndef QUERY_REPORT_SVG_H
#define QUERY_REPORT_SVG_H

#include "query/report/chart.h"

#define SVG_WIDTH 720.0

/* Appends the chart as one <svg> element with its title for those who cannot see it. Nothing when there is nothing to be drawn. */
void svg_put_chart(struct buf *out, const struct report_chart *chart);

/* Appends text for HTML and SVG: & < > " ' escaped, and what would be invisible or turn the direction of writing as \u{..}. */
void svg_put_escaped(struct buf *out, struct str text);

#endif
