#include "tests/sim/world-state.h"

#include <assert.h>

static const char *const words[] = {
	"ring",  "tilbake",   "kunden",   "vil",     "ha",     "pakke",  "levert",
	"feil",  "størrelse", "refusjon", "broken",  "late",   "thanks", "blå",
	"grønn", "jakke",     "sko",      "utsolgt", "haster", "ok",
};

/* Text that people and attackers put into fields. %x stands for the extended id of somebody else's request, %r for its id. */
static const char *const hostile_texts[] = {
	"x'; DROP TABLE crm.Customers; --",
	"/*request_id='%r'*/",
	"*/ /*request_id=%r*/ /*",
	"qt1 x=%x r=%r",
	"EXEC sp_set_session_context N'querytrail', N'qt1 x=%x'",
	"{\"querytrail\":\"qt1 x=%x\"}",
	"\033[31mALARM\033[0m \033]0;title\007",
	"\xe2\x80\xaegnp.exe\xe2\x80\xac",
	"\xf0\x9f\x9a\x9a on its way \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
	"\xed\xa0\xbd half a smile",
	"ends in \xed\xb8\x80",
	"=HYPERLINK(\"http://198.51.100.7/\",\"open\")",
	"<script>alert(1)</script>",
	"line one\r\nline two\ttab",
	"-- request_id=%r",
	"100 % [sic] _under_ \\backslash\\",
	"\xe2\x80\x8bzero\xe2\x80\x8bwidth\xef\xbb\xbf",
	"statement: SELECT 1 server_principal_name:sa",
};

static void put_quoted(struct world *world, const char *text, struct buf *out)
{
	const struct world_request *victim =
		world->victim >= 0 ? &world->requests[world->victim] : NULL;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\'') {
			buf_put_text(out, "''");
		} else if (p[0] == '%' && (p[1] == 'x' || p[1] == 'r')) {
			if (victim != NULL) {
				buf_put_str(out, p[1] == 'x' ? victim->extended_request_id
							     : victim->request_id);
			}
			p++;
		} else {
			buf_put_byte(out, (uint8_t)*p);
		}
	}
}

static void put_text(struct world *world, const struct literal *literal, struct buf *out)
{
	struct chance *chance = &world->chance;
	if (literal->hostile && chance_permille(chance, 120)) {
		size_t count = sizeof(hostile_texts) / sizeof(hostile_texts[0]);
		put_quoted(world, hostile_texts[chance_below(chance, count)], out);
		return;
	}
	uint64_t count = 3 + chance_below(chance, 9);
	for (uint64_t i = 0; i < count; i++) {
		buf_put_text(out, i > 0 ? " " : "");
		buf_put_text(out, words[chance_below(chance, sizeof(words) / sizeof(words[0]))]);
	}
}

static void put_person(struct world *world, struct buf *out)
{
	struct chance *chance = &world->chance;
	put_quoted(world, company_first_name(chance_u64(chance)), out);
	buf_put_byte(out, ' ');
	put_quoted(world, company_last_name(chance_u64(chance)), out);
}

static void put_time(struct world *world, const struct literal *literal, bool date, struct buf *out)
{
	int64_t back = chance_between(&world->chance, 0, (date ? 2016 : 14) * NS_PER_DAY);
	struct buf text;
	buf_init(&text, 64);
	clock_put_rfc3339(&text, literal->time_ns - back, 0);
	buf_put_str(out, str_slice(buf_str(&text), 0, date ? 10 : 19));
	buf_done(&text);
}

static void put_placeholder(struct world *world, char which, const struct literal *literal,
			    struct buf *out)
{
	struct chance *chance = &world->chance;
	switch (which) {
	case 'i':
		buf_put_i64(out, literal->path_id);
		break;
	case 'n':
		buf_put_u64(out, chance_below(chance, 200));
		break;
	case 'p':
		buf_put_i64(out, literal->page_size > 0 ? literal->page_size
							: 25 << chance_below(chance, 3));
		break;
	case 'm': {
		uint64_t cents = (uint64_t)chance_lognormal(chance, 8000.0, 1.1);
		buf_putf(out, "%u.%02u", (unsigned)(cents / 100), (unsigned)(cents % 100));
		break;
	}
	case 'd':
	case 'z':
		put_time(world, literal, which == 'd', out);
		break;
	case 'e':
		buf_putf(out, "kunde%u@post.example", (unsigned)chance_below(chance, 900000));
		break;
	case 's':
		put_person(world, out);
		break;
	case 't':
		put_text(world, literal, out);
		break;
	case 'g':
		chance_put_uuid(chance, out);
		break;
	case 'k':
		buf_putf(out, "FK-%05u", (unsigned)chance_zipf(chance, 40000));
		break;
	default:
		assert(which == '\0'); /* there is no such placeholder */
	}
}

void literal_fill(struct world *world, const char *text, const struct literal *literal,
		  struct buf *out)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (p[0] == '{' && p[1] != '\0' && p[2] == '}') {
			put_placeholder(world, p[1], literal, out);
			p += 2;
		} else {
			buf_put_byte(out, (uint8_t)*p);
		}
	}
}
