#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016 # what the helper sets; quoted for inner shells
# shellcheck disable=SC2030,SC2031 # each test is a subshell
#
# versions.bats - differences between versions of crun and podman, and memcrun with each.
# docs/compatibility.md has a table of these differences. Each test asserts both: the
# behaviour of the installed version, and that memcrun copes with this behaviour.

load helper

setup_file()
{
	learn_fresh_cgroup
	make_bundle
}

teardown()
{
	local path

	podman rm -fa -t 0 >/dev/null 3>&-
	for path in "$STATE"/*; do
		[[ ! -e $path ]] || memcrun delete --force "${path##*/}"
	done
}

# --- crun

@test "crun_1.28_escapes_slashes_in_its_status_file" {
	local line='"cgroup-path": "/x"'

	create x .
	if at_least crun 1.28; then
		line='"cgroup-path": "\/x"'
	fi
	assert_contains "$(<"$STATE/x/status")" "$line"
	# all verbs of memcrun that read the file, and crun after memcrun has written the file
	memcrun update --memory 64M x
	run --separate-stderr memcrun check x
	assert_contains "$output" "$MEMORY_ROOT/x"
	memcrun move --to /live-versions --charges none x 2>/dev/null 3>&-
	assert_equal "$(memcrun events --stats x | jq -r '.id, .data.memory.usage.limit')" \
		x$'\n'$((64 * MIB))
	assert_equal "$(crun state x | jq -r '.status, .bundle')" created$'\n'"$BUNDLE"
	crun delete --force x
	[[ ! -e $MEMORY_ROOT/live-versions ]] || fail "crun has not found the new cgroup"
}

@test "crun_1.8.6_has_features_and_memcrun_adds_to_these" {
	local ours

	ours=$(memcrun features)
	if at_least crun 1.8.6; then
		# memcrun changes nothing but annotations of its own
		diff -u <(crun features | jq -S .) \
			<(jq -S '.annotations |= with_entries(select(.key | startswith("org.memcrun.") | not))' \
				<<<"$ours") >&2
	else
		run crun features
		assert_equal "$status:$output" "1:unknown command features"
		assert_equal "$(jq -r '.annotations | keys[] | select(startswith("run.oci."))' \
			<<<"$ours")" ""
	fi
	assert_equal "$(jq -r '.annotations["org.memcrun.file.limit"]' <<<"$ours")" \
		"$([[ $CGROUP == v1 ]] && echo memory.limit_in_bytes || echo memory.max)"
}

@test "crun_1.28_refuses_container_names_that_earlier_versions_take" {
	local name settings='.linux.resources.memory = {limit: 67108864}'

	for name in x:y 'x y' x@y x,y; do
		# the rule of the latest crun is memcrun's for all of them
		create_fails "$name" "$settings" \
			"a container's name has letters, digits and _ + . - in it, and begins with no dot, \"$name\""
		if at_least crun 1.28; then
			run ! crun create --bundle "$BUNDLE" --config "$config" "$name" </dev/null
			assert_contains "$output" 'in the container ID'
			continue
		fi
		# one that crun has made has its verbs
		crun create --bundle "$BUNDLE" --config "$config" "$name" </dev/null >/dev/null 2>&1 3>&-
		memcrun update --memory 48M "$name"
		run --separate-stderr memcrun check "$name"
		assert_contains "$output" $((48 * MIB))
		memcrun delete --force "$name"
		assert_gone "$name"
	done
	# runc's rule, for all versions: these names work, those do not
	for name in x+y x_y x.y-z; do
		create "$name" "$settings" || fail "$said"
		memcrun delete --force "$name"
	done
	create_fails x/y "$settings" x/y any
	create_fails .x "$settings" .x any
}

@test "each_option_of_this_crun_is_one_of_memcrun" {
	local option verb value

	# an unknown option of `update` is wrong usage, thus 2; a missing container is 1
	for option in $(crun update --help | grep -oE -- '--[a-z0-9-]+=' | sort -u); do
		value=1
		[[ $option != --resources= ]] || value=/dev/null
		run --separate-stderr memcrun update "$option$value" nobody
		[[ $status == 1 ]] || fail "$option: $status: $stderr"
	done
	[[ -n ${option:-} ]] || fail "crun update --help names no option"
	# an option that memcrun does not know makes it warn that settings are not compiled
	for verb in create run; do
		for option in $(crun "$verb" --help | grep -oE -- '--[a-z0-9-]+=?' | sort -u); do
			case $option in --help | --usage | --detach) continue ;; esac
			configure '.annotations = {"org.memcrun.nonsense": "1"}'
			value=
			[[ $option != *= ]] || value=$BATS_TEST_TMPDIR/value
			[[ $option != --preserve-fds= ]] || value=1
			[[ $option != --bundle= ]] || value=$BUNDLE
			[[ $option != --config= ]] || value=$config
			run --separate-stderr memcrun "$verb" --bundle "$BUNDLE" --config "$config" \
				"$option$value" x </dev/null
			assert_contains "$verb $option: $stderr" 'annotations.org.memcrun.nonsense: unknown'
		done
	done
}

