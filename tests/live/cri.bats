#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016,SC2153 # what the helper sets; quoted for inner shells
#
# cri.bats - Kubernetes' way: containerd, asked through its Container Runtime Interface as
# a kubelet asks, with memcrun as the runtime of its handler. CRI is the directory that
# tests/cri/prepare has made. containerd 1 gets a configuration of version 2, containerd 2
# one of version 3.

load helper

# The configuration for this containerd, with the handler of contrib/kubernetes.
configuration()
{
	local contrib=$BATS_TEST_DIRNAME/../../contrib/kubernetes block version

	version=$(containerd config default | sed -n 's/^version = //p')
	printf '%s\n' "version = $version" 'oom_score = 0'
	case $version in
	2)
		block="containerd-memcrun.toml"
		printf '%s\n' '[plugins."io.containerd.grpc.v1.cri"]' \
			'sandbox_image = "localhost/pause:latest"' 'disable_apparmor = true' \
			'[plugins."io.containerd.grpc.v1.cri".containerd]' \
			'default_runtime_name = "memcrun"'
		;;
	3)
		block="containerd-memcrun-v3.toml"
		printf '%s\n' '[plugins."io.containerd.cri.v1.images".pinned_images]' \
			'sandbox = "localhost/pause:latest"' \
			'[plugins."io.containerd.cri.v1.runtime"]' 'disable_apparmor = true' \
			'[plugins."io.containerd.cri.v1.runtime".containerd]' \
			'default_runtime_name = "memcrun"'
		;;
	*) fail "containerd: its configuration has neither version 2 nor version 3, \"$version\"" ;;
	esac
	sed -e 's,/usr/local/bin/memcrun,/run/vm/bin/memcrun,' \
		-e 's,SystemdCgroup = true,SystemdCgroup = false,' "$contrib/$block"
}

