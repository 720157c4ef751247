# shellcheck shell=bash
# tap.bash - the tests' results on stdout, in the Test Anything Protocol.

count=0
failed=0

# test_result STATUS TEST: lines of the file $why explain a failure, or are notes
test_result()
{
	local status=$1 what=$2

	count=$((count + 1))
	progress ''
	[[ $status == 0 ]] || printf 'not '
	printf 'ok %d - %s\n' "$count" "$what"
	sed -e 's/^/# /' -e '60q' "$why"
	[[ $status == 0 ]] || failed=$((failed + 1))
	: >"$why"
}

# run TEST COMMAND...: one test
run()
{
	local what=$1 status=0

	shift
	"$@" >"$why" 2>&1 || status=$?
	test_result "$status" "$what"
	return "$status"
}

progress()
{
	[[ ! -t 2 ]] || printf '\r\033[K%s' "${*:+check: $*}" >&2
}

finish()
{
	progress ''
	printf '1..%d\n' "$count"
	[[ $failed == 0 ]] || exit 1
	exit 0
}
