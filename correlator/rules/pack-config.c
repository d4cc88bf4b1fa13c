#include "correlator/rules/pack-config.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef RULES_FOLDER
#define RULES_FOLDER "/usr/share/querytrail/rules"
#endif

/* Texts of a configuration as pack options. */
struct borrowed {
	const char **folders;
	struct str *disabled;
	struct pack_list *lists;
	struct str *values;
};

static bool is_folder(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Whether the rules lie at this place, seen from the program's folder; then the path stands in out. */
static bool beside_program(struct str folder, const char *place, size_t from, struct buf *out)
{
	buf_put_str(out, folder);
	buf_put_text(out, place);
	char *path =
		!out->failed && is_folder(out->ptr + from) ? realpath(out->ptr + from, NULL) : NULL;
	buf_truncate(out, from);
	buf_put_text(out, path != NULL ? path : "");
	free(path);
	return out->len > from;
}

void pack_shipped_folder(struct buf *out)
{
	static const char *const places[] = {"/../share/querytrail/rules",
					     "/../../share/querytrail/rules",
					     "/../../conf/rules", /* build/query */
					     "/../../../conf/rules" /* build/release/query */};
	const char *named = getenv("QUERYTRAIL_RULES");
	char path[4096];
	size_t from = out->len;
	if (named != NULL && named[0] != '\0') {
		buf_put_text(out, named);
		return;
	}
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	const char *slash = strrchr(path, '/');
	for (size_t i = 0; slash != NULL && i < sizeof(places) / sizeof(places[0]); i++) {
		if (beside_program(str_make(path, (size_t)(slash - path)), places[i], from, out)) {
			return;
		}
	}
	buf_put_text(out, RULES_FOLDER);
}

static int take_lists(const struct config *config, struct borrowed *own, size_t *out_count)
{
	size_t count = config_map_count(config, "rules", "lists"), value_count = 0;
	for (size_t i = 0; i < count; i++) {
		value_count += config_map_value_count(config, "rules", "lists", i);
	}
	own->lists = calloc(count + 1, sizeof(*own->lists));
	own->values = calloc(value_count + 1, sizeof(*own->values));
	if (own->lists == NULL || own->values == NULL) {
		return -ERR_NOMEM;
	}
	struct str *value = own->values;
	for (size_t i = 0; i < count; i++) {
		size_t members = config_map_value_count(config, "rules", "lists", i);
		own->lists[i] = (struct pack_list){
			.name = str_of(config_map_key(config, "rules", "lists", i)),
			.values = value,
			.value_count = members};
		for (size_t k = 0; k < members; k++) {
			*value++ = str_of(config_map_value(config, "rules", "lists", i, k));
		}
	}
	*out_count = count;
	return 0;
}

static int take_config(const struct config *config, struct borrowed *own,
		       struct pack_options *options)
{
	options->folder_count = config_list_count(config, "rules", "folders");
	options->disabled_count = config_list_count(config, "rules", "disabled");
	own->folders = calloc(options->folder_count + 1, sizeof(*own->folders));
	own->disabled = calloc(options->disabled_count + 1, sizeof(*own->disabled));
	if (own->folders == NULL || own->disabled == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < options->folder_count; i++) {
		own->folders[i] = config_list(config, "rules", "folders", i);
	}
	for (size_t i = 0; i < options->disabled_count; i++) {
		own->disabled[i] = str_of(config_list(config, "rules", "disabled", i));
	}
	int result = take_lists(config, own, &options->list_count);
	options->folders = own->folders;
	options->disabled = own->disabled;
	options->lists = own->lists;
	return result;
}

int pack_read_config(const struct config *config, const struct pack_wish *wish,
		     struct pack **out_pack, struct error *err)
{
	struct pack_options options = {0};
	struct borrowed own = {0};
	struct buf shipped;
	const char *folder;
	buf_init(&shipped, 0);
	int result = config != NULL ? take_config(config, &own, &options) : 0;
	if (wish != NULL) {
		options.example_lists = wish->example_lists;
		if (wish->folder_count != 0) {
			options.folders = wish->folders;
			options.folder_count = wish->folder_count;
		}
	}
	if (result == 0 && options.folder_count == 0) {
		pack_shipped_folder(&shipped);
		folder = shipped.ptr;
		options.folders = &folder;
		options.folder_count = 1;
		result = shipped.failed ? -ERR_NOMEM : 0;
	}
	if (result == 0) {
		result = pack_read(&options, out_pack, err);
	} else {
		result = error_set(err, ERR_NOMEM, "no memory for the rules");
	}
	free(own.folders);
	free(own.disabled);
	free(own.lists);
	free(own.values);
	buf_done(&shipped);
	return result;
}
