#include "base/logpolicy.h"

#include "base/parse.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX      (LOGPOLICY_KEYS_MAX + 3)
#define PARTY_NAME_MAX 64
#define NOBODY         SIZE_MAX

/* A witness, or a group of some. */
struct party {
	char name[PARTY_NAME_MAX + 1];
	bool is_group;
	struct note_key key;                /* of a witness */
	size_t needed;                      /* of a group */
	size_t count;                       /* its members */
	size_t members[LOGPOLICY_KEYS_MAX]; /* places in parties, each before its own */
};

struct logpolicy {
	struct note_key logs[LOGPOLICY_KEYS_MAX];
	size_t log_count;
	struct party parties[2 * LOGPOLICY_KEYS_MAX];
	size_t party_count;
	bool has_quorum;
	size_t quorum; /* a party, or NOBODY */
};

void logpolicy_free(struct logpolicy *policy)
{
	free(policy);
}

static int wrong(struct error *err, const char *what)
{
	return error_set(err, ERR_INPUT, "%s", what);
}

static size_t find(const struct logpolicy *policy, struct str name)
{
	for (size_t i = 0; i < policy->party_count; i++) {
		if (str_is(name, policy->parties[i].name)) {
			return i;
		}
	}
	return NOBODY;
}

/* A new witness or group of that name. */
static int add_party(struct logpolicy *policy, struct str name, struct party **out,
		     struct error *err)
{
	if (name.len > PARTY_NAME_MAX || utf8_invalid(name) >= 0) {
		return wrong(err, "the name is too long, or not UTF-8");
	}
	if (str_is(name, "none") || find(policy, name) != NOBODY) {
		return wrong(err, "the name stands for something else already");
	}
	if (policy->party_count == sizeof policy->parties / sizeof policy->parties[0]) {
		return wrong(err, "there are too many witnesses and groups");
	}
	struct party *party = &policy->parties[policy->party_count++];
	memset(party, 0, sizeof *party);
	memcpy(party->name, name.ptr, name.len);
	*out = party;
	return 0;
}

static int take_log(struct logpolicy *policy, const struct str *words, size_t count,
		    struct error *err)
{
	if (count < 2 || count > 3) {
		return wrong(err, "a log is: log VKEY [URL]");
	}
	if (policy->log_count == LOGPOLICY_KEYS_MAX) {
		return wrong(err, "there are too many logs");
	}
	struct note_key *key = &policy->logs[policy->log_count];
	int rc = note_key_parse(words[1], key, err);
	if (rc == 0 && key->type != NOTE_ED25519) {
		rc = wrong(err, "a key of this type signs no log");
	}
	policy->log_count += rc == 0 ? 1 : 0;
	return rc;
}

/* Whether an earlier line has this very key: a cosignature does not tell under which name it was made, so that one witness could count as two. */
static bool is_taken(const struct logpolicy *policy, const struct party *witness)
{
	for (const struct party *other = policy->parties; other != witness; other++) {
		if (!other->is_group &&
		    memcmp(other->key.public_key, witness->key.public_key, NOTE_KEY_BYTES) == 0) {
			return true;
		}
	}
	return false;
}

static int take_witness(struct logpolicy *policy, const struct str *words, size_t count,
			struct error *err)
{
	struct party *party = NULL;
	if (count < 3 || count > 4) {
		return wrong(err, "a witness is: witness NAME VKEY [URL]");
	}
	int rc = add_party(policy, words[1], &party, err);
	rc = rc < 0 ? rc : note_key_parse(words[2], &party->key, err);
	if (rc == 0 && party->key.type != NOTE_COSIGNATURE) {
		rc = wrong(err, "a key of this type cosigns nothing");
	}
	if (rc == 0 && is_taken(policy, party)) {
		rc = wrong(err, "another witness has this key");
	}
	return rc;
}

static int take_group(struct logpolicy *policy, const struct str *words, size_t count,
		      struct error *err)
{
	struct party *party = NULL;
	uint64_t needed = 0;
	if (count < 4) {
		return wrong(err, "a group is: group NAME any|all|K MEMBER..");
	}
	size_t members[LOGPOLICY_KEYS_MAX];
	size_t member_count = count - 3;
	for (size_t i = 0; i < member_count; i++) {
		members[i] = find(policy, words[3 + i]);
		if (members[i] == NOBODY) {
			return error_set(err, ERR_INPUT, "no witness or group is called %.*s",
					 STR_ARG(words[3 + i]));
		}
		for (size_t k = 0; k < i; k++) {
			if (members[k] == members[i]) {
				return wrong(err, "a member stands twice");
			}
		}
	}
	if (str_is(words[2], "any")) {
		needed = 1;
	} else if (str_is(words[2], "all")) {
		needed = member_count;
	} else if (!parse_u64(words[2], &needed) || needed == 0 || needed > member_count) {
		return wrong(
			err,
			"of a group's members any, all, or 1 to as many as there are must sign");
	}
	int rc = add_party(policy, words[1], &party, err);
	if (rc == 0) {
		party->is_group = true;
		party->needed = (size_t)needed;
		party->count = member_count;
		memcpy(party->members, members, member_count * sizeof members[0]);
	}
	return rc;
}

