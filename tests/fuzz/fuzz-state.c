// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuzz.h"

#include "oci/config.h"
#include "oci/state.h"

const char fuzz_name[] = "state";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_state struct state state = { 0 };
	struct memory_spec spec;
	struct error err = { "" };

	if (state_parse(&state, (const char *)data, size, &err) < 0) {
		must(strncmp(err.text, "state: ", 7) == 0);
		must(!state.document);
		return 0;
	}
	must(state.pid >= 0);
	must(!state.bundle || strlen(state.bundle) <= size);
	if (state.asked && config_read_asked(&spec, state.asked, &err) < 0)
		must(err.text[0]);
	return 0;
}
