#include "store/block/shape-escape.h"
#include "store/block/shape-fit.h"
#include "store/block/shape-form.h"
#include "store/block/shape-rule.h"

#define ARENA_MAX \
	65536 /* what may be longer is put together on the heap, and copied when its length is known */
#define TOKEN_MAX 64 /* numbers and times */

int64_t render_number(struct rendering *rendering)
{
	const struct shape_fit *fit = rendering->fit;
	if (rendering->slot >= fit->slot_count || !fit->slot[rendering->slot].is_number) {
		rendering->wrong = true;
		return 0;
	}
	return fit->slot[rendering->slot++].number;
}

struct str render_text(struct rendering *rendering)
{
	const struct shape_fit *fit = rendering->fit;
	if (rendering->slot >= fit->slot_count || fit->slot[rendering->slot].is_number) {
		rendering->wrong = true;
		return (struct str){0};
	}
	return fit->slot[rendering->slot++].text;
}

static size_t text_bound(struct str text)
{
	return escape_is_plain(text) ? text.len : 6 * text.len;
}

/* At most so many bytes come from a place. */
static size_t place_bound(const struct place *place, const struct record *record)
{
	size_t bound = place->before.len + place->prefix.len + place->absent.len + place->width +
		       TOKEN_MAX;
	if (place->field != 0 && field_info(place->field)->type == FIELD_TYPE_TEXT) {
		bound += text_bound(record_text(record, place->field));
	}
	return bound;
}

static size_t raw_bound(const struct recipe *recipe, const struct rendering *rendering)
{
	size_t bound = recipe->last.len;
	for (size_t i = 0; i < recipe->place_count; i++) {
		bound += place_bound(&recipe->places[i], rendering->record);
	}
	for (size_t i = 0; i < rendering->fit->slot_count; i++) {
		if (!rendering->fit->slot[i].is_number) {
			bound += text_bound(rendering->fit->slot[i].text);
		}
	}
	return bound;
}

/* Begins a text of at most bound bytes. */
static bool begin_text(struct rendering *rendering, size_t bound, struct buf *out)
{
	if (bound > ARENA_MAX) {
		buf_init(out, 8 * (size_t)RECORD_MAX_BYTES);
		return true;
	}
	*out = (struct buf){.ptr = arena_alloc(rendering->arena, bound + 1),
			    .capacity = bound + 1,
			    .max_bytes = bound};
	rendering->out_of_memory = out->ptr == NULL;
	return out->ptr != NULL;
}

static struct str end_text(struct rendering *rendering, size_t bound, struct buf *out)
{
	struct str text = buf_str(out);
	rendering->out_of_memory = rendering->out_of_memory || out->failed;
	if (bound > ARENA_MAX) {
		if (arena_str(rendering->arena, text, &text) != 0) {
			rendering->out_of_memory = true;
			text = (struct str){0};
		}
		buf_done(out);
	}
	return text;
}

static void put_place(struct rendering *rendering, const struct place *place, struct buf *out)
{
	struct form_values values = {.record = rendering->record, .piece = rendering->piece};
	struct str other = {0};
	buf_put_str(out, place->before);
	if (place->name != NO_NAME && form_own_is_number(place)) {
		values.number = render_number(rendering);
	} else if (place->name != NO_NAME) {
		values.text = render_text(rendering);
	}
	if (place->other != NO_NAME) {
		other = render_text(rendering);
	}
	if (other.len > 0) {
		form_put_verbatim(other, out);
	} else if (!rendering->wrong && !form_put(place, &values, out)) {
		if (out->failed) {
			rendering->out_of_memory = true;
		} else {
			rendering->wrong = true;
		}
	}
}

static void render_raw(struct rendering *rendering, const struct recipe *recipe)
{
	size_t bound = raw_bound(recipe, rendering);
	struct buf out;
	if (!begin_text(rendering, bound, &out)) {
		return;
	}
	for (size_t i = 0; i < recipe->place_count && !rendering->wrong; i++) {
		const struct place *place = &recipe->places[i];
		size_t start = out.len + place->before.len;
		put_place(rendering, place, &out);
		if (out.len < start || out.len > UINT32_MAX) {
			rendering->out_of_memory = true;
			break;
		}
		rendering->token[i] = (struct token){(uint32_t)start, (uint32_t)(out.len - start)};
	}
	buf_put_str(&out, recipe->last);
	struct str raw = end_text(rendering, bound, &out);
	if (!rendering->out_of_memory && !rendering->wrong) {
		record_set_text(rendering->record, FIELD_raw, raw);
	}
}

