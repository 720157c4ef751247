#!/usr/bin/env bats
# shellcheck disable=SC2016 # what is in single quotes is for the guest
# The test bed itself: what tests/vm/run promises. Boots are expensive, so each
# says all it can.

setup()
{
	vm="$BATS_TEST_DIRNAME/run"
	dir=$BATS_TEST_TMPDIR
	# where run keeps what it must not leave behind
	TMPDIR=$(mktemp -d /dev/shm/memcrun-vm-bats.XXXXXX)
	export TMPDIR
	cd "$BATS_TEST_DIRNAME/../.." || return
}

teardown()
{
	rm -rf "$TMPDIR"
}

# boot OPTION... -- COMMAND...: stdout, stderr and status as a user gets them
boot()
{
	status=0
	"$vm" --timeout 120 "$@" >"$dir/stdout" 2>"$dir/stderr" || status=$?
	echo "status $status"
	sed 's/^/stdout: /' "$dir/stdout" | head -n 60
	sed 's/^/stderr: /' "$dir/stderr" | head -n 60
}

no_leftovers()
{
	! compgen -G "$TMPDIR/memcrun-vm.*" >/dev/null
}

# An emulated machine, and a kernel that is a program: what a run promises holds for both.
read -r -a MACHINES <<<"${VM_MACHINES:-stock-6.12 uml-7.2}"

@test "usage errors exit 2 without booting" {
	boot --cgroup v3 -- true </dev/null
	[ "$status" = 2 ]
	boot --bogus </dev/null
	[ "$status" = 2 ]
	boot --kernel no-such -- true </dev/null
	[ "$status" = 2 ]
	boot --root no-such -- true </dev/null
	[ "$status" = 2 ]
	boot --kernel uml-7.2 --numa 2 -- true </dev/null
	[ "$status" = 2 ]
	boot --kernel uml-7.2 --cgroup v1 -- true </dev/null
	[ "$status" = 2 ]
	no_leftovers
}

@test "input, output, errors and exit status are the command's, byte by byte" {
	head -c 1000000 /dev/urandom >"$dir/random"
	printf 'a\r\nb\n\0\4\3end' >>"$dir/random"
	for kernel in "${MACHINES[@]}"; do
		boot --kernel "$kernel" -- sh -c 'cat; printf "to\tstderr\n" >&2; exit 37' \
			<"$dir/random"
		[ "$status" = 37 ]
		cmp "$dir/random" "$dir/stdout"
		[ "$(cat "$dir/stderr")" = "$(printf 'to\tstderr')" ]
	done
}

@test "arguments, environment and directory arrive as they are; death by signal is 128+n" {
	cd "$dir"
	export SECRET=of-the-host
	for kernel in "${MACHINES[@]}"; do
		boot --kernel "$kernel" --env "A=it's \$x
two lines" -- bash -c 'pwd; echo "$A"; printf "<%s>" "$@"; echo ${SECRET-unset}; kill -SEGV $$' \
			- '' "a'b" '$(id)' '*' 'é "' </dev/null
		[ "$status" = 139 ]
		{ printf '%s\nit'\''s $x\ntwo lines\n' "$dir"
			printf '<%s>' '' "a'b" '$(id)' '*' 'é "'
			echo unset; } | cmp - "$dir/stdout"
	done
}

@test "a userland has its own programs, and of the host's files the checkout" {
	export MEMCRUN_BUILDDIR=$dir
	printf '#!/bin/sh\necho as built\n' >"$dir/memcrun"
	chmod 755 "$dir/memcrun"
	for kernel in "${MACHINES[@]}"; do
		boot --kernel "$kernel" --root trixie -- bash -exc '
			. /etc/os-release && echo "$VERSION_CODENAME"
			pwd
			ls tests/vm/run
			memcrun
			[ ! -e /usr/src/linux-source-6.12.tar.xz ]
			echo guest >/etc/debian_version' </dev/null
		[ "$status" = 0 ]
		printf '%s\n' trixie "$PWD" tests/vm/run 'as built' | cmp - "$dir/stdout"
	done
	[ -e /usr/src/linux-source-6.12.tar.xz ]
	[ "$(cat "$("$BATS_TEST_DIRNAME/userland" trixie)/etc/debian_version")" != guest ]
}

