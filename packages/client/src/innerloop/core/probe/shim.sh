#!/bin/sh
# innerloop's shim for machines that no compiled one is built for: shim.c says what it does and why; this is the same in
# sh. It was run on Linux only. It is slower, being a shell itself, and sh cannot do everything:
#  - times: /proc/uptime, to 10 ms, which goes on while a machine sleeps; where there is none (macOS, BSD) perl's clock,
#    two processes more for each line; without either nothing is measured
#  - lines under a limit on the size of files (`ulimit -f`) are not measured: half a record is worse than none
#  - cpu times and peak memory stand as 0
#  - a line that was killed by signal N ends, for make and for the log, with status 128+N
#  - a signal that is sent to this process alone reaches the line's process not at all (the terminal's signals do)
#  - make starts a plain command without a shell; this does so only where the line is nothing but words
#  - a log that is full is full: what it does not take is not counted
#  - whether execve(2) has room for what is told of a line is not asked; and without /proc, since make 4.4, a $(shell) in a
#    recipe is taken for a line
# Whatever is missing, the line runs. Its variables have names that nobody exports: an exported one would reach the line
# with the value that it has here.
__innerloop_s_base=${0##*/} __innerloop_s_old=
case $0 in */make-4.2/*) __innerloop_s_old=4.2 ;; */make-3.81/*) __innerloop_s_old=3.81 ;; esac
case $__innerloop_s_base:$1 in
exec:*) __innerloop_s_real=$1 && shift ;;
*:@*) __innerloop_s_real=${1#@} && shift ;;
other:*) __innerloop_s_real=/bin/sh ;;
*) __innerloop_s_real=/bin/$__innerloop_s_base ;;
esac
[ "$__innerloop_s_real" -ef "$0" ] && __innerloop_s_real=/bin/${__innerloop_s_real##*/} # a Makefile may hand its SHELL on: not for ever
__innerloop_s_about=${__innerloop_line-} __innerloop_s_told=${__innerloop_line+1}
unset __innerloop_line
__innerloop_s_log=${__innerloop-}
__innerloop_s_member=${__innerloop_s_log%%:*}
__innerloop_s_log=${__innerloop_s_log#*:}
case $__innerloop_s_member in *-*) __innerloop_s_up=$__innerloop_s_member ;; *) __innerloop_s_up= ;; esac
__innerloop_s_member=${__innerloop_s_member%%-*}
__innerloop_s_nl='
'

now() { # sets `clock`, in ns
    if read -r __innerloop_s_clock __innerloop_s_idle </proc/uptime; then
        __innerloop_s_clock=${__innerloop_s_clock%.*}${__innerloop_s_clock#*.}0000000
    else
        __innerloop_s_clock=$(perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e 'printf "%d", 1e9 * clock_gettime(CLOCK_MONOTONIC)')
    fi 2>/dev/null
    [ -n "$__innerloop_s_clock" ]
}

field() { # takes the next one off `about`
    __innerloop_s_field=${__innerloop_s_about%%"$__innerloop_s_nl"*}
    __innerloop_s_about=${__innerloop_s_about#*"$__innerloop_s_nl"}
}

escape() { # $1 into `name`; $2: what else may stand
    __innerloop_s_name=$1
    case $__innerloop_s_name in *[%[:cntrl:]]* | *" "*) ;; *) return ;; esac
    __innerloop_s_rest=$__innerloop_s_name __innerloop_s_name=
    while [ -n "$__innerloop_s_rest" ]; do
        __innerloop_s_tail=${__innerloop_s_rest#?}
        __innerloop_s_char=${__innerloop_s_rest%"$__innerloop_s_tail"}
        __innerloop_s_rest=$__innerloop_s_tail
        case $__innerloop_s_char in
        "$2") __innerloop_s_name="$__innerloop_s_name$__innerloop_s_char" ;;
        [%[:cntrl:]] | " ") __innerloop_s_name=$__innerloop_s_name$(printf '%%%02X' "'$__innerloop_s_char") ;;
        *) __innerloop_s_name=$__innerloop_s_name$__innerloop_s_char ;;
        esac
    done
}

