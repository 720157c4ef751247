# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what tests/run reads, and has set
# table.bash - the suites of tests/run, and what the live ones are.

# Live tests of what differs from kernel to kernel and from layout to layout.
kinds='swap_(counts|alone)|reservation_is|swappiness_is|oom_(kill_disable|wait)|all_options'
kinds+='|without_settings|rounded|kernel_memory|hierarchy|reserve_is|move_charge'
# Moves that say something new on another kernel or under another manager.
moves='there_and_back|device_filter'
scopes='there_and_back|slice_keeps|what_keeps|all_verbs|podman_does'

# name|when|seconds|inputs|what it is|function with its arguments
#
# when: `first` are those that use all processors by themselves, one after the other. Then
#   those `beside` each other, one more at a time than there are processors, the longest
#   first: a guest is mostly one thread, and waits at times. `named` runs only by name.
# seconds: how long it takes with its kernels made, until this machine has measured it.
# inputs: all that the result depends on, for --changed: files and directories of the
#   checkout, kernel:NAME, root:NAME, and the words of input_words. What all suites depend
#   on (tests/run, its row here, the packages of contrib/deps) goes without saying. "-" is
#   one whose result is never kept.
suites=(
	"gcc|first|60|memcrun unit|build with gcc, all warnings errors; unit, plans, forwarding|suite_build gcc"
	"kernels|first|10|-|kernels and userlands: in the cache, or made|suite_kernels"
	"patch|beside|120|kernel-patch tests/vm/config|the kernel series: applies, is as refresh makes it, costs nothing when off|suite_patch --short"

	"v2|beside|150|memcrun live kernel:uml-7.2 root:trixie|live: podman 5.4 and memcrun on cgroup v2|suite_live --root trixie uml-7.2 v2 none --short"
	"v2-forky|beside|150|memcrun live kernel:uml-7.2 root:forky|live: podman 5.8, cgroup v2|suite_live --root forky uml-7.2 v2 none --short tests/live/memory.bats tests/live/runtime.bats tests/live/engine.bats tests/live/events.bats tests/live/update.bats tests/live/hooks.bats tests/live/rootless.bats tests/live/versions.bats"
	"v1|beside|250|memcrun live kernel:uml-6.1 root:bookworm|live: podman 4.3, cgroup v1|suite_live --root bookworm uml-6.1 v1 none --short tests/live/memory.bats tests/live/runtime.bats tests/live/engine.bats tests/live/events.bats tests/live/update.bats tests/live/hooks.bats tests/live/versions.bats"
	"v1-move|beside|250|memcrun live kernel:uml-6.1 root:bookworm|live: moves and crashes on cgroup v1|suite_live --root bookworm uml-6.1 v1 none --short tests/live/move.bats tests/live/sides.bats tests/live/adopt.bats tests/live/crash.bats"
	"v1-systemd|beside|70|memcrun live kernel:uml-6.1 root:bookworm|live: memcrun move with systemd 252 as PID 1, cgroup v1|suite_live --root bookworm uml-6.1 v1 systemd --short -f scope|there_and_back|memory_is|slice_keeps tests/live/move.bats tests/live/scope.bats"
	"hybrid|beside|60|memcrun live kernel:uml-6.1 root:bookworm|live: hybrid layout|suite_live --root bookworm uml-6.1 hybrid none -f $kinds tests/live/memory.bats"
	"v2-default|beside|60|memcrun live contrib/podman kernel:uml-6.1 root:bookworm|live: memcrun as podman's default, cgroup v2|suite_live --root bookworm uml-6.1 v2 none --default -f $kinds tests/live/memory.bats"
	"systemd|beside|120|memcrun live contrib kernel:uml-7.2 root:trixie|live: systemd 257 as PID 1, cgroup v2|suite_live --root trixie uml-7.2 v2 systemd --short -f scope|pods|lives_through|mean_what|play_kube|install_on_node|quadlets|$scopes tests/live/systemd.bats tests/live/engine.bats tests/live/hooks.bats tests/live/move.bats tests/live/scope.bats tests/live/versions.bats"
	"systemd-forky|beside|120|memcrun live contrib kernel:uml-7.2 root:forky|live: systemd 262|suite_live --root forky uml-7.2 v2 systemd --short -f scope|pods|lives_through|mean_what|play_kube|install_on_node|quadlets|$scopes tests/live/systemd.bats tests/live/engine.bats tests/live/hooks.bats tests/live/move.bats tests/live/scope.bats tests/live/versions.bats"
	"cri|beside|60|memcrun live tests/cri contrib/kubernetes kernel:uml-7.2 root:trixie|live: Kubernetes' CRI, containerd 1.7 with memcrun|suite_cri trixie"
	"cri-forky|beside|60|memcrun live tests/cri contrib/kubernetes kernel:uml-7.2 root:forky|live: Kubernetes' CRI, containerd 2.1|suite_cri forky"
	"docker|beside|60|memcrun live contrib/docker kernel:uml-7.2 root:forky|live: docker 28 with memcrun|suite_live --root forky uml-7.2 v2 none tests/live/docker.bats"
	"v2-6.12|beside|200|memcrun live kernel:stock-6.12 root:trixie|live: Linux 6.12 with all controllers, emulated|suite_live --root trixie stock-6.12 v2 none -f $kinds|$moves tests/live/memory.bats tests/live/move.bats"
	"v1-6.12|beside|200|memcrun live kernel:stock-6.12 root:bookworm|live: cgroup v1, Linux 6.12, emulated|suite_live --root bookworm stock-6.12 v1 none -f $kinds|$moves tests/live/memory.bats tests/live/move.bats"
	"v2-patched|beside|300|memcrun live kernel:patched-6.12 root:trixie|live: cgroup v2, Linux 6.12 with the series|suite_live --root trixie patched-6.12 v2 none --short tests/live/patched.bats tests/live/adopt.bats tests/live/hooks.bats"
	"v2-move|beside|500|memcrun live kernel:patched-6.12 root:trixie|live: containers that move with their charges, Linux 6.12 with the series|suite_live --root trixie patched-6.12 v2 none --short tests/live/move.bats"
	"v2-systemd|beside|200|memcrun live kernel:patched-6.12 root:trixie|live: memcrun move with systemd as PID 1, Linux 6.12 with the series|suite_live --root trixie patched-6.12 v2 systemd -f $scopes|scope tests/live/move.bats tests/live/scope.bats"

	"kernel|beside|300|tests/kernel tests/vm kernel-patch kernel:patched-6.12|the kernel series: its selftest, and half a minute of stress|suite_kernel patched-6.12 30"
	"limits|beside|400|memcrun tests/bench tests/vm kernel:patched-6.12 kernel:stock-6.12 root:bookworm|memory+swap, soft limits and dying cgroups with the series, beside v1 and v2|suite_limits"
	"memcg|beside|400|tests/memcg tests/kernel tests/vm kernel:stock-6.12 kernel:patched-6.12|what breaks memory cgroups: on cgroup v1, v2, and v2 with the series|suite_memcg"
	"idle|beside|200|tests/bench tests/vm kernel:stock-6.12 kernel:patched-6.12|what the kernel series costs unused, in instructions|suite_idle"
	"upstream|beside|200|tests/kernel tests/vm kernel-patch kernel:stock-6.12 kernel:patched-6.12|the kernel's own selftests of cgroups: the same with the series as without|suite_upstream"
	"bench|beside|300|memcrun tests/bench tests/live/redis-load.c tests/programs tests/vm kernel:stock-6.12 kernel:patched-6.12 root:bookworm|how fast: migration beside cgroup v1's, a container's move, and its start|suite_bench"
	"package|beside|150|. kernel:uml-6.1 root:bookworm|Debian packages: built, checked, installed, tried, removed; RPM packages|suite_tap $here/package"
	"vm|beside|120|tests/vm kernel:stock-6.12 kernel:uml-6.1 kernel:uml-6.12 kernel:uml-7.2 root:bookworm root:trixie root:forky|the test bed itself|suite_bats tests/vm/vm.bats"
	"clang|beside|120|memcrun unit|build and tests with clang, ASan and UBSan|suite_build clang --enable-sanitizers"
	"fuzz|beside|40|memcrun tests/fuzz|each fuzzer for a few seconds|suite_fuzz"
	"lint|beside|25|.|shellcheck, cppcheck, man page, layers of the code|suite_lint"
	"dist|beside|60|.|make distcheck|suite_dist"

	"patches|named|500|kernel-patch tests/vm/config|the kernel series: each patch builds, with its options and without, on six configurations, without a warning|suite_patch --quick"
	"kernel-debug|named|700|tests/kernel tests/memcg tests/vm kernel-patch kernel:debug-6.12|the kernel series on a debug kernel: its selftest, two minutes of stress, memory that goes|suite_kernel_debug"
	"races|named|400|tests/kernel tests/vm kernel-patch kernel:debug-6.12|the kernel series: each race with its window widened, and undone|suite_tap $here/kernel/races"
	"v2-7.2|named|200|memcrun live kernel:stock-7.2 root:forky|live: Linux 7.2 with all controllers, emulated|suite_live --root forky stock-7.2 v2 none -f $kinds|$moves tests/live/memory.bats tests/live/move.bats"
	"kernel-7.2|named|900|tests/kernel tests/vm kernel-patch kernel:debug-7.2|the series for Linux 7.2: its selftest, on a debug kernel|suite_kernel_72"
	"startup|named|600|memcrun tests/bench tests/live/redis-load.c tests/programs tests/vm kernel:stock-6.12 root:bookworm|how fast a container starts, beside crun and runc|suite_startup"
	"pairs|named|900|memcrun live kernel:uml-7.2 root:trixie|live: two verbs at once, the first stopped at each system call that changes something|suite_live --root trixie uml-7.2 v2 none tests/live/pairs.bats"
	"mutants|named|600|memcrun unit tests/mutants|mutants of the code, each of which a test has to notice|suite_mutants"
)

# Words among inputs, and the files that they stand for.
declare -A input_words=(
	[memcrun]='autogen.sh configure.ac Makefile.am runtime oci-hooks'
	[unit]='tests/unit tests/plans tests/fixtures tests/cli tests/hooks tests/contrib
		tests/fuzz tests/layers.sh contrib'
	[live]='tests/live tests/vm tests/programs tests/bench contrib'
)
