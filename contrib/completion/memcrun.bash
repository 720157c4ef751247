# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for memcrun(1)

# The containers that crun knows, in the state directory of the command line.
_memcrun_containers()
{
	local root=() i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--root)	root=(--root "${COMP_WORDS[i + 1]}") ;;
		esac
	done
	memcrun "${root[@]}" list -q 2>/dev/null
}

_memcrun()
{
	local cur prev words cword verb i
	local globals='--crun --root --log --log-format --debug --cgroup-manager
		--systemd-cgroup --rootless --help --version'
	local verbs='check checkpoint create delete exec kill list pause ps
		restore resume run spec start state update'
	local create='--bundle --config --console-socket --pid-file --preserve-fds
		--no-subreaper --no-new-keyring --no-pivot --help'

	_init_completion || return

	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		--crun | --root | --log | --log-format | --cgroup-manager | --rootless)
			((i++)) ;;
		-*)	;;
		*)	verb=${words[i]}
			break ;;
		esac
	done

	case $prev in
	--crun | --config | -f | --log | --pid-file | --console-socket)
		_filedir
		return ;;
	--bundle | -b | --root | --cgroup-root)
		_filedir -d
		return ;;
	--log-format)
		mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$cur")
		return ;;
	--cgroup-manager)
		mapfile -t COMPREPLY < <(compgen -W 'cgroupfs systemd disabled' -- "$cur")
		return ;;
	--format)
		if [[ $verb == check ]]; then
			mapfile -t COMPREPLY < <(compgen -W 'table json' -- "$cur")
			return
		fi ;;
	esac

	case $verb in
	"")	mapfile -t COMPREPLY < <(compgen -W "$globals $verbs" -- "$cur") ;;
	check)	if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W \
				'--bundle --config --format --cgroup-root --help' -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -W "$(_memcrun_containers)" -- "$cur")
		fi ;;
	create)	mapfile -t COMPREPLY < <(compgen -W "$create" -- "$cur") ;;
	run)	mapfile -t COMPREPLY < <(compgen -W "$create --detach" -- "$cur") ;;
	spec | list)
		;;
	*)	if [[ $cur != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_memcrun_containers)" -- "$cur")
		fi ;;
	esac
} &&
	complete -F _memcrun memcrun
