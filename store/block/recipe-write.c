#include "store/block/recipe.h"

#include "base/digest.h"

#include <stdio.h>
#include <string.h>

const struct recipe_rule *recipe_rule_for(const struct recipe *recipe, unsigned target)
{
	for (size_t i = 0; i < recipe->rule_count; i++) {
		if (recipe->rules[i].target == target) {
			return &recipe->rules[i];
		}
	}
	return NULL;
}

static void put_text(uint8_t form, struct str text, struct buf *out)
{
	if (form == 0) {
		buf_put_str(out, text);
	} else if (form == 1) {
		recipe_put_json(text, out);
	} else {
		recipe_put_plain(text, out);
	}
}

static bool put_field(const struct record *record, const struct recipe_step *step, struct buf *out)
{
	if (step->arg == 0 || step->arg >= FIELD_LIMIT || !record_has(record, step->arg)) {
		return false;
	}
	switch (field_info(step->arg)->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		put_text((uint8_t)(step->op - RECIPE_FIELD), record->value[step->arg].text, out);
		return true;
	case FIELD_TYPE_BOOL:
		buf_put_text(out, record->value[step->arg].number != 0 ? "true" : "false");
		return true;
	case FIELD_TYPE_INT:
	case FIELD_TYPE_TIME:
		buf_put_i64(out, record->value[step->arg].number);
		return true;
	}
	return false;
}

static bool put_slot(const struct recipe_input *input, const struct recipe_step *step,
		     struct buf *out)
{
	if (step->arg >= input->recipe->slot_count) {
		return false;
	}
	if (input->recipe->slots[step->arg].is_number) {
		buf_put_i64(out, input->slots[step->arg].number);
	} else {
		put_text((uint8_t)(step->op - RECIPE_SLOT), input->slots[step->arg].text, out);
	}
	return true;
}

static bool put_route_tail(const struct record *record, struct buf *out)
{
	struct str route = record_has(record, FIELD_route) ? record_text(record, FIELD_route)
							   : (struct str){0};
	ptrdiff_t blank = str_find_byte(route, ' ', 0);
	if (blank < 0) {
		return false;
	}
	recipe_put_json(str_slice(route, (size_t)blank + 1, route.len), out);
	return true;
}

static bool put_line_key(const struct record *record, unsigned bytes, struct buf *out)
{
	uint8_t digest[DIGEST_BYTES];
	if (!record_has(record, FIELD_raw) || (bytes != 16 && bytes != 20)) {
		return false;
	}
	digest_sha256(record_text(record, FIELD_raw), digest);
	buf_put(out, digest, 16);
	buf_put_fill(out, 0, bytes - 16);
	return true;
}

/* As auditrow_key makes it. */
static bool put_audit_key(const struct record *record, struct buf *out)
{
	uint8_t line[DIGEST_BYTES];
	uint8_t digest[DIGEST_BYTES];
	static const char zeros[8];
	char digits[24];
	if (!record_has(record, FIELD_raw) || !record_has(record, FIELD_file) ||
	    !record_has(record, FIELD_file_offset)) {
		return false;
	}
	int len = snprintf(digits, sizeof digits, "%lld",
			   (long long)record_number(record, FIELD_file_offset, 0));
	const struct str parts[] = {
		record_text(record, FIELD_file), str_make(zeros, 1),
		str_make(digits, (size_t)len),   str_make(zeros, 1),
		str_make(line, DIGEST_BYTES),    str_make(zeros, sizeof zeros),
	};
	digest_sha256(record_text(record, FIELD_raw), line);
	digest_sha256_parts(parts, sizeof parts / sizeof parts[0], digest);
	buf_put(out, digest, 16);
	return true;
}

static bool put_stable_id(const struct record *record, struct buf *out)
{
	char id[RECORD_ID_DIGITS + 1];
	if (record->key.len == 0) {
		return false;
	}
	record_stable_id(record->source, record->key, id);
	buf_put(out, id, RECORD_ID_DIGITS);
	return true;
}

