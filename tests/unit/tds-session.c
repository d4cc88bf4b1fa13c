/* A session of the simulated SQL Server answers the same whatever the packets and writes of its client are, and ends on nonsense. */
#include "tests/unit/tds-client.h"

#include "tests/sim/tds-session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char prelogin[] = "\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff"
			       "\x0a\x00\x00\x05\x00\x00"
			       "\x02";

struct scene {
	struct world *world;
	struct tds_service service;
	int client, server;
	pthread_t thread;
};

static struct scene scene_of_tests;

static int open_scene(void **state)
{
	struct scene *scene = &scene_of_tests;
	struct world_options world = world_defaults(9, 100, INT64_C(1795341600000000000));
	scene->world = world_new(&world);
	struct tds_server_options options = tds_server_defaults(scene->world);
	options.user = "user";
	options.password = "secret";
	options.encryption = TDS_ENCRYPTION_OFF;
	*state = scene;
	return tds_service_init(&scene->service, &options, NULL);
}

static int close_scene(void **state)
{
	struct scene *scene = *state;
	tds_service_done(&scene->service);
	world_free(scene->world);
	return 0;
}

static void *run(void *owner)
{
	struct scene *scene = owner;
	tds_session_run(&scene->service, scene->server, 51);
	return NULL;
}

/* Sends bytes in pieces of `step`, ends the sending side, and gives all that comes back; returns when the session has ended. */
static void talk(struct scene *scene, struct str bytes, size_t step, struct buf *out)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	scene->client = pair[0];
	scene->server = pair[1];
	assert_int_equal(pthread_create(&scene->thread, NULL, run, scene), 0);
	for (size_t pos = 0; pos < bytes.len; pos += step) {
		struct str part = str_slice(bytes, pos, step);
		if (send(scene->client, part.ptr, part.len, MSG_NOSIGNAL) < 0) {
			break; /* the session has ended already */
		}
	}
	(void)shutdown(scene->client, SHUT_WR);
	char got[4096];
	ssize_t len;
	/* A session that ends before it has read all says so first; what it wrote comes behind that. */
	while ((len = read(scene->client, got, sizeof(got))) > 0 ||
	       (len < 0 && errno == ECONNRESET)) {
		buf_put(out, got, len > 0 ? (size_t)len : 0);
	}
	assert_int_equal(pthread_join(scene->thread, NULL), 0);
	(void)close(scene->client);
}

/* PRELOGIN, LOGIN7 with the password, and a batch when it is not NULL. */
static void put_talk(struct buf *out, const char *password, const char *text, size_t packet_bytes)
{
	struct buf message;
	buf_init(&message, 0);
	client_put_packets(out, TDS_PACKET_PRELOGIN, str_make(prelogin, sizeof(prelogin) - 1),
			   packet_bytes);
	client_put_login(&message, password);
	client_put_packets(out, TDS_PACKET_LOGIN7, buf_str(&message), packet_bytes);
	if (text != NULL) {
		buf_clear(&message);
		client_put_headers(&message);
		client_put_wide(&message, text);
		client_put_packets(out, TDS_PACKET_BATCH, buf_str(&message), packet_bytes);
	}
	buf_done(&message);
}

static bool has(const struct buf *reply, const char *text)
{
	struct buf wide;
	buf_init(&wide, 0);
	client_put_wide(&wide, text);
	bool found = str_find(buf_str(reply), buf_str(&wide), 0) >= 0;
	buf_done(&wide);
	return found;
}

/* The reply is the same for whole messages, for packets of a few bytes, and for single bytes on the wire. */
static void test_splits(void **state)
{
	struct scene *scene = *state;
	const char *text = "SELECT TOP 50 * FROM sys.fn_get_audit_file('D:\\audit\\*', NULL, NULL)";
	static const size_t splits[][2] = {
		{30000, 100000}, {30000, 1}, {7, 100000}, {1, 1}, {3, 11}};
	struct buf first;
	struct buf bytes;
	struct buf reply;
	buf_init(&first, 0);
	buf_init(&bytes, 0);
	buf_init(&reply, 0);
	for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
		buf_clear(&bytes);
		buf_clear(&reply);
		put_talk(&bytes, "secret", text, splits[i][0]);
		talk(scene, buf_str(&bytes), splits[i][1], i == 0 ? &first : &reply);
		assert_true(i == 0 || str_equal(buf_str(&first), buf_str(&reply)));
	}
	assert_true(has(&first, "Changed database context to 'msdb'."));
	assert_true(has(&first, "audit_file_offset"));
	assert_true(first.len > 10000);
	buf_done(&first);
	buf_done(&bytes);
	buf_done(&reply);
}

