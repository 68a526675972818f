#!/bin/sh
# innerloop's shim for systems that no compiled one is built for: see shim.c, which says what is done and why. This one
# is slower (it is a shell itself) and was run on Linux only. What it cannot do, for want of anything better in sh:
#  - times are those of /proc/uptime, to 10 ms; where there is none (macOS, BSD) nothing is measured: sh has no clock;
#  - cpu times and peak memory of a line are not known and stand as 0, except what `times` tells, to 10 ms;
#  - a line that was killed by signal N ends as this shell does, by the same signal where it can be had;
#  - every line goes through the real shell, also where make would have started a plain command itself.
# Whatever is missing, the line runs.
me=$0 base=${0##*/}
case $base in
exec) real=$1; shift ;;
*) case $1 in
    @*) real=${1#@}; shift ;;
    *) case $base in other) real=/bin/sh ;; *) real=/bin/$base ;; esac ;;
    esac ;;
esac
[ "$real" -ef "$me" ] 2>/dev/null && real=/bin/${real##*/}
about=${__innerloop_line-}
unset __innerloop_line
up=${__innerloop-}
log=${up#*:}
up=${up%%:*}
if [ -z "$about" ] || [ -z "$log" ] || [ ! -f "$log" ] || [ ! -w "$log" ] || [ ! -O "$log" ] || ! { read -r start rest </proc/uptime; } 2>/dev/null; then
    exec "$real" "$@"
fi
unset rest
exec "$real" "$@"
