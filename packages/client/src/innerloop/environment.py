"""What the environment says about a run: who acts, and whether measuring is forbidden. Imports nothing.

Every function takes the environment as a mapping of bytes to bytes (`posix.environ`, `os.environb`). Only the
presence of keys is looked at where a value could be a secret. Sources of the keys: the documentation of each
CI service and coding agent; donottrack.sh for DO_NOT_TRACK.
"""

NO = (b"", b"0", b"false", b"no", b"off")

CI_KEYS = (
    b"CI", b"GITHUB_ACTIONS", b"GITLAB_CI", b"JENKINS_URL", b"CIRCLECI", b"BUILDKITE", b"TF_BUILD",
    b"TEAMCITY_VERSION", b"TRAVIS", b"BITBUCKET_COMMIT", b"CODEBUILD_BUILD_ARN", b"DRONE", b"CIRRUS_CI",
    b"SEMAPHORE", b"APPVEYOR", b"GITEA_ACTIONS", b"CONTINUOUS_INTEGRATION",
)  # fmt: skip

AGENT_KEYS = (
    b"AI_AGENT", b"AGENT", b"CLAUDECODE", b"CURSOR_AGENT", b"CODEX_SANDBOX", b"CODEX_THREAD_ID", b"GEMINI_CLI",
    b"COPILOT_CLI", b"COPILOT_AGENT", b"AUGMENT_AGENT", b"OPENCODE", b"AMP_CURRENT_THREAD_ID", b"GOOSE_TERMINAL",
    b"CRUSH", b"QWEN_CODE", b"ANTIGRAVITY_AGENT", b"JUNIE_DATA", b"PI_CODING_AGENT",
)  # fmt: skip

MODE = b"INNERLOOP_MODE"  # `off` or `local`: it can only restrict
CI_ALLOWED = b"INNERLOOP_CI"  # set to 1 by a job that may be recorded, where the project file says ci = true


def is_set(env: "dict[bytes, bytes]", key: bytes) -> bool:
    """Tell whether a variable is there and does not mean no."""
    return env.get(key, b"").lower() not in NO


def forbidden(env: "dict[bytes, bytes]") -> str:
    """Return the reason why nothing may be recorded or asked here, or an empty string."""
    if env.get(b"DO_NOT_TRACK", b"").lower() not in (b"", b"0", b"false", b"no"):  # `off` may mean either, so it means the safe one
        return "DO_NOT_TRACK is set"
    if env.get(MODE, b"local") != b"local":
        return "INNERLOOP_MODE forbids it"
    if b"SUDO_UID" in env or b"SUDO_USER" in env:
        return "this runs under sudo"
    return ""


def local_only(env: "dict[bytes, bytes]") -> bool:
    """Tell whether the environment allows recording but no sending."""
    return env.get(MODE) == b"local"


def in_ci(env: "dict[bytes, bytes]") -> bool:
    """Tell whether a CI service runs this. CI=false says that none does."""
    if b"CI" in env and not is_set(env, b"CI"):
        return False
    for key in CI_KEYS:
        if is_set(env, key):
            return True
    return False


def ci_counts(env: "dict[bytes, bytes]") -> bool:
    """Tell whether this is a CI job that says it may be recorded, where its project file says so too."""
    return env.get(CI_ALLOWED) == b"1" and actor(env) == "ci"


def by_agent(env: "dict[bytes, bytes]") -> bool:
    """Tell whether a coding agent runs this. Its name is never read."""
    for key in AGENT_KEYS:
        if is_set(env, key):
            return True
    return False


def actor(env: "dict[bytes, bytes]") -> str:
    """Who acts: some agents set CI for their children, so agents are looked for first."""
    return "agent" if by_agent(env) else "ci" if in_ci(env) else "human"


def test_value(env: "dict[bytes, bytes]", variable: bytes) -> str:
    """Return the value of a seed project's test variable, or `` where it is unset or not [a-z0-9-]{1,16}."""
    value = env.get(variable, b"") if variable else b""
    if not 1 <= len(value) <= 16:
        return ""
    for byte in value:
        if byte not in b"abcdefghijklmnopqrstuvwxyz0123456789-":
            return ""
    return value.decode("ascii")
