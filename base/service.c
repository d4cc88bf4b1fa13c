#include "base/service.h"

#include <systemd/sd-daemon.h>

void service_ready(void)
{
	(void)sd_notify(0, "READY=1"); /* a manager that does not listen is no reason to stop */
}

void service_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1"); /* as above */
}

void service_status(const char *text)
{
	(void)sd_notifyf(0, "STATUS=%s", text); /* as above */
}

void service_watchdog(void)
{
	(void)sd_notify(0, "WATCHDOG=1"); /* as above */
}

int64_t service_watchdog_ns(void)
{
	uint64_t timeout_us = 0;

	if (sd_watchdog_enabled(0, &timeout_us) <= 0 || timeout_us > INT64_MAX / 1000) {
		return 0;
	}
	return (int64_t)timeout_us * 1000 / 2;
}