/* The other way round: a reply in packets of one byte has the payload of one in large packets. */
static void test_small_packets(void **state)
{
	struct scene *scene = *state;
	struct buf bytes;
	struct buf large;
	struct buf small;
	struct tds_fault fault;
	buf_init(&bytes, 0);
	buf_init(&large, 0);
	buf_init(&small, 0);
	put_talk(&bytes, "secret", "SELECT 1 AS a, N'text' AS b, NULL", 30000);
	talk(scene, buf_str(&bytes), bytes.len, &large);
	assert_int_equal(tds_fault_parse(STR_LIT("packet bytes=1"), &fault, NULL), 0);
	assert_int_equal(tds_faults_set(&scene->service.faults, &fault, NULL), 0);
	talk(scene, buf_str(&bytes), bytes.len, &small);
	assert_int_equal(tds_fault_parse(STR_LIT("clear"), &fault, NULL), 0);
	assert_int_equal(tds_faults_set(&scene->service.faults, &fault, NULL), 0);
	struct buf payload[2];
	const struct buf *source[2] = {&large, &small};
	for (int i = 0; i < 2; i++) {
		buf_init(&payload[i], 0);
		for (size_t at = 0; at + 8 <= source[i]->len;) {
			const uint8_t *header = (const uint8_t *)source[i]->ptr + at;
			size_t total = (size_t)header[2] << 8 | header[3];
			assert_true(total >= 8 && (i == 0 || total == 9 || at < 100));
			buf_put_str(&payload[i], str_slice(buf_str(source[i]), at + 8, total - 8));
			at += total;
		}
	}
	assert_true(str_equal(buf_str(&payload[0]), buf_str(&payload[1])));
	assert_true(small.len > 5 * large.len);
	buf_done(&payload[0]);
	buf_done(&payload[1]);
	buf_done(&bytes);
	buf_done(&large);
	buf_done(&small);
}

/* A wrong password and a database that is not there are refused with their messages, and nothing after them is answered. */
static void test_refused(void **state)
{
	struct scene *scene = *state;
	struct buf bytes;
	struct buf reply;
	buf_init(&bytes, 0);
	buf_init(&reply, 0);
	put_talk(&bytes, "Secret", "SELECT N'after'", 4096);
	talk(scene, buf_str(&bytes), bytes.len, &reply);
	assert_true(has(&reply, "Login failed for user 'user'."));
	assert_false(has(&reply, "Microsoft SQL Server"));
	assert_false(has(&reply, "after"));
	buf_done(&bytes);
	buf_done(&reply);
}

/* An ATTENTION between requests is acknowledged, and the session goes on. */
static void test_attention(void **state)
{
	struct scene *scene = *state;
	struct buf bytes;
	struct buf message;
	struct buf reply;
	buf_init(&bytes, 0);
	buf_init(&message, 0);
	buf_init(&reply, 0);
	put_talk(&bytes, "secret", NULL, 4096);
	client_put_packets(&bytes, TDS_PACKET_ATTENTION, STR_LIT(""), 4096);
	client_put_headers(&message);
	client_put_wide(&message, "SELECT N'after'");
	client_put_packets(&bytes, TDS_PACKET_BATCH, buf_str(&message), 4096);
	talk(scene, buf_str(&bytes), bytes.len, &reply);
	assert_true(str_find(buf_str(&reply), STR_LIT("\xfd\x20\x00\x00\x00"), 0) > 0);
	assert_true(has(&reply, "after"));
	buf_done(&bytes);
	buf_done(&message);
	buf_done(&reply);
}

/* Whatever is cut off or is not TDS ends the session; none of it hangs or answers rows. */
static void test_nonsense(void **state)
{
	struct scene *scene = *state;
	struct buf whole;
	struct buf reply;
	buf_init(&whole, 0);
	buf_init(&reply, 0);
	put_talk(&whole, "secret", "SELECT 1", 4096);
	for (size_t len = 0; len < whole.len; len += 1 + len / 9) {
		talk(scene, str_slice(buf_str(&whole), 0, len), 4096, &reply);
	}
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
		{"\x12\x01\x00\x03\0\0\0\0", 8},
		{"\x12\x01\xff\xff\0\0\0\0", 8},
		{"\x12\x01\x00\x08\0\0\0\0", 8},
		{"\x10\x01\x00\x09\0\0\0\0x", 9},
		{"\x12\x00\x00\x09\0\0\0\0\xff\x10\x01\x00\x09\0\0\0\0x", 18},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&reply);
		talk(scene, str_make(cases[i].bytes, cases[i].len), 4096, &reply);
		assert_int_equal(reply.len, 0);
	}
	buf_done(&whole);
	buf_done(&reply);
}

/* close ends the connection in the middle of a row, bad-token and bad-length break the answer where they say. */
static void test_faults(void **state)
{
	struct scene *scene = *state;
	static const char *const lines[] = {"close rows=3 times=1",
					    "bad-token times=1",
					    "bad-length where=row times=1",
					    "bad-length where=colmetadata times=1",
					    "bad-length where=packet times=1",
					    "bad-length where=info times=1"};
	struct buf bytes;
	struct buf good;
	buf_init(&bytes, 0);
	buf_init(&good, 0);
	put_talk(&bytes, "secret",
		 "PRINT 'x' SELECT TOP 9 * FROM sys.fn_get_audit_file('D:\\audit\\*', NULL, NULL)",
		 4096);
	talk(scene, buf_str(&bytes), bytes.len, &good);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct tds_fault fault;
		struct buf bent;
		struct buf again;
		buf_init(&bent, 0);
		buf_init(&again, 0);
		assert_int_equal(tds_fault_parse(str_of(lines[i]), &fault, NULL), 0);
		assert_int_equal(tds_faults_set(&scene->service.faults, &fault, NULL), 0);
		talk(scene, buf_str(&bytes), bytes.len, &bent);
		assert_false(str_equal(buf_str(&bent), buf_str(&good)));
		assert_true(i != 0 || bent.len < good.len);
		talk(scene, buf_str(&bytes), bytes.len, &again);
		assert_true(str_equal(buf_str(&again), buf_str(&good)));
		buf_done(&bent);
		buf_done(&again);
	}
	buf_done(&bytes);
	buf_done(&good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits),   cmocka_unit_test(test_small_packets),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_attention),
		cmocka_unit_test(test_nonsense), cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests(tests, open_scene, close_scene);
}
