#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
#
# systemd.bats - systemd makes the cgroups: podman's and memcrun's own.

load helper

setup_file()
{
	learn_fresh_cgroup
	make_bundle
}

scopes()
{
	systemctl list-units --all --plain --no-legend --type scope "$@" | awk '{ print $1 }'
}

@test "podman_with_systemd_sets_every_file_and_leaves_no_scope" {
	local scope

	assert_equal "$(podman info --format '{{.Host.CgroupManager}}')" systemd
	start one --memory 64m --memory-swap 96m --memory-reservation 32m
	scope=libpod-$id.scope
	assert_contains "$directory" "/$scope"
	if [[ $CGROUP == v1 ]]; then
		# shellcheck disable=SC2046
		assert_memory "$directory" limit_in_bytes=$((64 * MIB)) \
			memsw.limit_in_bytes=$((96 * MIB)) \
			$([[ $SOFT_LIMIT != works ]] || echo soft_limit_in_bytes=$((32 * MIB)))
	else
		assert_memory "$directory" max=$((64 * MIB)) swap.max=$((32 * MIB)) low=$((32 * MIB))
	fi
	assert_equal "$(scopes "$scope")" "$scope"

	run --separate-stderr memcrun check "$id"
	assert_equal "$status" 0
	assert_contains "$output" "$directory"
	assert_lacks "$output" DRIFT

	pod stop -t 0 one
	until_true "the scope is gone" eval "[[ -z \$(scopes '$scope') ]]"
	pod rm one
	[[ ! -e ${directory%"$scope"*}$scope ]] || fail "$scope is left"
	assert_equal "$(ls -A "$STATE")" ""
}

@test "memcrun_systemd_cgroup_makes_a_scope_with_the_settings" {
	local pid

	configure '.linux.cgroupsPath = "system.slice:live:two" |
		.linux.resources.memory = {limit: 67108864, swap: 100663296} |
		.annotations = {"org.memcrun.reserve": "8M"}'
	memcrun --systemd-cgroup create --bundle "$BUNDLE" --config "$config" two \
		</dev/null >/dev/null 2>&1 3>&-
	pid=$(memcrun state two | jq .pid)
	directory=$(memory_cgroup "$pid")
	assert_contains "$directory" /system.slice/live-two.scope
	if [[ $CGROUP == v1 ]]; then
		assert_memory "$directory" limit_in_bytes=$((64 * MIB)) \
			memsw.limit_in_bytes=$((96 * MIB))
	else
		assert_memory "$directory" max=$((64 * MIB)) swap.max=$((32 * MIB)) min=$((8 * MIB))
	fi
	run --separate-stderr memcrun check two
	assert_equal "$status" 0
	assert_lacks "$output" DRIFT

	memcrun delete --force two
	until_true "the scope is gone" eval '[[ -z $(scopes "live-*") ]]'
	[[ ! -e /sys/fs/cgroup/system.slice/live-two.scope ]] || fail "its cgroup is left"
	assert_equal "$(ls -A "$STATE")" ""
}

@test "a_refused_container_makes_no_scope" {
	refused --memory 64m --memory-swap 32m
	assert_contains "$stderr" 'linux.resources.memory.swap: below the limit'
	assert_equal "$(scopes 'libpod-[0-9a-f]*')" ""
}