@test "a kernel that is a program: swap, --out, v1, modules when they are used, no host to write to" {
	mkdir "$dir/out"
	boot --kernel uml-6.1 --cgroup v1 --out "$dir/out" --swap 256M -- bash -exc '
		grep zram0 /proc/swaps
		cat /sys/fs/cgroup/memory/memory.limit_in_bytes
		ip link add name one type veth peer name two
		ip link show one
		echo kept >/out/file
		mkdir /tmp/host
		# as root of the guest, around its overlay
		mount -t hostfs none /tmp/host -o /host
		[ -e /tmp/host/etc/passwd ]
		for file in etc/memcrun-vm-was-here proc/sys/vm/swappiness dev/shm/memcrun-vm-was-here; do
			if echo 61 >/tmp/host/$file; then
				echo "$file could be written"
				exit 1
			fi
		done' </dev/null
	[ "$status" = 0 ]
	[ "$(cat "$dir/out/file")" = kept ]
	[ ! -e /etc/memcrun-vm-was-here ]
	[ ! -e /dev/shm/memcrun-vm-was-here ]
}

@test "v2: one hierarchy; / can be written, the host stays; --out, --swap, --numa" {
	mkdir "$dir/out"
	boot --out "$dir/out" --swap 256M --numa 2 --memory 1G -- bash -exc '
		exec 2>&1
		[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]
		[ "$(cat /proc/self/cgroup)" = 0::/init ]
		grep -w memory /sys/fs/cgroup/cgroup.subtree_control
		mkdir /sys/fs/cgroup/x && echo 64M >/sys/fs/cgroup/x/memory.max
		echo guest >/etc/memcrun-vm-was-here
		rm /etc/debian_version
		grep zram0 /proc/swaps
		[ "$(ls -d /sys/devices/system/node/node[0-9])" = \
			"$(printf "/sys/devices/system/node/node%s\n" 0 1)" ]
		tty </dev/tty
		su tester -c "id -u; test -w \$HOME"
		[ $(($(date +%s) - '"$(date +%s)"')) -lt 60 ]
		echo kept >/out/file' </dev/null
	[ "$status" = 0 ]
	[ ! -e /etc/memcrun-vm-was-here ]
	[ -e /etc/debian_version ]
	[ "$(cat "$dir/out/file")" = kept ]
}

@test "v1 and hybrid: a hierarchy for each controller" {
	boot --cgroup v1 -- sh -exc '
		[ "$(stat -fc %T /sys/fs/cgroup)" = tmpfs ]
		[ "$(stat -fc %T /sys/fs/cgroup/memory)" = cgroupfs ]
		cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.shares
		grep name=systemd /proc/self/cgroup
		! grep cgroup2 /proc/mounts' </dev/null
	[ "$status" = 0 ]
	boot --cgroup hybrid -- sh -exc '
		cat /sys/fs/cgroup/memory/memory.limit_in_bytes
		[ "$(stat -fc %T /sys/fs/cgroup/unified)" = cgroup2fs ]
		[ -z "$(cat /sys/fs/cgroup/unified/cgroup.controllers)" ]' </dev/null
	[ "$status" = 0 ]
}

@test "--qemu reaches qemu: its clock counts instructions, a wrong argument exits 125" {
	boot --cpus 1 --qemu '-icount shift=0,sleep=off' -- cat /proc/cmdline </dev/null
	[ "$status" = 0 ]
	boot --qemu '-no-such-argument' -- true </dev/null
	[ "$status" = 125 ]
	grep -q 'no-such-argument: invalid option' "$dir/stderr"
}

