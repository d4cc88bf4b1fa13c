#include "tests/bench/rulemix.h"

#include "base/hash.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const words[] = {
	"select",      "union",      "drop",       "alter",
	"login",       "sysadmin",   "xp_",        "cmdshell",
	"regread",     "regwrite",   "sp_",        "configure",
	"reconfigure", "openrowset", "bulk",       "insert",
	"master",      "dbo",        "msdb",       "tempdb",
	"audit",       "disable",    "state",      "off",
	"grant",       "control",    "server",     "impersonate",
	"backup",      "restore",    "url",        "https",
	"bcp",         "waitfor",    "delay",      "char",
	"nchar",       "cast",       "varchar",    "exec",
	"powershell",  "encoded",    "whoami",     "net",
	"user",        "admin",      "passwd",     "shadow",
	"etc",         "proc",       "self",       "environ",
	"wp-content",  "plugins",    "setup",      "php",
	"jsp",         "aspx",       "cgi-bin",    "shell",
	"struts",      "jndi",       "ldap",       "log4j",
	"spring",      "actuator",   "heap",       "dump",
	"gateway",     "confluence", "exchange",   "autodiscover",
	"ecp",         "owa",        "proxyshell", "citrix",
	"vpn",         "fortinet",   "f5",         "tmui",
	"sqlmap",      "nikto",      "nmap",       "masscan",
	"gobuster",    "curl",       "wget",       "python-requests",
	"scanner",     "payload",    "script",     "alert",
	"onerror",     "svg",        "iframe",     "cookie",
	"token",       "session",    "secret",     "credential",
	"certificate", "private",    "key",        "ssh",
	"rsa",         "kube",       "docker",     "compose",
	"terraform",   "lambda",     "assume",     "role",
	"policy",      "bucket",     "delete",     "trail",
	"stop",        "logging",    "orders",     "customers",
	"payments",    "cards",      "salary",     "employees",
	"export",
};
static const char *const marks[] = {"_", "/", ".", " ", "-", "%20", "=", "(", "'", "..", "&", "?"};
static const char *const frequent[] = {"SELECT", "Orders", "Mozilla", "prod", "GET", "200", "Shop"};

struct field {
	const char *name;
	unsigned weight;
};

struct source {
	const char *logsource;
	unsigned weight;
	struct field fields[8];
};

static const struct source sources[] = {
	{"product: mssql",
	 30,
	 {{"statement", 60},
	  {"object", 12},
	  {"principal", 8},
	  {"application", 8},
	  {"database", 5},
	  {"host", 4},
	  {"verb", 3}}},
	{"product: windows\n  service: application", 8, {{"Data", 80}, {"Provider_Name", 20}}},
	{"category: webserver",
	 40,
	 {{"cs-uri-query", 45},
	  {"cs-uri-stem", 20},
	  {"cs-user-agent", 12},
	  {"cs-method", 14},
	  {"cs-referer", 4},
	  {"cs-username", 3},
	  {"cs-host", 2}}},
	{"product: aws\n  service: cloudtrail",
	 17,
	 {{"eventName", 50}, {"eventSource", 25}, {"userAgent", 15}, {"userIdentity.arn", 10}}},
	{"product: querytrail\n  service: statement",
	 5,
	 {{"tables_read", 40}, {"procedures", 40}, {"flags", 20}}},
};

static uint64_t draw(uint64_t *random, uint64_t below)
{
	*random = hash_u64(*random + 0x9E3779B97F4A7C15u);
	return *random % below;
}

static bool chance(uint64_t *random, unsigned per_mille)
{
	return draw(random, 1000) < per_mille;
}

static const struct source *pick_source(uint64_t *random)
{
	uint64_t at = draw(random, 100);

	for (size_t i = 0;; i++) {
		if (at < sources[i].weight) {
			return &sources[i];
		}
		at -= sources[i].weight;
	}
}

static const char *pick_field(const struct source *source, uint64_t *random)
{
	uint64_t at = draw(random, 100);

	for (size_t i = 0; source->fields[i].name != NULL; i++) {
		if (at < source->fields[i].weight) {
			return source->fields[i].name;
		}
		at -= source->fields[i].weight;
	}
	return source->fields[0].name;
}

static void put_words(uint64_t *random, struct buf *out)
{
	size_t count = 2 + draw(random, 4);

	for (size_t i = 0; i < count; i++) {
		const char *mark = marks[draw(random, sizeof(marks) / sizeof(marks[0]))];

		buf_put_text(out, words[draw(random, sizeof(words) / sizeof(words[0]))]);
		if (i + 1 < count) {
			buf_put_text(out, mark[0] == '\'' ? "''" : mark[0] == '?' ? "\\?" : mark);
		}
	}
	if (chance(random, 500)) {
		buf_putf(out, "%x", (unsigned)draw(random, 4096));
	}
}

/* A value as YAML in single quotes. */
static void put_value(uint64_t *random, bool is_regex, struct buf *out)
{
	buf_put_byte(out, '\'');
	if (is_regex) {
		buf_putf(out, "%s[0-9a-f]{%u,}(%s|%s)\\s+%s", words[draw(random, 60)],
			 1 + (unsigned)draw(random, 8), words[draw(random, 60)],
			 words[draw(random, 60)], words[draw(random, 60)]);
	} else if (chance(random, 1)) {
		buf_put_text(out, frequent[draw(random, sizeof(frequent) / sizeof(frequent[0]))]);
	} else {
		put_words(random, out);
		if (chance(random, 8)) {
			buf_put_text(out, "*tail");
		}
	}
	buf_put_text(out, "'\n");
}

