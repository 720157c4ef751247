#!/usr/bin/env bats
# shellcheck disable=SC2154 # what the helper sets
#
# memory.bats - each memory setting, alone and together: what is asked against
# every control file of the container's memory cgroup.
#
# podman 4.3 turns its options into linux.resources.memory like this:
#   --memory L              limit L, and swap 2 L unless --memory-swap is given
#   --memory-swap S         swap S, on v2 also without --memory or when S < L;
#                           on v1 podman itself refuses these two
#   --memory-swap -1        nothing at all
#   --memory-reservation, --memory-swappiness, --oom-kill-disable: as they are
#   --kernel-memory         nothing, with a warning of its own
#   --memory -1             refused before the runtime is started
#   --cgroup-conf           linux.resources.unified
# What it cannot express comes from a bundle's config.json.

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

# expect V1 -- V2: the control files of $directory that differ from a fresh cgroup
expect()
{
	local -a v1=() v2=()

	while [[ $1 != -- ]]; do
		v1+=("$1")
		shift
	done
	shift
	v2=("$@")
	if [[ $CGROUP == v1 ]]; then
		assert_memory "$directory" "${v1[@]}"
	else
		assert_memory "$directory" "${v2[@]}"
	fi
}

# Is the soft limit of v1 something that this kernel has?
soft()
{
	[[ $SOFT_LIMIT != works ]] || printf 'soft_limit_in_bytes=%s\n' "$1"
}

soft_limit_said()
{
	case $SOFT_LIMIT in
	ignored) assert_contains "$1" 'linux.resources.memory.reservation: this kernel takes memory.soft_limit_in_bytes and ignores it' ;;
	*) assert_lacks "$1" 'ignores it' ;;
	esac
}

direct_refused()
{
	tried=$((tried + 1))
	create_fails "direct-$BATS_TEST_NUMBER-$tried" "$1" "$2"
}

# memory JSON [ANNOTATIONS]: a filter for these settings
memory()
{
	printf '.linux.resources.memory = %s | .annotations += %s' "$1" "${2:-{\}}"
}

# --- podman's options

@test "memory_alone_lets_podman_double_it_for_swap" {
	start one --memory 64m
	expect limit_in_bytes=$((64 * MIB)) memsw.limit_in_bytes=$((128 * MIB)) -- \
		max=$((64 * MIB)) swap.max=$((64 * MIB))
	assert_equal "$told" ""
}

@test "memory_swap_counts_memory_and_swap_together" {
	start two --memory 64m --memory-swap 96m
	expect limit_in_bytes=$((64 * MIB)) memsw.limit_in_bytes=$((96 * MIB)) -- \
		max=$((64 * MIB)) swap.max=$((32 * MIB))
	assert_equal "$told" ""
}

@test "memory_swap_equal_to_memory_leaves_no_swap" {
	start three --memory 64m --memory-swap 64m
	expect limit_in_bytes=$((64 * MIB)) memsw.limit_in_bytes=$((64 * MIB)) -- \
		max=$((64 * MIB)) swap.max=0
}

@test "memory_swap_of_minus_one_leaves_swap_unlimited" {
	start four --memory 64m --memory-swap -1
	expect limit_in_bytes=$((64 * MIB)) -- max=$((64 * MIB))
	assert_equal "$told" ""
}

@test "memory_swap_alone_is_exact_on_v1_and_refused_on_v2" {
	if [[ $CGROUP == v1 ]]; then
		# podman itself refuses it on v1, and lets it through on v2
		direct "$(memory '{"swap": 100663296}')"
		expect limit_in_bytes=$((96 * MIB)) memsw.limit_in_bytes=$((96 * MIB)) --
		return
	fi
	refused --memory-swap 96m
	assert_contains "$stderr" 'memcrun: linux.resources.memory.swap: needs linux.resources.memory.limit, for this kernel limits swap alone, "100663296"'
}

@test "memory_swap_below_memory_is_refused" {
	if [[ $CGROUP == v1 ]]; then
		# as above
		direct_refused "$(memory '{"limit": 67108864, "swap": 33554432}')" \
			'linux.resources.memory.swap: below the limit of memory alone, "33554432"'
		return
	fi
	refused --memory 64m --memory-swap 32m
	assert_contains "$stderr" 'memcrun: linux.resources.memory.swap: below the limit of memory alone, "33554432"'
}

@test "memory_reservation_is_a_soft_limit_on_v1_and_protection_on_v2" {
	start seven --memory-reservation 32m
	# shellcheck disable=SC2046 # nothing, or one word
	expect $(soft $((32 * MIB))) -- low=$((32 * MIB))
	soft_limit_said "$told"
}

