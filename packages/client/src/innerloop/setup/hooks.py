"""The text of `innerloop hook SHELL`: a function `make` for an interactive shell, that starts no process to decide.

What is typed as `make` goes through `innerloop run` where an `innerloop.toml` is above the working directory, and is plain make
otherwise, also where `innerloop` is gone, and where nothing runs or make explains itself (`-n -q -p -t -d -v -h`), which is
also how completions ask it. Aliases named make go on to it; `command make`, `sudo make` and scripts never meet it; a function
make of the user's own is left as it is. The working directory is walked up as `./..`, so as the kernel sees it.

Imports nothing.
"""

_POSIX = """\
# innerloop hook for {name}: `make` typed here is measured where a project asks for it and you agreed. To take it back, remove
# the line that evaluates this from your shell's file, and open a new shell. For one command: `INNERLOOP_MODE=off make`
# (`command make` goes around this function alone: a GNUmakefile of innerloop's in the project still sees it).
function __innerloop_make {{
    local up=. argument
    for argument in "$@"; do
        case $argument in
            --) break ;;
            -[npqtdvh]*|-[BbeikLmrRsSw][npqtdvh]*|-[BbeikLmrRsSw][BbeikLmrRsSw][npqtdvh]*|--just-print|--dry-run|--recon|--question) up= ;;
            --print-data-base|--touch|--debug*|--trace|--version|--help) up= ;;
        esac
    done
    [ . -ef "$PWD" ] && {found} innerloop >/dev/null 2>&1 || up=
    while [ -n "$up" ] && [ ! -e "$up/innerloop.toml" ]; do
        if [ "$up" -ef / ] || [ ! -d "$up" ]; then up=; else up=$up/..; fi
    done
    if [ -n "$up" ]; then
        command innerloop run -- "$@"
    else
        command "$@"
    fi
}}
if [ -n "${{__innerloop_hook-}}" ] || ! {defined} make >/dev/null 2>&1; then
    __innerloop_hook=1
    function make {{ __innerloop_make make "$@"; }}
    if {found} gmake >/dev/null 2>&1; then
        function gmake {{ __innerloop_make gmake "$@"; }}
    fi
fi
"""

_FISH = """\
# innerloop hook for fish: `make` typed here is measured where a project asks for it and you agreed. To take it back, remove
# the line that evaluates this from your config.fish, and open a new shell. For one command: `INNERLOOP_MODE=off make`
# (`command make` goes around this function alone: a GNUmakefile of innerloop's in the project still sees it).
function __innerloop_measures
    command -q innerloop; or return 1
    for argument in $argv
        test "$argument" = --; and break
        string match -qr -- '^(-[BbeikLmrRsSw]{0,2}[npqtdvh]|--(just-print|dry-run|recon|question|print-data-base|touch|debug|trace|version|help))' $argument
        and return 1
    end
    set -l up .
    while not test -e $up/innerloop.toml
        set -l here (builtin realpath $up 2>/dev/null)
        if test -z "$here"; or test "$here" = /
            return 1
        end
        set up $up/..
    end
end
if set -q __innerloop_hook; or not functions -q make
    set -g __innerloop_hook 1
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
"""

TEXTS = {
    "bash": _POSIX.format(name="bash", found="type -P", defined="declare -F"),
    "zsh": _POSIX.format(name="zsh", found="whence -p", defined="typeset -f"),
    "fish": _FISH,
}
LINES = {
    "bash": ("~/.bashrc", 'command -v innerloop >/dev/null && eval "$(innerloop hook bash)"'),
    "zsh": ("~/.zshrc", '(( $+commands[innerloop] )) && eval "$(innerloop hook zsh)"'),
    "fish": ("~/.config/fish/config.fish", "command -q innerloop; and innerloop hook fish | source"),
}
