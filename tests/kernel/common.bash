# shellcheck shell=bash
# common.bash - what the tests that run inside a guest share.

# Tests of kernels remove cgroups and fill memory, so a guest it must be.
need_guest()
{
	if [[ ! -d /run/vm || $(id -u) != 0 ]]; then
		printf '%s: this is no guest of tests/vm/run; see --help\n' "${0##*/}" >&2
		exit 2
	fi
}

# A disk of its own for page cache and writeback, which a guest's files do not
# have. make_disk DIRECTORY: on zram, whose pages are charged to nobody.
make_disk()
{
	local number

	number=$(</sys/class/zram-control/hot_add)
	echo 512M >"/sys/block/zram$number/disksize"
	mkfs.ext4 -q -F "/dev/zram$number"
	mkdir -p "$1"
	mount "/dev/zram$number" "$1"
}

# make_loop_disk DIRECTORY: with the queue of a loop device and a file on tmpfs,
# which is charged to whose pages are written. Unmounting it frees that file.
make_loop_disk()
{
	truncate -s 512M "$1.image"
	mkfs.ext4 -q -F "$1.image"
	mkdir -p "$1"
	mount -o loop "$1.image" "$1"
	rm "$1.image"
}

# run_marked NAME COMMAND...: its output for ksft_to_tap
run_marked()
{
	local name=$1 status=0
	shift

	printf '@begin %s\n' "$name"
	"$@" 2>&1 </dev/null || status=$?
	printf '@end %d\n' "$status"
}

# From what selftests print (numbers start anew with each program, a plan may be
# missing, a skipped test has its name where the reason should be) to one TAP
# stream. A program that ended before its plan did is one more failure.
ksft_to_tap()
{
	awk '
		function result(ok, name, directive) {
			printf "%s %d - %s%s\n", ok, ++n, name, directive
			fflush()
		}
		/^@begin / { program = $2; seen = bad = skip = 0; plan = ""; said = ""; next }
		/^@end / {
			if (skip && !seen)
				next
			if (plan == "" && !seen)
				result("not ok", program " ended with status " $2 " and no result", "")
			else if (plan != "" && seen != plan)
				result("not ok", program " ended with status " $2 " after " \
					seen " of " plan " tests", "")
			else if ($2 != 0 && $2 != 4 && !bad)
				result("not ok", program " ended with status " $2, "")
			next
		}
		/^TAP version/ || /^# (Totals|Planned)/ { next }
		/^1\.\.0 # SKIP/ {
			skip = 1
			sub(/^1\.\.0 # SKIP */, "")
			result("ok", program, " # SKIP " $0)
			next
		}
		/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; next }
		/^(not )?ok [0-9]+/ {
			seen++
			ok = "ok"
			if (sub(/^not /, "")) { ok = "not ok"; bad++ }
			sub(/^ok [0-9]+ *(- )?/, "")
			if (sub(/^# SKIP */, ""))
				result(ok, $0, " # SKIP " (said == "" ? "by the test" : said))
			else {
				sub(/^# (XFAIL|error) */, "")
				result(ok, $0, "")
			}
			said = ""
			next
		}
		/^# / { said = substr($0, 3) }
		/^#/ { print; fflush(); next }
		NF { print "# " $0; fflush() }
		END { printf "1..%d\n", n }'
}
