# shellcheck shell=bash
# tree.bash - source trees and build directories of the workers.
#
# $place/source is the plain kernel, unpacked once and never changed. Each worker has
# a copy of it made of hard links, $tree, in which the files of the series have the
# contents of one commit, and a build directory $out in it. All this stays in the cache,
# because unpacking takes 20 seconds of processor time and the kernel's `make prepare` 10.
#
# A build directory inside of the source tree makes the kernel's paths relative: the
# compiler is called with the same arguments by all workers.

# Directories of which no C file is needed to build what is compared or compiled here;
# --full takes all. A directory with a file of the series is taken as well.
LEAN='
	drivers sound samples tools/bpf tools/net tools/perf tools/power tools/testing
	arch/alpha arch/arc arch/arm arch/arm64 arch/csky arch/hexagon arch/loongarch
	arch/m68k arch/microblaze arch/mips arch/nios2 arch/openrisc arch/parisc
	arch/powerpc arch/riscv arch/s390 arch/sh arch/sparc arch/um arch/xtensa
'

# All programs that have a part in objects and messages.
tools_id()
{
	gcc --version
	as --version
	ld --version
	make --version
	sparse --version
	perl -e 'print "perl $^V\n"'
	uname -m
}

left_out()
{
	local directory

	printf '%s\n' 'Documentation/translations' 'Documentation/devicetree/*' 'arch/*/boot/dts'
	[[ $full == 0 ]] || return 0
	for directory in $LEAN; do
		! grep -q "^$directory/.*\.[chS]$" "$work/touched" || continue
		printf '%s\n' "$directory/*."{c,h,S,json,dts,dtsi}
	done
}

# Sets place, where the trees are. Trees of another source or compiler are removed.
find_place()
{
	local id old

	if [[ $full == 1 ]]; then
		place=$work/full
		mkdir "$place"
		return
	fi
	id=$({ echo "$source_id"; left_out; tools_id; cat "$lib/tree.bash"; } | sha256sum)
	place=$cache/$version-${id:0:16}
	mkdir -p "$place"
	for old in "$cache/$version"-*; do
		[[ $old == "$place" ]] || rm -rf "$old"
	done
}

unpack()
{
	local -a exclude

	[[ ! -d $place/source ]] || return 0
	progress "unpacking ${tarball##*/}"
	rm -rf "$place/new"
	mkdir "$place/new"
	mapfile -t exclude < <(left_out | sed "s|^|--exclude=linux-source-$version/|")
	tar -C "$place/new" --strip-components=1 -I 'xz -T0' -xf "$tarball" \
		--wildcards --wildcards-match-slash "${exclude[@]}"
	mv -T "$place/new" "$place/source"
}

# tree_open NUMBER: a worker's tree. It is made again if a worker was killed in it: then
# a file in it may be half written.
tree_open()
{
	tree=$place/worker-$1
	out=$tree/out
	if [[ ! -e $out/.ready || -e $out/.busy ]]; then
		rm -rf "$tree"
		cp -al "$place/source" "$tree"
		mkdir "$out"
		kernel_make tinyconfig || { cat "$log"; return 1; }
		cp "$out/.config" "$out/tiny.config"
		: >"$out/changed"
		: >"$out/.ready"
	fi
	: >"$out/.busy"
}

tree_close()
{
	rm "$out/.busy"
}

# tree_set COMMIT: the files of the series get the contents of a commit. Only files which
# differ are replaced, so that make builds nothing else again.
tree_set()
{
	local stage=$scratch/stage file from

	rm -rf "$stage"
	mkdir "$stage"
	git -C "$commits" archive "$1" | tar -C "$stage" -x
	# files that an earlier series has changed and this one does not
	LC_ALL=C sort -u "$out/changed" "$work/touched" >"$scratch/changed"
	cp "$scratch/changed" "$out/changed"
	while read -r file; do
		from=$stage/$file
		grep -qxF -- "$file" "$work/touched" || from=$place/source/$file
		if [[ ! -e $from ]]; then
			rm -f "${tree:?}/$file"
		elif ! cmp -s "$from" "$tree/$file"; then
			mkdir -p "$tree/${file%/*}"
			cp --preserve=mode "$from" "$tree/$file.new"
			mv "$tree/$file.new" "$tree/$file"
		fi
	done <"$scratch/changed"
	commit=$1
}

# What the kernel's make and ccache read from the environment.
#
# Without the depend mode, ccache would run the preprocessor again. Sources do not change
# while a compiler reads them, thus their age does not matter.
make_environment()
{
	unset KCFLAGS KCPPFLAGS KAFLAGS CROSS_COMPILE LLVM V W C CF MAKEFLAGS KBUILD_OUTPUT \
		KCONFIG_CONFIG
	export CCACHE_DIR=$MEMCRUN_CACHE/ccache CCACHE_DEPEND=1
	export CCACHE_SLOPPINESS=include_file_mtime,include_file_ctime
	export CCACHE_PREFIX=$lib/cc-once CHECK_OBJECTS=$objects
	[[ $again == 0 ]] || export CCACHE_RECACHE=1
}

# kernel_make ARGUMENT...: the kernel's make. What it says is in $log.
kernel_make()
{
	nice make -s -k -j"$(nproc)" -C "$tree" O="$out" ARCH=x86_64 CC='ccache gcc' "$@" \
		>"$log" 2>&1
}

# config_text KIND: what is added to a configuration. KIND is off, on, debug, or the name
# of a variant, which is a fragment of tests/vm/config.
#
# CONFIG_DEBUG_BUGVERBOSE would put the line number of each WARN() into the object, so
# that objects could not be compared.
config_text()
{
	local config=$top/tests/vm/config

	cat "$config/base.config" "$config/$version.config"
	[[ $1 == off ]] || cat "$patched_config"
	echo CONFIG_WERROR=y
	case $1 in
	off | on) echo CONFIG_DEBUG_BUGVERBOSE=n ;;
	debug)
		echo CONFIG_DEBUG_BUGVERBOSE=n
		debug_options
		;;
	*) cat "$config/$1.config" ;;
	esac
}

# The options in debug.config that the series for 6.12 brings. Stacked series have none.
debug_options()
{
	[[ $stacked == 1 ]] || grep '_MIGRATE.*=y' "$top/tests/vm/config/debug.config" || :
}

# configure KIND, for the tree as it is. Variants are not on top of tinyconfig, thus they
# build with many default options besides.
configure()
{
	local id

	id=$({
		config_text "$1"
		git -C "$commits" ls-tree -r "$commit" | grep Kconfig || :
	} | sha256sum)
	[[ ! -e $out/configured || $(<"$out/configured") != "$1 $id" ]] || return 0
	rm -f "$out/configured"
	{
		case $1 in
		off | on | debug) cat "$out/tiny.config" ;;
		esac
		config_text "$1"
	} >"$out/.config"
	kernel_make olddefconfig || { tail -n 20 "$log"; return 1; }
	echo "$1 $id" >"$out/configured"
}
