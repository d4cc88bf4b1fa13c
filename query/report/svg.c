#include "query/report/svg.h"

#include "base/utf8.h"

#define NARROW \
	0.28 /* widths of letters in parts of the size, for a broad sans serif: better a label cut early than one that runs over */
#define COMMON 0.64
#define BROAD  0.98
#define WIDE   1.00

struct svg {
	struct buf *out;
};

static const char *const classes[TONE_COUNT] = {
	[TONE_INK] = "ti",    [TONE_FAINT] = "tf", [TONE_GRID] = "tg",  [TONE_BAR] = "tb",
	[TONE_RISK] = "tr",   [TONE_GOOD] = "ga",  [TONE_DOUBT] = "gc", [TONE_BAD] = "gx",
	[TONE_SILENT] = "gu", [TONE_PAPER] = "tp",
};

void svg_put_escaped(struct buf *out, struct str text)
{
	size_t begin = 0;
	for (size_t i = 0; i <= text.len; i++) {
		const char *instead = NULL;
		switch (i < text.len ? text.ptr[i] : '\0') {
		case '&':
			instead = "&amp;";
			break;
		case '<':
			instead = "&lt;";
			break;
		case '>':
			instead = "&gt;";
			break;
		case '"':
			instead = "&quot;";
			break;
		case '\'':
			instead = "&#39;";
			break;
		default:
			break;
		}
		if (instead != NULL || i == text.len) {
			utf8_put_printable(out, str_slice(text, begin, i - begin));
			buf_put_text(out, instead != NULL ? instead : "");
			begin = i + 1;
		}
	}
}

static void draw_box(struct canvas *canvas, const struct canvas_box *box, enum tone tone)
{
	struct svg *svg = canvas->state;
	buf_putf(svg->out,
		 "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
		 classes[tone], box->x, box->y, box->width, box->height);
}

static void draw_line(struct canvas *canvas, const struct canvas_box *box, enum tone tone)
{
	struct svg *svg = canvas->state;
	struct canvas_box thin = *box;
	thin.width = box->width > 0.0 ? box->width : 1.0;
	thin.height = box->width > 0.0 ? 1.0 : box->height;
	(void)svg;
	draw_box(canvas, &thin, tone);
}

static void draw_text(struct canvas *canvas, const struct canvas_text *where, struct str text)
{
	static const char *const anchors[] = {"", " text-anchor=\"middle\"",
					      " text-anchor=\"end\""};
	struct svg *svg = canvas->state;
	buf_putf(svg->out, "<text class=\"%s%s\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\"%s>",
		 classes[where->tone], where->strong ? " st" : "", where->x, where->y, where->size,
		 anchors[where->anchor]);
	svg_put_escaped(svg->out, text);
	buf_put_text(svg->out, "</text>");
}

static double text_width(struct canvas *canvas, struct str text, double size)
{
	double sum = 0.0;
	(void)canvas;
	for (size_t pos = 0; pos < text.len;) {
		uint32_t cp = utf8_next(text, &pos);
		if (cp < 0x80 && strchr("iljtfr.,:;'|!()[]{} /", (int)cp) != NULL) {
			sum += NARROW;
		} else if (cp < 0x80 && strchr("mwMW@%", (int)cp) != NULL) {
			sum += BROAD;
		} else {
			sum += cp >= 0x1100 ? WIDE : COMMON;
		}
	}
	return sum * size;
}

void svg_put_chart(struct buf *out, const struct report_chart *chart)
{
	double height = chart_height(chart, SVG_WIDTH);
	struct svg svg = {.out = out};
	struct canvas canvas = {.state = &svg,
				.width = SVG_WIDTH,
				.box = draw_box,
				.line = draw_line,
				.text = draw_text,
				.text_width = text_width};
	if (height <= 0.0) {
		return;
	}
	buf_putf(out, "<svg role=\"img\" viewBox=\"0 0 %.0f %.0f\"><title>", SVG_WIDTH, height + 2);
	svg_put_escaped(out, chart->title);
	buf_put_text(out, "</title>");
	chart_draw(chart, &canvas);
	buf_put_text(out, "</svg>\n");
}
