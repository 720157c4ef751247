# shellcheck shell=bash
# shellcheck disable=SC2154 # what tests/run has set
# count.bash - what a suite's programs print becomes passed, failed and skipped.

passed=0
failed=0
skipped=0

# Count the TAP in a file, and show what failed or was skipped and why. A
# producer that ended badly, or whose plan was not fulfilled, is a failure.
count_tap()
{
	local file=$1 status=$2 ok bad skip planned

	ok=$(grep -c '^ok ' "$file") || [[ $? == 1 ]]
	bad=$(grep -c '^not ok ' "$file") || [[ $? == 1 ]]
	skip=$(grep -ci '^ok .*# *skip' "$file") || [[ $? == 1 ]]
	planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$file" | awk '{ n += $1 } END { print n + 0 }')

	if [[ $verbose == 1 ]]; then
		cat "$file"
	elif [[ $bad != 0 || $status != 0 ]]; then
		# failures with their explanations, not what passed
		grep -v '^ok ' "$file" | head -200 || [[ $? == 1 ]]
	fi
	grep -i '^ok .*# *skip' "$file" | sed 's/^ok [0-9]* */  skipped: /' || [[ $? == 1 ]]

	passed=$((passed + ok - skip))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
	if [[ $bad == 0 && $status != 0 ]] || [[ $((ok + bad)) != "$planned" ]] ||
	   [[ $planned == 0 ]]; then
		printf 'not ok: ended with status %s after %s of %s tests\n' \
			"$status" "$((ok + bad))" "$planned"
		tail -n 40 "$file"
		failed=$((failed + 1))
	fi
}

# One test that is a command: what it prints is shown only when it fails.
check()
{
	local what=$1 status=0
	shift

	"$@" >"$work/check" 2>&1 || status=$?
	if [[ $status == 0 ]]; then
		passed=$((passed + 1))
		[[ $verbose == 0 ]] || printf 'ok - %s\n' "$what"
	else
		failed=$((failed + 1))
		printf 'not ok - %s (status %s)\n' "$what" "$status"
		# tests of a build that failed may be far above its end
		head -n -60 "$work/check" >"$work/above"
		grep -E -A 8 -m 8 '^(not ok|FAIL|ERROR)' "$work/above" || [[ $? == 1 ]]
		tail -n 60 "$work/check"
	fi
}

# automake's summary knows the number of tests in all TAP of the run.
count_automake()
{
	local file=$1 status=$2 pass fail skip error

	pass=$(automake_count "$file" PASS)
	fail=$(automake_count "$file" FAIL)
	skip=$(automake_count "$file" SKIP)
	error=$(automake_count "$file" ERROR)
	passed=$((passed + pass))
	failed=$((failed + fail + error))
	skipped=$((skipped + skip))

	if [[ $verbose == 1 ]]; then
		cat "$file"
	elif [[ $fail != 0 || $error != 0 || $status != 0 ]]; then
		grep -vE '^(PASS|SKIP|ok)' "$file" | head -200
	fi
	sed -nE 's/^SKIP: ([^ ]* )[0-9]* (- )?/  skipped: \1/p' "$file"
	if [[ $status != 0 && $((fail + error)) == 0 ]] || [[ $((pass + fail)) == 0 ]]; then
		printf 'not ok: make check ended with status %s\n' "$status"
		failed=$((failed + 1))
	fi
}

automake_count()
{
	sed -n "s/^# $2: *//p" "$1" | awk '{ n += $1 } END { print n + 0 }'
}

# A command that prints TAP.
suite_tap()
{
	local status=0

	"$@" >"$work/suite.tap" 2>"$work/suite.err" </dev/null || status=$?
	[[ $status == 0 ]] || cat "$work/suite.err"
	count_tap "$work/suite.tap" "$status"
}

suite_bats()
{
	suite_tap bats --tap "$top/$1"
}
