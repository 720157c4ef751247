#!/usr/bin/env bats
# shellcheck disable=SC2154 # what the helper sets
#
# rootless.bats - podman of a user who is not root. systemd's manager for that
# user hands out cgroups; without it there are none, and crun leaves limits out.

load helper

setup_file()
{
	if is_systemd; then
		systemctl start user@1000.service
	fi
	# Since podman 5.8 the graphroot in the system's storage.conf is a user's as well.
	as_tester sh -c 'mkdir -p .config/containers && cat >.config/containers/storage.conf' <<-CONF
	[storage]
	driver = "overlay"
	runroot = "/run/user/1000/containers"
	graphroot = "/home/tester/.local/share/containers/storage"
	CONF
	as_tester "$BED/image" >&2
	learn_fresh_cgroup
}

teardown_file()
{
	as_tester podman rm -fa -t 0 >/dev/null
	if is_systemd; then
		systemctl stop user@1000.service
	fi
}

as_tester()
{
	# what root's directory is called is none of tester's business
	cd /home/tester || return
	runuser -u tester -- env -i HOME=/home/tester USER=tester PATH="$PATH" LANG=C.UTF-8 \
		XDG_RUNTIME_DIR=/run/user/1000 TMPDIR=/home/tester \
		DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus "$@" 3>&-
}

rootless()
{
	as_tester podman --runtime memcrun run --network none "$@"
}

@test "a_user_runs_a_container_and_gets_its_exit_status" {
	local status=0

	run --separate-stderr rootless --rm "$IMAGE" sh -c 'cat /proc/self/uid_map; exit 42'
	assert_equal "$status" 42
	assert_contains "$output" "         0       1000          1"
}

@test "a_user_is_shown_what_is_refused" {
	run --separate-stderr rootless --rm --annotation org.memcrun.nothing=1 "$IMAGE" true
	assert_equal "$status" 126
	assert_contains "$stderr" 'memcrun: '
	assert_contains "$stderr" 'annotations.org.memcrun.nothing: unknown annotation, "1"'
}

@test "limits_of_a_user_are_in_force_or_check_tells_that_they_are_not" {
	local id

	[[ $CGROUP == v2 ]] || skip "podman takes no limits from a user on cgroup v1"
	id=$(rootless -d --memory 64m --memory-swap 96m --memory-reservation 32m \
		--pidfile /home/tester/pid "$IMAGE" sleep 1000)
	directory=$(memory_cgroup "$(</home/tester/pid)")
	run --separate-stderr as_tester memcrun --root /run/user/1000/crun check "$id"
	assert_equal "$status" 0
	if is_systemd; then
		assert_contains "$directory" "/user@1000.service/"
		assert_memory "$directory" max=$((64 * MIB)) swap.max=$((32 * MIB)) low=$((32 * MIB))
		assert_lacks "$output" DRIFT
	else
		assert_lacks "$directory" libpod
		assert_equal "$(grep -c DRIFT <<<"$output")" 3
	fi
}
