#!/usr/bin/env bats
# shellcheck disable=SC2154 # what the helper sets
#
# engine.bats - podman end to end. A scenario is a function that prints what a
# user would see; it runs under crun and under memcrun, its words must be the
# same, and what they should be is asserted besides.
#
# shellcheck disable=SC2016 # what is quoted is for a shell in a container

load helper

setup_file()
{
	learn_fresh_cgroup
	make_bundle
}

teardown()
{
	pod rm -fa -t 0 >/dev/null
}

# both SCENARIO: what memcrun made of it is in $words. The two run side by side;
# what names a runtime or one container is the same in both for the comparison.
both()
{
	local runtime

	for runtime in crun memcrun; do
		"$1" "$runtime" 2>&1 3>&- |
			sed -E "s/\b$runtime\b/RUNTIME/g; s/[0-9a-f]{64}/ID/g" \
				>"$BATS_TEST_TMPDIR/$runtime" &
	done
	wait
	diff -u "$BATS_TEST_TMPDIR/crun" "$BATS_TEST_TMPDIR/memcrun" >&2
	words=$(<"$BATS_TEST_TMPDIR/memcrun")
}

# exits COMMAND...: runs it and prints its exit status behind its words.
exits()
{
	local status=0

	"$@" 3>&- || status=$?
	printf 'exit %d\n' "$status"
}

# The settings of the container whose process is $1, as the kernel has them.
in_force()
{
	local where

	where=$(memory_cgroup "$1")
	if [[ $CGROUP == v1 ]]; then
		(cd "$where" && grep . memory.limit_in_bytes memory.memsw.limit_in_bytes)
	else
		(cd "$where" && grep . memory.max memory.swap.max memory.low)
	fi
}

short_runs()
{
	local run=(podman --runtime "$1" run --rm --network none "$IMAGE")

	exits "${run[@]}" sh -c 'echo out; echo err >&2; exit 42'
	exits "${run[@]}" /nope
	exits "${run[@]}" /etc
	exits podman --runtime "$1" run --rm --network none --memory nonsense "$IMAGE" true
	exits "${run[@]}" sh -c 'trap "" HUP; kill -TERM 1; trap - TERM; exec sleep 0'
}

# bats test_tags=processes
@test "exit_codes_and_errors_are_those_of_crun" {
	both short_runs
	assert_equal "$(grep ^exit <<<"$words" | paste -sd ' ')" \
		"exit 42 exit 127 exit 126 exit 125 exit 0"
	assert_contains "$words" 'executable file `/nope` not found'
}

life()
{
	local pidfile=$BATS_TEST_TMPDIR/pid-$1 name=life-$1 pid

	exits podman --runtime "$1" run -d --name "$name" --network none --pidfile "$pidfile" \
		--memory 64m --memory-swap 96m --memory-reservation 32m "$IMAGE" sh -c '
			trap "exit 7" TERM
			echo started
			echo complaint >&2
			while :; do sleep 0.1; done' >/dev/null
	pid=$(<"$pidfile")
	in_force "$pid"
	exits podman exec "$name" sh -c "echo inside; exit 5"
	podman stats --no-stream --format '{{.Name}} {{.MemLimit}}' "$name"
	exits podman update --memory 80m --memory-swap 120m "$name" >/dev/null
	in_force "$pid"
	exits podman pause "$name"
	podman inspect -f '{{.State.Status}}' "$name"
	exits podman unpause "$name"
	exits podman stop -t 10 "$name"
	podman logs "$name" 2>&1 | grep -v warning
	podman inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.OCIRuntime}}' "$name"
	exits podman restart "$name"
	in_force "$(<"$pidfile")"
	exits podman kill "$name"
	exits podman wait "$name"
	exits podman rm "$name"
	exits podman container exists "$name"
}

@test "a_container_lives_through_exec_stats_update_pause_stop_restart_kill_rm" {
	both life
	assert_contains "$words" "inside"$'\n'"exit 5"
	assert_contains "$words" "life-RUNTIME $((64 * MIB))"
	assert_contains "$words" $'\npaused\n'
	assert_contains "$words" "complaint"
	# its trap ran
	assert_contains "$words" "exited 7 false"
	# killed, removed, gone
	assert_contains "$words" "137"
	assert_equal "$(tail -n 1 <<<"$words")" "exit 1"
	if [[ $CGROUP == v1 ]]; then
		assert_contains "$words" "memory.limit_in_bytes:$((64 * MIB))"
		assert_contains "$words" "memory.memsw.limit_in_bytes:$((96 * MIB))"
		assert_contains "$words" "memory.limit_in_bytes:$((80 * MIB))"
	else
		assert_contains "$words" "memory.max:$((64 * MIB))"$'\n'"memory.swap.max:$((32 * MIB))"$'\n'"memory.low:$((32 * MIB))"
		assert_contains "$words" "memory.max:$((80 * MIB))"
	fi
}

out_of_memory()
{
	# No swap, and more than there is: the kernel kills, the engine knows.
	exits podman --runtime "$1" run -d --name "hungry-$1" --network none --memory 16m \
		--memory-swap 16m "$IMAGE" sh -c 'tail /dev/zero' >/dev/null
	exits podman wait "hungry-$1"
	podman inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' "hungry-$1"
}

@test "a_container_over_its_limit_is_killed" {
	both out_of_memory
	# whether podman says OOMKilled is between it and its conmon
	assert_contains "$words" "exited 137"
}

terminal()
{
	# podman 4.3 may lose what a container says in its last moment: it waits
	exits script -qec "stty rows 31 cols 97; podman --runtime $1 run -it --rm --network none \
		--memory 64m $IMAGE sh -c 'tty; stty size; sleep 1; exit 3'" /dev/null </dev/null | tr -d '\r' | tr -d '^@\000'
}

