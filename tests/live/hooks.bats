#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
#
# hooks.bats - crun and runc as they are, and memcrun-hook beside them, by podman's hooks.d.

load helper

setup_file()
{
	local stage

	learn_fresh_cgroup
	make_bundle
	export HOOK=/run/vm/bin/memcrun-hook HOOKS=$BATS_FILE_TMPDIR/hooks.d
	[[ -x $HOOK ]] || fail "memcrun-hook is not built"
	mkdir "$HOOKS"
	for stage in createRuntime poststart poststop; do
		sed -e "s,@hook@,$HOOK," -e "s,@stage@,$stage," \
			"$BATS_TEST_DIRNAME/../../oci-hooks/memcrun.json.in" >"$HOOKS/memcrun-$stage.json"
	done
}

teardown()
{
	podman rm -fat 0 >/dev/null 2>&1 3>&-
	[[ -z ${direct:-} ]] || "${direct%%-*}" delete --force "$direct" >/dev/null 2>&1
}

# with RUNTIME NAME OPTION...: a container that sleeps, as start() makes them
with()
{
	local runtime=$1 name=$2
	shift 2

	rm -f "$BATS_TEST_TMPDIR/pid"
	pod --runtime "$runtime" --hooks-dir "$HOOKS" run -d --name "$name" --network none \
		--pidfile "$BATS_TEST_TMPDIR/pid" "$@" "$IMAGE" sleep 1000 >/dev/null
	pid=$(<"$BATS_TEST_TMPDIR/pid")
	directory=$(memory_cgroup "$pid")
	userdata=$(podman inspect -f '{{.StaticDir}}' "$name")
}

# What limit 64M, swap 96M, reservation 32M as `high` are on this kernel.
assert_settings()
{
	if [[ $CGROUP == v1 ]]; then
		# shellcheck disable=SC2046
		assert_memory "$directory" limit_in_bytes=$((64 * MIB)) \
			memsw.limit_in_bytes=$((96 * MIB)) swappiness=60 \
			$([[ $SOFT_LIMIT != works ]] || echo soft_limit_in_bytes=$((32 * MIB)))
	elif [[ -e $directory/memory.memsw.max ]]; then
		assert_memory "$directory" max=$((64 * MIB)) memsw.max=$((96 * MIB)) \
			soft.max=$((32 * MIB)) high=$((32 * MIB))
	else
		assert_memory "$directory" max=$((64 * MIB)) swap.max=$((32 * MIB)) \
			high=$((32 * MIB))
	fi
}

@test "settings_mean_what_they_say_under_crun_and_runc" {
	local runtime

	for runtime in crun runc; do
		with "$runtime" "one-$runtime" --memory 64m --memory-swap 96m \
			--memory-reservation 32m --annotation org.memcrun.reservation=high
		assert_settings
		[[ -e $userdata/memcrun-hook.json ]] || fail "no record in $userdata"
		# exec, stop and start again: the hook is asked again
		pod exec "one-$runtime" true
		pod stop -t 0 "one-$runtime"
		[[ ! -e $userdata/memcrun-hook.json ]] || fail "poststop has left the record"
		pod --hooks-dir "$HOOKS" start "one-$runtime"
		pid=$(<"$BATS_TEST_TMPDIR/pid")
		directory=$(memory_cgroup "$pid")
		assert_settings
		pod rm -f -t 0 "one-$runtime"
	done
}

@test "without_an_annotation_the_hook_is_not_asked" {
	with crun two --memory 64m
	[[ ! -e $userdata/memcrun-hook.json ]] || fail "it was"
}

@test "a_refused_plan_fails_the_creation_and_podman_says_why" {
	local runtime

	for runtime in crun runc; do
		run --separate-stderr pod --runtime "$runtime" --hooks-dir "$HOOKS" run --rm \
			--network none --memory 64m --annotation org.memcrun.strict=true \
			--annotation org.memcrun.thresholds=16M "$IMAGE" true
		assert_equal "$status" 126
		assert_contains "$stderr" "memcrun-hook: "
		assert_contains "$stderr" org.memcrun.thresholds
		run --separate-stderr pod --runtime "$runtime" --hooks-dir "$HOOKS" run --rm \
			--network none --annotation org.memcrun.nonsense=1 "$IMAGE" true
		assert_equal "$status" 126
		assert_contains "$stderr" "org.memcrun.nonsense"
	done
	assert_equal "$(podman ps -aq)" ""
}

@test "memcrun_has_done_the_work_and_the_hook_sees_it" {
	with memcrun three --memory 64m --memory-swap 96m --memory-reservation 32m \
		--annotation org.memcrun.reservation=high
	assert_settings
	[[ ! -e $userdata/memcrun-hook.json ]] || fail "the hook has worked as well"
}

# Of a runtime alone: its log is where the hook speaks to.
@test "warnings_are_in_the_runtimes_log_and_poststart_sees_what_others_changed" {
	local runtime file=memory.max log

	[[ $CGROUP == v2 ]] || file=memory.limit_in_bytes
	for runtime in crun runc; do
		direct=$runtime-direct
		log=$BATS_TEST_TMPDIR/log-$runtime
		configure ".linux.cgroupsPath = \"/$direct\" | .root.path = \"$BUNDLE/rootfs\" |
			.linux.resources.memory = {limit: 67108864} |
			.annotations = {\"org.memcrun.thresholds\": \"16M\"} | .hooks = {
				createRuntime: [{path: \"$HOOK\", args: [\"memcrun-hook\", \"createRuntime\"]},
					{path: \"/bin/sh\", args: [\"sh\", \"-c\",
						\"echo 83886080 >$MEMORY_ROOT/$direct/$file\"]}],
				poststart: [{path: \"$HOOK\", args: [\"memcrun-hook\", \"poststart\"]}]}"
		mkdir -p "$BATS_TEST_TMPDIR/$runtime"
		mv "$config" "$BATS_TEST_TMPDIR/$runtime/config.json"
		"$runtime" --log "$log" --log-format json create --bundle "$BATS_TEST_TMPDIR/$runtime" \
			"$direct" </dev/null >/dev/null 2>&1 3>&-
		assert_contains "$(jq -r 'select(.level == "warning").msg' "$log")" \
			org.memcrun.thresholds
		(cd "$BATS_TEST_TMPDIR" &&
			"$runtime" --log "log-$runtime" --log-format json start "$direct") 3>&-
		assert_contains "$(jq -r 'select(.level == "warning").msg' "$log")" \
			"$file: \"67108864\" was set, and somebody made it \"83886080\""
		"$runtime" delete --force "$direct"
		direct=
	done
}
