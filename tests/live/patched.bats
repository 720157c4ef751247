#!/usr/bin/env bats
# shellcheck disable=SC2154 # what the helper sets
#
# patched.bats - the memory settings on cgroup v2 of a kernel with the series of
# kernel-patch/: what cgroup v1 could say is exact again.

load helper

setup_file()
{
	learn_fresh_cgroup
	make_bundle
}

teardown_file()
{
	pod rm -fa -t 0 >/dev/null
}

teardown()
{
	delete_made
}

# No drift between what was asked for and what is in force.
no_drift()
{
	run --separate-stderr memcrun check "$1"
	assert_equal "$status" 0
	assert_lacks "$output" DRIFT
}

@test "memory_swap_is_one_limit_over_memory_and_swap" {
	start one --memory 64m --memory-swap 96m
	assert_memory "$directory" max=$((64 * MIB)) memsw.max=$((96 * MIB))
	assert_equal "$told" ""
	no_drift "$id"
}

@test "memory_swap_alone_is_exact" {
	start two --memory-swap 96m
	assert_memory "$directory" memsw.max=$((96 * MIB))
	assert_equal "$told" ""
	no_drift "$id"
}

@test "memory_alone_lets_podman_double_it_for_swap" {
	start three --memory 64m
	assert_memory "$directory" max=$((64 * MIB)) memsw.max=$((128 * MIB))
	assert_equal "$told" ""
}

@test "memory_swap_of_minus_one_is_unlimited" {
	start four --memory 64m --memory-swap -1
	assert_memory "$directory" max=$((64 * MIB))
}

@test "memory_swap_below_memory_is_refused" {
	refused --memory 64m --memory-swap 32m
	assert_contains "$stderr" 'memcrun: linux.resources.memory.swap: below the limit of memory alone, "33554432"'
}

@test "memory_reservation_is_a_soft_limit_and_protection" {
	start six --memory-reservation 32m
	assert_memory "$directory" soft.max=$((32 * MIB)) low=$((32 * MIB))
	assert_equal "$told" ""
	no_drift "$id"
}

@test "reservation_none_is_a_soft_limit_alone" {
	start seven --memory-reservation 32m --annotation org.memcrun.reservation=none
	assert_memory "$directory" soft.max=$((32 * MIB))
}

@test "memory_swappiness_is_the_containers_own" {
	start eight --memory-swappiness 10
	assert_memory "$directory" swappiness=10
	assert_equal "$told" ""
	no_drift "$id"
}

@test "strict_has_nothing_to_refuse" {
	start nine --memory 64m --memory-swap 96m --memory-reservation 32m \
		--memory-swappiness 10 --annotation org.memcrun.strict=true
	assert_memory "$directory" max=$((64 * MIB)) memsw.max=$((96 * MIB)) \
		soft.max=$((32 * MIB)) low=$((32 * MIB)) swappiness=10
	assert_equal "$told" ""
	no_drift "$id"
}

@test "the_total_is_what_a_container_can_use" {
	# 80 MiB fit into 96, whatever part of them is swapped; 120 do not
	run --separate-stderr pod --runtime memcrun run --rm --network none \
		--memory 64m --memory-swap 96m --tmpfs /t:size=200m "$IMAGE" \
		dd if=/dev/zero of=/t/file bs=1M count=80
	assert_equal "$status" 0
	run --separate-stderr pod --runtime memcrun run --rm --network none \
		--memory 64m --memory-swap 96m --tmpfs /t:size=200m "$IMAGE" \
		dd if=/dev/zero of=/t/file bs=1M count=120
	assert_equal "$status" 137
}

@test "check_says_what_the_series_gives" {
	local row

	run --separate-stderr memcrun check
	assert_equal "$status" 0
	for row in memsw.max soft.max swappiness migrate; do
		grep -qE "memory\.$row +yes" <<<"$output" || fail "$output"
	done
}

@test "explicit_keys_reach_the_files_of_the_series" {
	direct '.linux.resources.unified = {"memory.memsw.max": "67108864", "memory.soft.max": "33554432"}'
	assert_memory "$directory" memsw.max=$((64 * MIB)) soft.max=$((32 * MIB))
}

@test "reservation_of_minus_one_is_no_soft_limit_and_protects_nothing" {
	direct '.linux.resources.memory = {"limit": 67108864, "reservation": -1}'
	assert_memory "$directory" max=$((64 * MIB))
	run --separate-stderr memcrun check "direct-$BATS_TEST_NUMBER-1"
	assert_equal "$status" 0
	assert_lacks "$output" DRIFT
}

@test "a_rollback_counts_the_bytes_that_it_moved_itself" {
	local id=rolled

	configure '.linux.cgroupsPath = "/live-roll-a" | .process.args =
		["sh", "-c", "dd if=/dev/zero of=/dev/shm/fill bs=1M count=16; echo > /dev/shm/done; sleep 1000"]'
	memcrun run --detach --bundle "$BUNDLE" --config "$config" "$id" </dev/null >/dev/null 2>&1 3>&-
	made+=("$id")
	until_true "it has filled its memory" test -e "/proc/$(memcrun state "$id" | jq .pid)/root/dev/shm/done"
	memcrun move --to /live-roll-b "$id" 3>&-
	memcrun move --to /live-roll-a "$id" 3>&-
	# the journal is written, and the guard is about to be made: nothing has moved
	! strace -o /dev/null -e trace=clone,clone3 -e inject=clone,clone3:signal=KILL:when=1 \
		memcrun move --to /live-roll-b "$id" 3>&- || fail "it was not killed"
	run --separate-stderr memcrun move --rollback --format json "$id" 3>&-
	assert_equal "$status" 0
	[[ $(jq .moved_bytes <<<"$output") -lt $((4 * MIB)) ]] || fail "$output"
}

@test "delete_in_a_cgroup_namespace_says_nothing_of_what_its_root_does_not_take" {
	mount -o remount,nsdelegate "$MEMORY_ROOT"
	mkdir "$MEMORY_ROOT/live-space"
	configure '.linux.cgroupsPath = "/inner"'
	# shellcheck disable=SC2016 # for the shell in the namespace
	run bash -c 'echo $$ >"$1/live-space/cgroup.procs" && exec unshare --cgroup --mount bash -ec "
		umount -l $1 && mount -t cgroup2 none $1
		mkdir $1/own && echo \$\$ >$1/own/cgroup.procs && echo +memory >$1/cgroup.subtree_control
		memcrun run --detach --bundle $2 --config $3 spaced </dev/null >/dev/null 2>&1
		memcrun delete --force spaced"' - "$MEMORY_ROOT" "$BUNDLE" "$config" 3>&-
	assert_equal "$status:$output" "0:"
	until_true "the namespace's processes are gone" rmdir "$MEMORY_ROOT/live-space/own"
	rmdir "$MEMORY_ROOT/live-space"
}
