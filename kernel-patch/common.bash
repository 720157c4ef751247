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

tarball_path()
{
	local file=$source_dir/linux-source-$1.tar.xz

	[[ -r $file ]] ||
		die "$file: not there; install linux-source-$1 (contrib/deps test)"
	printf '%s\n' "$file"
}

# What dpkg says of the tarball; "unknown" where there is no dpkg, or the
# tarball is not the package's.
package_version()
{
	[[ $source_dir == /usr/src ]] &&
		dpkg-query -W -f '${Version}\n' "linux-source-$1" 2>/dev/null || echo unknown
}

# base_value VERSION KEY
base_value()
{
	awk -v key="$2" '$1 == key { print $2 }' "$patches_top/$1/base"
}

# The patches of a directory, in order, as quilt reads its series: comments and
# options dropped.
series_patches()
{
	[[ -r $1/series ]] || die "$1/series: not there"
	sed -e 's/#.*//' -e 's/[[:space:]].*//' -e '/^$/d' "$1/series"
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
