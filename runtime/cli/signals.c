// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/signals.h"

#include <stddef.h>

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

/* Without SA_RESTART, so that a wait ends. */
const volatile sig_atomic_t *signals_catch(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction had;

		/* nohup(1) is not to be overruled */
		if (sigaction(numbers[i], NULL, &had) == 0 && had.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
	return &caught;
}
