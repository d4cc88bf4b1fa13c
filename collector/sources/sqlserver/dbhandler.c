#include "collector/sources/sqlserver/dbhandler.h"

#define MSDBLIB 1
#include <sybfront.h>

#include <sybdb.h>

#include <stdio.h>

#define TOLD_MAX_BYTES 65536

#define MESSAGE_SKIPPED 33226 /* severity 10, and yet records are lost */

/* DB-Library's handlers have no context, and a DBPROCESS has no user data before its login is over. */
static struct dbhandler *login_handler;

void dbhandler_init(struct dbhandler *handler)
{
	*handler = (struct dbhandler){0};
	buf_init(&handler->skipped, TOLD_MAX_BYTES);
	buf_init(&handler->told, TOLD_MAX_BYTES);
}

void dbhandler_done(struct dbhandler *handler)
{
	if (login_handler == handler) {
		login_handler = NULL;
	}
	buf_done(&handler->skipped);
	buf_done(&handler->told);
}

void dbhandler_clear(struct dbhandler *handler)
{
	handler->message = handler->severity = handler->state = 0;
	handler->library = handler->system = 0;
	handler->timed_out = false;
	handler->text[0] = '\0';
}

void dbhandler_set_login(struct dbhandler *handler)
{
	login_handler = handler;
}

static struct dbhandler *handler_of(DBPROCESS *process)
{
	struct dbhandler *handler =
		process != NULL ? (struct dbhandler *)dbgetuserdata(process) : NULL;
	return handler != NULL ? handler : login_handler;
}

/* Messages without an error that every login or query gives; all others are told, because 33226 shows that a low severity
 * does not mean that nothing is lost. */
static bool is_chatter(DBINT number)
{
	static const DBINT chatter[] = {
		0,    /* PRINT */
		5701, /* changed database context */
		5703, /* changed language setting */
		8153, /* NULL value eliminated by an aggregate */
	};
	for (size_t i = 0; i < sizeof(chatter) / sizeof(chatter[0]); i++) {
		if (chatter[i] == number) {
			return true;
		}
	}
	return false;
}

static void tell(struct buf *texts, const char *text)
{
	/* When too many are waiting the rest is left out: the first ones say what is wrong. */
	if (!texts->failed && texts->len + strlen(text) + 1 < TOLD_MAX_BYTES) {
		buf_put(texts, text, strlen(text) + 1);
	}
}

static int on_message(DBPROCESS *process, DBINT number, int state, int severity, char *text,
		      char *server, char *procedure, int line)
{
	struct dbhandler *handler = handler_of(process);
	(void)server; /* the one we asked */
	(void)procedure;
	(void)line;
	if (handler == NULL || text == NULL) {
		return 0;
	}
	if (number == MESSAGE_SKIPPED) {
		tell(&handler->skipped, text);
	} else if (severity <= 10) {
		if (!is_chatter(number)) {
			tell(&handler->told, text);
		}
	} else if (handler->message == 0) {
		handler->message = number;
		handler->severity = severity;
		handler->state = state;
		snprintf(handler->text, sizeof(handler->text), "%s", text);
	}
	return 0;
}

/* Errors of the library that say only that a character could not be shown; text comes as bytes, so nothing is lost. */
static bool is_conversion_note(int number)
{
	return number >= 2400 && number <= 2404;
}

static int on_error(DBPROCESS *process, int severity, int number, int system_error, char *text,
		    char *system_text)
{
	struct dbhandler *handler = handler_of(process);
	(void)severity;
	(void)system_text; /* in the locale; errno says the same */
	if (handler == NULL || is_conversion_note(number)) {
		return INT_CANCEL;
	}
	if (number == SYBETIME) {
		handler->timed_out = true;
	}
	if (handler->library == 0) {
		handler->library = number;
		handler->system = system_error > 0 ? system_error : 0;
		if (handler->message == 0) {
			snprintf(handler->text, sizeof(handler->text), "%s",
				 text != NULL ? text : "");
		}
	}
	return INT_CANCEL;
}

void dbhandler_install(void)
{
	dberrhandle(on_error);
	dbmsghandle(on_message);
}

/* What the caller must do about a message of the server. Anything else passes by itself, or is told again and again. */
static enum error_code message_code(int number)
{
	static const struct {
		int number;
		enum error_code code;
	} known[] = {
		{102, ERR_CONFIG},  /* syntax: a release that lacks what is asked for */
		{195, ERR_CONFIG},  /* not a recognised function */
		{207, ERR_CONFIG},  /* invalid column */
		{208, ERR_CONFIG},  /* invalid object */
		{229, ERR_AUTH},    /* permission denied on the object */
		{262, ERR_AUTH},    /* permission denied in the database */
		{297, ERR_AUTH},    /* no permission for this action */
		{300, ERR_AUTH},    /* VIEW SERVER STATE and the like was denied */
		{916, ERR_AUTH},    /* the login may not use the database */
		{2812, ERR_CONFIG}, /* no such procedure */
		{4060, ERR_CONFIG}, /* cannot open the database */
		{4121, ERR_CONFIG}, /* no such function */
		{18452, ERR_AUTH},  /* not a trusted login */
		{18456, ERR_AUTH},  /* login failed */
		{18470, ERR_AUTH},  /* account disabled */
		{18486, ERR_AUTH},  /* account locked */
		{18487, ERR_AUTH},  /* password expired */
		{18488, ERR_AUTH},  /* password must be changed */
		{33224, ERR_GONE},  /* the pattern matches nothing */
		{33225, ERR_GONE},  /* file and offset are valid no longer */
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].number == number) {
			return known[i].code;
		}
	}
	return ERR_AGAIN;
}

int dbhandler_error(const struct dbhandler *handler, const char *where, struct error *err)
{
	if (handler->message != 0) {
		return error_set(err, message_code(handler->message),
				 "%s says: %s (message %d, severity %d, state %d)", where,
				 handler->text, handler->message, handler->severity,
				 handler->state);
	}
	if (handler->timed_out) {
		return error_set(err, ERR_AGAIN, "%s did not answer in time", where);
	}
	if (handler->library == SYBENTLL) {
		return error_set(err, ERR_CONFIG,
				 "user, password or database of %s is longer than 128 bytes",
				 where);
	}
	if (handler->library != 0 && handler->system != 0) {
		return error_set(err, ERR_AGAIN, "%s: %s: %s (FreeTDS %d)", where, handler->text,
				 strerror(handler->system), handler->library);
	}
	if (handler->library != 0) {
		return error_set(err, ERR_AGAIN, "%s: %s (FreeTDS %d)", where, handler->text,
				 handler->library);
	}
	return error_set(err, ERR_AGAIN, "%s: the connection broke, and no reason was given",
			 where);
}
