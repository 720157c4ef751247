#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
#
# docker.bats - docker with memcrun as one of its runtimes, through containerd's shim for
# runc's command line.

load helper

setup_file()
{
	learn_fresh_cgroup
	export DOCKER_HOST=unix:///run/docker.sock
	sed "s,/usr/bin/memcrun,$(command -v memcrun)," \
		"$BATS_TEST_DIRNAME/../../contrib/docker/daemon.json" >"$BATS_FILE_TMPDIR/daemon.json"
	# no network: the containers have none, and the guest's kernel has no bridge
	dockerd --config-file "$BATS_FILE_TMPDIR/daemon.json" --host "$DOCKER_HOST" --data-root "$BATS_FILE_TMPDIR/docker" \
		--exec-opt native.cgroupdriver=cgroupfs --storage-driver vfs \
		--bridge none --iptables=false --ip6tables=false \
		>"$BATS_FILE_TMPDIR/dockerd.log" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/dockerd.pid"
	"$BED/image" "$BATS_FILE_TMPDIR/rootfs"
	until_true "dockerd answers" sh -c 'docker version >/dev/null 2>&1'
	tar -C "$BATS_FILE_TMPDIR/rootfs" -c . |
		docker import -c 'ENV PATH=/bin' - busybox >/dev/null
}

teardown_file()
{
	kill "$(<"$BATS_FILE_TMPDIR/dockerd.pid")"
	until_true "dockerd has ended" sh -c '! kill -0 "$1" 2>/dev/null' - \
		"$(<"$BATS_FILE_TMPDIR/dockerd.pid")"
}

teardown()
{
	local name

	for name in $(docker ps -aq 3>&-); do
		docker rm -f "$name" >/dev/null 3>&-
	done
}

# assert_limit MIB: of memory, and of memory + swap
assert_limit()
{
	if [[ $CGROUP == v2 ]]; then
		assert_memory "$directory" "max=$(($1 * MIB))" swap.max=0
	else
		assert_memory "$directory" "limit_in_bytes=$(($1 * MIB))" \
			"memsw.limit_in_bytes=$(($1 * MIB))"
	fi
}

# with NAME OPTION...: a container that sleeps
with()
{
	local name=$1
	shift

	docker run -d --runtime memcrun --network none --name "$name" "$@" busybox \
		sleep 1000 >/dev/null 2>"$BATS_TEST_TMPDIR/said" 3>&- ||
		fail "$(<"$BATS_TEST_TMPDIR/said")"
	pid=$(docker inspect -f '{{.State.Pid}}' "$name")
	directory=$(memory_cgroup "$pid")
}

@test "docker_runs_a_container_and_gets_its_exit_status" {
	run docker run --rm --runtime memcrun --network none busybox sh -c 'echo out; exit 42' 3>&-
	assert_equal "$status" 42
	assert_contains "$output" out
}

@test "memory_options_of_docker_mean_what_they_say" {
	with options --memory 64m --memory-swap 96m --memory-reservation 32m
	if [[ $CGROUP == v2 ]]; then
		assert_memory "$directory" max=$((64 * MIB)) swap.max=$((32 * MIB)) low=$((32 * MIB))
	else
		# shellcheck disable=SC2046
		assert_memory "$directory" limit_in_bytes=$((64 * MIB)) \
			memsw.limit_in_bytes=$((96 * MIB)) \
			$([[ $SOFT_LIMIT != works ]] || echo soft_limit_in_bytes=$((32 * MIB)))
	fi
	assert_equal "$(docker exec options echo inside 3>&-)" inside
	assert_contains "$(docker stats --no-stream --format '{{.MemUsage}}' options 3>&-)" "/ 64MiB"
}

@test "docker_update_never_kills_and_says_how_far_it_got" {
	with shrinks --memory 128m --memory-swap 128m
	docker exec shrinks sh -c 'dd if=/dev/zero of=/dev/shm/held bs=1M count=48 2>/dev/null' 3>&-
	run docker update --memory 16m --memory-swap 16m shrinks 3>&-
	assert_equal "$status" 1
	assert_contains "$output" 'memcrun: '
	assert_limit 128
	assert_equal "$(docker inspect -f '{{.State.Running}} {{.State.OOMKilled}}' shrinks)" \
		"true false"

	docker update --memory 96m --memory-swap 96m shrinks >/dev/null 3>&-
	assert_limit 96
}

# Whether docker has heard of it: the shim tells of an end and of what killed in any order.
heard_of_oom()
{
	[[ -n $(docker events --since 0 --until "$(date +%s)" --filter event=oom \
		--filter "container=$1" 3>&-) ]]
}

# The shim listens when the container has started: what was killed by then nobody hears of.
@test "a_container_killed_for_its_memory_is_shown_so" {
	docker run -d --name killed --runtime memcrun --network none --memory 16m --memory-swap 16m \
		busybox sh -c 'until [ -e /dev/shm/go ]; do sleep 0.1; done
			tail -c 64m /dev/zero; sleep 1000' >/dev/null 3>&-
	docker exec killed touch /dev/shm/go 3>&-
	until_true "docker has heard that it was killed" heard_of_oom killed
	docker kill killed >/dev/null 3>&-
	docker wait killed >/dev/null 3>&-
	assert_equal "$(docker inspect -f '{{.State.OOMKilled}}' killed)" true
}

@test "docker_stops_restarts_and_removes_it" {
	with again --memory 64m --memory-swap 64m --stop-timeout 1
	docker restart again >/dev/null 3>&-
	directory=$(memory_cgroup "$(docker inspect -f '{{.State.Pid}}' again)")
	assert_limit 64
	docker rm -f again >/dev/null 3>&-
	[[ ! -e $directory ]]
}
