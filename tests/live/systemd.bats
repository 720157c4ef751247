#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # what the helper sets; quoted for inner shells
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
	local scope before

	before=$(left_by_crun)
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
	assert_equal "$(ls -A "$STATE")" "$before"
}

@test "memcrun_systemd_cgroup_makes_a_scope_with_the_settings" {
	local pid before

	before=$(left_by_crun)
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
	assert_equal "$(ls -A "$STATE")" "$before"
}

# both VALUE...: max, swap.max and low of the scope and of crun's cgroup in it; of v1 there
# is one, and systemd knows its limit.
both_have()
{
	local file each

	for each in "$scope" "$directory"; do
		if [[ $CGROUP == v1 ]]; then
			assert_equal "$(<"$directory/memory.limit_in_bytes")" "$1"
			assert_equal "$(<"$directory/memory.memsw.limit_in_bytes")" "$(($1 + $2))"
			continue
		fi
		file=$(cd "$each" && cat memory.max memory.swap.max memory.low | paste -sd ' ')
		assert_equal "$each $file" "$each $*"
	done
	assert_equal "$(systemctl show -P MemoryMax live-three.scope)" "$1"
}

@test "limits_are_on_the_scope_too_and_survive_what_others_ask_of_systemd" {
	local pid scope

	configure '.linux.cgroupsPath = "system.slice:live:three" |
		.linux.resources.memory = {limit: 67108864, swap: 100663296, reservation: 33554432}'
	memcrun --systemd-cgroup create --bundle "$BUNDLE" --config "$config" three \
		</dev/null >/dev/null 2>&1 3>&-
	pid=$(memcrun state three | jq .pid)
	directory=$(memory_cgroup "$pid")
	scope=$MEMORY_ROOT/system.slice/live-three.scope
	both_have $((64 * MIB)) $((32 * MIB)) $((32 * MIB))
	# "64.0M" to systemd 252, "64M," to systemd 257
	run systemctl status live-three.scope
	[[ $output =~ [^p]\ max:\ 64(\.0)?M.*swap\ max:\ 32(\.0)?M ]] || fail "$output"

	systemd-run -q --unit neighbour sleep 1000
	systemctl set-property --runtime neighbour.service MemoryMax=100M CPUWeight=50
	systemctl set-property --runtime system.slice MemoryHigh=1G
	systemctl daemon-reload
	both_have $((64 * MIB)) $((32 * MIB)) $((32 * MIB))

	memcrun update --memory 80M --memory-swap 96M --memory-reservation 40M three
	both_have $((80 * MIB)) $((16 * MIB)) $((40 * MIB))
	systemctl daemon-reload
	systemctl set-property --runtime neighbour.service MemoryMax=90M
	both_have $((80 * MIB)) $((16 * MIB)) $((40 * MIB))
	run --separate-stderr memcrun check three
	assert_equal "$status" 0
	assert_lacks "$output" DRIFT

	# what crun refuses is taken back here as well
	run --separate-stderr memcrun update --memory 100M --cpuset-cpus 4000 three
	assert_equal "$status" 1
	both_have $((80 * MIB)) $((16 * MIB)) $((40 * MIB))

	systemctl stop neighbour.service
	systemctl set-property --runtime system.slice MemoryHigh=infinity
	memcrun delete --force three
}

@test "play_kube_gives_the_containers_of_a_pod_their_settings" {
	cat >"$BATS_TEST_TMPDIR/pod.yaml" <<-POD
	apiVersion: v1
	kind: Pod
	metadata:
	  name: kube
	  annotations:
	    org.memcrun.reservation: high
	spec:
	  containers:
	    - name: one
	      image: $IMAGE
	      command: ["/bin/sleep", "1000"]
	      resources:
	        requests: {memory: 32Mi}
	        limits: {memory: 64Mi}
	POD
	pod --runtime memcrun play kube --network none "$BATS_TEST_TMPDIR/pod.yaml" >/dev/null
	assert_equal "$(podman inspect -f '{{.OCIRuntime}}' kube-one)" memcrun
	directory=$(memory_cgroup "$(podman inspect -f '{{.State.Pid}}' kube-one)")
	if [[ $CGROUP == v1 ]]; then
		assert_equal "$(<"$directory/memory.limit_in_bytes")" $((64 * MIB))
	else
		assert_equal "$(<"$directory/memory.max")" $((64 * MIB))
		assert_equal "$(<"$directory/memory.high")" $((32 * MIB))
	fi
	pod play kube --down "$BATS_TEST_TMPDIR/pod.yaml" >/dev/null
}

