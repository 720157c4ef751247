# shellcheck shell=bash
# shellcheck disable=SC2034
# common - what the tests of the command line share.

bats_require_minimum_version 1.5.0

common_setup()
{
	MEMCRUN=$(realpath "${MEMCRUN:-memcrun}")
	FIXTURES=$(realpath "$BATS_TEST_DIRNAME/../fixtures")
	FAKE=$BATS_TEST_DIRNAME/fake-crun
	export RECORD=$BATS_TEST_TMPDIR/record
	mkdir "$RECORD" "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work" || return
	unset LISTEN_FDS FAKE_CRUN_DO
}

# memcrun in front of the fake crun.
memcrun() { "$MEMCRUN" --crun "$FAKE" "$@"; }

# The recorded arguments are these, byte for byte.
got_argv()
{
	if (($#)); then printf '%s\0' "$@"; fi >"$RECORD/wanted"
	cmp "$RECORD/wanted" "$RECORD/argv" || {
		tr '\0' '\n' <"$RECORD/argv"
		return 1
	}
}

not_run() { [[ ! -e $RECORD/argv ]]; }

# The argument of the --config that was put in.
handed_fd() { tr '\0' '\n' <"$RECORD/argv" | sed -n 's,^/proc/self/fd/,,p'; }

# bundle DIR [MEMORY]: a bundle whose linux.resources.memory is this.
bundle()
{
	mkdir -p "$1"
	echo "{\"linux\":{\"resources\":{\"memory\":${2:-{\}}}},\"x\":18446744073709551615}" \
		>"$1/config.json"
}

LIMIT='{"limit":67108864}'

# What crun gets for a bundle that asks for LIMIT alone, on any kernel.
COMPILED='{"linux":{"resources":{"memory":{"limit":67108864}}},"x":18446744073709551615,'
COMPILED+='"annotations":{"org.memcrun.asked":"{\"linux\":{\"resources\":{\"memory\":'
COMPILED+='{\"limit\":67108864}}}}"}}'

got_compiled() { [[ $(cat "$RECORD/config") == "$COMPILED" ]]; }

# Planning looks at this machine's cgroups.
needs_cgroups()
{
	"$MEMCRUN" check >/dev/null 2>&1 || skip "no cgroup hierarchy controls memory here"
}