@test "memory_swappiness_is_set_on_v1_and_warned_about_on_v2" {
	start eight --memory-swappiness 10
	expect swappiness=10 --
	if [[ $CGROUP == v2 ]]; then
		assert_equal "$told" 'warning: linux.resources.memory.swappiness: this kernel has none per container, kept for reclaim on request, "10"'
	fi
}

@test "oom_kill_disable_waits_on_v1_and_is_refused_on_v2" {
	if [[ $CGROUP == v1 ]]; then
		start nine --memory 64m --oom-kill-disable
		expect limit_in_bytes=$((64 * MIB)) memsw.limit_in_bytes=$((128 * MIB)) \
			"oom_control=oom_kill_disable 1" --
		return
	fi
	refused --memory 64m --oom-kill-disable
	assert_contains "$stderr" 'linux.resources.memory.disableOOMKiller: this kernel cannot wait at the limit, annotation org.memcrun.oom=kill accepts the kill, "true"'
}

@test "all_options_together_each_keep_their_meaning_and_check_sees_drift" {
	start ten --memory 64m --memory-swap 80m --memory-reservation 32m \
		--memory-swappiness 10 --oom-kill-disable --annotation org.memcrun.oom=kill
	# shellcheck disable=SC2046
	expect limit_in_bytes=$((64 * MIB)) memsw.limit_in_bytes=$((80 * MIB)) \
		$(soft $((32 * MIB))) swappiness=10 "oom_control=oom_kill_disable 1" -- \
		max=$((64 * MIB)) swap.max=$((16 * MIB)) low=$((32 * MIB))
	soft_limit_said "$told"

	run --separate-stderr memcrun check "$id"
	assert_equal "$status" 0
	assert_lacks "$output" DRIFT
	assert_contains "$output" "$directory"

	if [[ $CGROUP == v1 ]]; then
		echo $((48 * MIB)) >"$directory/memory.limit_in_bytes"
	else
		echo $((48 * MIB)) >"$directory/memory.max"
	fi
	run --separate-stderr memcrun check "$id"
	assert_equal "$status" 0
	assert_equal "$(grep -c DRIFT <<<"$output")" 1
	[[ $output =~ limit\ +$((64 * MIB))\ +memory[a-z_.]+\ +$((64 * MIB))\ +$((48 * MIB))\ +DRIFT ]] ||
		fail "$output"
	run --separate-stderr memcrun check --format json "$id"
	assert_equal "$(jq -r '.plan[] | select(.drift) | .field + " " + .in_force' <<<"$output")" \
		"limit $((48 * MIB))"
}

@test "a_container_without_settings_has_an_untouched_cgroup" {
	start eleven
	expect --
	assert_equal "$told" ""
}

@test "annotations_reach_the_kernel_through_podman" {
	start twelve --memory 64m --memory-reservation 32m \
		--annotation org.memcrun.reservation=high --annotation org.memcrun.oom=group \
		--annotation org.memcrun.reserve=8M
	# shellcheck disable=SC2046
	expect limit_in_bytes=$((64 * MIB)) memsw.limit_in_bytes=$((128 * MIB)) \
		$(soft $((32 * MIB))) -- \
		max=$((64 * MIB)) swap.max=$((64 * MIB)) high=$((32 * MIB)) oom.group=1 \
		min=$((8 * MIB))
	if [[ $CGROUP == v1 ]]; then
		assert_contains "$told" 'annotations.org.memcrun.oom: this kernel cannot kill a container as a whole'
		assert_contains "$told" 'annotations.org.memcrun.reserve: this kernel reserves no memory for a cgroup'
	fi
}

@test "strict_refuses_what_is_only_warned_about_otherwise" {
	refused --memory 64m --annotation org.memcrun.strict=true \
		--annotation org.memcrun.thresholds=70%
	assert_contains "$stderr" 'annotations.org.memcrun.thresholds: nothing reports usage thresholds on this kernel'
}

@test "an_unknown_annotation_is_refused_and_podman_shows_why" {
	refused --memory 64m --annotation org.memcrun.sricter=1
	assert_contains "$stderr" 'annotations.org.memcrun.sricter: unknown annotation, "1"'
}

@test "cgroup_conf_of_podman_is_explicit_on_v2_and_refused_on_v1" {
	if [[ $CGROUP == v1 ]]; then
		# podman itself drops --cgroup-conf on v1, so the bundle says it
		direct_refused '.linux.resources.unified = {"memory.high": "33554432"}' \
			'linux.resources.unified.memory.high: cgroup v1 controls memory here, "33554432"'
		return
	fi
	start fifteen --memory 64m --cgroup-conf memory.high=33554432
	expect -- max=$((64 * MIB)) swap.max=$((64 * MIB)) high=$((32 * MIB))
}

