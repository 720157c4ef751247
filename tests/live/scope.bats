#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
# shellcheck disable=SC2030,SC2031 # each test is a subshell, with its own functions' globals
#
# scope.bats - `memcrun move` where systemd manages the cgroups: what a container's new scope
# has of the old one, and where a container without a scope may go.

load helper

setup_file()
{
	is_systemd || skip "systemd is not PID 1"
	make_bundle
	cp "$("$BATS_TEST_DIRNAME/../programs")/memory-holder" "$BUNDLE/rootfs/bin/"
}

setup()
{
	is_systemd || skip "systemd is not PID 1"
	id=scope-$BATS_TEST_NUMBER
	units=()
}

teardown()
{
	memcrun delete --force "$id" >/dev/null 2>&1 || [[ $? == 1 ]]
	[[ ${#units[@]} == 0 ]] || systemctl stop "${units[@]}"
}

# begin PATH FILTER [OPTION]...: the container runs, its first process is in $pid
begin()
{
	local path=$1 filter=$2

	shift 2
	configure ".linux.cgroupsPath = \"$path\" | ($filter)"
	memcrun "$@" create --bundle "$BUNDLE" --config "$config" "$id" \
		</dev/null >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- || fail "$(<"$BATS_TEST_TMPDIR/said")"
	memcrun start "$id"
	pid=$(memcrun state "$id" | jq .pid)
}

# What crun's record says of the container: its cgroup, or its scope.
recorded()
{
	jq -r ".\"$1\"" "$STATE/$id/status"
}

# move OPTION...: it works. What it says is in $moved and $warned.
move()
{
	moved=$(memcrun move --format json "$@" "$id" 2>"$BATS_TEST_TMPDIR/warned" 3>&-) ||
		fail "$(<"$BATS_TEST_TMPDIR/warned")"
	warned=$(<"$BATS_TEST_TMPDIR/warned")
}

# All that systemd says of unit $1, but for what is each unit's own: names, times, what it uses
# now, and what its slice leaves of the limits. Its slice $2 is called SLICE.
shown()
{
	systemctl show --all "$1" | grep -vE \
		'^(Id|Names|ControlGroup|ControlGroupId|InvocationID|FragmentPath|DropInPaths|Slice)=|Timestamp|^Effective|Current=|Peak=|^MemoryAvailable=|^CPUUsageNSec=|^IO[A-Z][a-z]+(Bytes|Operations)=|^IP[A-Z][a-z]+(Bytes|Packets)=' |
		sed "s/\\b$2/SLICE/g" | perl -pe '
			s/^((?:After|Before|Requires|Wants|Conflicts)=)(.*)$/
				$1 . join(" ", sort split " ", $2)/e' | sort
}

@test "a_new_scope_has_all_properties_that_the_old_scope_had" {
	local before old

	# such as an engine asks for by annotations: how the unit is stopped, killed and kept
	begin "system.slice:live:$id" '.linux.resources.pids = {limit: 77} | .annotations += {
		"org.systemd.property.TimeoutStopUSec": "uint64 600000000",
		"org.systemd.property.RuntimeMaxUSec": "uint64 7200000000",
		"org.systemd.property.KillSignal": "int32 37",
		"org.systemd.property.SendSIGHUP": "true",
		"org.systemd.property.SendSIGKILL": "false",
		"org.systemd.property.CollectMode": "'"'inactive-or-failed'"'",
		"org.systemd.property.ManagedOOMPreference": "'"'avoid'"'",
		"org.systemd.property.ManagedOOMMemoryPressure": "'"'kill'"'",
		"org.systemd.property.StopWhenUnneeded": "false",
		"org.systemd.property.After": "['"'basic.target'"']",
		"org.systemd.property.Documentation": "['"'man:memcrun(1)'"']"}' --systemd-cgroup
	old=live-$id.scope
	before=$(shown "$old" system.slice)
	# it is no test if they are not there
	assert_contains "$before" TimeoutStopUSec=10min
	assert_contains "$before" KillSignal=37
	assert_contains "$before" CollectMode=inactive-or-failed
	assert_contains "$before" ManagedOOMPreference=avoid
	assert_contains "$before" basic.target

	move --to "/system.slice/live-there.scope"
	assert_lacks "$warned" "systemd takes"
	diff -u <(printf '%s\n' "$before") <(shown live-there.scope system.slice) >&2
	until_true "the old scope is gone" eval '[[ -z $(systemctl list-units --all --plain --no-legend "$old") ]]'
	move --slice live-deep.slice
	assert_equal "$(recorded scope)" live-there-m1.scope
	diff -u <(printf '%s\n' "$before") <(shown live-there-m1.scope live-deep.slice) >&2
	# and on a reload
	systemctl daemon-reload
	diff -u <(printf '%s\n' "$before") <(shown live-there-m1.scope live-deep.slice) >&2
}

@test "what_the_new_scope_cannot_have_is_said" {
	begin "system.slice:live:$id" . --systemd-cgroup
	# a unit that goes with the scope
	systemd-run -q --unit live-follower -p "PartOf=live-$id.scope" sleep 1000
	units+=(live-follower.service)
	move --to "/system.slice/live-there.scope"
	assert_contains "$warned" "$id: systemd takes these properties for no new scope, and they are lost, \"ConsistsOf\""
	assert_equal "$(jq -r .unit_properties_left <<<"$moved")" ConsistsOf
}

@test "what_stays_charged_to_a_scope_that_is_gone_is_said" {
	local there left

	mkdir "$MEMORY_ROOT/live-probe"
	if [[ -e $MEMORY_ROOT/live-probe/memory.migrate ]]; then
		rmdir "$MEMORY_ROOT/live-probe"
		skip "this kernel moves all charges"
	fi
	rmdir "$MEMORY_ROOT/live-probe"
	for there in one two three; do
		begin "system.slice:live:$id" '.process.args = ["sh", "-c",
			"sleep 1000 | memory-holder anon 20 >/dev/shm/ready; sleep 1000"]' --systemd-cgroup
		until_true "the memory is there" test -s "/proc/$pid/root/dev/shm/ready"
		# systemd may be before us, or behind us
		move --to "/system.slice/live-$there.scope"
		left=$(jq .left_bytes <<<"$moved")
		[[ $(jq .after_bytes <<<"$moved") -ge $((20 * MIB)) ]] || fail "$moved"
		if [[ $CGROUP == v1 ]]; then
			# charges of anonymous memory move with the tasks
			[[ $left -lt $((8 * MIB)) ]] || fail "$moved"
			[[ $(jq .moved_bytes <<<"$moved") -ge $((20 * MIB)) ]] || fail "$moved"
		else
			[[ $left -ge $((20 * MIB)) ]] || fail "$moved"
			[[ $(jq .types.anon.left_bytes <<<"$moved") -ge $((20 * MIB)) ]] || fail "$moved"
			assert_contains "$warned" "this kernel moves no charges: $left bytes stay charged to /system.slice/live-$id.scope, which is removed"
		fi
		memcrun delete --force "$id"
	done
}

# Its limits are in force: in all cgroups from the container's up there is the controller.
limits_hold()
{
	local directory=$MEMORY_ROOT$1

	[[ -e $directory/memory.max && -e $directory/pids.max ]] ||
		fail "$1 has lost its controllers: $(ls "$directory")"
	assert_equal "$(<"$directory/memory.max") $(<"$directory/pids.max")" "$((64 * MIB)) 77"
}

# What makes systemd look at the cgroups of a slice.
disturb()
{
	systemctl daemon-reload
	systemd-run -q --unit "live-neighbour-$1" --slice live.slice sleep 1000
	systemctl stop "live-neighbour-$1.service"
	systemctl daemon-reload
}

@test "without_a_scope_a_container_goes_only_where_its_limits_stay_in_force" {
	local limits='.linux.resources.memory = {limit: 67108864} | .linux.resources.pids = {limit: 77}'
	local words='and would take the controllers, and so the limits, away'

	[[ $CGROUP == v2 ]] || skip "cgroup v1 has no controllers to take away"
	begin "/$id" "$limits"
	for where in "--slice live.slice" "--slice live-deep.slice" "--to /live.slice/$id" \
		"--to /live-plain/$id" "--to /live.slice/no.service/$id"; do
		# shellcheck disable=SC2086
		run --separate-stderr memcrun move $where "$id"
		assert_equal "$status" 1
		assert_contains "$stderr" "systemd manages /"
		assert_contains "$stderr" "$words"
		assert_equal "$(wc -l <<<"$stderr")" 1
		assert_equal "$(memory_cgroup "$pid")" "$MEMORY_ROOT/$id"
	done
	[[ ! -e $MEMORY_ROOT/live.slice/$id ]] || fail "something was made"

	# the cgroups of a unit that systemd leaves to us
	systemd-run -q --unit live-holder --slice live.slice -p Delegate=yes \
		-p DelegateSubgroup=own sleep 1000
	units+=(live-holder.service)
	move --to "/live.slice/live-holder.service/$id"
	limits_hold "/live.slice/live-holder.service/$id"
	disturb one
	limits_hold "/live.slice/live-holder.service/$id"
	# and so it is in a scope
	memcrun delete --force "$id"
	begin "system.slice:live:$id" "$limits" --systemd-cgroup
	move --slice live.slice
	limits_hold "$(recorded cgroup-path)"
	disturb two
	limits_hold "$(recorded cgroup-path)"
}

# It has one made between our look and the freeze.
@test "a_cgroup_of_its_own_with_our_name_stops_the_move_and_stays" {
	local old mover tracer inner

	[[ $CGROUP == v2 ]] || skip "on cgroup v1 a new scope needs no cgroup of ours in it"
	begin "system.slice:live:$id" \
		'.process.args = ["sh", "-c", "sleep 1000 & echo $! >/dev/shm/inner; wait"]' --systemd-cgroup
	until_true "it has a child" test -s "/proc/$pid/root/dev/shm/inner"
	inner=$(pgrep -P "$pid")
	old=$(memory_cgroup "$pid")
	# the first cgroup that is made is ours in the new scope
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=mkdirat \
		-e inject=mkdirat:signal=STOP:when=1 memcrun move --to /system.slice/live-there.scope \
		"$id" >"$BATS_TEST_TMPDIR/moved" 2>&1 3>&- </dev/null &
	tracer=$!
	until_true "the move is stopped" grep -q 'stopped by SIGSTOP' "$BATS_TEST_TMPDIR/trace"
	mover=$(awk '/stopped by SIGSTOP/ { print $1 }' "$BATS_TEST_TMPDIR/trace")
	mkdir "$MEMORY_ROOT/system.slice/live-$id.scope/memcrun"
	echo "$inner" >"$MEMORY_ROOT/system.slice/live-$id.scope/memcrun/cgroup.procs"
	kill -CONT "$mover"
	! wait "$tracer" || fail "it moved: $(<"$BATS_TEST_TMPDIR/moved")"
	assert_contains "$(<"$BATS_TEST_TMPDIR/moved")" \
		"nothing moved: there is a cgroup with our name in it, \"/system.slice/live-$id.scope/memcrun\""
	assert_equal "$(memory_cgroup "$pid")" "$old"
	assert_equal "$(memory_cgroup "$inner")" "$MEMORY_ROOT/system.slice/live-$id.scope/memcrun"
	grep -qx "frozen 0" "$MEMORY_ROOT/system.slice/live-$id.scope/cgroup.events"
	[[ ! -e $STATE/$id/memcrun-move.json ]]
	until_true "the new scope is gone" test ! -e "$MEMORY_ROOT/system.slice/live-there.scope"
}

# out_of_memory DIRECTORY: how often the cgroup was
out_of_memory()
{
	awk '$1 == "oom" { print $2 }' "$1/memory.events"
}

@test "where_oom_waits_the_scope_has_no_limit_that_kills" {
	local own scope

	mkdir "$MEMORY_ROOT/live-probe"
	if [[ ! -e $MEMORY_ROOT/live-probe/memory.oom.wait ]]; then
		rmdir "$MEMORY_ROOT/live-probe"
		skip "this kernel cannot wait at the limit"
	fi
	rmdir "$MEMORY_ROOT/live-probe"
	begin "system.slice:live:$id" '.linux.resources.memory =
		{limit: 33554432, swap: 33554432, disableOOMKiller: true} |
		.process.args = ["sh", "-c", "tail /dev/zero; sleep 1000"]' --systemd-cgroup
	scope=$MEMORY_ROOT/system.slice/live-$id.scope
	own=$MEMORY_ROOT$(recorded cgroup-path)
	[[ $own == "$scope"/* ]] || fail "it is in $own"
	assert_equal "$(systemctl show -P MemoryMax "live-$id.scope")" infinity
	assert_equal "$(<"$scope/memory.max") $(<"$own/memory.max")" "max 33554432"
	assert_equal "$(<"$own/memory.oom.wait")" 1
	until_true "it waits" eval '[[ $(out_of_memory "$own") -gt 0 ]]'
	grep -qx "oom_kill 0" "$scope/memory.events" || fail "$(<"$scope/memory.events")"
	run --separate-stderr memcrun check "$id"
	assert_equal "$status" 0
	assert_lacks "$output" DRIFT
	# more room: it goes on, and the scope is left alone
	memcrun update --memory 64M --memory-swap 64M "$id"
	assert_equal "$(<"$scope/memory.max") $(<"$own/memory.max")" "max 67108864"
}
