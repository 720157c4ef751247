#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016,SC2153 # what the helper sets; quoted for inner shells
#
# cri.bats - Kubernetes' way: containerd, asked through its Container Runtime Interface as
# a kubelet asks, with memcrun as the runtime of its handler. CRI is the directory that
# tests/cri/prepare has made.

load helper

setup_file()
{
	local containerd=$BATS_FILE_TMPDIR/containerd.toml tar

	learn_fresh_cgroup
	mkdir -p "$BATS_FILE_TMPDIR/cri"
	{
		printf '%s\n' 'version = 2' 'oom_score = 0' \
			'[plugins."io.containerd.grpc.v1.cri"]' \
			'sandbox_image = "localhost/pause:latest"' 'disable_apparmor = true' \
			'[plugins."io.containerd.grpc.v1.cri".containerd]' \
			'default_runtime_name = "memcrun"'
		sed -e 's,/usr/local/bin/memcrun,/run/vm/bin/memcrun,' \
			-e 's,SystemdCgroup = true,SystemdCgroup = false,' \
			"$BATS_TEST_DIRNAME/../../contrib/kubernetes/containerd-memcrun.toml"
	} >"$containerd"
	containerd --config "$containerd" >"$BATS_FILE_TMPDIR/log" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/containerd.pid"

	podman save -q -o "$BATS_FILE_TMPDIR/busybox.tar" "$IMAGE:latest" 3>&-
	"$BED/image" "$BATS_FILE_TMPDIR/rootfs"
	tar -C "$BATS_FILE_TMPDIR/rootfs" -c . |
		podman import -q -c 'CMD ["/bin/sleep", "1000000"]' - localhost/pause >/dev/null 3>&-
	podman save -q -o "$BATS_FILE_TMPDIR/pause.tar" localhost/pause:latest 3>&-
	until_true "containerd answers" sh -c 'ctr version >/dev/null 2>&1'
	for tar in busybox pause; do
		ctr -n k8s.io images import "$BATS_FILE_TMPDIR/$tar.tar" >/dev/null
	done

	mkfifo "$BATS_FILE_TMPDIR/requests" "$BATS_FILE_TMPDIR/responses"
	node "$CRI/client.js" "$CRI/api.proto" /run/containerd/containerd.sock \
		<"$BATS_FILE_TMPDIR/requests" >"$BATS_FILE_TMPDIR/responses" 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/client.pid"
	# held open, so that neither end sees the other's end between two tests
	sleep 100000 >"$BATS_FILE_TMPDIR/requests" 3>&- &
	echo $! >>"$BATS_FILE_TMPDIR/client.pid"
}

# Its shims would outlive containerd.
teardown_file()
{
	local each

	must ListPodSandbox
	for each in $(field '.items[].id'); do
		must StopPodSandbox "{\"pod_sandbox_id\": \"$each\"}"
		must RemovePodSandbox "{\"pod_sandbox_id\": \"$each\"}"
	done
	xargs kill <"$BATS_FILE_TMPDIR/client.pid"
	kill "$(<"$BATS_FILE_TMPDIR/containerd.pid")"
}

# cri METHOD REQUEST: the response is in $answer; an error fails, with the words in $answer.
cri()
{
	local line

	{
		printf '%s %s\n' "$1" "$(jq -c . <<<"${2:-{\}}")" >"$BATS_FILE_TMPDIR/requests"
		IFS= read -r line
	} <"$BATS_FILE_TMPDIR/responses"
	answer=${line#* }
	[[ $line == ok* ]]
}

must()
{
	cri "$@" || fail "$1: $answer"
}

field()
{
	jq -r "$1" <<<"$answer"
}

# pod NAME: its id is in $sandbox, its config in $sandbox_config
sandbox()
{
	sandbox_config=$(jq -nc --arg name "$1" '{
		metadata: {name: $name, uid: $name, namespace: "default"},
		log_directory: "/tmp/cri-logs", linux: {cgroup_parent: "/kubepods-\($name)",
			security_context: {namespace_options: {network: "NODE"}}},
		annotations: {"org.memcrun.oom": "group", "org.example": "not ours"}}')
	must RunPodSandbox "{\"config\": $sandbox_config, \"runtime_handler\": \"memcrun\"}"
	sandbox=$(field .pod_sandbox_id)
}

# container NAME RESOURCES COMMAND: in $sandbox; its id in $container
container()
{
	must CreateContainer "$(jq -nc --arg sandbox "$sandbox" --arg name "$1" \
		--argjson resources "$2" --arg command "$3" --argjson pod "$sandbox_config" '{
			pod_sandbox_id: $sandbox, sandbox_config: $pod, config: {
				metadata: {name: $name}, image: {image: "localhost/busybox:latest"},
				command: ["/bin/sh", "-c", $command], log_path: "\($name).log",
				linux: {resources: $resources}}}')" || return 1
	container=$(field .container_id)
	must StartContainer "{\"container_id\": \"$container\"}" || return 1
	directory=$MEMORY_ROOT/kubepods-$pod/$container
}

state_is()
{
	must ContainerStatus "{\"container_id\": \"$1\"}"
	[[ $(field .status.state) == "$2" ]]
}

remove_pod()
{
	must StopPodSandbox "{\"pod_sandbox_id\": \"$sandbox\"}"
	must RemovePodSandbox "{\"pod_sandbox_id\": \"$sandbox\"}"
	until_true "no cgroup is left" eval "[[ -z \$(find '$MEMORY_ROOT/kubepods-$pod' -mindepth 1 -type d) ]]"
	rmdir "$MEMORY_ROOT/kubepods-$pod"
}

