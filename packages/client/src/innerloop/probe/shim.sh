#!/bin/sh
# innerloop's shim for machines that no compiled one is built for: shim.c says what it does and why; this is the same in
# sh. It was run on Linux only. It is slower, being a shell itself, and sh cannot do everything:
#  - times: /proc/uptime, to 10 ms, which goes on while a machine sleeps; where there is none (macOS, BSD) perl's clock,
#    two processes more for each line; without either nothing is measured
#  - cpu times and peak memory stand as 0
#  - a line that was killed by signal N ends, for make and for the log, with status 128+N
#  - a signal that is sent to this process alone reaches the line's process not at all (the terminal's signals do)
#  - make starts a plain command without a shell; this does so only where the line is nothing but words
# Whatever is missing, the line runs.
base=${0##*/}
case $base:$1 in
exec:*) real=$1 && shift ;;
*:@*) real=${1#@} && shift ;;
other:*) real=/bin/sh ;;
*) real=/bin/$base ;;
esac
[ "$real" -ef "$0" ] && real=/bin/${real##*/} # a Makefile may hand its SHELL on: not for ever
about=${__innerloop_line-}
unset __innerloop_line
log=${__innerloop-}
up=${log%%:*}
log=${log#*:}
nl='
'

now() { # sets `clock`, in ns
    if read -r clock idle </proc/uptime; then
        clock=${clock%.*}${clock#*.}0000000
    else
        clock=$(perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e 'printf "%d", 1e9 * clock_gettime(CLOCK_MONOTONIC)')
    fi 2>/dev/null
    [ -n "$clock" ]
}

field() { # takes the next one off `about`
    field=${about%%"$nl"*}
    about=${about#*"$nl"}
}

escape() { # $1 into `name`; $2: what else may stand
    name=$1
    case $name in *[%[:cntrl:]]* | *" "*) ;; *) return ;; esac
    rest=$name name=
    while [ -n "$rest" ]; do
        tail=${rest#?}
        char=${rest%"$tail"}
        rest=$tail
        case $char in
        "$2") name="$name$char" ;;
        [%[:cntrl:]] | " ") name=$name$(printf '%%%02X' "'$char") ;;
        *) name=$name$char ;;
        esac
    done
}

begin() {
    [ -n "$about" ] && [ -f "$log" ] && [ ! -h "$log" ] && [ -O "$log" ] && [ -w "$log" ] && now || return
    field && version=$field
    field && escape "$field" "" && target=$name
    [ -n "$target" ] || return
    field && escape "$field" " " && normal=${name%" "}
    field && escape "$field" " " && order=${name%" "}
    escape "$PWD" ""
    [ ${#target} -lt 2000 ] || return
    [ ${#normal} -lt 6000 ] || normal=
    [ ${#order} -lt 3000 ] || order=
    options=" ${MAKEFLAGS-} "
    options=${options%% -- *}
    letters=${options#" "}
    letters=${letters%%" "*}
    case $letters in *[=-]*) letters= ;; esac
    flags=
    case $letters in *i*) flags=i ;; esac
    case $letters in *k*) flags=${flags}k ;; esac
    case $letters$options in *j*" "* | *" -j"* | *" --jobserver-"*) flags=${flags}j ;; esac
    id=$$-$clock
    printf 'b\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$id" "$up" "$PPID" "$((${MAKELEVEL:-1} - 1))" "$flags" "$clock" \
        "$name" "$target" "$normal" "$order" >>"$log"
}

missing() { # as make does, says that there is no program $1 on PATH; make before 4.3 has other words
    case $1 in */*) return 1 ;; esac
    path=$PATH:
    while [ -n "$path" ]; do
        [ ! -x "${path%%:*}/$1" ] || return 1
        path=${path#*:}
    done
    [ "$((${MAKELEVEL:-1} - 1))" -lt 1 ] && level= || level="[$((MAKELEVEL - 1))]"
    case $version in 3.* | 4.[012] | 4.[012].*) why="Command not found" ;; *) why="No such file or directory" ;; esac
    echo "make$level: $1: $why" >&2
}

begin 2>/dev/null || exec "$real" "$@"
__innerloop=$id:$log
case $#:$real:$1:$2 in
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
    *) real=$1 && shift ;;
    esac
    ;;
esac
# A shell would say how the line's process died, which make does: its errors go nowhere meanwhile, the line's to where
# they always went. The descriptor for that must not be one of make's.
for spare in 9 8 7 6 5; do
    [ -e /dev/fd/$spare ] || break
done
trap : INT QUIT TERM HUP
if missing "$real"; then
    status=127
else
    eval "exec $spare>&2"
    exec 2>/dev/null
    eval "(exec \"\$real\" \"\$@\" 2>&$spare $spare>&-)"
    status=$?
fi
{ now && printf 'e\t%s\t%s\t%s\t0\t0\t0\n' "$id" "$clock" "$status" >>"$log"; } 2>/dev/null
exit "$status"