static bool put_step(const struct recipe_input *input, const struct recipe_step *step,
		     struct buf *out)
{
	switch ((enum recipe_op)step->op) {
	case RECIPE_BYTES:
		buf_put_str(out, step->bytes);
		return true;
	case RECIPE_FIELD:
	case RECIPE_FIELD_JSON:
	case RECIPE_FIELD_PLAIN:
		return put_field(input->record, step, out);
	case RECIPE_SLOT:
	case RECIPE_SLOT_JSON:
	case RECIPE_SLOT_PLAIN:
		return put_slot(input, step, out);
	case RECIPE_TIME_AS:
		return recipe_put_time(input->record->time_ns, step->arg, out);
	case RECIPE_ROUTE_TAIL:
		return put_route_tail(input->record, out);
	case RECIPE_STABLE_ID:
		return put_stable_id(input->record, out);
	case RECIPE_SUBJECT_ID:
		if (input->links == NULL) {
			return false;
		}
		buf_put_str(out, input->links->subject_id);
		return true;
	case RECIPE_LINE_KEY:
		return put_line_key(input->record, step->arg, out);
	case RECIPE_AUDIT_KEY:
		return put_audit_key(input->record, out);
	case RECIPE_SUBJECT_LEAF:
	case RECIPE_REQUEST_LEAF:
	case RECIPE_SUBJECT_TIME:
	case RECIPE_POSITIVE:
		break;
	}
	return false;
}

/* As buf_put_str, without a call where there is room. */
static inline void put_bytes(struct str bytes, struct buf *out)
{
	if (out->failed || bytes.len == 0 || bytes.len >= out->capacity - out->len) {
		buf_put_str(out, bytes);
		return;
	}
	memcpy(out->ptr + out->len, bytes.ptr, bytes.len);
	out->len += bytes.len;
	out->ptr[out->len] = '\0';
}

bool recipe_write(const struct recipe_input *input, const struct recipe_rule *rule, struct buf *out)
{
	const struct recipe_step *steps = &input->recipe->steps[rule->first];
	for (size_t i = 0; i < rule->count; i++) {
		if (steps[i].op == RECIPE_BYTES) {
			put_bytes(steps[i].bytes, out);
		} else if (!put_step(input, &steps[i], out)) {
			return false;
		}
	}
	return !out->failed;
}

/* The number of the first slot that is positive, else of the last one. */
static bool first_positive(const struct recipe_input *input, const struct recipe_rule *rule,
			   int64_t *out_number)
{
	bool any = false;
	for (size_t i = 0; i < rule->count; i++) {
		const struct recipe_step *step = &input->recipe->steps[rule->first + i];
		if (step->arg >= input->recipe->slot_count ||
		    !input->recipe->slots[step->arg].is_number) {
			return false;
		}
		*out_number = input->slots[step->arg].number;
		any = true;
		if (*out_number > 0) {
			break;
		}
	}
	return any;
}

bool recipe_number(const struct recipe_input *input, const struct recipe_rule *rule,
		   int64_t *out_number)
{
	if (rule->count == 0) {
		return false;
	}
	const struct recipe_step *step = &input->recipe->steps[rule->first];
	const struct recipe_links *links = input->links;
	if (step->op == RECIPE_POSITIVE) {
		return first_positive(input, rule, out_number);
	}
	if (links == NULL) {
		return false;
	}
	switch (step->op) {
	case RECIPE_SUBJECT_LEAF:
		*out_number = (int64_t)links->subject_leaf;
		return true;
	case RECIPE_REQUEST_LEAF:
		*out_number = (int64_t)links->request_leaf;
		return links->request_leaf != RECIPE_NO_LEAF;
	case RECIPE_SUBJECT_TIME:
		*out_number = links->subject_time_ns;
		return true;
	default:
		return false;
	}
}
