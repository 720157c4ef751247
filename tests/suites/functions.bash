# shellcheck shell=bash
# shellcheck disable=SC2154 # what tests/run has set
# functions.bash - what each suite does. Each calls check and suite_tap of count.bash, and
# has a directory of its own, $work.

scripts()
{
	(cd "$top" && git ls-files -z | while IFS= read -r -d '' file; do
		[[ -f $file ]] || continue
		case $file in
		*.bats) printf '%s\n' "$file" ;;
		*) ! head -c 64 "$file" | head -n 1 | grep -qaE '^#!.*[/ ](ba)?sh' ||
			printf '%s\n' "$file" ;;
		esac
	done)
}

lint_scripts()
{
	local -a list

	mapfile -t list < <(scripts)
	(cd "$top" && shellcheck -x "${list[@]}")
}

lint_c()
{
	(cd "$top" && cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr \
		--enable=warning,performance,portability \
		--suppress=missingIncludeSystem -D__GNUC__ -DCRUN_PATH='"crun"' \
		-DPACKAGE_VERSION='"0"' -Iruntime -I. runtime oci-hooks)
}

lint_man()
{
	(cd "$top" && mandoc -Tlint -W warning docs/*.1)
}

suite_lint()
{
	check "scripts pass shellcheck" lint_scripts
	check "the C code passes cppcheck" lint_c
	check "the man pages pass mandoc" lint_man
}

# A build of its own outside the tree; the checkout is only read.
build()
{
	local directory=$1 cc=$2
	shift 2

	mkdir -p "$directory"
	(cd "$directory" && CC=$cc "$source/configure" --quiet --enable-werror "$@" &&
		make --quiet -j"$(nproc)")
}

# configure refuses to build elsewhere when the tree itself is configured, so
# the builds are made from a copy of the files as they are.
prepare_source()
{
	[[ ! -d $source ]] || return 0
	mkdir "$source"
	(cd "$top" && git ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' file; do
			[[ ! -e $file && ! -L $file ]] || printf '%s\0' "$file"
		done | tar --null -T - -c) | tar -C "$source" -x
	"$source/autogen.sh" >"$all/autogen" 2>&1 || { cat "$all/autogen"; return 1; }
}

suite_build()
{
	local cc=$1 status=0
	shift

	check "it builds with $cc $*" build "$all/build-$cc" "$cc" "$@"
	make -C "$all/build-$cc" --quiet check >"$work/make-check" 2>&1 || status=$?
	# automake's summary knows the number of tests in all TAP of the run
	count_automake "$work/make-check" "$status"
}

distcheck()
{
	mkdir -p "$work/build-dist"
	(cd "$work/build-dist" && "$source/configure" --quiet && make --quiet distcheck)
}

suite_dist()
{
	check "make distcheck passes" distcheck
}

suite_fuzz()
{
	check "the fuzzers find nothing" "$here/fuzz/smoke" 5
}

# The memcrun of the live tests: built once, with gcc, as a user would.
need_memcrun()
{
	[[ -x $MEMCRUN_BUILDDIR/memcrun ]] || build "$MEMCRUN_BUILDDIR" gcc >"$all/build" 2>&1 ||
		{ cat "$all/build"; return 1; }
}

suite_patch()
{
	suite_tap "$top/kernel-patch/check" "$1"
}

# Kernels of packages and userlands come by the network mostly, beside the builds.
suite_kernels()
{
	local name loading loads=$work/loads

	{
		for name in uml-7.2 uml-6.1; do
			"$here/vm/kernel" "$name" || exit
		done
		for name in trixie forky bookworm; do
			"$here/vm/userland" "$name" || exit
		done
	} >"$loads" 2>&1 &
	loading=$!
	for name in stock-6.12 patched-6.12; do
		check "the kernel $name is there, or builds" "$here/vm/kernel" "$name"
	done
	wait "$loading" || cat "$loads"
	for name in uml-7.2 uml-6.1; do
		check "the kernel $name is there, or comes" "$here/vm/kernel" "$name"
	done
	for name in trixie forky bookworm; do
		check "the userland $name is there, or is made" "$here/vm/userland" "$name"
	done
	check "the programs of guests are there, or build" "$here/programs"
}

# suite_kernel KERNEL SECONDS: so long it is stressed.
suite_kernel()
{
	check "the selftests build" "$here/kernel/build"
	suite_tap "$here/vm/run" --kernel "$1" --swap 512M --timeout 2400 -- \
		"$here/kernel/run" --stress "$2"
}

suite_kernel_debug()
{
	suite_kernel debug-6.12 120
	# what only this kernel has, and memory that may go
	suite_tap "$here/vm/run" --kernel debug-6.12 --append movablecore=1G --memory 2G \
		--swap 512M --timeout 900 -- "$here/memcg/run" hotplug
}

# The series for Linux 7.2, without stress: tests/kernel/stress migrates single types.
suite_kernel_72()
{
	check "the selftests build" "$here/kernel/build" 7.2
	suite_tap "$here/vm/run" --kernel debug-7.2 --swap 512M --timeout 2400 -- \
		"$here/kernel/run" --series 7.2
}

suite_upstream()
{
	# all of them take a quarter of an hour: what is about memory, and the core
	suite_tap "$here/kernel/upstream" test_memcontrol test_kmem test_core
}

# Pages move between two nodes.
suite_memcg()
{
	local kernel cgroup

	while read -r kernel cgroup; do
		suite_tap "$here/vm/run" --kernel "$kernel" --cgroup "$cgroup" --numa 2 \
			--memory 2G --swap 512M --timeout 1800 -- "$here/memcg/run"
	done <<-KERNELS
		stock-6.12 v1
		stock-6.12 v2
		patched-6.12 v2
	KERNELS
}

suite_limits()
{
	check "memory and swap have one limit" "$here/bench/memsw" --check
	check "a cgroup above its soft limit gives first" "$here/bench/soft-limit" --check v2-series
	check "a deleted container leaves no dying cgroup" "$here/bench/churn" --check \
		--containers 12
}

suite_idle()
{
	check "unused, the series costs nothing" "$here/bench/idle" --check
}

suite_startup()
{
	check "a start takes as long as crun's" "$here/bench/startup" --check
	check "a hook adds little, and an update takes no longer than crun's" \
		"$here/bench/doors" --check
}

suite_bench()
{
	check "migration is as fast as it is said to be" "$here/bench/migrate" --short --check
	check "a container that moves is not stopped for longer than its memory takes" \
		"$here/bench/move" --short --check
	check "a start takes few instructions more than crun's" "$here/bench/startup" --short \
		--check --config podman
}

# suite_live --root NAME KERNEL LAYOUT INIT ARGUMENT...: one guest, and all its live tests. It
# has one processor: to emulate two takes a third more than one.
suite_live()
{
	local root=$2 kernel=$3 cgroup=$4 init=$5
	shift 5

	cd "$top" || return
	"$here/programs" >/dev/null || return
	suite_tap tests/vm/run --root "$root" --kernel "$kernel" --cgroup "$cgroup" --init "$init" \
		--cpus 1 --swap 512M --timeout 3600 -- tests/live/run "$@"
}

# The table of mutants is worth reading after a success as well.
suite_mutants()
{
	local status=0 counts

	# need_memcrun() builds no tests
	check "the tests build" make -C "$MEMCRUN_BUILDDIR" --quiet check TESTS=
	"$here/mutants/run" >"$work/mutants" 2>"$work/err" </dev/null || status=$?
	cat "$work/mutants"
	read -r -a counts < <(tail -n 1 "$work/mutants" |
		sed -nE 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p') ||
		counts=()
	if [[ ${#counts[@]} == 0 || ($status != 0 && ${counts[1]} == 0) ]]; then
		printf 'not ok: ended with status %s\n' "$status"
		tail -n 40 "$work/err"
		failed=$((failed + 1))
		return
	fi
	passed=$((passed + counts[0])) failed=$((failed + counts[1]))
	skipped=$((skipped + ${counts[2]:-0}))
}

suite_cri()
{
	local root=$1 prepared

	cd "$top" || return
	prepared=$("$here/cri/prepare" 2>"$work/prepare") || { cat "$work/prepare"; return 1; }
	suite_tap "$here/vm/run" --root "$root" --kernel uml-7.2 --env "CRI=$prepared" --swap 512M --timeout 1800 -- \
		"$here/live/run" tests/live/cri.bats
}