@test "the time limit exits 124, and nothing is left behind" {
	for kernel in "${MACHINES[@]}"; do
		boot --kernel "$kernel" --timeout 8 -- sleep 1000 </dev/null
		[ "$status" = 124 ]
		grep -q 'out of time' "$dir/stderr"
		no_leftovers
	done
}

@test "SIGTERM to run ends the guest, and nothing is left behind" {
	for kernel in "${MACHINES[@]}"; do
		"$vm" --kernel "$kernel" -- sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
		pid=$!
		sleep 4
		machine=$(ps -o pid= --ppid "$pid")
		kill "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$status" = 143 ]
		[ -z "$(ps -o pid= --ppid "$pid")" ]
		for each in $machine; do
			if kill -0 "$each" 2>/dev/null; then
				false
			fi
			[ -z "$(ps -o pid= --ppid "$each")" ]
		done
		no_leftovers
	done
}

@test "a panic fails the run with 120 and is shown" {
	for kernel in "${MACHINES[@]}"; do
		boot --kernel "$kernel" -- sh -c \
			'echo before; sleep 1; echo c >/proc/sysrq-trigger' </dev/null
		[ "$status" = 120 ]
		[ "$(cat "$dir/stdout")" = before ]
		grep -q 'Kernel panic' "$dir/stderr"
	done
}

@test "a kernel stack in the console fails the run, an OOM kill in a cgroup does not" {
	boot -- sh -c 'mkdir /sys/fs/cgroup/x; echo 8M >/sys/fs/cgroup/x/memory.max
		sh -c "echo 0 >/sys/fs/cgroup/x/cgroup.procs; tail /dev/zero"
		dmesg | grep -c "Memory cgroup out of memory"' </dev/null
	[ "$status" = 0 ]
	[ "$(cat "$dir/stdout")" = 1 ]
	boot -- sh -c 'echo l >/proc/sysrq-trigger' </dev/null
	[ "$status" = 120 ]
	grep -q 'Call Trace' "$dir/stderr"
}

@test "crun runs a container on each kernel, in the userland of its release" {
	while read -r kernel root release; do
		boot --kernel "$kernel" --root "$root" -- sh -exc '
			uname -r
			tests/vm/bundle /tmp/b sh -c "echo from the container; exit 5"
			crun run -b /tmp/b c' </dev/null
		[ "$status" = 5 ]
		grep -qx "$release\..*" "$dir/stdout"
		grep -qx 'from the container' "$dir/stdout"
	done <<-KERNELS
		uml-6.1 bookworm 6.1
		uml-6.12 trixie 6.12
		uml-7.2 forky 7.2
		stock-6.12 trixie 6.12
	KERNELS
}

@test "podman runs a container in v2, v1 and under systemd" {
	boot --kernel uml-7.2 --root forky -- sh -exc 'tests/vm/image
		podman run --rm --memory 64m localhost/busybox cat /sys/fs/cgroup/memory.max
		podman --runtime runc run --rm localhost/busybox sh -c "exit 9"' </dev/null
	[ "$status" = 9 ]
	[ "$(cat "$dir/stdout")" = 67108864 ]

	boot --kernel uml-6.1 --root bookworm --cgroup v1 -- sh -exc 'tests/vm/image
		podman run --rm --memory 64m localhost/busybox \
			cat /sys/fs/cgroup/memory/memory.limit_in_bytes' </dev/null
	[ "$status" = 0 ]
	[ "$(cat "$dir/stdout")" = 67108864 ]

	boot --kernel uml-7.2 --root trixie --init systemd -- sh -exc 'tests/vm/image
		podman run -d --name c --memory 64m localhost/busybox sleep 100 >/dev/null
		cat /sys/fs/cgroup/machine.slice/libpod-*.scope/container/memory.max
		systemctl --failed --no-legend
		exit 7' </dev/null
	[ "$status" = 7 ]
	[ "$(cat "$dir/stdout")" = 67108864 ]
}