/* The modifiers of one field; sets how many values it is to have. */
static const char *draw_modifiers(uint64_t *random, size_t *count)
{
	uint64_t kind = draw(random, 1000);

	if (kind < 100) {
		*count = 2 + *count % 3;
		return "|contains|all";
	}
	if (kind < 470) {
		return chance(random, 22) ? "|contains|windash" : "|contains";
	}
	if (kind < 800) {
		return "|endswith";
	}
	if (kind < 860) {
		return "|startswith";
	}
	if (kind < 885) {
		*count = 1;
		return "|re";
	}
	return kind < 888 ? "|base64offset|contains" : "";
}

/* One field of a selection with its modifiers and values. */
static void put_item(const struct source *source, uint64_t *random, struct buf *out)
{
	const char *name = pick_field(source, random);
	size_t count = chance(random, 150) ? 10 + draw(random, 30) : 1 + draw(random, 3);
	const char *modifiers = draw_modifiers(random, &count);

	if (strcmp(name, "cs-method") == 0 || strcmp(name, "verb") == 0) {
		static const char *const verbs[] = {"GET", "POST", "PUT", "SELECT", "DELETE"};

		/* said beside something else, never alone */
		buf_putf(out, "    %s: %s\n", name, verbs[draw(random, 5)]);
		name = source->fields[0].name;
	}
	buf_putf(out, "    %s%s:\n", name, modifiers);
	for (size_t i = 0; i < count; i++) {
		buf_put_text(out, "      - ");
		put_value(random, strcmp(modifiers, "|re") == 0, out);
	}
}

static void put_extra(const struct source *source, uint64_t *random, struct buf *out)
{
	bool is_web = source->logsource[0] == 'c';
	bool is_sql = strstr(source->logsource, "mssql") != NULL;

	if (is_web && chance(random, 300)) {
		buf_putf(out, "    sc-status: %u\n", 200 + (unsigned)draw(random, 5) * 100);
	} else if (is_web && chance(random, 30)) {
		buf_put_text(out, "    c-ip|cidr: 10.0.0.0/8\n");
	} else if (is_sql && chance(random, 40)) {
		buf_put_text(out, "    client_ip|cidr: 192.168.0.0/16\n");
	} else if (strstr(source->logsource, "windows") != NULL) {
		buf_put_text(out, "    EventID: 33205\n");
	}
}

static void put_selection(const struct source *source, const char *name, uint64_t *random,
			  struct buf *out)
{
	buf_putf(out, "  %s:\n", name);
	put_item(source, random, out);
	put_extra(source, random, out);
}

void rulemix_put(size_t number, uint64_t *random, struct buf *out)
{
	const struct source *source = pick_source(random);
	uint64_t shape = draw(random, 100);

	buf_putf(out,
		 "title: Generated rule %zu\nid: %08zx-0000-4000-8000-000000000000\nlogsource:\n  "
		 "%s\ndetection:\n",
		 number, number, source->logsource);
	if (chance(random, 25)) {
		buf_put_text(out, "  keywords:\n    - ");
		put_value(random, false, out);
		buf_put_text(out, "    - ");
		put_value(random, false, out);
		buf_put_text(out, "  condition: keywords\n");
		return;
	}
	if (shape < 50) {
		put_selection(source, "selection", random, out);
		buf_put_text(out, "  condition: selection\n");
	} else if (shape < 65) {
		put_selection(source, "selection_a", random, out);
		put_selection(source, "selection_b", random, out);
		buf_put_text(out, "  condition: 1 of selection_*\n");
	} else if (shape < 80) {
		put_selection(source, "selection_a", random, out);
		put_selection(source, "selection_b", random, out);
		buf_put_text(out, "  condition: all of selection_*\n");
	} else {
		put_selection(source, "selection_a", random, out);
		put_selection(source, "selection_b", random, out);
		put_selection(source, "filter_main", random, out);
		buf_put_text(out, "  condition: all of selection_* and not 1 of filter_*\n");
	}
}

static void file_name(const char *folder, size_t number, char out[300])
{
	(void)snprintf(out, 300, "%s/rule%05zu.yml", folder, number);
}

int rulemix_write(size_t count, uint64_t seed, char out_folder[256], struct error *err)
{
	const char *base = getenv("TMPDIR");
	char name[300];
	struct buf text;
	int result = 0;

	(void)snprintf(out_folder, 256, "%s/rulemix.XXXXXX", base != NULL ? base : "/tmp");
	if (mkdtemp(out_folder) == NULL) {
		return error_errno(err, "can't make %s", out_folder);
	}
	buf_init(&text, 0);
	for (size_t i = 0; i < count && result == 0; i++) {
		int fd;

		buf_clear(&text);
		rulemix_put(i, &seed, &text);
		file_name(out_folder, i, name);
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, text.ptr, text.len) != (ssize_t)text.len) {
			result = error_errno(err, "can't write %s", name);
		}
		if (fd >= 0) {
			(void)close(fd); /* a benchmark's own file */
		}
	}
	buf_done(&text);
	return result;
}

void rulemix_remove(const char *folder, size_t count)
{
	char name[300];

	for (size_t i = 0; i < count; i++) {
		file_name(folder, i, name);
		(void)unlink(name); /* what is not there need not be removed */
	}
	(void)rmdir(folder); /* the same */
}
