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
# Whatever is missing, the line runs. Its variables have names that nobody exports: an exported one would reach the line
# with the value that it has here.
__innerloop_s_base=${0##*/}
case $__innerloop_s_base:$1 in
exec:*) __innerloop_s_real=$1 && shift ;;
*:@*) __innerloop_s_real=${1#@} && shift ;;
other:*) __innerloop_s_real=/bin/sh ;;
*) __innerloop_s_real=/bin/$__innerloop_s_base ;;
esac
[ "$__innerloop_s_real" -ef "$0" ] && __innerloop_s_real=/bin/${__innerloop_s_real##*/} # a Makefile may hand its SHELL on: not for ever
__innerloop_s_about=${__innerloop_line-}
unset __innerloop_line
__innerloop_s_log=${__innerloop-}
__innerloop_s_up=${__innerloop_s_log%%:*}
__innerloop_s_log=${__innerloop_s_log#*:}
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

begin() {
    [ -n "$__innerloop_s_about" ] && [ -f "$__innerloop_s_log" ] && [ ! -h "$__innerloop_s_log" ] || return
    [ -O "$__innerloop_s_log" ] && [ -w "$__innerloop_s_log" ] && [ "$(ulimit -f)" = unlimited ] && now || return
    field && __innerloop_s_version=$__innerloop_s_field
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
    printf 'b\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$__innerloop_s_id" "$__innerloop_s_up" "$PPID" \
        "$((${MAKELEVEL:-1} - 1))" "$__innerloop_s_flags" "$__innerloop_s_clock" \
        "$__innerloop_s_name" "$__innerloop_s_target" "$__innerloop_s_normal" "$__innerloop_s_order" >>"$__innerloop_s_log"
}

missing() { # as make does, says that there is no program $1 on PATH; make before 4.3 has other words
    case $1 in */*) return 1 ;; esac
    __innerloop_s_path=$PATH:
    while [ -n "$__innerloop_s_path" ]; do
        [ ! -x "${__innerloop_s_path%%:*}/$1" ] || return 1
        __innerloop_s_path=${__innerloop_s_path#*:}
    done
    [ "$((${MAKELEVEL:-1} - 1))" -lt 1 ] && __innerloop_s_level= || __innerloop_s_level="[$((MAKELEVEL - 1))]"
    case $__innerloop_s_version in 3.* | 4.[012] | 4.[012].*) __innerloop_s_why="Command not found" ;; *) __innerloop_s_why="No such file or directory" ;; esac
    echo "make$__innerloop_s_level: $1: $__innerloop_s_why" >&2
}

begin 2>/dev/null || exec "$__innerloop_s_real" "$@"
__innerloop=$__innerloop_s_id:$__innerloop_s_log
case $#:$__innerloop_s_real:$1:$2 in
3:*) ;;
2:/bin/sh:-c:*[!\ A-Za-z0-9_./,:@%+-]* | 2:/bin/sh:-c:) ;;
2:/bin/sh:-c:*)
    set -f
    # shellcheck disable=SC2086 # the words are meant
    set -- $2
    case $1 in
    . | : | alias | bg | break | case | cd | command | continue | eval | exec | exit | export | fc | fg | for | getopts | hash | if | jobs | \
        login | logout | read | readonly | return | set | shift | switch | test | times | trap | type | ulimit | umask | unalias | unset | \
        wait | while) set -- -c "$*" ;;
    *) __innerloop_s_real=$1 && shift ;;
    esac
    ;;
esac
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
{ now && printf 'e\t%s\t%s\t%s\t0\t0\t0\n' "$__innerloop_s_id" "$__innerloop_s_clock" "$__innerloop_s_status" >>"$__innerloop_s_log"; } 2>/dev/null
exit "$__innerloop_s_status"
