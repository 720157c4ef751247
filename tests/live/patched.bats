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