# --- what podman cannot say

@test "limit_of_minus_one_is_unlimited" {
	direct "$(memory '{"limit": -1}')"
	expect --
	direct "$(memory '{"limit": -1, "swap": -1}')"
	expect --
	assert_equal "$said" ""
}

@test "zero_is_not_set" {
	direct "$(memory '{"limit": 0, "swap": 0, "reservation": 0}')"
	expect --
	assert_equal "$said" ""
}

@test "swap_of_minus_one_reaches_the_runtime_from_a_bundle" {
	direct "$(memory '{"limit": 67108864, "swap": -1}')"
	expect limit_in_bytes=$((64 * MIB)) -- max=$((64 * MIB))
	direct "$(memory '{"swap": -1}')"
	expect --
	assert_equal "$said" ""
}

@test "values_are_rounded_to_pages_as_the_kernel_does" {
	direct "$(memory '{"limit": 67108865, "swap": 134217730}')"
	expect limit_in_bytes=$((64 * MIB)) memsw.limit_in_bytes=$((128 * MIB)) -- \
		max=$((64 * MIB)) swap.max=$((64 * MIB))
}

@test "a_swap_beside_an_unlimited_limit_is_refused" {
	direct_refused "$(memory '{"limit": -1, "swap": 67108864}')" \
		'linux.resources.memory.swap: below the limit of memory alone, "67108864"'
}

@test "a_number_below_minus_one_is_refused_with_its_path" {
	direct_refused "$(memory '{"limit": -2}')" 'linux.resources.memory.limit: below -1, "-2"'
	direct_refused "$(memory '{"swappiness": 101}')" \
		'linux.resources.memory.swappiness: not within 0 to 100, "101"'
}

@test "reservation_of_minus_one_is_no_soft_limit_and_protects_nothing" {
	direct "$(memory '{"reservation": -1}')"
	expect --
	assert_equal "$said" ""
}

@test "unlimited_is_no_news_where_there_is_no_such_limit" {
	direct "$(memory '{"limit": 67108864, "reservation": -1, "kernel": -1, "kernelTCP": -1}' \
		'{"org.memcrun.strict": "true"}')"
	expect limit_in_bytes=$((64 * MIB)) -- max=$((64 * MIB))
	assert_equal "$said" ""
}

@test "reservation_none_protects_nothing_on_v2" {
	direct "$(memory '{"reservation": 33554432}' '{"org.memcrun.reservation": "none"}')"
	# shellcheck disable=SC2046
	expect $(soft $((32 * MIB))) --
}

@test "reservation_above_the_limit_is_set_and_noted" {
	direct "$(memory '{"limit": 33554432, "reservation": 67108864}')"
	# shellcheck disable=SC2046
	expect limit_in_bytes=$((32 * MIB)) $(soft $((64 * MIB))) -- \
		max=$((32 * MIB)) low=$((64 * MIB))
	assert_contains "$said" 'memcrun: warning: linux.resources.memory.reservation: above the limit, it can have no effect, "67108864"'
}

@test "strict_reservation_is_refused_where_v1_ignores_it" {
	[[ $SOFT_LIMIT == ignored ]] || skip "only where the kernel ignores the soft limit"
	direct_refused "$(memory '{"reservation": 33554432}' '{"org.memcrun.strict": "true"}')" \
		'linux.resources.memory.reservation: this kernel takes memory.soft_limit_in_bytes and ignores it, "33554432"'
}

@test "swappiness_takes_its_bounds_and_strict_refuses_it_on_v2" {
	local bound

	for bound in 0 100; do
		direct "$(memory "{\"swappiness\": $bound}")"
		expect swappiness=$bound --
	done
	direct "$(memory '{"swappiness": -1}')"
	expect --
	if [[ $CGROUP == v1 ]]; then
		direct "$(memory '{"swappiness": 7}' '{"org.memcrun.strict": "true"}')"
		expect swappiness=7 --
	else
		direct_refused "$(memory '{"swappiness": 7}' '{"org.memcrun.strict": "true"}')" \
			'linux.resources.memory.swappiness: this kernel has none per container'
	fi
}

@test "kernel_memory_is_warned_about_and_tcp_memory_is_set_on_v1" {
	direct "$(memory '{"kernel": 33554432}')"
	expect --
	assert_contains "$said" 'linux.resources.memory.kernel: this kernel has no limit on kernel memory, "33554432"'

	direct "$(memory '{"kernelTCP": 33554432}')"
	expect kmem.tcp.limit_in_bytes=$((32 * MIB)) --
	if [[ $CGROUP == v2 ]]; then
		assert_contains "$said" 'linux.resources.memory.kernelTCP: this kernel has no limit on TCP buffers, "33554432"'
	else
		assert_equal "$said" ""
	fi
	direct_refused "$(memory '{"kernel": 33554432}' '{"org.memcrun.strict": "true"}')" \
		'linux.resources.memory.kernel: this kernel has no limit'
}