# Which of them refuses where there is no Intel RDT depends on the version of crun.
@test "crun_1.11_has_options_for_intel_rdt_and_memcrun_passes_them_on" {
	local option alone limit words

	create x '.linux.resources.memory = {limit: 67108864}'
	for option in --l3-cache-schema=L3:0=f --mem-bw-schema=MB:0=50; do
		run --separate-stderr crun update --memory $((64 * MIB)) "$option" x
		alone=$status
		words="unrecognized option '${option%%=*}"
		if at_least crun 1.11; then
			assert_lacks "$stderr" "$words"
			words=resctrl
		else
			assert_contains "$stderr" "$words"
		fi
		run --separate-stderr memcrun update --memory 48M "$option" x
		limit=48
		if [[ $alone != 0 ]]; then
			# in crun's words, and memory is what it was
			assert_contains "$stderr" "$words"
			limit=64
		fi
		assert_equal "$status" $((alone != 0))
		assert_equal "$(memcrun events --stats x | jq .data.memory.usage.limit)" \
			$((limit * MIB))
		memcrun update --memory 64M x
	done
}

@test "crun_1.28_takes_a_size_with_a_unit_for_0_and_memcrun_for_the_size" {
	create x '.linux.resources.memory = {limit: 67108864}'
	run memcrun update --memory 50M x
	assert_equal "$status:$output" 0:
	assert_equal "$(memcrun events --stats x | jq .data.memory.usage.limit)" $((50 * MIB))
	run crun update --memory 52M x
	if at_least crun 1.28; then
		# the kernel kills the container for that
		assert_equal "$status:$(<"$directory/memory.max")" 0:0
	else
		assert_equal "$status" 1
		assert_contains "$output" "cannot parse the data"
		assert_equal "$(memcrun events --stats x | jq .data.memory.usage.limit)" $((50 * MIB))
	fi
}

@test "crun_1.23_computes_cpu_weight_by_another_formula" {
	local shares=512 weight=20

	! at_least crun 1.23 || weight=59
	create x ".linux.resources.cpu = {shares: $shares}"
	if [[ $CGROUP == v1 ]]; then
		assert_equal "$(<"/sys/fs/cgroup/cpu/x/cpu.shares")" "$shares"
		memcrun update --cpu-share 1024 x
		assert_equal "$(<"/sys/fs/cgroup/cpu/x/cpu.shares")" 1024
		return
	fi
	assert_equal "$(<"$directory/cpu.weight")" "$weight"
	weight=39
	! at_least crun 1.23 || weight=100
	memcrun update --memory 64M --cpu-share 1024 x
	assert_equal "$(<"$directory/cpu.weight")" "$weight"
}

@test "crun_1.24_keeps_a_directory_of_its_own_among_the_containers" {
	local left

	left=$(left_by_crun)
	if at_least crun 1.24; then
		assert_contains "$left" .empty-directory
	else
		assert_lacks "$left" .empty-directory
	fi
	# the cache of seccomp filters; 1.21 is the first version here with one
	if at_least crun 1.21; then
		assert_contains "$left" .cache
	else
		assert_lacks "$left" .cache
	fi
	# for memcrun these entries are no containers
	assert_equal "$(memcrun list -q)" ""
	run --separate-stderr memcrun update --memory 64M .empty-directory
	assert_equal "$status" 1
	assert_contains "$stderr" "memcrun: .empty-directory: "
	run --separate-stderr memcrun move --to /live-versions .empty-directory
	assert_equal "$status" 1
	assert_contains "$stderr" "memcrun: .empty-directory: "
	start one --memory 64m
	pod rm -f -t 0 one
	assert_equal "$(ls -A "$STATE")" "$left"
}

@test "crun_1.17_has_log_levels_and_settings_are_compiled_beside_them" {
	local settings='.linux.resources.memory = {limit: 67108864, swap: 100663296}'

	if ! at_least crun 1.17; then
		! create x "$settings" --log-level warning || fail "x was created"
		assert_contains "$said" "unrecognized option '--log-level'"
		assert_gone x
		return
	fi
	create x "$settings" --log-level warning || fail "$said"
	if [[ $CGROUP == v1 ]]; then
		assert_memory "$directory" limit_in_bytes=$((64 * MIB)) memsw.limit_in_bytes=$((96 * MIB))
	else
		assert_memory "$directory" max=$((64 * MIB)) swap.max=$((32 * MIB))
	fi
	assert_contains "$(jq -r '.annotations."org.memcrun.asked"' "$STATE/x/config.json")" 67108864
}

