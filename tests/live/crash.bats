#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
#
# crash.bats - who is killed, and who fails late, leaves nothing behind; or no
# more than crun does.

load helper

setup_file()
{
	make_bundle
	if [[ $CGROUP == v2 ]]; then
		export PROBED='.linux.resources.memory = {limit: 67108864, swap: 100663296, reservation: 33554432}'
	else
		# with what makes memcrun try files out, in a cgroup of its own
		export PROBED='.linux.resources.memory = {limit: 67108864, swap: 100663296, reservation: 33554432, kernelTCP: 33554432}'
	fi
}

setup()
{
	traces >"$BATS_TEST_TMPDIR/before"
}

# What could be left: state, cgroups, what is in /run, mounts. systemd and the
# test bed come and go in directories of their own.
traces()
{
	mkdir -p "$STATE"
	find /sys/fs/cgroup -type d ! -path '*.service*' ! -path '*.scope*' | sort
	find /run \( -path /run/vm -o -path /run/systemd -o -path /run/log -o -path /run/user \
		-o -path /run/udev \) -prune -o -print | sort
	cut -d ' ' -f 4- /proc/self/mountinfo
}

assert_no_traces()
{
	traces | diff -u "$BATS_TEST_TMPDIR/before" - >&2
}

# killed SYSCALL N SIGNAL RUNTIME: RUNTIME creates "victim" and gets SIGNAL when
# it makes its Nth SYSCALL. Returns when all its children have ended too: they
# hold its stdout.
killed()
{
	{
		strace -o /dev/null -e trace="$1" -e inject="$1:signal=$3:when=$2" \
			"$4" create --bundle "$BUNDLE" --config "$config" victim </dev/null 2>/dev/null 3>&-
		echo $? >"$BATS_TEST_TMPDIR/status"
	} 2>/dev/null | timeout 20 cat >/dev/null || fail "killed at $1 number $2: a process stays"
	[[ $(<"$BATS_TEST_TMPDIR/status") -gt 128 ]] ||
		fail "$4 was not killed at $1 number $2: $(<"$BATS_TEST_TMPDIR/status")"
}

@test "killed_at_any_of_its_system_calls_memcrun_leaves_nothing" {
	local call count=0 signal
	local -A number=()

	configure "$PROBED"
	strace -o "$BATS_TEST_TMPDIR/trace" memcrun create --bundle "$BUNDLE" --config "$config" victim \
		</dev/null >/dev/null 2>&1 3>&-
	memcrun delete --force victim
	# all up to where it becomes crun; the first execve is not its own
	awk -F '(' '/^execve/ && ++n == 2 { print "execve"; exit } NR > 1 { print $1 }' \
		"$BATS_TEST_TMPDIR/trace" >"$BATS_TEST_TMPDIR/calls"
	assert_equal "$(tail -n 1 "$BATS_TEST_TMPDIR/calls")" execve
	while read -r call; do
		count=$((count + 1))
		number[$call]=$((${number[$call]:-0} + 1))
		# memcrun handles neither, so one of them is enough at each call
		signal=KILL
		((count % 2)) || signal=INT
		# strace itself starts the program by the first execve
		[[ $call != execve ]] || number[$call]=2
		killed "$call" "${number[$call]}" "$signal" memcrun
		assert_gone victim
	done <"$BATS_TEST_TMPDIR/calls"
	[[ $count -gt 30 ]] || fail "only $count system calls"

	# A probe on v1 that was killed half-way: the next run removes it.
	if [[ $CGROUP == v1 ]]; then
		create victim "$PROBED"
		memcrun delete --force victim
	fi
	assert_no_traces
}

# left RUNTIME SYSCALL N: what delete --force leaves after a kill there
left()
{
	killed "$2" "$3" KILL "$1"
	"$1" delete --force victim || echo "delete: exit $?"
	(cd / && for path in run/crun/victim sys/fs/cgroup/victim sys/fs/cgroup/*/victim; do
		[[ ! -e $path ]] || printf '%s\n' "$path"
	done)
	# crun leaves cgroups if it is killed before it has written down its state
	for path in /sys/fs/cgroup/victim /sys/fs/cgroup/*/victim; do
		[[ ! -d $path ]] || rmdir "$path"
	done
	rm -rf "$STATE/victim"
}

@test "killed_as_crun_memcrun_leaves_what_crun_leaves" {
	local point

	configure '.linux.cgroupsPath = "/victim" | .linux.resources.memory = {limit: 67108864, swap: 100663296}'
	for point in "mkdir 1" "mkdir 2" "mkdirat 1" "mkdirat 3" "clone3 1" "mount 1" "rename 1"; do
		# shellcheck disable=SC2086 # two words
		assert_equal "$point: $(left memcrun $point)" "$point: $(left crun $point)"
	done
	assert_no_traces
}

@test "killed_at_any_time_it_is_deleted_as_crun_would_be" {
	local round path

	configure '.linux.cgroupsPath = "/victim" | .linux.resources.memory = {limit: 67108864, swap: 100663296}'
	for round in {1..16}; do
		{
			memcrun create --bundle "$BUNDLE" --config "$config" victim \
				</dev/null 2>/dev/null 3>&- &
			sleep "$(printf '0.%03d' $((RANDOM % 400)))"
			kill -KILL $! 2>/dev/null || echo "round $round: was done" >&2
			wait
			memcrun delete --force victim >/dev/null
		} 2>/dev/null | timeout 20 cat >/dev/null || fail "round $round: a process stays"
		[[ ! -e $STATE/victim ]] || fail "round $round: $STATE/victim stays"
		# as above: crun leaves these, too
		for path in /sys/fs/cgroup/victim /sys/fs/cgroup/*/victim; do
			[[ ! -d $path ]] || rmdir "$path"
		done
	done
	assert_no_traces
}

@test "a_create_that_fails_late_leaves_nothing" {
	create_fails late '.process.args = ["/nope"] | .linux.resources.memory = {limit: 67108864}' \
		nope any
	create_fails late '.mounts += [{destination: "/x", type: "nofs", source: "none"}] |
		.linux.resources.memory = {limit: 67108864}' nofs any
	create_fails late '.hooks.createRuntime = [{path: "/bin/false"}] |
		.linux.resources.memory = {limit: 67108864}' '' any
	assert_no_traces
}

@test "a_refused_create_leaves_nothing" {
	create_fails refused '.linux.resources.memory = {limit: -5}' below
	create_fails refused '.annotations = {"org.memcrun.x": "y"}' unknown
	assert_no_traces
}

@test "two_hundred_containers_in_parallel_leave_nothing" {
	local file=memory.max

	[[ $CGROUP == v2 ]] || file=memory.limit_in_bytes
	# no cgroupsPath: each container gets a cgroup of its own name
	configure 'del(.linux.cgroupsPath) | .linux.resources.memory =
		{limit: 67108864, swap: 100663296, reservation: 33554432}'
	export config MEMORY_ROOT file
	seq 200 | xargs -P 4 -I N bash -c '
		memcrun create --bundle "$BUNDLE" --config "$config" herd-N </dev/null >/dev/null 2>&1 &&
		read -r value <"$MEMORY_ROOT/herd-N/$file" && [[ $value == 67108864 ]] &&
		echo N
		memcrun delete --force herd-N' 3>&- >"$BATS_TEST_TMPDIR/made"
	assert_equal "$(sort -n "$BATS_TEST_TMPDIR/made")" "$(seq 200)"
	assert_no_traces
}
