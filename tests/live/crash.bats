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

# sweep RUNTIME: what one would do by hand after such a death, and a word for each
# thing there was to do. Who is killed before it has written down its state leaves
# cgroups, and a process that waits in them to be started.
sweep()
{
	local path

	"$1" delete --force victim || echo "delete: exit $?"
	[[ ! -e $STATE/victim ]] || echo "state"
	for path in /sys/fs/cgroup/victim /sys/fs/cgroup/*/victim; do
		[[ -d $path ]] || continue
		echo "$path"
		# the processes that end by themselves do so at once
		for _ in {1..10}; do
			[[ -n $(<"$path/cgroup.procs") ]] || break
			sleep 0.1
		done
		if [[ -n $(<"$path/cgroup.procs") ]]; then
			echo "$path: a process"
			xargs kill -KILL <"$path/cgroup.procs"
		fi
		until_true "$path is removed" rmdir "$path"
	done
}

# killed SYSCALL N SIGNAL RUNTIME: RUNTIME creates "victim" and gets SIGNAL when it
# makes its Nth SYSCALL; what sweep says is in $swept. Returns when all children
# have ended: they hold its stdout.
killed()
{
	{
		strace -o /dev/null -e trace="$1" -e inject="$1:signal=$3:when=$2" \
			"$4" create --bundle "$BUNDLE" --config "$config" victim \
			</dev/null 2>/dev/null 3>&-
		echo $? >"$BATS_TEST_TMPDIR/status"
		sweep "$4" >"$BATS_TEST_TMPDIR/swept"
	} 2>/dev/null | timeout 60 cat >/dev/null || fail "killed at $1 number $2: a process stays"
	[[ $(<"$BATS_TEST_TMPDIR/status") -gt 128 ]] ||
		fail "$4 was not killed at $1 number $2: $(<"$BATS_TEST_TMPDIR/status")"
	swept=$(<"$BATS_TEST_TMPDIR/swept")
}

@test "killed_at_any_of_its_system_calls_memcrun_leaves_nothing" {
	local call number count=0 signal

	configure "$PROBED"
	strace -o "$BATS_TEST_TMPDIR/trace" memcrun create --bundle "$BUNDLE" --config "$config" victim \
		</dev/null >/dev/null 2>&1 3>&-
	memcrun delete --force victim
	# from where the loader, if any, has done its work to where memcrun becomes crun; that
	# strace does not count the first execve makes the second one the first
	awk -F '(' '/^execve/ && ++n == 2 { print "execve", 1; exit }
		{ count[$1]++ }
		/^munmap/ && !loaded { loaded = 1; next }
		/^openat/ && /config\.json/ { loaded = 1 }
		# who has only looked has nothing to leave
		/^(read|pread64|lseek|close|mmap|brk|fstat|newfstatat|getpid|geteuid|getcwd|rt_sig.*)\(/ { next }
		loaded { print $1, count[$1] }' \
		"$BATS_TEST_TMPDIR/trace" >"$BATS_TEST_TMPDIR/calls"
	assert_equal "$(tail -n 1 "$BATS_TEST_TMPDIR/calls")" "execve 1"
	while read -r call number; do
		count=$((count + 1))
		# memcrun handles neither, so one of them is enough at each call
		signal=KILL
		((count % 2)) || signal=INT
		killed "$call" "$number" "$signal" memcrun
		assert_equal "$call $number: $swept" "$call $number: "
	done <"$BATS_TEST_TMPDIR/calls"
	[[ $count -gt 12 ]] || fail "only $count system calls"

	# A probe on v1 that was killed half-way: the next run removes it.
	if [[ $CGROUP == v1 ]]; then
		create victim "$PROBED"
		memcrun delete --force victim
	fi
	assert_no_traces
}

@test "killed_as_crun_memcrun_leaves_what_crun_leaves" {
	local point runtime
	local -A left

	configure '.linux.cgroupsPath = "/victim" | .linux.resources.memory = {limit: 67108864, swap: 100663296}'
	# the first and the last of each call that makes something, on this kernel
	strace -o "$BATS_TEST_TMPDIR/trace" crun create --bundle "$BUNDLE" --config "$config" \
		victim </dev/null >/dev/null 2>&1 3>&-
	crun delete --force victim
	awk -F '(' '/^(mkdir|mkdirat|clone|clone3|rename|renameat|symlinkat)\(/ { n[$1]++ }
		END { for (call in n) {
			print call, 1
			if (n[call] > 1) print call, n[call]
		} }' "$BATS_TEST_TMPDIR/trace" >"$BATS_TEST_TMPDIR/points"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/points") -ge 4 ]] || fail "$(<"$BATS_TEST_TMPDIR/points")"
	while read -r point; do
		for runtime in crun memcrun; do
			# shellcheck disable=SC2086 # two words
			killed $point KILL "$runtime"
			left[$runtime]=$swept
		done
		assert_equal "$point: ${left[memcrun]}" "$point: ${left[crun]}"
	done <"$BATS_TEST_TMPDIR/points"
	assert_no_traces
}

@test "killed_at_any_time_it_can_be_deleted" {
	local round

	configure '.linux.cgroupsPath = "/victim" | .linux.resources.memory = {limit: 67108864, swap: 100663296}'
	for round in {1..8}; do
		{
			memcrun create --bundle "$BUNDLE" --config "$config" victim \
				</dev/null 2>/dev/null 3>&- &
			sleep "$(printf '0.%03d' $((RANDOM % 400)))"
			# it may have ended
			kill -KILL $! || :
			wait
			sweep memcrun >"$BATS_TEST_TMPDIR/swept"
		} 2>/dev/null | timeout 60 cat >/dev/null || fail "round $round: a process stays"
		assert_lacks "$(<"$BATS_TEST_TMPDIR/swept")" state
		assert_lacks "$(<"$BATS_TEST_TMPDIR/swept")" delete
	done
	assert_no_traces
}

@test "a_create_that_fails_late_leaves_nothing" {
	create_fails late '.process.args = ["/nope"] | .linux.resources.memory = {limit: 67108864}' \
		nope any
	create_fails late '.mounts += [{destination: "/x", type: "nofs", source: "none"}] |
		.linux.resources.memory = {limit: 67108864}' 'No such device' any
	create_fails late '.hooks.createRuntime = [{path: "/bin/false"}] |
		.linux.resources.memory = {limit: 67108864}' '' any
	assert_no_traces
}

@test "a_refused_create_leaves_nothing" {
	create_fails refused '.linux.resources.memory = {limit: -5}' below
	create_fails refused '.annotations = {"org.memcrun.x": "y"}' unknown
	assert_no_traces
}

@test "hundreds_of_containers_in_parallel_leave_nothing" {
	local file=memory.max crowd=200

	[[ $CGROUP == v2 ]] || file=memory.limit_in_bytes
	# what takes longer there says nothing more
	[[ $CGROUP == v2 && -z ${LIVE_SHORT:-} ]] && ! is_systemd || crowd=50
	# no cgroupsPath: each container gets a cgroup of its own name
	configure 'del(.linux.cgroupsPath) | .linux.resources.memory =
		{limit: 67108864, swap: 100663296, reservation: 33554432}'
	export config MEMORY_ROOT file
	seq $crowd | xargs -P 4 -I {} bash -c '
		memcrun create --bundle "$BUNDLE" --config "$config" herd-{} </dev/null >/dev/null 2>&1 &&
		read -r value <"$MEMORY_ROOT/herd-{}/$file" && [[ $value == 67108864 ]] &&
		echo {}
		memcrun delete --force herd-{}' 3>&- >"$BATS_TEST_TMPDIR/made"
	assert_equal "$(sort -nu "$BATS_TEST_TMPDIR/made" | wc -l)" $crowd
	assert_no_traces
}
