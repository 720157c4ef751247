#!/bin/sh
# layers.sh - the arrows of docs/architecture.md point downwards only: no upward
# include, libyajl in base/json.c alone, and every header compiles by itself. Objects
# have names of their own, for an archive and runtime/start.objects go by these.
set -eu

top=${SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
cc=${CC:-cc}
failed=0

# The layer of a directory of runtime/.
layer()
{
	case $1 in
	base) echo 0 ;;
	kernel) echo 1 ;;
	memory) echo 2 ;;
	oci) echo 3 ;;
	systemd) echo 4 ;;
	container) echo 5 ;;
	move) echo 6 ;;
	cli | oci-hooks) echo 7 ;;
	*) echo none ;;
	esac
}

report()
{
	if [ -z "$2" ]; then
		echo "ok $1"
	else
		echo "not ok $1"
		printf '%s\n' "$2" | sed 's/^/# /'
		failed=1
	fi
}

# Every '#include "dir/name.h"' that points upwards or sideways into a program.
upward()
{
	for file in runtime/*/*.[ch] oci-hooks/*.[ch]; do
		dir=${file#runtime/}
		dir=${dir%%/*}
		own=$(layer "$dir")
		[ "$own" != none ] || echo "$file: $dir is no layer"
		sed -n 's/^#include "\(.*\)".*/\1/p' "$file" | while read -r name; do
			case $name in
			cli/log.h) continue ;; # how programs speak
			*/*) ;;
			*) echo "$file: includes \"$name\", which has no directory" && continue ;;
			esac
			other=$(layer "${name%%/*}")
			if [ "$other" = none ] || [ "$other" -gt "$own" ] ||
				{ [ "$other" = "$own" ] && [ "${name%%/*}" != "$dir" ]; }; then
				echo "$file: includes \"$name\""
			fi
		done
	done
}

yajl()
{
	grep -l '<yajl/' runtime/*/*.[ch] | grep -vx 'runtime/base/json\.c' || true
}

alone()
{
	for header in runtime/*/*.h oci-hooks/*.h; do
		printf '#include "%s"\n' "${header#runtime/}" |
			$cc -std=gnu17 -Wall -Wextra -Werror -D_GNU_SOURCE -DCRUN_PATH='""' \
				-Iruntime -I. -fsyntax-only -x c - >/dev/null 2>&1 ||
			echo "$header does not compile alone"
	done
}

# A header comes first in the file that implements it.
own_first()
{
	for file in runtime/*/*.c oci-hooks/*.c; do
		header=${file%.c}.h
		[ -e "$header" ] || continue
		first=$(sed -n '/^#include/{p;q;}' "$file")
		[ "$first" = "#include \"${header#runtime/}\"" ] || echo "$file: begins with $first"
	done
}

# Two files of libcore.a that would give one object.
twice()
{
	for file in runtime/*/*.c; do
		case $file in
		runtime/cli/*) ;;
		*) echo "${file##*/}" ;;
		esac
	done | sort | uniq -d
}

cd "$top"
echo 1..5
report "1 - no_include_points_upwards" "$(upward)"
report "2 - only_json_c_knows_libyajl" "$(yajl)"
report "3 - every_header_compiles_alone" "$(alone)"
report "4 - a_file_includes_its_own_header_first" "$(own_first)"
report "5 - every_object_of_the_library_has_its_own_name" "$(twice)"
exit $failed
