# shellcheck shell=bash
# common.bash - what the scripts of this directory share: where a version's
# sources and patches are, and what `base` says of them.
#
# A `base` file has a line a fact, "key value", and comments:
#
#	package   Debian's source package
#	version   its version, as dpkg says
#	upstream  the point release that it is made from
#	tarball   sha256 of its linux-source-VERSION.tar.xz
#	files     sha256 over the files which the series changes, before it does:
#	          where this is the same, another tarball is as good

# A version has one series, kernel-patch/VERSION, or several that are stacked: then its
# directory has a file "stack" with the names of their directories, in order.

patches_top=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$patches_top/.." && pwd -P)
source_dir=${MEMCRUN_KERNEL_SOURCE:-/usr/src}
# A user's settings of git must change nothing in what is made here.
git=(git -c core.abbrev=12 -c core.hooksPath=/dev/null -c core.autocrlf=false
	-c commit.gpgSign=false -c tag.gpgSign=false -c gc.auto=0 -c am.threeWay=false
	-c am.keepcr=false)

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

# The Debian suite that a version's sources come from, if it is not this machine's: as
# in the table of tests/vm/kernel.
source_suite()
{
	awk -v name="stock-$1" '$1 == name && sub(/\/.*/, "", $2) { print $2 }' \
		"$top/tests/vm/kernel"
}

tarball_path()
{
	local file=$source_dir/linux-source-$1.tar.xz suite package work

	suite=$(source_suite "$1")
	if [[ ! -r $file && -n $suite ]]; then
		package=$("$top/tests/vm/archive" "$suite" "linux-source-$1") ||
			die "linux-source-$1: $suite's archive does not have it"
		file=${package%.deb}.tar.xz
		if [[ ! -e $file ]]; then
			work=$(mktemp -d "$file.XXXXXX")
			dpkg-deb --fsys-tarfile "$package" |
				tar -C "$work" -x "./usr/src/linux-source-$1.tar.xz"
			mv "$work/usr/src/linux-source-$1.tar.xz" "$file"
			rm -rf "$work"
		fi
	fi
	[[ -r $file ]] ||
		die "$file: not there; install linux-source-$1 (contrib/deps test)"
	printf '%s\n' "$file"
}

# What dpkg, or another suite's archive, says of the tarball; "unknown" where there is no
# dpkg, or the tarball is not the package's.
package_version()
{
	local suite package

	suite=$(source_suite "$1")
	if [[ -n $suite && ! -r $source_dir/linux-source-$1.tar.xz ]]; then
		package=$("$top/tests/vm/archive" "$suite" "linux-source-$1") || return
		package=${package##*/linux-source-"$1"_}
		printf '%s\n' "${package%_*}"
		return
	fi
	[[ $source_dir == /usr/src ]] &&
		dpkg-query -W -f '${Version}\n' "linux-source-$1" 2>/dev/null || echo unknown
}

# The directories of a version's series below kernel-patch/VERSION, in order: "." for the
# directory itself.
series_names()
{
	if [[ -r $patches_top/$1/stack ]]; then
		list_lines "$patches_top/$1/stack"
	else
		echo .
	fi
}

# base_value VERSION KEY: of the lowest series, which applies to the tarball itself
base_value()
{
	local lowest

	read -r lowest < <(series_names "$1")
	awk -v key="$2" '$1 == key { print $2 }' "$patches_top/$1/$lowest/base"
}

# The lines of a list such as quilt's series: comments and options dropped.
list_lines()
{
	sed -e 's/#.*//' -e 's/[[:space:]].*//' -e '/^$/d' "$1"
}

# The patches of a directory, in order, with their paths below the directory.
series_patches()
{
	local name

	if [[ -r $1/stack ]]; then
		for name in $(list_lines "$1/stack"); do
			[[ -r $1/$name/series ]] || die "$1/$name/series: not there"
			list_lines "$1/$name/series" | sed "s|^|$name/|"
		done
		return
	fi
	[[ -r $1/series ]] || die "$1/series: not there"
	list_lines "$1/series"
}

# The files that patches change, make or remove, sorted.
touched_files()
{
	[[ $# == 0 ]] || git apply --numstat "$@" | cut -f 3 | LC_ALL=C sort -u
}

# The files named on stdin below a directory, as one checksum. Those which are
# not there, for the series makes them, count as such.
files_id()
{
	(cd "$1" && while read -r file; do
		if [[ -e $file ]]; then
			sha256sum "$file"
		else
			printf 'none  %s\n' "$file"
		fi
	done) | sha256sum | cut -d ' ' -f 1
}

# 6.12.117 from the Makefile on stdin
makefile_version()
{
	awk -F' *= *' '
		/^(VERSION|PATCHLEVEL|SUBLEVEL) *=/ && !($1 in v) { v[$1] = $2 }
		END { print v["VERSION"] "." v["PATCHLEVEL"] "." v["SUBLEVEL"] }'
}
