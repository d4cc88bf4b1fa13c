#include "correlator/rules/statementfacts.h"

#include "base/hash.h"
#include "model/tsql/facts.h"

#include <assert.h>
#include <stdlib.h>

#define WORDS_MAX (1u << 20) /* of one list, in bytes */

struct entry { /* STATEMENTFACTS_BYTES each */
	uint64_t hash;
	uint32_t key_len; /* 0: free */
	uint32_t end[FACT_COUNT];
	bool from_values; /* of a key without values: such texts have entries by the whole text */
	bool has_inner;
	char bytes[]; /* the key, then the words of all lists */
};

#define ENTRY_ROOM (STATEMENTFACTS_BYTES - sizeof(struct entry))

struct statementfacts {
	char *entries;
	struct hash_key hash_key;
	struct buf key, words, normalized;
	struct str text;
	uint32_t end[FACT_COUNT]; /* of the lists in words */
	struct str found;         /* the lists of the present text, in an entry or in words */
	const uint32_t *found_end;
	bool has_inner;
	struct tsql_scratch scratch;
	struct tsql_facts facts; /* of the present text, when has_facts */
	bool has_facts;
	struct statementfacts_figures figures;
};

int statementfacts_new(struct statementfacts **out_facts, struct error *err)
{
	struct statementfacts *facts = calloc(1, sizeof(*facts));

	if (facts != NULL) {
		facts->entries = calloc(STATEMENTFACTS_SLOTS, STATEMENTFACTS_BYTES);
	}
	if (facts == NULL || facts->entries == NULL) {
		free(facts);
		return error_set(err, ERR_NOMEM, "there is no memory for facts about statements");
	}
	facts->hash_key = hash_key_random();
	buf_init(&facts->key, 0);
	buf_init(&facts->words, 0);
	buf_init(&facts->normalized, 0);
	tsql_scratch_init(&facts->scratch);
	*out_facts = facts;
	return 0;
}

void statementfacts_free(struct statementfacts *facts)
{
	if (facts == NULL) {
		return;
	}
	buf_done(&facts->key);
	buf_done(&facts->words);
	buf_done(&facts->normalized);
	tsql_scratch_done(&facts->scratch);
	free(facts->entries);
	free(facts);
}

/* Where a quoted text that begins at `at` ends: behind its closing sign, or at the end of text. A doubled sign closes nothing. */
static size_t quoted_end(struct str text, size_t at, char close, bool *out_closed)
{
	*out_closed = false;
	at++;
	while (at < text.len) {
		const char *found = memchr(text.ptr + at, close, text.len - at);

		if (found == NULL) {
			return text.len;
		}
		at = (size_t)(found - text.ptr) + 1;
		if (at == text.len || text.ptr[at] != close) {
			*out_closed = true;
			return at;
		}
		at++;
	}
	return text.len;
}

/* Where a block comment that begins at `at` ends; they nest. */
static size_t comment_end(struct str text, size_t at, bool *out_closed)
{
	size_t depth = 1;

	*out_closed = true;
	at += 2;
	while (at + 1 < text.len) {
		if (text.ptr[at] == '/' && text.ptr[at + 1] == '*') {
			depth++;
			at += 2;
		} else if (text.ptr[at] == '*' && text.ptr[at + 1] == '/') {
			at += 2;
			if (--depth == 0) {
				return at;
			}
		} else {
			at++;
		}
	}
	*out_closed = false;
	return text.len;
}

/* A literal is replaced by what kind it is, whether it is nothing (0, '', '%%'), and whether it is the one before: what a condition
 * that is always true may rest on. */
enum mark { MARK_OPEN = 1, MARK_LINE = 2, MARK_BLOCK = 3, MARK_BYTE = 4 };

struct keyer {
	struct str text;
	struct str last; /* literal */
	char *out;
};

/* Whether a text is made of quotes and one other byte. */
static bool is_made_of(struct str text, char byte)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '\'' && text.ptr[i] != byte) {
			return false;
		}
	}
	return true;
}

static char letter_of(struct str literal)
{
	if (is_made_of(literal, '%')) {
		return literal.len <= 2 ? 'e' : 'p';
	}
	return is_made_of(literal, '0') ? '0' : 'x';
}

static void put_literal(struct keyer *keyer, struct str literal, char kind)
{
	*keyer->out++ = kind;
	*keyer->out++ = letter_of(literal);
	*keyer->out++ = str_equal(literal, keyer->last) ? '=' : '!';
	keyer->last = literal;
}

