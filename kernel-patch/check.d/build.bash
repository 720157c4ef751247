# shellcheck shell=bash
# build.bash - steps that build: after each patch, variants, warnings, and the comparison
# with the plain kernel. They run in a worker, with its $tree, $out, $log and $scratch.

# Files that include the headers which a series on memory cgroups changes. The files
# that the series itself changes are built as well.
FIXED='
	mm/memcontrol.o mm/memcontrol-v1.o mm/rmap.o mm/vmscan.o mm/huge_memory.o
	mm/swap_cgroup.o mm/list_lru.o mm/workingset.o mm/swapfile.o mm/filemap.o
	mm/swap.o mm/mmzone.o kernel/cgroup/cgroup.o
'
# With --full, all objects in these directories are compared with the plain kernel's.
COMPARED='mm/ kernel/cgroup/'

# The objects that steps look at, if they are part of the kernel as configured. With
# "all" the fixed ones as well.
candidates()
{
	{
		[[ ${1:-} != all ]] || tr -s ' \t\n' '\n' <<<"$FIXED" | sed '/^$/d'
		sed -nE '/^(tools|samples|scripts|Documentation)\//d; s/\.c$/.o/p' "$work/touched"
	} | LC_ALL=C sort -u
}

# Whether an object is part of the kernel as configured. The Makefile's line tells: make
# would build any object that it is asked for.
part_of_kernel()
{
	local object=$1 makefile list option

	makefile=$tree/${object%/*}/Makefile
	[[ -e $makefile ]] || return 1
	read -r list option < <(option_of "${object##*/}" "$makefile") || return 1
	# a part of another object, such as mptcp.o: that one's line tells
	if [[ $list != obj && $option == y ]]; then
		read -r list option < <(option_of "$list.o" "$makefile") || option=y
	fi
	[[ $option != y ]] || return 0
	option=${option#??}
	grep -q "^${option%)}=y" "$out/.config"
}

# option_of NAME MAKEFILE: the list that an object is in, and what the list depends on: y,
# or $(CONFIG_X)
option_of()
{
	awk '
		FILENAME == ARGV[1] { if (/=y$/) set[substr($0, 1, length($0) - 2)] = 1; next }
		/^if/ { depth++; off[depth] = off[depth - 1] || ($1 == "ifdef" && !($2 in set)) ||
			($1 == "ifndef" && ($2 in set)) }
		/^endif/ { depth-- }
		!off[depth]' "$out/.config" "$2" |
		sed -e ':a' -e '/\\$/N; s/\\\n/ /; ta' |
		sed -nE "s|^([a-z0-9_-]+)-(y\|\\$\(CONFIG_[A-Z0-9_]+\))[[:space:]]*[+:]?=(.*[[:space:]])?$1([[:space:]].*)?$|\1 \2|p" |
		head -n 1
}

# objects [all]: the candidates that the configured tree has
objects()
{
	local object

	while read -r object; do
		if [[ -e $tree/${object%.o}.c ]] && part_of_kernel "$object"; then
			printf '%s\n' "$object"
		fi
	done < <(candidates "${1:-}")
}

# The compiler's own messages, without make's.
show_errors()
{
	grep -E -A 4 'error:|warning:|\*\*\* No rule' "$log" | head -n 40 || tail -n 20 "$log"
}

# step_builds KIND COMMIT
step_builds()
{
	local -a list

	tree_set "$2"
	configure "$1" || return 1
	mapfile -t list < <(objects all)
	kernel_make "${list[@]}" || { show_errors; return 1; }
}

# step_options KIND: patched.config promises options. Without them no other test would
# mean anything.
step_options()
{
	local line status=0

	tree_set HEAD
	configure "$1" || return 1
	while read -r line; do
		case $1 in
		on)
			grep -qxF -- "$line" "$out/.config" ||
				{ echo "$line: not in the result"; status=1; }
			;;
		off)
			! grep -qxF -- "$line" "$out/.config" ||
				{ echo "$line: in the result also with the options off"; status=1; }
			;;
		esac
	done < <(grep '^CONFIG_.*=y' "$patched_config")
	return "$status"
}

# What debug.config adds of the series' own.
step_debug()
{
	local line
	local -a list

	[[ -n $(debug_options) ]] || return 0
	tree_set HEAD
	configure debug || return 1
	while read -r line; do
		grep -qxF -- "$line" "$out/.config" || { echo "$line: not in the result"; return 1; }
	done < <(debug_options)
	mapfile -t list < <(objects all)
	kernel_make "${list[@]}" || { show_errors; return 1; }
}

step_whole()
{
	tree_set HEAD
	configure off || return 1
	kernel_make bzImage || { show_errors; return 1; }
}

# --- the comparison with the plain kernel

