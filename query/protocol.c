#include "query/protocol.h"

#include "base/io.h"
#include "base/wire.h"

#define FLAG_OUT_TERMINAL 1u
#define FLAG_ERR_TERMINAL 2u
#define FLAG_COLOR        4u

void ask_encode(const struct ask *ask, struct buf *out)
{
	const struct surroundings *surroundings = &ask->surroundings;
	unsigned flags = (surroundings->out_is_terminal ? FLAG_OUT_TERMINAL : 0) |
			 (surroundings->err_is_terminal ? FLAG_ERR_TERMINAL : 0) |
			 (surroundings->color ? FLAG_COLOR : 0);
	wire_put_u8(out, PROTOCOL_VERSION);
	wire_put_u8(out, (uint8_t)flags);
	wire_put_varint(out, surroundings->width);
	wire_put_zigzag(out, surroundings->now_ns);
	wire_put_block(out, str_of(surroundings->tz));
	wire_put_varint(out, (uint64_t)ask->argc);
	for (int i = 0; i < ask->argc; i++) {
		wire_put_block(out, str_of(ask->argv[i]));
	}
}

/* The next text as one that ends in a NUL and holds none. */
static int read_text(struct wire_reader *reader, struct arena *arena, char **out, struct error *err)
{
	struct str text = wire_block(reader, PROTOCOL_FRAME_MAX);
	struct str copy;
	if (reader->failed || str_find_byte(text, '\0', 0) >= 0) {
		return error_set(err, ERR_INPUT, "the question does not parse at byte %zu",
				 reader->pos);
	}
	if (arena_str(arena, text, &copy) != 0) {
		return error_set(err, ERR_LIMIT, "the question is too large");
	}
	*out = (char *)copy.ptr; /* the arena's own memory */
	return 0;
}

int ask_decode(struct str payload, struct arena *arena, struct ask *out_ask, struct error *err)
{
	struct wire_reader reader = wire_reader(payload);
	struct ask ask = {.argc = 0};
	uint8_t version = wire_u8(&reader);
	if (!reader.failed && version != PROTOCOL_VERSION) {
		return error_set(err, ERR_INPUT,
				 "query.sock speaks version %d, the question is in %u",
				 PROTOCOL_VERSION, version);
	}
	unsigned flags = wire_u8(&reader);
	uint64_t width = wire_varint(&reader);
	ask.surroundings.out_is_terminal = (flags & FLAG_OUT_TERMINAL) != 0;
	ask.surroundings.err_is_terminal = (flags & FLAG_ERR_TERMINAL) != 0;
	ask.surroundings.color = (flags & FLAG_COLOR) != 0;
	ask.surroundings.width = width < 100000 ? (size_t)width : 100000;
	ask.surroundings.now_ns = wire_zigzag(&reader);
	char *tz = NULL;
	int result = read_text(&reader, arena, &tz, err);
	if (result != 0) {
		return result;
	}
	ask.surroundings.tz = tz;
	uint64_t count = wire_varint(&reader);
	if (reader.failed || count == 0 || count > PROTOCOL_ARGUMENTS_MAX) {
		return error_set(err, ERR_INPUT, "the question does not parse at byte %zu",
				 reader.pos);
	}
	char **argv = arena_calloc(arena, (size_t)count + 1, sizeof(*argv));
	if (argv == NULL) {
		return error_set(err, ERR_LIMIT, "the question is too large");
	}
	for (uint64_t i = 0; i < count; i++) {
		result = read_text(&reader, arena, &argv[i], err);
		if (result != 0) {
			return result;
		}
	}
	if (wire_left(&reader) != 0) {
		return error_set(err, ERR_INPUT, "%zu bytes follow the question",
				 wire_left(&reader));
	}
	ask.argv = argv;
	ask.argc = (int)count;
	*out_ask = ask;
	return 0;
}

int protocol_send(int fd, enum protocol_type type, struct str payload, struct error *err)
{
	if (payload.len >= PROTOCOL_FRAME_MAX) {
		return error_set(err, ERR_LIMIT, "a frame of %zu bytes is too large for query.sock",
				 payload.len);
	}
	struct buf frame;
	buf_init(&frame, PROTOCOL_FRAME_MAX + 16);
	wire_put_u32(&frame, (uint32_t)payload.len + 1);
	wire_put_u8(&frame, (uint8_t)type);
	buf_put_str(&frame, payload);
	int result = buf_check(&frame, "the frame", err);
	if (result == 0) {
		result = io_write_all(fd, buf_str(&frame), err);
	}
	buf_done(&frame);
	return result;
}

int protocol_receive(int fd, struct buf *buffer, enum protocol_type *out_type,
		     struct str *out_payload, struct error *err)
{
	char head[5];
	int result = io_read_exact(fd, head, sizeof(head), err);
	if (result != 0) {
		return result;
	}
	struct wire_reader reader = wire_reader(str_make(head, sizeof(head)));
	uint32_t length = wire_u32(&reader);
	uint8_t type = wire_u8(&reader);
	if (length == 0 || length > PROTOCOL_FRAME_MAX || type < PROTOCOL_ASK ||
	    type > PROTOCOL_END) {
		return error_set(err, ERR_INPUT, "a frame on query.sock does not parse");
	}
	buf_clear(buffer);
	if (buf_reserve(buffer, length) != 0) {
		return error_set(err, ERR_NOMEM, "no memory for a frame of %u bytes", length);
	}
	result = io_read_exact(fd, buffer->ptr, length - 1, err);
	if (result == 0) {
		*out_type = (enum protocol_type)type;
		*out_payload = str_make(buffer->ptr, length - 1);
	}
	return result;
}