@test "crun_1.22_adds_mounts_to_a_container_of_memcrun" {
	create x '.linux.resources.memory = {limit: 67108864}'
	echo '[{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"}]' \
		>"$BATS_TEST_TMPDIR/mounts"
	mkdir -p "$BUNDLE/rootfs/mnt"
	run memcrun mounts add x "$BATS_TEST_TMPDIR/mounts"
	if at_least crun 1.22; then
		assert_equal "$status:$output" 0:
		assert_contains "$(<"/proc/$(memcrun state x | jq .pid)/mountinfo")" " /mnt "
	else
		assert_equal "$status:$output" "1:unknown command mounts"
	fi
}

# --- podman

# What podman 5 remembers of an update, podman 4.3 forgets with the next start.
@test "podman_5_keeps_updates_over_a_restart" {
	local limit=64 file=memory.max

	[[ $CGROUP == v2 ]] || file=memory.limit_in_bytes
	start one --memory 64m --memory-swap 96m
	pod update --memory 80m --memory-swap 120m one >/dev/null
	assert_equal "$(<"$directory/$file")" $((80 * MIB))
	! at_least podman 5 || limit=80
	assert_equal "$(podman inspect -f '{{.HostConfig.Memory}}' one)" $((limit * MIB))
	pod restart -t 0 one >/dev/null
	directory=$(memory_cgroup "$(<"$BATS_TEST_TMPDIR/pid")")
	assert_equal "$(<"$directory/$file")" $((limit * MIB))
}

@test "podman_5_updates_limits_of_processes_and_policies_of_restart" {
	local pids

	start one --memory 64m --memory-swap 96m
	pids=$(sed -n 's/^0::\|^[0-9]*:pids://p' "/proc/$pid/cgroup" | tail -n 1)
	[[ $CGROUP == v2 ]] || pids=/pids$pids
	pids=/sys/fs/cgroup$pids/pids.max
	run --separate-stderr pod update --pids-limit 55 --memory 80m --memory-swap 120m one
	if ! at_least podman 5; then
		assert_equal "$status" 125
		assert_contains "$stderr" "unknown flag: --pids-limit"
		return
	fi
	assert_equal "$status" 0
	assert_equal "$(<"$pids")" 55
	assert_memory "$directory" max=$((80 * MIB)) swap.max=$((40 * MIB))
	# this one is podman's alone: all that the runtime has set stays
	pod update --restart on-failure one >/dev/null
	assert_equal "$(<"$pids")" 55
	assert_memory "$directory" max=$((80 * MIB)) swap.max=$((40 * MIB))
	# this one is since podman 5.8
	run --separate-stderr pod update --env A=b one
	if at_least podman 5.8; then
		assert_equal "$status" 0
		assert_memory "$directory" max=$((80 * MIB)) swap.max=$((40 * MIB))
	else
		assert_equal "$status" 125
	fi
}

@test "podman_5.5_makes_infra_containers_without_an_image" {
	local infra share=()

	# as in engine.bats
	[[ $CGROUP == v1 ]] || is_systemd || share=(--share-parent=false)
	pod --runtime memcrun pod create --name pair --network none "${share[@]}" >/dev/null
	pod --runtime memcrun run -d --pod pair --name left --memory 64m "$IMAGE" sleep 1000 >/dev/null
	infra=$(podman ps --filter pod=pair --format '{{.IsInfra}} {{.Image}}' | sed -n 's/^true //p')
	if at_least podman 5.5; then
		assert_equal "$infra" ""
	else
		assert_contains "$infra" localhost/podman-pause
	fi
	assert_equal "$(podman inspect -f '{{.OCIRuntime}}' \
		"$(podman pod inspect -f '{{.InfraContainerID}}' pair)" left)" memcrun$'\n'memcrun
	podman pod stop -t 0 pair >/dev/null 3>&-
	forget_cpuset pair
	podman pod rm pair >/dev/null 3>&-
}

@test "podman_4.4_makes_services_of_quadlets" {
	local example=$BATS_TEST_DIRNAME/../../contrib/podman/example.container
	local generator=/usr/libexec/podman/quadlet units=/run/systemd/system

	is_systemd || skip "quadlets are units of systemd"
	if ! at_least podman 4.4; then
		[[ ! -e $generator ]] || fail "there is $generator"
		return
	fi
	mkdir -p /etc/containers/systemd "$units"
	# the image of this guest
	sed "s,^Image=.*,Image=$IMAGE," "$example" >/etc/containers/systemd/example.container
	# as systemd runs its generators, of which the guest has none
	"$generator" "$units" "$units" "$units"
	systemctl daemon-reload
	systemctl start example.service 3>&-
	assert_equal "$(podman inspect -f '{{.OCIRuntime}}' systemd-example)" memcrun
	directory=$(memory_cgroup "$(podman inspect -f '{{.State.Pid}}' systemd-example)")
	assert_memory "$directory" max=$((512 * MIB)) swap.max=$((256 * MIB)) \
		high=$((256 * MIB)) oom.group=1
	systemctl stop example.service
	rm -r /etc/containers/systemd/example.container "$units/example.service" \
		"$units/multi-user.target.wants"
	systemctl daemon-reload
	assert_equal "$(podman ps -aq)" ""
}
