/* canvas - where a chart is drawn: a rectangle with few operations, the same for SVG and PDF.
 *
 * Shape:   points; the origin is the upper left corner, y grows downwards. A text stands on its base line.
 * Tones:   meanings, not colours: each kind of canvas has a palette whose tones differ in lightness too, so that a page printed in grey can be
 *          read.
 * Threads: one canvas per thread. Blocking: never. Tests: tests/unit/chart.c, tests/unit/svg.c
 */
#ifndef QUERY_REPORT_CANVAS_H
#define QUERY_REPORT_CANVAS_H

#include "base/str.h"

enum tone {
	TONE_INK,    /* texts */
	TONE_FAINT,  /* lesser texts */
	TONE_GRID,   /* thin lines */
	TONE_BAR,    /* a quantity */
	TONE_RISK,   /* the part of it that matters */
	TONE_GOOD,   /* attributed: A, B */
	TONE_DOUBT,  /* C, D */
	TONE_BAD,    /* X, U1 */
	TONE_SILENT, /* U2, pending */
	TONE_PAPER,
	TONE_COUNT
};

enum anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END };

struct canvas_box {
	double x, y, width, height;
};

struct canvas_text {
	double x, y;
	double size;
	enum anchor anchor;
	enum tone tone;
	bool strong;
};

struct canvas {
	void *state;
	double width; /* of the drawing */
	void (*box)(struct canvas *canvas, const struct canvas_box *box, enum tone tone);
	/* A horizontal or vertical thin line from the box's upper left corner along its width or height. */
	void (*line)(struct canvas *canvas, const struct canvas_box *box, enum tone tone);
	void (*text)(struct canvas *canvas, const struct canvas_text *where, struct str text);
	/* How wide a text of this size is, as well as the canvas knows. */
	double (*text_width)(struct canvas *canvas, struct str text, double size);
};

#endif