belongs() { # the process that this make is a member by is make or above it; without /proc it has to be there
    case $__innerloop_s_member in "" | *[!0-9]*) return 1 ;; esac
    [ -e /proc/self/stat ] || { kill -0 "$__innerloop_s_member"; return; }
    __innerloop_s_rest=$PPID
    while [ "$__innerloop_s_rest" -gt 1 ] && [ "$__innerloop_s_rest" != "$__innerloop_s_member" ]; do
        read -r __innerloop_s_tail <"/proc/$__innerloop_s_rest/stat" || return
        __innerloop_s_tail=${__innerloop_s_tail##*") "}
        __innerloop_s_tail=${__innerloop_s_tail#* }
        __innerloop_s_rest=${__innerloop_s_tail%% *}
    done
    [ "$__innerloop_s_rest" = "$__innerloop_s_member" ]
}

begin() {
    [ -n "$__innerloop_s_about" ] && belongs || return
    [ ! -p /proc/self/fd/1 ] || [ /proc/self/fd/1 -ef "/proc/$PPID/fd/1" ] || [ ! -e "/proc/$PPID/fd/1" ] || return # a $(shell)
    [ -f "$__innerloop_s_log" ] && [ ! -h "$__innerloop_s_log" ] || return
    [ -O "$__innerloop_s_log" ] && [ -w "$__innerloop_s_log" ] && [ "$(ulimit -f)" = unlimited ] && now || return
    field && escape "$__innerloop_s_field" "" && __innerloop_s_target=$__innerloop_s_name
    [ -n "$__innerloop_s_target" ] || return
    field && escape "$__innerloop_s_field" " " && __innerloop_s_normal=${__innerloop_s_name%" "}
    field && escape "$__innerloop_s_field" " " && __innerloop_s_order=${__innerloop_s_name%" "}
    escape "$PWD" ""
    [ ${#__innerloop_s_target} -lt 2000 ] || return
    [ ${#__innerloop_s_normal} -lt 6000 ] || __innerloop_s_normal=
    [ ${#__innerloop_s_order} -lt 3000 ] || __innerloop_s_order=
    __innerloop_s_options=" ${MAKEFLAGS-} "
    __innerloop_s_options=${__innerloop_s_options%% -- *}
    __innerloop_s_letters=${__innerloop_s_options#" "}
    __innerloop_s_letters=${__innerloop_s_letters%%" "*}
    case $__innerloop_s_letters in *[=-]*) __innerloop_s_letters= ;; esac
    __innerloop_s_flags=
    case $__innerloop_s_letters in *i*) __innerloop_s_flags=i ;; esac
    case $__innerloop_s_letters in *k*) __innerloop_s_flags=${__innerloop_s_flags}k ;; esac
    case $__innerloop_s_letters$__innerloop_s_options in *j*" "* | *" -j"* | *" --jobserver-"*) __innerloop_s_flags=${__innerloop_s_flags}j ;; esac
    __innerloop_s_id=$$-$__innerloop_s_clock
    log 'b\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$__innerloop_s_id" "$__innerloop_s_up" "$PPID" \
        "$((${MAKELEVEL:-1} - 1))" "$__innerloop_s_flags" "$__innerloop_s_clock" \
        "$__innerloop_s_name" "$__innerloop_s_target" "$__innerloop_s_normal" "$__innerloop_s_order"
}

log() { # one record; the log takes 17 MB and no more
    # shellcheck disable=SC2059 # the first word is a format
    (trap '' XFSZ && ulimit -S -f 34816 && printf "$@" >>"$__innerloop_s_log")
}

missing() { # as make does, says that there is no program $1 on PATH; make before 4.3 has other words
    case $1 in */*) return 1 ;; esac
    __innerloop_s_path=$PATH:
    while [ -n "$__innerloop_s_path" ]; do
        [ ! -x "${__innerloop_s_path%%:*}/$1" ] || return 1
        __innerloop_s_path=${__innerloop_s_path#*:}
    done
    __innerloop_s_level=$((${MAKELEVEL:-0} - ${__innerloop_s_told:-0}))
    [ "$__innerloop_s_level" -lt 1 ] && __innerloop_s_level= || __innerloop_s_level="[$__innerloop_s_level]"
    if [ -n "$__innerloop_s_old" ]; then __innerloop_s_why="Command not found"; else __innerloop_s_why="No such file or directory"; fi
    echo "make$__innerloop_s_level: $1: $__innerloop_s_why" >&2
}

# What make itself would start is started without a shell here too, a $(shell) included: it fails in the same words.
__innerloop_s_name=
[ -n "${__innerloop-}" ] || { read -r __innerloop_s_name <"/proc/$PPID/comm"; } 2>/dev/null
case $__innerloop_s_name in *make*) __innerloop_s_inside=1 ;; *) __innerloop_s_inside=${__innerloop-} ;; esac
case ${__innerloop_s_inside:+$#:$__innerloop_s_real:$1:$2} in
2:/bin/sh:-c:*[!\ A-Za-z0-9_./,:@%+-]* | 2:/bin/sh:-c:) ;;
2:/bin/sh:-c:*)
    set -f
    # shellcheck disable=SC2086 # the words are meant
    set -- $2
    case $__innerloop_s_old:$1 in
    *:. | *:: | *:break | *:case | *:cd | *:continue | *:eval | *:exec | *:exit | *:export | *:for | *:if | *:login | *:logout | *:read | \
        *:readonly | *:set | *:shift | *:test | *:times | *:trap | *:umask | *:wait | *:while | ?*:switch | :ulimit | :unset | 4.2:ulimit | \
        4.2:unset | :alias | :bg | :command | :fc | :fg | :getopts | :hash | :jobs | :return | :type | :unalias) set -- -c "$*" ;;
    *) __innerloop_s_real=$1 && shift ;;
    esac
    ;;
esac
begin 2>/dev/null || { ! missing "$__innerloop_s_real" || exit 127; exec "$__innerloop_s_real" "$@"; }
__innerloop=$__innerloop_s_id:$__innerloop_s_log
# A shell would say how the line's process died, which make does: its errors go nowhere meanwhile, the line's to where
# they always went. The descriptor for that must not be one of make's.
for __innerloop_s_spare in 9 8 7 6 5; do
    [ -e /dev/fd/$__innerloop_s_spare ] || break
done
trap : INT QUIT TERM HUP
if missing "$__innerloop_s_real"; then
    __innerloop_s_status=127
else
    eval "exec $__innerloop_s_spare>&2"
    exec 2>/dev/null
    eval "(exec \"\$__innerloop_s_real\" \"\$@\" 2>&$__innerloop_s_spare $__innerloop_s_spare>&-)"
    __innerloop_s_status=$?
fi
{ now && log 'e\t%s\t%s\t%s\t0\t0\t0\n' "$__innerloop_s_id" "$__innerloop_s_clock" "$__innerloop_s_status"; } 2>/dev/null
exit "$__innerloop_s_status"