setup_file()
{
	local containerd=$BATS_FILE_TMPDIR/containerd.toml tar

	learn_fresh_cgroup
	mkdir -p "$BATS_FILE_TMPDIR/cri"
	configuration >"$containerd"
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

# sandbox NAME [ANNOTATIONS]: the pod's id is in $sandbox, its config in $sandbox_config.
sandbox()
{
	local annotations=${2:-'{"org.memcrun.oom": "group", "org.example": "not ours"}'}

	sandbox_config=$(jq -nc --arg name "$1" --argjson annotations "$annotations" '{
		metadata: {name: $name, uid: $name, namespace: "default"},
		log_directory: "/tmp/cri-logs", linux: {cgroup_parent: "/kubepods-\($name)",
			security_context: {namespace_options: {network: "NODE"}}},
		annotations: $annotations}')
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

# A shim tells of an end and of an OOM kill in any order, and of no cgroup that is gone.
ended_as()
{
	state_is "$1" CONTAINER_EXITED && [[ $(field .status.reason) == "$2" ]]
}

remove_pod()
{
	must StopPodSandbox "{\"pod_sandbox_id\": \"$sandbox\"}"
	must RemovePodSandbox "{\"pod_sandbox_id\": \"$sandbox\"}"
	until_true "no cgroup is left" eval "[[ -z \$(find '$MEMORY_ROOT/kubepods-$pod' -mindepth 1 -type d) ]]"
	rmdir "$MEMORY_ROOT/kubepods-$pod"
}

# resize RESOURCES: of $container
resize()
{
	cri UpdateContainerResources "{\"container_id\": \"$container\", \"linux\": $1}"
}

# update LIMIT SWAP: memory alone, in bytes
update()
{
	resize "{\"memory_limit_in_bytes\": $1, \"memory_swap_limit_in_bytes\": $2}"
}

# inside COMMAND: run by the shell of $container, its output in $output
inside()
{
	must ExecSync "$(jq -nc --arg id "$container" --arg command "$1" \
		'{container_id: $id, cmd: ["/bin/sh", "-c", $command], timeout: 100}')" || return 1
	output=$(field .stdout | base64 -d)
	assert_equal "$(field .exit_code)" 0
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

@test "a_container_over_its_limit_is_shown_as_OOMKilled" {
	pod=oom
	sandbox oom
	container one "{\"memory_limit_in_bytes\": $((16 * MIB)), \"memory_swap_limit_in_bytes\": $((16 * MIB))}" \
		'tail /dev/zero; status=$?; sleep 2; exit $status'
	until_true "it is gone" ended_as "$container" OOMKilled
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

# --- what a kubelet sends on cgroup v2

# kubelet CPU_REQUEST CPU_LIMIT REQUEST LIMIT [UNIFIED]: a container's resources, for
# CreateContainer and UpdateContainerResources alike. Processors are in thousandths, memory
# is in MiB, 0 is none. Kubernetes 1.28 and later kill all processes of a container on OOM,
# and a container of a node without swap for pods has none. UNIFIED changes this: keys with
# a value are added, keys with null are taken away.
kubelet()
{
	local total pages

	total=$(awk '$1 == "MemTotal:" { print $2 * 1024 }' /proc/meminfo)
	# a limit of 0 for each size of huge pages that the kernel has
	pages=$(find /sys/kernel/mm/hugepages -mindepth 1 -name 'hugepages-*kB' 2>/dev/null |
		sed 's/.*hugepages-\(.*\)kB/\1/' | jq -nc '[inputs |
			{page_size: (if . >= 1048576 then "\(. / 1048576)GB" else "\(. / 1024)MB" end),
			limit: "0"}]')
	jq -nc --argjson cpu_request "$1" --argjson cpu_limit "$2" --argjson request $(($3 * MIB)) \
		--argjson limit $(($4 * MIB)) --argjson unified "${5:-{\}}" \
		--argjson total "$total" --argjson pages "$pages" '{
			cpu_shares: ([$cpu_request * 1024 / 1000 | floor, 2] | max),
			cpu_quota: ($cpu_limit * 100), cpu_period: 100000,
			memory_limit_in_bytes: $limit, hugepage_limits: $pages,
			oom_score_adj: (if $limit == 0 and $request == 0 then 1000
				elif $limit == $request then -997
				else [[1000 - (1000 * $request / $total | floor), 3] | max, 999] | min end),
			unified: ({"memory.oom.group": "1", "memory.swap.max": "0"} + $unified |
				with_entries(select(.value)))}'
}

# kubelet_limits LIMIT [NAME=VALUE]...: what is in force of that, for assert_memory
kubelet_limits()
{
	local limit=$1
	shift

	[[ $limit == 0 ]] || printf '%s ' "max=$((limit * MIB))"
	# containerd asks for as much memory and swap as memory
	[[ $limit == 0 || ! -e $directory/memory.memsw.max ]] ||
		printf '%s ' "memsw.max=$((limit * MIB))"
	printf '%s ' swap.max=0 oom.group=1 "$@"
}

# memory_qos REQUEST LIMIT: what MemoryQoS adds to `unified`, with Kubernetes 1.36's
# memoryReservationPolicy TieredReservation and a memoryThrottlingFactor of 0.9. Without a
# limit the node's allocatable memory stands for it, here 1 GiB.
memory_qos()
{
	jq -nc --argjson request $(($1 * MIB)) --argjson limit $(($2 * MIB)) \
		--argjson page "$(getconf PAGESIZE)" '
		(if $limit == 0 then 1073741824 else $limit end) as $most |
		(($request + ($most - $request) * 0.9) / $page | floor * $page) as $high |
		if $request == 0 then {"memory.min": "0", "memory.low": "0"}
		elif $request == $limit then {"memory.min": "\($request)"}
		else {"memory.low": "\($request)"} end |
		if $request != $limit or $request == 0 then . + {"memory.high": "\($high)"} else . end'
}

only_v2()
{
	[[ $CGROUP == v2 ]] || skip "a kubelet sends no unified keys on cgroup v1"
}

@test "a_container_is_resized_in_place_as_the_kubelet_does" {
	local slow

	only_v2
	pod=resize
	sandbox resize '{}'
	container one "$(kubelet 100 200 48 64)" \
		'head -c 40m /dev/zero >/dev/shm/held; echo ready >/dev/shm/ready; sleep 1000'
	until_true "it holds memory" eval "[[ \$(<'$directory/memory.current') -gt $((40 * MIB)) ]]"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 64)
	assert_equal "$(<"$directory/cpu.max")" "20000 100000"
	slow=$(<"$directory/cpu.weight")

	# up: a call for memory, then one for processors, each with all that is in force
	resize "$(kubelet 100 200 96 128)" || fail "$answer"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 128)
	assert_equal "$(<"$directory/cpu.max")" "20000 100000"
	resize "$(kubelet 250 500 96 128)" || fail "$answer"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 128)
	assert_equal "$(<"$directory/cpu.max")" "50000 100000"
	# (which weight shares become is a matter of crun's version)
	[[ $(<"$directory/cpu.weight") -gt $slow ]] || fail "weight $(<"$directory/cpu.weight")"
	# the kubelet compares this with the pod, and is done
	must ContainerStatus "{\"container_id\": \"$container\"}"
	assert_equal "$(field '.status.resources.linux | "\(.memory_limit_in_bytes) \(.cpu_quota)"')" \
		"$((128 * MIB)) 50000"

	# down, to less than twice of what is in use
	resize "$(kubelet 250 500 48 64)" || fail "$answer"
	resize "$(kubelet 100 200 48 64)" || fail "$answer"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 64)
	assert_equal "$(<"$directory/cpu.max") $(<"$directory/cpu.weight")" "20000 100000 $slow"

	# below what is in use: refused as a whole, and nobody is killed
	! resize "$(kubelet 250 500 12 16)" || fail "a limit below usage was set"
	assert_contains "$answer" memory.max
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 64)
	assert_equal "$(<"$directory/cpu.max") $(<"$directory/cpu.weight")" "20000 100000 $slow"
	must ContainerStatus "{\"container_id\": \"$container\"}"
	assert_equal "$(field '.status.state + " " + .status.resources.linux.memory_limit_in_bytes')" \
		"CONTAINER_RUNNING $((64 * MIB))"
	assert_contains "$(<"$directory/memory.events")" $'\noom_kill 0'
	remove_pod
}