static size_t extra_bound(const struct recipe *recipe, const struct rendering *rendering)
{
	size_t bound = 2;
	struct str raw = record_text(rendering->record, FIELD_raw);
	for (size_t i = 0; i < recipe->item_count; i++) {
		const struct item *item = &recipe->items[i];
		bound += item->key.len + 4;
		if (item->form != ITEM_OWN) {
			bound += 6 * token_str(raw, rendering->token[item->place]).len;
		}
	}
	for (size_t i = rendering->slot; i < rendering->fit->slot_count; i++) {
		if (!rendering->fit->slot[i].is_number) {
			bound += rendering->fit->slot[i].text.len;
		}
	}
	return bound;
}

static void put_item(struct rendering *rendering, const struct item *item, bool flipped,
		     struct buf *out)
{
	struct str token = {0};
	struct str own = {0};
	if (item->form == ITEM_OWN) {
		own = render_text(rendering);
	} else {
		token = token_str(record_text(rendering->record, FIELD_raw),
				  rendering->token[item->place]);
	}
	if (item_expected(item, token) == flipped) {
		return;
	}
	buf_put_byte(out, out->len > 0 ? ',' : '{');
	buf_put_str(out, item->key);
	if (item->form == ITEM_OWN) {
		buf_put_str(out, own);
	} else if (!item_put(item, token, rendering->arena, out)) {
		rendering->wrong = true;
	}
}

static void render_extra(struct rendering *rendering, const struct recipe *recipe)
{
	struct buf out;
	if (recipe->item_count == 0) {
		return;
	}
	uint64_t mask = (uint64_t)render_number(rendering);
	size_t bound = extra_bound(recipe, rendering);
	if (!begin_text(rendering, bound, &out)) {
		return;
	}
	for (size_t i = 0; i < recipe->item_count && !rendering->wrong; i++) {
		put_item(rendering, &recipe->items[i], (mask >> i & 1) != 0, &out);
	}
	if (out.len > 0) {
		buf_put_byte(&out, '}');
	}
	struct str extra = end_text(rendering, bound, &out);
	if (extra.len > 0 && !rendering->out_of_memory) {
		record_set_text(rendering->record, FIELD_extra, extra);
	}
}

static bool goes_well(const struct rendering *rendering)
{
	return !rendering->wrong && !rendering->out_of_memory;
}

static void render_parts(struct rendering *rendering, const struct recipe *recipe)
{
	if ((recipe->rules & RULE_RAW) != 0) {
		render_raw(rendering, recipe);
	}
	if (goes_well(rendering) && (recipe->rules & RULE_EXTRA) != 0) {
		render_extra(rendering, recipe);
	}
	if (goes_well(rendering)) {
		rendering->out_of_memory = !key_render(recipe, rendering);
	}
	bool own_id = recipe->kind == RECORD_STATEMENT && (recipe->rules & RULE_STATEMENT_ID) != 0;
	if (goes_well(rendering) && own_id) {
		rendering->out_of_memory = !rules_render_id(rendering);
	}
}

int shapes_render(const struct shapes *shapes, const struct shape_fit *fit,
		  const struct shape_links *links, struct arena *arena, struct record *io_record)
{
	struct rendering rendering;
	if (fit->shape == 0) {
		return 0;
	}
	if (fit->shape >= shapes->count || shapes->recipes[fit->shape].kind != io_record->kind) {
		return -ERR_CORRUPT;
	}
	const struct recipe *recipe = &shapes->recipes[fit->shape];
	rendering.fit = fit;
	rendering.links = links;
	rendering.record = io_record;
	rendering.arena = arena;
	rendering.slot = 0;
	rendering.piece[0] = 0;
	rendering.piece[1] = 0;
	rendering.wrong = false;
	rendering.out_of_memory = !rules_render(recipe, &rendering);
	if (goes_well(&rendering)) {
		render_parts(&rendering, recipe);
	}
	if (rendering.out_of_memory) {
		return -ERR_NOMEM;
	}
	return rendering.wrong ? -ERR_CORRUPT : 0;
}
