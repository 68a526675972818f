"""The text of `innerloop hook SHELL`: a function `make` for an interactive shell, that starts no process to decide.

What is typed as `make` goes through `innerloop run` where an `innerloop.toml` is above the working directory, and is plain make
otherwise, also where `innerloop` is gone, and where nothing runs or make explains itself (`-n -q -p -t -d -v -h`), which is
also how completions ask it. Aliases named make go on to it; `command make`, `sudo make` and scripts never meet it; a function
make of the user's own is left as it is. The working directory is walked up as `./..`, so as the kernel sees it.

It is evaluated in somebody's shell, whatever that has: options such as -e, -u, -f and -a, readonly variables, an IFS of its
own, aliases of any word, functions in the place of builtins. So every name is ours by its prefix and is gone before make
starts, each word of a command is quoted against aliases, tests are keywords, and what runs make is looked at first: where
both `command` and `builtin` are functions of the user's, it is /usr/bin/env. fish reserves those names. `|| return $?` keeps a trap
on errors to one call.
"""

_POSIX = """\
# innerloop hook for {name}: `make` typed here is measured where a project asks for it and you agreed. To take it back, remove
# the line that evaluates this from your shell's file, and open a new shell. For one command: `INNERLOOP_MODE=off make`
# (`command make` goes around this function alone: a GNUmakefile of innerloop's in the project still sees it).
if ! {function} make{silent} || {function} __innerloop_make{silent}; then
    function make {{ \\__innerloop_make "make" "$@" || return $?; }}
    if \\builtin {path} "gmake" >/dev/null 2>&1; then
        function gmake {{ \\__innerloop_make "gmake" "$@" || return $?; }}
    fi
fi
function __innerloop_make {{
    if \\__innerloop_runs "$@" && [[ . -ef ${{PWD-}} ]] && \\__innerloop_asks . && \\__innerloop_found; then
        \\__innerloop_plain "innerloop" "run" "--" "$@" || return $?
    else
        \\__innerloop_plain "$@" || return $?
    fi
}}
function __innerloop_runs {{
    if ! {function} builtin{silent}; then \\builtin local __innerloop_word; else \\local __innerloop_word >/dev/null 2>&1; fi
    for __innerloop_word in "$@"; do
        case $__innerloop_word in
            --) return 0 ;;
            -[npqtdvh]*|-[BbeikLmrRsSw][npqtdvh]*|-[BbeikLmrRsSw][BbeikLmrRsSw][npqtdvh]*) return 1 ;;
            --just-print|--dry-run|--recon|--question|--print-data-base|--touch|--debug*|--trace|--version|--help) return 1 ;;
        esac
    done
}}
function __innerloop_asks {{
    [[ -e $1/innerloop.toml ]] || {{ [[ -d $1 && ! $1 -ef / ]] && \\__innerloop_asks "$1/.."; }}
}}
function __innerloop_found {{
    ! {function} builtin{silent} && \\builtin {path} "innerloop" >/dev/null 2>&1
}}
function __innerloop_plain {{
    if ! {function} command{silent}; then
        \\command "$@" || return $?
    elif ! {function} builtin{silent}; then
        \\builtin "command" "$@" || return $?
    else
        /usr/bin/env "$@" || return $?
    fi
}}
"""

_FISH = """\
# innerloop hook for fish: `make` typed here is measured where a project asks for it and you agreed. To take it back, remove
# the line that evaluates this from your config.fish, and open a new shell. For one command: `INNERLOOP_MODE=off make`
# (`command make` goes around this function alone: a GNUmakefile of innerloop's in the project still sees it).
if not builtin functions -q make; or builtin functions -q __innerloop_measures
    function make
        if __innerloop_measures $argv
            command innerloop run -- make $argv
        else
            command make $argv
        end
    end
    if command -q gmake
        function gmake
            if __innerloop_measures $argv
                command innerloop run -- gmake $argv
            else
                command gmake $argv
            end
        end
    end
end
function __innerloop_measures
    command -q innerloop; or return 1
    for __innerloop_word in $argv
        builtin test "$__innerloop_word" = --; and break
        builtin string match -qr -- '^(-[BbeikLmrRsSw]{0,2}[npqtdvh]|--(just-print|dry-run|recon|question|print-data-base|touch|debug|trace|version|help))' $__innerloop_word
        and return 1
    end
    builtin set -l __innerloop_up .
    while not builtin test -e $__innerloop_up/innerloop.toml
        builtin set -l __innerloop_here (builtin realpath $__innerloop_up 2>/dev/null)
        if builtin test -z "$__innerloop_here"; or builtin test "$__innerloop_here" = /
            return 1
        end
        builtin set __innerloop_up $__innerloop_up/..
    end
end
"""

TEXTS = {
    "bash": _POSIX.format(name="bash", path="type -P", function="\\declare -F", silent=" >/dev/null 2>&1"),
    "zsh": _POSIX.format(name="zsh", path="whence -p", function="\\typeset -f", silent=" >/dev/null 2>&1"),
    "fish": _FISH,
}
LINES = {
    "bash": ("~/.bashrc", 'command -v innerloop >/dev/null && eval "$(innerloop hook bash)"'),
    "zsh": ("~/.zshrc", 'command -v innerloop >/dev/null && eval "$(innerloop hook zsh)"'),
    "fish": ("~/.config/fish/config.fish", "command -q innerloop; and innerloop hook fish | source"),
}
