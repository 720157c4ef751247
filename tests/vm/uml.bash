# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # what run has set, and sets for it
# uml.bash - the machine of a Linux that is a program (ARCH=um), for run. Nothing is
# emulated: the guest's programs run on the processor, its system calls and page faults go
# to a kernel that is a process of this machine.

machine_check()
{
	local free

	[[ $(id -u) == 0 ]] || bad_usage "--kernel $kernel: only root can run it"
	[[ $cpus_given == 0 || $cpus == 1 ]] || bad_usage "--cpus $cpus: this kernel has one processor"
	# the guest's memory is a file there, which grows as it is used
	free=$(df --output=avail -m "$scratch" | tail -n 1)
	((free >= mem_mib)) ||
		bad_usage "--memory $memory: ${scratch%/*} has room for $((free))M only"
	[[ $numa == 1 ]] || bad_usage "--numa $numa: this kernel has one node"
	[[ ${#qemu_arguments[@]} == 0 ]] || bad_usage "--qemu: this kernel runs without qemu"
	case $scratch${userland}$out in
	*,*) bad_usage "a directory with a comma in its name cannot be shared with this kernel" ;;
	esac
	if [[ $cgroup != v2 ]] && grep -qsx '# CONFIG_MEMCG_V1 is not set' "${image%/*}/config"; then
		bad_usage "--cgroup $cgroup: this kernel has no memory controller for cgroup v1"
	fi
}

# The kernel's root is its own directory, with its own C library. The host's files are in
# /host there, all file systems read-only: a guest that gets around its overlay is root on
# them. Nothing outlives the process namespace.
# shellcheck disable=SC2016 # for the inner shell
CONFINED='
	root=$1 scratch=$2 out=$3
	shift 3
	mount --rbind / "$root/host"
	findmnt -rn -o TARGET >"$scratch/mounts"
	while read -r target; do
		case $target in
		"$root/host" | "$root/host/"*)
			mount -o remount,bind,ro "$(printf %b "$target")"
		esac
	done <"$scratch/mounts"
	mount --bind "$scratch" "$root/host$scratch"
	[ -z "$out" ] || mount --bind "$out" "$root/host$out"
	mount -t tmpfs tmpfs "$root/dev"
	for device in null zero random urandom; do
		: >"$root/dev/$device"
		mount --bind "/dev/$device" "$root/dev/$device"
	done
	mount -o remount,ro "$root/dev"
	mount -t proc proc "$root/proc"
	# what runs beside this shell gets no standard input unless it is told
	exec 5<&0
	chroot "$root" /linux "$@" <&5 5<&- &
	wait $!'

machine_make()
{
	# shellcheck disable=SC2054 # the commas are the kernel's
	machine=(
		unshare --mount --pid --fork --kill-child=KILL --propagation private
		sh -e -c "$CONFINED" sh "${image%/*}" "$scratch" "$out"
		"mem=$memory" "initrd=/host$scratch/initrd" umid=guest "uml_dir=/host$scratch"
		con=null con0=null,fd:1
	)
	# con1 is the command's controlling terminal, also when nobody looks at it
	[[ $tty == 0 ]] || machine+=("con1=fd:0,fd:4")
	# shellcheck disable=SC2206 # words of a command line
	machine+=($command_line)
}

machine_parameters()
{
	printf 'VM_%s\n' MACHINE=uml TERMINAL=tty1 "SHARE_host=/host" \
		"SHARE_userland=$(quote "/host$userland")" "SHARE_io=$(quote "/host$scratch/io")" \
		"SHARE_out=$(quote "/host$out")" MODULES=/modules
}

# A terminal's input goes to a line of the guest's. Lines lose bytes when they end, so the
# guest's standard input goes in files, one for each read; stdin-COUNT.end is the last.
machine_feed()
{
	local count=0 part=$scratch/io/part

	if [[ $tty == 1 ]]; then
		exec cat
	fi
	while dd bs=65536 count=1 status=none of="$part" && [[ -s $part ]]; do
		mv "$part" "$scratch/io/stdin-$count"
		count=$((count + 1))
	done
	mv "$part" "$scratch/io/stdin-$count.end"
}

# unshare hears nothing but this while it waits
END_SIGNAL=KILL

machine_run()
{
	# its memory is a file
	export TMPDIR=/host$scratch
	exec "${machine[@]}" <"$1" >>"$scratch/console" 4>"$2" 2>"$log"
}