step_plain()
{
	local object status=0
	local -a list

	rm -rf "$scratch/plain" "$scratch/patched"
	tree_set base
	build_compared || { echo "building the plain kernel failed"; return 1; }
	mapfile -t list < <(objects_compared)
	save_objects plain "${list[@]}"
	tree_set HEAD
	build_compared || return 1
	save_objects patched "${list[@]}"
	for object in "${list[@]}"; do
		same_object "$object" || status=1
	done
	mapfile -t list < <(objects | while read -r object; do
		[[ -e $scratch/plain/$object ]] || printf '%s\n' "$object"
	done)
	if [[ ${#list[@]} -gt 0 ]]; then
		echo "objects which the plain kernel has not: ${list[*]}"
		status=1
	fi
	printf 'objects compared: %d\n' "$(find "$scratch/plain" -name '*.o' | wc -l)"
	return "$status"
}

build_compared()
{
	local directory
	local -a list

	configure off || return 1
	mapfile -t list < <(objects all)
	kernel_make "${list[@]}" || { show_errors; return 1; }
	[[ $full == 1 ]] || return 0
	for directory in $COMPARED; do
		kernel_make "$directory" || { show_errors; return 1; }
	done
}

objects_compared()
{
	local directory

	{
		objects all
		for directory in $COMPARED; do
			[[ $full == 0 ]] || (cd "$out" && find "${directory%/}" -name '*.o')
		done
	} | LC_ALL=C sort -u
}

# save_objects NAME OBJECT...: without symbols, because the compiler numbers those of
# static variables, and a new variable in a header changes the numbers
save_objects()
{
	local name=$1 object

	shift
	for object in "$@"; do
		mkdir -p "$scratch/$name/${object%/*}"
		objcopy --strip-unneeded "$out/$object" "$scratch/$name/$object"
		cp "$out/$object" "$scratch/$name/$object.full"
	done
}

same_object()
{
	local object=$1

	! cmp -s "$scratch/plain/$object" "$scratch/patched/$object" || return 0
	contents "plain/$object.full" >"$scratch/one"
	contents "patched/$object.full" >"$scratch/two"
	! cmp -s "$scratch/one" "$scratch/two" || return 0
	printf '%s differs in: ' "$object"
	diff "$scratch/one" "$scratch/two" | sed -n 's/^[<>] \([^\t]*\).*/\1/p' |
		LC_ALL=C sort -u | head -n 20 | paste -s -d ' '
	return 1
}

# Functions by name, and data. The compiler may put equal functions in another order, by
# hashes of its own, so that addresses in .text are not compared.
contents()
{
	objdump -dr --no-show-raw-insn --no-addresses "$scratch/$1" | awk '
		/^<.*>:$/ { name = $0 }
		name != "" && NF { gsub(/[ \t]+/, " "); print name "\t" ++n[name] "\t" $0 }' |
		sed -E 's/\.text\+0x[0-9a-f]+/.text/' | LC_ALL=C sort -s -t "$(printf '\t')" -k 1,1
	objdump -h "$scratch/$1" |
		awk '$2 ~ /^\.(data|bss|rodata|init\.data)/ { print $2 "\t" $3 }'
	objdump -s -j .data -j .rodata -j .init.data -j .data..read_mostly \
		-j .data..ro_after_init "$scratch/$1" 2>/dev/null | sed '1,3d; s/^ /data\t/'
}

# --- warnings

# step_said KIND COMMIT: print the warnings of sparse, gcc with W=1 and kernel-doc,
# without line numbers, because any patch changes those
step_said()
{
	local file
	local -a list

	tree_set "$2"
	configure "$1" || return 1
	mapfile -t list < <(objects)
	if [[ ${#list[@]} -gt 0 ]]; then
		# an object that is up to date would not be compiled, and say nothing
		(cd "$out" && rm -f "${list[@]}")
		# cc-once would compile each file with a warning twice
		(unset CCACHE_PREFIX && kernel_make "${list[@]}" W=1 C=2 KCFLAGS=-Wno-error) ||
			{ show_errors; return 1; }
		cp "$log" "$scratch/said"
	else
		: >"$scratch/said"
	fi
	while read -r file; do
		[[ ! -e $tree/$file ]] || (cd "$tree" && scripts/kernel-doc -none "$file" 2>&1) || :
	done < <(grep '\.h$' "$work/touched") >>"$scratch/said"
	# sparse repeats a header's warnings for each file that includes the header
	grep -E '(warning|error):' "$scratch/said" |
		sed -E -e "s|^$tree/||" -e 's|^\.\./||' -e 's/:[0-9]+(:[0-9]+)?:/:/' |
		awk '/^[^:]*\.h:/ && seen[$0]++ { next } { print }' | LC_ALL=C sort || :
	! grep -q 'too many errors' "$scratch/said" || echo "sparse gave up on a file ($2)"
}

# Each warning as often as in the plain kernel, at most.
nothing_new_is_said()
{
	local kind status=0

	step_wait said-base >"$work/said-base" || { cat "$work/said-base"; return 1; }
	for kind in off on; do
		step_wait "said-$kind" >"$work/said-$kind" || { cat "$work/said-$kind"; return 1; }
		awk 'FILENAME == ARGV[1] { had[$0]++; next } had[$0]-- <= 0' "$work/said-base" \
			"$work/said-$kind" >"$work/new"
		if [[ -s $work/new ]]; then
			printf 'with the options %s:\n' "$kind"
			cat "$work/new"
			status=1
		fi
	done
	return "$status"
}
