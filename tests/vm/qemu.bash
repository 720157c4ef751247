# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # what run has set, and sets for it
# qemu.bash - the machine of a bzImage, for run: qemu-system-x86_64, which emulates it or
# has KVM.

machine_check()
{
	command -v qemu-system-x86_64 >/dev/null ||
		bad_usage "qemu-system-x86_64: not there; contrib/deps vm"
}

# KVM is used where a guest is seen to live under it: the device can be there
# and guests hang all the same (nested virtualisation). Asked once per boot.
find_accel()
{
	local answer probe found=tcg

	if [[ -n ${MEMCRUN_VM_ACCEL:-} ]]; then
		printf '%s\n' "$MEMCRUN_VM_ACCEL"
		return
	fi
	if [[ ! -w /dev/kvm ]]; then
		echo tcg
		return
	fi
	answer=$cache/kvm-$(</proc/sys/kernel/random/boot_id)
	if [[ ! -e $answer ]]; then
		probe=$scratch/probe
		mkdir -p "$probe/bin"
		cp "$busybox" "$probe/bin/busybox"
		printf '#!/bin/busybox sh\n/bin/busybox poweroff -f\n' >"$probe/init"
		chmod 755 "$probe/init"
		mkinitrd "$probe" "$scratch/probe.initrd"
		if timeout -k 1 8 qemu-system-x86_64 -nodefaults -no-user-config -display none \
			-M q35 -accel kvm -cpu max -m 512M -no-reboot -kernel "$image" \
			-initrd "$scratch/probe.initrd" -append 'panic=-1 quiet' \
			>"$scratch/probe.log" 2>&1; then
			found=kvm
		fi
		rm -f "$cache"/kvm-*
		printf '%s\n' "$found" >"$scratch/accel"
		mv "$scratch/accel" "$answer"
	fi
	cat "$answer"
}

# Sets accel: -accel's value.
choose_accel()
{
	# Instructions are counted by the emulator, and by one thread of it.
	if [[ " ${qemu_arguments[*]} " == *" -icount "* ]]; then
		accel=tcg,thread=single
		return
	fi
	accel=$(find_accel)
	[[ $accel != kvm ]] || return 0
	accel=tcg,thread=multi
	# Of several threads one may execute an int3 that another has patched away long
	# ago (QEMU 7.2): "Oops: int3", every some hundred static keys. README.md has more.
	if ((cpus > 1)) && grep -qsx CONFIG_JUMP_LABEL=y "${image%/*}/config"; then
		accel=tcg,thread=single
	fi
}

# share TAG DIR MODE: a directory of the host's
share()
{
	machine+=(-fsdev "local,id=$1,path=${2//,/,,},security_model=none,multidevs=remap,$3"
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}

# Sets machine: the command.
machine_make()
{
	local accel console node cpu spec

	choose_accel
	# A serial line under emulation is too slow for more than warnings. The watchdogs'
	# patience is for loaded hosts, and so is no_timer_check: a late tick of an emulated
	# timer is no broken board.
	console="console=ttyS0 rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=30"
	console+=' random.trust_cpu=on no_timer_check'
	[[ $verbose == 0 ]] || console+=' earlyprintk=serial,ttyS0'

	# A socket for each processor: the kernel warns of a socket over two nodes.
	# shellcheck disable=SC2054 # the commas are qemu's
	machine=(
		qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot
		-M q35 -accel "$accel" -cpu max -m "$memory" -smp "$cpus,sockets=$cpus"
		-kernel "$image" -initrd "$scratch/initrd" -append "$console $command_line"
		-chardev "file,id=console,path=$scratch/console" -serial chardev:console
		-device virtio-rng-pci
		-device virtio-serial-pci
	)
	share host / readonly=on
	share io "$scratch/io" readonly=off
	[[ -z $userland ]] || share userland "$userland" readonly=on
	[[ -z $out ]] || share out "$out" readonly=off
	if ((numa > 1)); then
		for ((node = 0; node < numa; node++)); do
			spec=node,nodeid=$node,memdev=node$node
			for ((cpu = node; cpu < cpus; cpu += numa)); do
				spec+=,cpus=$cpu
			done
			machine+=(-numa "$spec" -object
				"memory-backend-ram,id=node$node,size=$((mem_mib / numa))M")
		done
	fi
	# hvc0 is the command's controlling terminal, also when nobody looks at it
	if [[ $tty == 1 ]]; then
		machine+=(-chardev "stdio,id=tty,signal=off")
	else
		machine+=(-chardev "null,id=tty" -chardev "stdio,id=stdin,signal=off")
	fi
	machine+=(-device "virtconsole,chardev=tty")
	[[ $tty == 1 ]] ||
		machine+=(-device "virtserialport,chardev=stdin,name=memcrun.stdin")
	machine+=("${qemu_arguments[@]}")
}

# For the guest's first stage, beside what run tells it.
machine_parameters()
{
	printf 'VM_%s\n' MACHINE=qemu TERMINAL=hvc0
}

# What is the guest's standard input or its terminal's goes through here.
machine_feed()
{
	cat
}

END_SIGNAL=TERM

# machine_run INPUT TERMINAL: becomes the machine
machine_run()
{
	exec "${machine[@]}" <"$1" >"$2" 2>"$log"
}
