/* hostile - texts that try to act when they are shown: on a terminal, in a spreadsheet, in a line-based format. */
#ifndef TESTS_UNIT_HOSTILE_H
#define TESTS_UNIT_HOSTILE_H

#include "base/str.h"

#define HOSTILE(text)                                   \
	{                                               \
		.ptr = "" text, .len = sizeof(text) - 1 \
	}

static const struct str hostile[] = {
	HOSTILE("\033[31mred"),
	HOSTILE("\033[2J\033[H"),
	HOSTILE("\033]0;title\007"),
	HOSTILE("\033]8;;http://x\033\\link"),
	HOSTILE("\033]52;c;ZXZpbA==\007"),
	HOSTILE("\033P+q\033\\"),
	HOSTILE("\033[6n"),
	HOSTILE("\033[?1049h"),
	HOSTILE("\033c"),
	HOSTILE("\033[1;1H\033[K"),
	HOSTILE("\xc2\x9b"
		"31m"),
	HOSTILE("\x9b"
		"31m"),
	HOSTILE("\xc2\x9d"
		"0;x\xc2\x9c"),
	HOSTILE("\x90q\x9c"),
	HOSTILE("a\rb"),
	HOSTILE("a\nb"),
	HOSTILE("a\r\nb"),
	HOSTILE("a\bb\b\b"),
	HOSTILE("\007\007"),
	HOSTILE("\x7f\x7f"),
	HOSTILE("a\tb"),
	HOSTILE("a\vb\fc"),
	HOSTILE("a\0b"),
	HOSTILE("\0"),
	HOSTILE("\xe2\x80\xae"
		"txt.exe"),
	HOSTILE("\xe2\x80\xad\xe2\x80\xac"),
	HOSTILE("\xe2\x81\xa6x\xe2\x81\xa9"),
	HOSTILE("\xe2\x80\x8f\xe2\x80\x8e"),
	HOSTILE("\xe2\x80\xaa\xe2\x80\xab"),
	HOSTILE("\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d"),
	HOSTILE("\xe2\x80\xa8\xe2\x80\xa9"),
	HOSTILE("\xef\xbb\xbf"
		"bom"),
	HOSTILE("\xd8\x9c"),
	HOSTILE("\xff\xfe"),
	HOSTILE("\xc0\x80"),
	HOSTILE("\xed\xa0\x80"),
	HOSTILE("\xed\xb0\x80\xed\xa0\x80"),
	HOSTILE("\xf5\x80\x80\x80"),
	HOSTILE("\xe2\x82"),
	HOSTILE("=1+1"),
	HOSTILE("=cmd|' /C calc'!A0"),
	HOSTILE("+1+1"),
	HOSTILE("-1+1|cmd"),
	HOSTILE("@SUM(1)"),
	HOSTILE("\t=1+1"),
	HOSTILE("\r=1+1"),
	HOSTILE("\n=1+1"),
	HOSTILE(" =1+1"),
	HOSTILE("\xef\xbc\x9d"
		"1+1"),
	HOSTILE("\xef\xbc\x8b"
		"1"),
	HOSTILE("\xef\xbc\x8d"
		"1"),
	HOSTILE("\xef\xbc\xa0"
		"x"),
	HOSTILE("=HYPERLINK(\"http://x\",\"y\")"),
	HOSTILE("\"=1+1\""),
	HOSTILE("a\",\"=1+1"),
	HOSTILE("a;=1+1"),
	HOSTILE("a,b\"c"),
	HOSTILE("'quoted'"),
	HOSTILE("{\"coverage\":{}}"),
	HOSTILE("\"},{\"grade\":\"A"),
	HOSTILE("</script><b>"),
	HOSTILE("%s%n%x"),
	HOSTILE("\\x1b[31m"),
	HOSTILE("2026-11-22T10:00:00Z: bob ran SELECT\n2026: eve"),
	HOSTILE("\033"),
	HOSTILE("\xc2"),
};

#define HOSTILE_COUNT (sizeof(hostile) / sizeof(hostile[0]))

#endif