@test "oom_wait_is_disableOOMKiller_and_group_kills_as_a_whole" {
	if [[ $CGROUP == v1 ]]; then
		direct "$(memory '{"limit": 67108864}' '{"org.memcrun.oom": "wait"}')"
		expect limit_in_bytes=$((64 * MIB)) "oom_control=oom_kill_disable 1" --
		direct_refused "$(memory '{}' '{"org.memcrun.oom": "group", "org.memcrun.strict": "true"}')" \
			'annotations.org.memcrun.oom: this kernel cannot kill a container as a whole'
	else
		direct_refused "$(memory '{}' '{"org.memcrun.oom": "wait"}')" \
			'annotations.org.memcrun.oom: this kernel cannot wait at the limit'
		direct "$(memory '{}' '{"org.memcrun.oom": "group"}')"
		expect -- oom.group=1
	fi
	direct_refused "$(memory '{"disableOOMKiller": true}' '{"org.memcrun.oom": "group"}')" \
		contradicts
	direct "$(memory '{"disableOOMKiller": false}')"
	expect --
}

@test "hierarchy_can_only_be_what_it_is" {
	direct "$(memory '{"useHierarchy": true, "checkBeforeUpdate": true}')"
	expect --
	assert_equal "$said" ""
	direct_refused "$(memory '{"useHierarchy": false}')" \
		'linux.resources.memory.useHierarchy: this kernel is always hierarchical, "false"'
}

@test "reserve_is_memory_min_on_v2_and_warned_about_on_v1" {
	direct "$(memory '{}' '{"org.memcrun.reserve": "16MiB"}')"
	expect -- min=$((16 * MIB))
	if [[ $CGROUP == v1 ]]; then
		assert_contains "$said" 'annotations.org.memcrun.reserve: this kernel reserves no memory for a cgroup, "16MiB"'
	else
		assert_equal "$said" ""
	fi
}

@test "move_charge_sets_the_bits_of_v1_and_is_warned_about_on_v2" {
	if [[ $CGROUP == v2 ]]; then
		direct "$(memory '{}' '{"org.memcrun.move-charge": "all"}')"
		expect --
		assert_contains "$said" 'annotations.org.memcrun.move-charge: this kernel moves no charges'
		return
	fi
	direct "$(memory '{}' '{"org.memcrun.move-charge": "all"}')"
	expect move_charge_at_immigrate=3 --
	assert_equal "$said" ""
	direct "$(memory '{}' '{"org.memcrun.move-charge": "anon,swap"}')"
	expect move_charge_at_immigrate=1 --
	assert_equal "$said" ""
	direct "$(memory '{}' '{"org.memcrun.move-charge": "file"}')"
	expect move_charge_at_immigrate=2 --
	assert_contains "$said" 'this kernel moves anon with swap, file with shmem'
	direct "$(memory '{}' '{"org.memcrun.move-charge": "none"}')"
	expect --
}

@test "thresholds_and_tmpfs_are_warned_about_and_strict_refuses_them" {
	direct "$(memory '{"limit": 67108864}' '{"org.memcrun.thresholds": "70%,48M", "org.memcrun.tmpfs": "pod"}')"
	expect limit_in_bytes=$((64 * MIB)) -- max=$((64 * MIB))
	assert_contains "$said" 'annotations.org.memcrun.thresholds: nothing reports usage thresholds'
	assert_contains "$said" 'annotations.org.memcrun.tmpfs: this kernel binds no tmpfs to a cgroup'
	direct_refused "$(memory '{}' '{"org.memcrun.tmpfs": "pod", "org.memcrun.strict": "true"}')" \
		'annotations.org.memcrun.tmpfs: this kernel binds no tmpfs to a cgroup'
}

@test "an_explicit_key_wins_over_a_field_and_says_so" {
	[[ $CGROUP == v2 ]] || skip "unified is for cgroup v2"
	direct '.linux.resources = {memory: {limit: 67108864, swap: 100663296},
		unified: {"memory.max": "50331648", "memory.swap.high": "8388608"}}'
	expect -- max=$((48 * MIB)) swap.max=$((48 * MIB)) swap.high=$((8 * MIB))
	assert_contains "$said" 'linux.resources.memory.limit: linux.resources.unified.memory.max wins over "67108864", "50331648"'
	direct_refused '.linux.resources.unified = {"memory.maxx": "1"}' \
		'linux.resources.unified.memory.maxx: this kernel has no such file, "1"'
}