# What limit and swap in bytes are here, for assert_memory.
limits()
{
	if [[ $CGROUP == v1 ]]; then
		printf '%s ' "limit_in_bytes=$1" "memsw.limit_in_bytes=$2"
	elif [[ -e $directory/memory.memsw.max ]]; then
		printf '%s ' "max=$1" "memsw.max=$2" oom.group=1
	else
		printf '%s ' "max=$1" "swap.max=$(($2 - $1))" oom.group=1
	fi
}

@test "a_pod_of_two_containers_lives_with_its_settings" {
	local one two

	pod=two
	sandbox two
	container one "{\"memory_limit_in_bytes\": $((64 * MIB)), \"memory_swap_limit_in_bytes\": $((96 * MIB))}" \
		'echo told; while :; do sleep 0.2; done'
	one=$container
	# shellcheck disable=SC2046
	assert_memory "$directory" $(limits $((64 * MIB)) $((96 * MIB)))
	container two "{\"memory_limit_in_bytes\": $((32 * MIB)), \"memory_swap_limit_in_bytes\": $((32 * MIB))}" \
		'sleep 1000'
	two=$container
	# shellcheck disable=SC2046
	assert_memory "$directory" $(limits $((32 * MIB)) $((32 * MIB)))

	state_is "$one" CONTAINER_RUNNING || fail "$answer"
	must ExecSync "{\"container_id\": \"$one\", \"cmd\": [\"/bin/sh\", \"-c\", \"echo inside; exit 5\"], \"timeout\": 20}"
	assert_equal "$(field .exit_code)" 5
	assert_equal "$(field .stdout | base64 -d)" inside
	must ContainerStats "{\"container_id\": \"$one\"}"
	[[ $(field .stats.memory.working_set_bytes.value) -gt 0 ]] || fail "$answer"
	must ListContainers '{}'
	assert_equal "$(field '.containers | length')" 2

	# what was asked is known beside what is in force
	run --separate-stderr memcrun --root /run/containerd/runc/k8s.io check "$one"
	assert_equal "$status" 0
	assert_contains "$output" memory.
	assert_lacks "$output" DRIFT

	must StopContainer "{\"container_id\": \"$one\", \"timeout\": 0}"
	state_is "$one" CONTAINER_EXITED || fail "$answer"
	must RemoveContainer "{\"container_id\": \"$one\"}"
	must StopContainer "{\"container_id\": \"$two\", \"timeout\": 0}"
	must RemoveContainer "{\"container_id\": \"$two\"}"
	remove_pod
}

@test "resources_are_updated_up_and_down_and_below_usage_without_a_kill" {
	pod=update
	sandbox update
	container one "{\"memory_limit_in_bytes\": $((64 * MIB)), \"memory_swap_limit_in_bytes\": $((64 * MIB))}" \
		'head -c 40m /dev/zero >/dev/shm/held; echo ready >/dev/shm/ready; sleep 1000'
	until_true "it holds memory" sh -c \
		"[ \$(cat '$directory'/memory.current '$directory'/memory.usage_in_bytes 2>/dev/null) -gt $((40 * MIB)) ]"
	# (no swap: the guest's own pressure could make room there)
	update $((128 * MIB)) $((128 * MIB)) || fail "$answer"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(limits $((128 * MIB)) $((128 * MIB)))
	update $((64 * MIB)) $((64 * MIB)) || fail "$answer"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(limits $((64 * MIB)) $((64 * MIB)))
	# 40 MiB cannot be in 16 without swap: it says so, and all is as it was
	! update $((16 * MIB)) $((16 * MIB)) || fail "a limit below usage was set: $(
		cd "$directory" && grep -s . memory.max memory.swap.max memory.current memory.stat)"
	assert_contains "$answer" "memory."
	# shellcheck disable=SC2046
	assert_memory "$directory" $(limits $((64 * MIB)) $((64 * MIB)))
	state_is "$container" CONTAINER_RUNNING || fail "$answer"
	# with swap it can
	update $((24 * MIB)) $((128 * MIB)) || fail "$answer"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(limits $((24 * MIB)) $((128 * MIB)))
	state_is "$container" CONTAINER_RUNNING || fail "$answer"
	remove_pod
}

update()
{
	cri UpdateContainerResources "{\"container_id\": \"$container\", \"linux\": {
		\"memory_limit_in_bytes\": $1, \"memory_swap_limit_in_bytes\": $2}}"
}

@test "a_container_over_its_limit_is_shown_as_OOMKilled" {
	pod=oom
	sandbox oom
	container one "{\"memory_limit_in_bytes\": $((16 * MIB)), \"memory_swap_limit_in_bytes\": $((16 * MIB))}" \
		'tail /dev/zero; status=$?; sleep 2; exit $status'
	# a shim tells of an end and of what killed in any order, and of nothing that is gone
	until_true "it is gone" state_is "$container" CONTAINER_EXITED
	assert_equal "$(field .status.reason)" OOMKilled
	assert_equal "$(field .status.exit_code)" 137
	remove_pod
}

@test "what_is_refused_is_shown_to_who_asked" {
	local pod=refused

	sandbox refused
	! container one "{\"memory_limit_in_bytes\": $((64 * MIB)), \"memory_swap_limit_in_bytes\": $((32 * MIB))}" true ||
		fail "it was created"
	assert_contains "$answer" linux.resources.memory.swap
	remove_pod
}