# bats test_tags=processes
@test "a_terminal_is_the_containers_own_with_its_size" {
	both terminal
	assert_contains "$words" /dev/pts/0
	assert_contains "$words" "exit 3"
}

user_namespaces()
{
	local pidfile=$BATS_TEST_TMPDIR/pid-$1

	exits podman --runtime "$1" run -d --name "mapped-$1" --network none --pidfile "$pidfile" \
		--uidmap 0:100000:1000 --memory 64m "$IMAGE" sleep 100 >/dev/null
	in_force "$(<"$pidfile")"
	podman exec "mapped-$1" cat /proc/self/uid_map
}

@test "settings_hold_in_user_namespaces" {
	both user_namespaces
	assert_contains "$words" "         0     100000       1000"
}

pods()
{
	local share=() name pair=pair-$1

	# Without systemd podman 4.3 denies all devices to a pod's own cgroup on
	# v2, and no runtime can make /dev/null below it.
	[[ $CGROUP == v1 ]] || is_systemd || share=(--share-parent=false)
	exits podman --runtime "$1" pod create --name "$pair" --network none --hostname pair \
		"${share[@]}" >/dev/null
	for name in left right; do
		exits podman --runtime "$1" run -d --pod "$pair" --name "$name-$1" --memory 64m \
			--pidfile "$BATS_TEST_TMPDIR/$name-$1" "$IMAGE" sleep 1000 >/dev/null
		in_force "$(<"$BATS_TEST_TMPDIR/$name-$1")"
	done
	podman exec "left-$1" hostname
	podman ps --filter "pod=$pair" --format '{{.IsInfra}} {{.Image}}' | sort
	podman inspect -f '{{.OCIRuntime}}' "left-$1" "right-$1"
	exits podman pod stop -t 0 "$pair" >/dev/null
	podman pod ps --filter "name=$pair" --format '{{.Name}} {{.Status}}'
	forget_cpuset "$pair"
	exits podman pod rm "$pair" >/dev/null
}

@test "pods_share_with_their_infra_container" {
	both pods
	assert_equal "$(grep -c '^pair$' <<<"$words")" 1
	# its infra container has an image before podman 5.5, and a root filesystem after
	if at_least podman 5.5; then
		assert_contains "$words" $'\ntrue \n'
	else
		assert_contains "$words" "true localhost/podman-pause"
	fi
	assert_contains "$words" "pair-RUNTIME Exited"
	assert_lacks "$words" "exit 1"
}

# The container's monitor is killed, as by the OOM killer. podman 4.3 stops and
# removes the container all the same; to start it again is refused, and what the
# runtime keeps of it stays, whatever the runtime.
crashed_monitor()
{
	local conmon id name=crashed-$1 pidfile=$BATS_TEST_TMPDIR/pid-$1

	id=$(podman --runtime "$1" run -d --name "$name" --network none --memory 64m \
		--pidfile "$pidfile" "$IMAGE" sleep 1000)
	conmon=$(podman inspect -f '{{.State.ConmonPid}}' "$name")
	kill -KILL "$conmon"
	until_true "conmon is gone" eval "! kill -0 $conmon 2>/dev/null"
	exits podman stop -t 0 "$name"
	until_true "the container's process is gone" eval "! kill -0 $(<"$pidfile") 2>/dev/null"
	exits podman start "$name"
	exits podman rm -f -t 0 "$name"
	exits test -e "$STATE/$id"
	exits "$1" delete --force "$id"
	exits test -e "$STATE/$id"
}

# bats test_tags=processes
@test "a_container_whose_monitor_died_can_be_stopped_and_removed" {
	both crashed_monitor
	assert_equal "$(tail -n 1 <<<"$words")" "exit 1"
}

# bats test_tags=processes
@test "a_container_survives_its_engine" {
	local engine

	pod --runtime memcrun run --name attached --network none --memory 64m \
		"$IMAGE" sleep 1000 >/dev/null 2>&1 </dev/null &
	engine=$!
	until_true "the container runs" eval \
		'[[ $(pod ps --format "{{.Names}}") == attached ]]'
	kill -KILL "$engine"
	assert_equal "$(pod exec attached echo alive)" alive
	pod stop -t 0 attached
	pod start attached
	assert_equal "$(pod exec attached echo alive)" alive
	pod rm -f -t 0 attached
	assert_equal "$(pod ps -a --format '{{.Names}}')" ""
}

@test "what_crun_gets_is_its_config_but_for_memory" {

	# a container without settings: byte for byte what podman wrote
	start plain
	cmp "$STATE/$id/config.json" \
		"/var/lib/containers/storage/overlay-containers/$id/userdata/config.json"
}

# The word libpod-c... of conmon's scopes is among these.
no_cgroups()
{
	[[ -z $(find /sys/fs/cgroup -type d \( -name 'libpod-[0-9a-f]*' -o -name memcrun-probe \)) ]]
}

@test "nothing_is_left_when_all_containers_are_gone" {
	local before

	before=$(left_by_crun)
	start last --memory 64m --memory-reservation 32m
	pod rm -fa -t 0 >/dev/null
	assert_equal "$(ls -A "$STATE")" "$before"
	assert_equal "$(memcrun list -q)" ""
	[[ ! -e $directory ]] || fail "$directory is left"
	# conmon has a cgroup for all, below podman's own; with systemd it has a scope, which
	# systemd removes a moment after conmon's end
	until_true "no cgroup of a container is left" no_cgroups
}