static size_t number_end(struct str text, size_t at)
{
	while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9') {
		at++;
	}
	return at;
}

/* The bytes that names are made of. */
static const bool name_bytes[256] = {
	['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['_'] = true,
	['@'] = true,         ['#'] = true,         ['$'] = true,         [0x80 ... 0xFF] = true,
};

static bool is_name_byte(char c)
{
	return name_bytes[(uint8_t)c];
}

static size_t take_string(struct keyer *keyer, size_t at)
{
	struct str text = keyer->text;
	bool closed;
	size_t end = quoted_end(text, at, '\'', &closed);

	put_literal(keyer, str_slice(text, at, end - at), '\'');
	if (!closed) {
		*keyer->out++ = MARK_OPEN;
	}
	return end;
}

static size_t take_number(struct keyer *keyer, size_t at)
{
	size_t end = number_end(keyer->text, at);

	put_literal(keyer, str_slice(keyer->text, at, end - at), '0');
	return end;
}

/* Takes a comment; what it says is no fact. */
static size_t take_comment(struct keyer *keyer, size_t at)
{
	struct str text = keyer->text;
	bool is_line = text.ptr[at] == '-';
	bool closed = false;
	size_t end = is_line ? text.len : comment_end(text, at, &closed);

	if (is_line) {
		const char *line = memchr(text.ptr + at, '\n', text.len - at);

		end = line != NULL ? (size_t)(line - text.ptr) : text.len;
		closed = line != NULL;
	}
	*keyer->out++ = is_line ? MARK_LINE : MARK_BLOCK;
	if (!closed) {
		*keyer->out++ = MARK_OPEN;
	}
	return end;
}

/* Takes a name, a quoted name, or one byte, as it is. */
static size_t take_plain(struct keyer *keyer, size_t at)
{
	struct str text = keyer->text;
	char c = text.ptr[at];
	char *out = keyer->out;
	size_t end = at + 1;
	bool closed;

	if (c == '[' || c == '"') { /* the key holds whether it is closed: all of it */
		end = quoted_end(text, at, c == '[' ? ']' : '"', &closed);
		memcpy(out, text.ptr + at, end - at);
		keyer->out += end - at;
		return end;
	}
	if (c >= 0 && c <= MARK_BYTE) {
		*out++ = MARK_BYTE; /* of the text's own */
	}
	*out++ = c;
	if (is_name_byte(c)) {
		while (end < text.len && is_name_byte(text.ptr[end])) {
			*out++ = text.ptr[end++];
		}
	}
	keyer->out = out;
	return end;
}

/* Takes what begins at `at`. Returns what is behind it. */
static size_t take(struct keyer *keyer, size_t at)
{
	struct str text = keyer->text;
	char c = text.ptr[at];
	char next = at + 1 < text.len ? text.ptr[at + 1] : '\0';

	if (c == '\'') {
		return take_string(keyer, at);
	}
	if (c >= '0' && c <= '9') {
		return take_number(keyer, at);
	}
	if ((c == '-' && next == '-') || (c == '/' && next == '*')) {
		return take_comment(keyer, at);
	}
	return take_plain(keyer, at);
}

/* Writes the key of a text: at most four bytes a byte. */
static int make_key(struct statementfacts *facts, struct str text)
{
	struct keyer keyer = {.text = text};
	size_t at = 0;

	buf_clear(&facts->key);
	if (buf_reserve(&facts->key, text.len * 4 + 4) != 0) {
		return -ERR_NOMEM;
	}
	keyer.out = facts->key.ptr;
	while (at < text.len) {
		at = take(&keyer, at);
	}
	facts->key.len = (size_t)(keyer.out - facts->key.ptr);
	return 0;
}

static struct entry *entry_at(const struct statementfacts *facts, uint64_t hash)
{
	return (struct entry *)(void *)(facts->entries +
					(hash % STATEMENTFACTS_SLOTS) * STATEMENTFACTS_BYTES);
}

/* The entry of a key, or NULL. */
static struct entry *find(const struct statementfacts *facts, struct str key, uint64_t hash)
{
	struct entry *entry = entry_at(facts, hash);

	if (entry->key_len == 0 || entry->hash != hash ||
	    !str_equal(str_make(entry->bytes, entry->key_len), key)) {
		return NULL;
	}
	return entry;
}

static void keep(struct statementfacts *facts, struct str key, uint64_t hash, bool redirect)
{
	struct entry *entry = entry_at(facts, hash);
	struct str words = redirect ? str_make(NULL, 0) : buf_str(&facts->words);

	if (key.len == 0 || key.len > ENTRY_ROOM || words.len > ENTRY_ROOM - key.len) {
		return;
	}
	*entry = (struct entry){.hash = hash,
				.key_len = (uint32_t)key.len,
				.from_values = redirect,
				.has_inner = facts->has_inner};
	memcpy(entry->end, facts->end, sizeof(entry->end));
	memcpy(entry->bytes, key.ptr, key.len);
	if (words.len != 0) {
		memcpy(entry->bytes + key.len, words.ptr, words.len);
	}
}

static void put_word(struct buf *out, const char *word)
{
	if (word[0] != '\0') {
		buf_put(out, word, strlen(word) + 1);
	}
}

/* The name as written, without its server and database, and the object alone; dbo where it has no schema. */
static void put_name(struct buf *out, const struct tsql_name *name)
{
	struct tsql_name part = {.schema = name->schema, .object = name->object};

	if (name->object.len == 0) {
		return;
	}
	if (name->database.len != 0 || name->server.len != 0) {
		tsql_name_put(name, out);
		buf_put_byte(out, 0);
	}
	if (part.schema.len == 0) {
		part.schema = STR_LIT("dbo");
	}
	tsql_name_put(&part, out);
	buf_put_byte(out, 0);
	buf_put_str(out, name->object);
	buf_put_byte(out, 0);
}

static bool is_relation(const struct tsql_object *object)
{
	return object->kind == TSQL_CLASS_TABLE || object->kind == TSQL_CLASS_VIEW ||
	       object->kind == TSQL_CLASS_EXTERNAL_TABLE;
}

static bool is_in_list(const struct tsql_object *object, enum name_fact fact)
{
	switch (fact) {
	case FACT_TABLES:
		return is_relation(object);
	case FACT_TABLES_READ:
		return is_relation(object) && object->access == TSQL_READ && !object->defined;
	case FACT_TABLES_WRITTEN:
		return is_relation(object) && object->access == TSQL_WRITE && !object->defined;
	case FACT_PROCEDURES:
		return object->access == TSQL_EXECUTED && !object->defined;
	case FACT_OBJECTS:
		return true;
	case FACT_FLAGS:
	case FACT_VERBS:
	case FACT_MAIN_VERB:
	case FACT_DDL:
	case FACT_SERVERS:
	case FACT_DATABASES:
	case FACT_VIA:
	case FACT_NORMALIZED:
		break;
	}
	return false;
}

static void put_flags(const struct tsql_facts *found, struct buf *out)
{
	for (unsigned bit = 0; bit < 31; bit++) {
		if ((found->flags >> bit & 1) != 0) {
			put_word(out, tsql_flag_text((enum tsql_flag)(1 << bit)));
		}
	}
}

static void put_statements(const struct tsql_facts *found, enum name_fact fact, struct buf *out)
{
	uint64_t seen[4] = {0};

	for (size_t i = 0; i < found->statement_count; i++) {
		const struct tsql_statement *statement = &found->statements[i];
		unsigned once =
			fact == FACT_VIA ? (unsigned)statement->via : (unsigned)statement->verb;

		if (statement->defined) {
			continue;
		}
		if (fact == FACT_DDL) {
			if (statement->kind != TSQL_CLASS_NONE) {
				buf_putf(out, "%s %s", tsql_verb_text(statement->verb),
					 tsql_class_text(statement->kind));
				buf_put_byte(out, 0);
			}
		} else if (once < 256 && (seen[once / 64] >> (once % 64) & 1) == 0) {
			seen[once / 64] |= UINT64_C(1) << (once % 64);
			put_word(out, fact == FACT_VIA ? tsql_via_text(statement->via)
						       : tsql_verb_text(statement->verb));
		}
	}
}

static void put_objects(const struct tsql_facts *found, enum name_fact fact, struct buf *out)
{
	for (size_t i = 0; i < found->object_count; i++) {
		const struct tsql_object *object = &found->objects[i];
		struct str part =
			fact == FACT_SERVERS ? object->name.server : object->name.database;

		if (fact == FACT_SERVERS || fact == FACT_DATABASES) {
			if (part.len != 0) {
				buf_put_str(out, part);
				buf_put_byte(out, 0);
			}
		} else if (is_in_list(object, fact)) {
			put_name(out, &object->name);
		}
	}
}

static void put_list(const struct tsql_facts *found, enum name_fact fact, struct buf *out)
{
	switch (fact) {
	case FACT_FLAGS:
		put_flags(found, out);
		break;
	case FACT_MAIN_VERB:
		put_word(out, tsql_verb_text(found->verb));
		break;
	case FACT_VERBS:
	case FACT_DDL:
	case FACT_VIA:
		put_statements(found, fact, out);
		break;
	case FACT_TABLES:
	case FACT_TABLES_READ:
	case FACT_TABLES_WRITTEN:
	case FACT_PROCEDURES:
	case FACT_OBJECTS:
	case FACT_SERVERS:
	case FACT_DATABASES:
		put_objects(found, fact, out);
		break;
	case FACT_NORMALIZED:
		break;
	}
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "there is no memory for facts about a statement");
}

