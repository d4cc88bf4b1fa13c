#include "query/report/form.h"

static const char *const forms[] = {
	[REPORT_TEXT] = "text",   [REPORT_CODE] = "code",         [REPORT_NUMBER] = "number",
	[REPORT_SHARE] = "share", [REPORT_TIME] = "time",         [REPORT_GRADE] = "grade",
	[REPORT_BOOL] = "bool",   [REPORT_SEVERITY] = "severity",
};

#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

bool report_form_is_text(enum report_form form)
{
	return form == REPORT_TEXT || form == REPORT_CODE || form == REPORT_GRADE ||
	       form == REPORT_SEVERITY;
}

const char *report_form_name(enum report_form form)
{
	return forms[form];
}

bool report_form_find(struct str name, enum report_form *out_form)
{
	for (size_t i = 0; i < FORM_COUNT; i++) {
		if (str_is(name, forms[i])) {
			*out_form = (enum report_form)i;
			return true;
		}
	}
	return false;
}

int64_t report_share(uint64_t part, uint64_t whole)
{
	if (whole == 0) {
		return 0;
	}
	return (int64_t)(((unsigned __int128)part * 2000 + whole) / 2 / whole);
}
