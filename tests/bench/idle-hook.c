// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * idle-hook - an OCI hook that reads its state and does nothing else: what a hook costs at
 * least. crun fails when it cannot write all of the state.
 */
#include <unistd.h>

int main(void)
{
	char buffer[4096];

	while (read(0, buffer, sizeof(buffer)) > 0)
		;
	return 0;
}