static int compute(struct statementfacts *facts, struct error *err)
{
	if (tsql_facts_of(facts->text, NULL, &facts->scratch, &facts->facts) != 0) {
		return no_memory(err);
	}
	facts->figures.computed++;
	facts->has_facts = true;
	facts->has_inner = facts->facts.inner_count != 0;
	buf_clear(&facts->words);
	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		put_list(&facts->facts, fact, &facts->words);
		facts->end[fact] = (uint32_t)facts->words.len;
	}
	facts->found = buf_str(&facts->words);
	facts->found_end = facts->end;
	return facts->words.failed ? no_memory(err) : 0;
}

int statementfacts_of(struct statementfacts *facts, struct str text, struct error *err)
{
	struct entry *entry;
	uint64_t hash;
	uint64_t text_hash = 0;
	int result = make_key(facts, text);

	facts->text = text;
	facts->has_facts = false;
	facts->figures.asked++;
	if (result != 0) {
		return no_memory(err);
	}
	hash = hash_bytes(&facts->hash_key, buf_str(&facts->key));
	entry = find(facts, buf_str(&facts->key), hash);
	if (entry != NULL && entry->from_values) {
		text_hash =
			hash_bytes(&facts->hash_key, text) + 1; /* another place than as a key */
		entry = find(facts, text, text_hash);
	}
	if (entry != NULL) {
		facts->found = str_make(entry->bytes + entry->key_len, entry->end[FACT_COUNT - 1]);
		facts->found_end = entry->end;
		facts->has_inner = entry->has_inner;
		return 0;
	}
	result = compute(facts, err);
	if (result == 0 && facts->facts.from_values) {
		keep(facts, buf_str(&facts->key), hash, true);
		text_hash = hash_bytes(&facts->hash_key, text) + 1;
		keep(facts, text, text_hash, false);
	} else if (result == 0) {
		keep(facts, buf_str(&facts->key), hash, false);
	}
	return result;
}