@test "an_OOM_kill_ends_all_processes_or_with_singleProcessOOMKill_one" {
	# a shell with a child that goes over the limit when it is told to
	local -r two='until [ -e /go ]; do sleep 0.2; done; tail /dev/zero & wait $!; echo $? >/ended; sleep 1000'

	only_v2
	pod="kill"
	sandbox kill '{}'
	container one "$(kubelet 100 200 8 16)" "$two"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 16)
	inside 'touch /go'
	until_true "all are gone" ended_as "$container" OOMKilled
	assert_equal "$(field .status.exit_code)" 137

	# singleProcessOOMKill: the key is not sent, and the kernel's default is 0
	container two "$(kubelet 100 200 8 16 '{"memory.oom.group": null}')" "$two"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 16 oom.group=0)
	inside 'touch /go; until [ -s /ended ]; do sleep 0.2; done; cat /ended'
	assert_equal "$output" 137
	assert_contains "$(<"$directory/memory.events")" $'\noom_kill 1\noom_group_kill 0'
	state_is "$container" CONTAINER_RUNNING || fail "$answer"
	remove_pod
}

@test "an_annotation_of_the_pod_does_not_win_over_the_kubelet's_unified_keys" {
	only_v2
	pod=wins
	sandbox wins
	container one "$(kubelet 100 200 8 16 '{"memory.oom.group": "0"}')" 'sleep 1000'
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 16 oom.group=0)
	remove_pod
}

@test "MemoryQoS_and_LimitedSwap_are_as_the_kubelet_computes" {
	local burstable

	only_v2
	pod=qos
	sandbox qos '{}'
	container burstable "$(kubelet 100 200 64 128 "$(memory_qos 64 128)")" 'sleep 1000'
	burstable=$container
	# 64 MiB and nine tenths of the next 64 MiB, in whole pages
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 128 low=67108864 high=127504384)
	container guaranteed "$(kubelet 200 200 64 64 "$(memory_qos 64 64)")" 'sleep 1000'
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 64 min=67108864)
	container best-effort "$(kubelet 0 0 0 0 "$(memory_qos 0 0)")" 'sleep 1000'
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 0 high=966365184)

	# swap for pods (LimitedSwap): containerd's total, which allows none, does not stand in
	# the way
	container swapper "$(kubelet 100 200 64 128 '{"memory.swap.max": "33554432"}')" 'sleep 1000'
	assert_equal "$(<"$directory/memory.swap.max")" 33554432
	[[ ! -e $directory/memory.memsw.max ]] || assert_equal "$(<"$directory/memory.memsw.max")" max

	# resized in place, all of it follows
	container=$burstable
	directory=$MEMORY_ROOT/kubepods-$pod/$container
	resize "$(kubelet 100 200 48 96 "$(memory_qos 48 96)")" || fail "$answer"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 96 low=50331648 high=95629312)
	# up again, by a kubelet whose MemoryQoS has been switched off: it lifts memory.high
	resize "$(kubelet 100 200 64 128 '{"memory.high": "max"}')" || fail "$answer"
	# shellcheck disable=SC2046
	assert_memory "$directory" $(kubelet_limits 128 low=50331648)
	remove_pod
}