@test "a_refused_container_makes_no_scope" {
	refused --memory 64m --memory-swap 32m
	assert_contains "$stderr" 'linux.resources.memory.swap: below the limit'
	assert_equal "$(scopes 'libpod-*' | grep -v ^libpod-conmon-)" ""
}

# In the guest's own root, where containerd has its unit.
CONTAINERD=/etc/containerd/config.toml

teardown()
{
	[[ -e $BATS_TEST_TMPDIR/install-on-node ]] || return 0
	systemctl stop containerd
	rm -rf "$CONTAINERD" /usr/local/bin/memcrun /var/lib/memcrun-*
}

# install STATUS TEXT: install-on-node ends with that, and says it.
install()
{
	run --separate-stderr "$BATS_TEST_TMPDIR/install-on-node" \
		--memcrun "$(command -v memcrun)" / 3>&-
	assert_equal "$status" "$1"
	assert_contains "$output$stderr" "$2"
}

since()
{
	systemctl show -P ActiveEnterTimestampMonotonic containerd
}

@test "install_on_node_restarts_containerd_and_puts_back_what_it_does_not_start_with" {
	local before good=$BATS_TEST_TMPDIR/good bad=$BATS_TEST_TMPDIR/bad

	# as the image of the DaemonSet has it
	cp "$BATS_TEST_DIRNAME"/../../contrib/kubernetes/{install-on-node,*.toml,*.conf} \
		"$BATS_TEST_TMPDIR"
	mkdir -p "${CONTAINERD%/*}"
	echo 'version = 2' >"$good"
	cp "$good" "$CONTAINERD"
	systemctl restart containerd
	before=$(since)
	install 0 "installed for containerd"
	[[ $(since) != "$before" ]] || fail "containerd was not restarted"
	assert_contains "$(containerd config dump)" runtimes.memcrun

	# a table that is there twice is an error of its language
	printf '%s\n' 'version = 2' \
		'[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.memcrun.options]' \
		'SystemdCgroup = false' >"$bad"
	cp "$bad" "$CONTAINERD"
	systemctl restart containerd
	install 1 "containerd: did not start with this; it has what it had"
	cmp "$CONTAINERD" "$bad"
	assert_equal "$(systemctl is-active containerd)" active
	# not again and again
	before=$(since)
	install 1 "containerd: did not start with this; not again"
	assert_equal "$(since)" "$before"
	assert_equal "$(cd /var/lib && echo memcrun-*)" memcrun-refused.containerd

	# a run that was interrupted before the restart has left what there was
	rm /var/lib/memcrun-refused.containerd
	{
		cat "$bad"
		echo '# memcrun: begin'
		sed 's/= true/= false/' "$BATS_TEST_TMPDIR/containerd-memcrun.toml"
		echo '# memcrun: end'
	} >"$CONTAINERD"
	mkdir /var/lib/memcrun-had
	cp "$good" /var/lib/memcrun-had/containerd
	echo "$CONTAINERD" >/var/lib/memcrun-had/containerd.place
	# perhaps after it, so that it is not running
	run ! systemctl restart containerd 3>&-
	touch /var/lib/memcrun-restart-engine
	install 1 "containerd: did not start with this; it has what it had"
	cmp "$CONTAINERD" "$good"
	assert_equal "$(systemctl is-active containerd)" active
}
