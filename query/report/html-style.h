/* html-style - how an HTML report looks: on a screen of any width, and on A4.
 *
 * Shape:   one style sheet, without anything fetched from elsewhere. Tones differ in lightness, so that they can be told apart in grey.
 * Threads: a constant. Blocking: never. Errors: none. Tests: tests/unit/write-html.c
 */
#ifndef QUERY_REPORT_HTML_STYLE_H
#define QUERY_REPORT_HTML_STYLE_H

extern const char html_style[];

#endif
