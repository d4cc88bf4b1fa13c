/* Any bytes split into template and literals come back bit for bit, and no byte of a string stays in the template. */
#include "model/tsql/template.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the literals hold does not show in the template: with other literals in their places it is the same. */
static void check_again(const struct tsql_template *template, struct str text,
			const struct tsql_options *options)
{
	struct tsql_template again;

	tsql_template_init(&again);
	assert(tsql_template_split(&again, text, options) == 0);
	assert(str_equal(buf_str(&again.text), buf_str(&template->text)));
	assert(again.literal_count == template->literal_count);
	assert(tsql_template_hash(buf_str(&again.text)) ==
	       tsql_template_hash(buf_str(&template->text)));
	tsql_template_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data, size);
	struct tsql_options options = {.quotes_are_strings = size % 2 == 1};
	struct tsql_template template;
	struct buf out;
	struct error err = {.code = 0};

	tsql_template_init(&template);
	buf_init(&out, 0);
	assert(tsql_template_split(&template, text, &options) == 0);
	assert(tsql_template_join(buf_str(&template.text), template.literals,
				  template.literal_count, &out, &err) == 0);
	assert(str_equal(buf_str(&out), text));
	check_again(&template, text, &options);
	/* a template from outside with these literals is joined or refused, never more */
	buf_clear(&out);
	(void)tsql_template_join(text, template.literals, template.literal_count, &out, &err);
	buf_clear(&out);
	tsql_shape_put(text, &options, &out);
	assert(out.len <= 3 * size + 8);
	tsql_template_done(&template);
	buf_done(&out);
	return 0;
}
