#include "query/bundle-view.h"

#include "base/json.h"
#include "query/bundle-check.h"
#include "query/wrap.h"

#include <inttypes.h>

static void put_json(struct output *output, const struct bundle_checked *checked,
		     const struct error *wrong)
{
	struct buf *out = &output->text;
	bool unknown = checked->unknown.len > 0;
	buf_putf(out, "{\"result\":\"%s\"", wrong != NULL || unknown ? "wrong" : "proved");
	if (wrong != NULL) {
		buf_put_text(out, ",\"wrong\":");
		json_put_string(out, str_of(wrong->text));
	}
	buf_putf(out,
		 ",\"files\":%" PRIu64 ",\"records\":%" PRIu64 ",\"redacted\":%" PRIu64
		 ",\"size\":%" PRIu64 ",\"witnesses\":%zu,\"origin\":",
		 checked->files, checked->records, checked->redacted, checked->size,
		 checked->witnesses);
	json_put_string(out, str_of(checked->origin));
	buf_put_text(out, ",\"unknown\":[");
	struct str rest = buf_str(&checked->unknown);
	for (bool first = true; rest.len > 0; first = false) {
		buf_put_text(out, first ? "" : ",");
		json_put_string(out, str_split(&rest, '\n'));
	}
	buf_putf(out, "],\"trust\":\"%s\"}\n", checked->own_policy ? "bundle" : "policy");
}

static void put_unknown(struct output *output, const struct bundle_checked *checked)
{
	struct str rest = buf_str(&checked->unknown);
	while (rest.len > 0) {
		output_style(output, STYLE_BAD);
		output_safe(output, str_split(&rest, '\n'));
		output_style(output, STYLE_NONE);
		buf_put_text(&output->text, ": nothing vouches for this file\n");
	}
}

static void put_good(struct output *output, const struct bundle_checked *checked)
{
	struct buf *out = &output->text;
	bool good = checked->unknown.len == 0;
	output_style(output, good ? STYLE_GOOD : STYLE_BAD);
	buf_putf(out, "%" PRIu64 " record%s", checked->records, checked->records == 1 ? "" : "s");
	output_style(output, STYLE_NONE);
	buf_putf(out, " (%" PRIu64 " redacted) %s in the log of ", checked->redacted,
		 checked->records == 1 ? "is" : "are");
	output_safe(output, str_of(checked->origin));
	buf_putf(out, ", %" PRIu64 " records, as it was signed", checked->size);
	if (checked->witnesses > 0) {
		buf_putf(out, " and seen by %zu witness%s", checked->witnesses,
			 checked->witnesses == 1 ? "" : "es");
	}
	buf_put_byte(out, '\n');
	wrap_put_behind(output, 0, 0,
			checked->own_policy
				? STR_LIT("trust: the policy in the folder, which came with the "
					  "evidence; --policy names your own copy")
				: STR_LIT("trust: the keys of your policy"));
}

int bundle_view(struct session *session, bool json, struct error *err)
{
	struct bundle_checked checked;
	struct output *output = &session->out;
	int rc = bundle_check(session_option(session, OPTION_BUNDLE),
			      session_option(session, OPTION_POLICY), &checked, err);
	bool wrong = rc == -ERR_INPUT;
	bool unknown = checked.unknown.len > 0;
	if (json && (rc == 0 || wrong)) {
		put_json(output, &checked, wrong ? err : NULL);
	} else if (wrong) {
		output_style(output, STYLE_BAD);
		output_safe(output, str_of(err->text));
		output_style(output, STYLE_NONE);
		buf_put_byte(&output->text, '\n');
	} else if (rc == 0) {
		put_unknown(output, &checked);
		put_good(output, &checked);
	}
	bundle_checked_done(&checked);
	if (rc < 0 && !wrong) {
		return rc;
	}
	return wrong || unknown ? EXIT_NONE : EXIT_FOUND;
}