struct str statementfacts_words(const struct statementfacts *facts, enum name_fact fact)
{
	uint32_t from = fact == 0 ? 0 : facts->found_end[fact - 1];

	assert(fact < FACT_COUNT);
	return str_slice(facts->found, from, facts->found_end[fact] - from);
}

/* Whether nothing would change: no comment, and no white space but single blanks. Written so that it runs on many bytes at once. */
static bool is_normal(struct str text)
{
	const uint8_t *bytes = (const uint8_t *)text.ptr;
	uint8_t odd = 0;

	if (text.len == 0) {
		return true;
	}
	for (size_t i = 1; i < text.len; i++) {
		uint8_t c = bytes[i];
		uint8_t last = bytes[i - 1];

		odd |= (uint8_t)((c < ' ') | (c >= 0x80) | ((c == ' ') & (last == ' ')) |
				 ((c == '-') & (last == '-')) | ((c == '*') & (last == '/')));
	}
	return odd == 0 && bytes[0] > ' ' && bytes[0] < 0x80 && bytes[text.len - 1] != ' ';
}

int statementfacts_normalized(struct statementfacts *facts, struct str *out_text, struct error *err)
{
	static const struct tsql_facts plain;

	if (!facts->has_inner && is_normal(facts->text)) {
		*out_text = facts->text;
		return 0;
	}
	if (facts->has_inner && !facts->has_facts) {
		if (tsql_facts_of(facts->text, NULL, &facts->scratch, &facts->facts) != 0) {
			return no_memory(err);
		}
		facts->figures.computed++;
		facts->has_facts = true;
	}
	buf_clear(&facts->normalized);
	tsql_match_text(facts->text, facts->has_inner ? &facts->facts : &plain, NULL,
			&facts->normalized);
	if (facts->normalized.failed) {
		return no_memory(err);
	}
	*out_text = buf_str(&facts->normalized);
	return 0;
}

struct statementfacts_figures statementfacts_figures(const struct statementfacts *facts)
{
	return facts->figures;
}
