"""C55: the shell hook is a function and nothing else."""

import re

import pytest

from tests.client.people import Developer
from tests.needs import need
from tests.requirements.support import bare

LOOK = {
    "bash": "trap -p; declare -p PROMPT_COMMAND PS1; shopt; set -o",
    "zsh": "trap; print -rl -- $precmd_functions $preexec_functions $chpwd_functions; print -r -- $PS1; setopt",
}
OWN = {
    "bash": "trap ': mine' DEBUG; trap ': bye' EXIT; PROMPT_COMMAND=mine; PS1='> '",
    "zsh": "mine() { :; }; precmd_functions=(mine); preexec_functions=(mine); PS1='> '",
}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_c55_the_hook_sets_no_trap_and_leaves_the_developers_own_alone(agreed: Developer, shell: str) -> None:
    need(shell)
    script = f'{OWN[shell]}\nbefore=$({LOOK[shell]})\neval "$({agreed.command} hook {shell})"\nafter=$({LOOK[shell]})\n'
    done = bare(agreed).run(shell, "-c", f'{script}[ "$before" = "$after" ] && echo same || echo "$before / $after"')

    assert b"same" in done.out, done


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_c55_nothing_is_called_before_or_after_each_command(agreed: Developer, shell: str) -> None:
    text = agreed.innerloop("hook", shell).out

    assert [] == re.findall(r"\btrap\b|DEBUG|PROMPT_COMMAND|preexec|precmd|add-zsh-hook|fish_prompt|--on-event", text)


def test_c55_a_loop_of_a_thousand_commands_starts_no_process_more(agreed: Developer) -> None:
    """The parent of everything in it is one shell: the process ids that it hands out tell."""
    count = "before=$(sh -c 'echo $$'); for i in {1..1000}; do :; [ $i ]; done; after=$(sh -c 'echo $$'); echo $((after - before))"
    done = bare(agreed).run("unshare", "--map-root-user", "--pid", "--fork", "bash", "-c", f'eval "$({agreed.command} hook bash)"; {count}')
    if b"unshare" in done.err:
        pytest.skip("no process namespaces here")

    assert int(done.out.split()[-1]) <= 2
