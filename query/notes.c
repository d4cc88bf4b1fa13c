#include "query/notes.h"

#include "store/log/forget.h"

static int take(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		struct error *err)
{
	struct notes *notes = owner;
	(void)leaf;
	(void)ingest_ns;
	return forget_read_note(encoded, &notes->redacted, &notes->removed, err);
}

static void pass_damage(void *owner, uint64_t records, const struct error *what)
{
	(void)owner; /* an audit tells it */
	(void)records;
	(void)what;
}

void notes_init(struct notes *notes)
{
	leafset_init(&notes->redacted);
	leafset_init(&notes->removed);
}

void notes_done(struct notes *notes)
{
	leafset_done(&notes->redacted);
	leafset_done(&notes->removed);
}

int notes_read(struct notes *notes, struct store *store, struct error *err)
{
	const struct store_walk walk = {
		.kinds = 1u << RECORD_LIFECYCLE,
		.source = STR_LIT("querytraild"),
		.each = take,
		.owner = notes,
		.damaged = pass_damage,
	};
	struct error why;
	int rc = store_walk_with(store, &walk, &why);
	leafset_settle(&notes->redacted);
	leafset_settle(&notes->removed);
	if (rc < 0 && rc != -ERR_CORRUPT) { /* damage is told by an audit */
		*err = why;
		return rc;
	}
	return 0;
}