static int take_quorum(struct logpolicy *policy, const struct str *words, size_t count,
		       struct error *err)
{
	if (count != 2 || policy->has_quorum) {
		return wrong(err, "there is one line: quorum NAME|none");
	}
	policy->quorum = str_is(words[1], "none") ? NOBODY : find(policy, words[1]);
	if (policy->quorum == NOBODY && !str_is(words[1], "none")) {
		return error_set(err, ERR_INPUT, "no witness or group is called %.*s",
				 STR_ARG(words[1]));
	}
	policy->has_quorum = true;
	return 0;
}

/* The words of a line, parted by blanks and tabs. Returns how many, WORDS_MAX + 1 when they are too many. */
static size_t split(struct str line, struct str words[WORDS_MAX])
{
	size_t count = 0;
	size_t at = 0;
	while (at < line.len) {
		size_t start = at;
		while (at < line.len && line.ptr[at] != ' ' && line.ptr[at] != '\t') {
			at++;
		}
		if (at > start && count == WORDS_MAX) {
			return WORDS_MAX + 1;
		}
		if (at > start) {
			words[count++] = str_slice(line, start, at - start);
		}
		at++;
	}
	return count;
}

static int take_line(struct logpolicy *policy, struct str line, struct error *err)
{
	static const struct {
		const char *word;
		int (*take)(struct logpolicy *policy, const struct str *words, size_t count,
			    struct error *err);
	} kinds[] = {
		{"log", take_log},
		{"witness", take_witness},
		{"group", take_group},
		{"quorum", take_quorum},
	};
	struct str words[WORDS_MAX];
	line = str_trim(line);
	if (line.len == 0 || line.ptr[0] == '#') {
		return 0;
	}
	size_t count = split(line, words);
	if (count > WORDS_MAX) {
		return wrong(err, "the line has too many words");
	}
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (str_is(words[0], kinds[i].word)) {
			return kinds[i].take(policy, words, count, err);
		}
	}
	return wrong(err, "a line begins with log, witness, group or quorum");
}

static int take_lines(struct logpolicy *policy, struct str rest, struct error *err)
{
	unsigned number = 1;
	for (; rest.ptr != NULL; number++) {
		int rc = take_line(policy, str_split(&rest, '\n'), err);
		if (rc < 0) {
			error_prefix(err, "line %u", number);
			return rc;
		}
	}
	if (policy->log_count == 0) {
		return wrong(err, "no log is named");
	}
	return policy->has_quorum ? 0 : wrong(err, "there is no line \"quorum NAME|none\"");
}

int logpolicy_parse(struct str bytes, struct logpolicy **out_policy, struct error *err)
{
	if (bytes.len > LOGPOLICY_MAX_BYTES) {
		return wrong(err, "the policy is too long");
	}
	struct logpolicy *policy = calloc(1, sizeof *policy);
	if (policy == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a policy");
	}
	int rc = take_lines(policy, bytes, err);
	if (rc < 0) {
		free(policy);
		return rc;
	}
	*out_policy = policy;
	return 0;
}

size_t logpolicy_logs(const struct logpolicy *policy)
{
	return policy->log_count;
}

const struct note_key *logpolicy_log(const struct logpolicy *policy, size_t index)
{
	return &policy->logs[index];
}

/* Members stand before their groups, so one pass tells who is content. */
static int check_witnesses(const struct logpolicy *policy, const struct note *note,
			   struct logpolicy_verdict *out, struct error *err)
{
	bool content[2 * LOGPOLICY_KEYS_MAX];
	for (size_t i = 0; i < policy->party_count; i++) {
		const struct party *party = &policy->parties[i];
		int64_t time_s = 0;
		size_t have = 0;
		if (!party->is_group) {
			int rc = note_verify(note, &party->key, &time_s, err);
			if (rc < 0 && rc != -ERR_GONE) {
				return rc;
			}
			content[i] = rc == 0;
			out->witnesses += content[i] ? 1 : 0;
			out->witnessed_s = time_s > out->witnessed_s ? time_s : out->witnessed_s;
			continue;
		}
		for (size_t k = 0; k < party->count; k++) {
			have += content[party->members[k]] ? 1 : 0;
		}
		content[i] = have >= party->needed;
	}
	error_clear(err);
	return policy->quorum == NOBODY || content[policy->quorum]
		       ? 0
		       : wrong(err, "too few of the policy's witnesses have signed it");
}

int logpolicy_check(const struct logpolicy *policy, const struct note *note,
		    struct logpolicy_verdict *out, struct error *err)
{
	*out = (struct logpolicy_verdict){.key = NULL};
	int rc = note_checkpoint_parse(note->text, &out->checkpoint, err);
	for (size_t i = 0; i < policy->log_count && rc == 0; i++) {
		const struct note_key *key = &policy->logs[i];
		rc = note_verify(note, key, NULL, err);
		if (rc == 0 && out->key == NULL && str_is(out->checkpoint.origin, key->name)) {
			out->key = key;
		}
		rc = rc == -ERR_GONE ? 0 : rc;
	}
	if (rc == 0) {
		error_clear(err); /* a key that did not sign is none */
	}
	if (rc == 0 && out->key == NULL) {
		rc = wrong(err, "no log of the policy has signed it under its own name");
	}
	return rc < 0 ? rc : check_witnesses(policy, note, out, err);
}
