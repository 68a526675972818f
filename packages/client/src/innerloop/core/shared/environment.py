"""What the environment says about a run: who acts, and whether measuring is forbidden. Imports nothing.

Every function takes the environment as a mapping of bytes to bytes (`posix.environ`, `os.environb`). Only the
presence of keys is looked at where a value could be a secret. Sources of the marks: actors.json; donottrack.sh for
DO_NOT_TRACK.
"""

NO = (b"", b"0", b"false", b"no", b"off")

# Written by tools/generate_docs.py from actors.json, which is made by tools/actor_marks.py.
# fmt: off
AGENT_MARKS = frozenset((
    b"AGENT", b"AI_AGENT", b"AMP_CURRENT_THREAD_ID", b"ANTIGRAVITY_AGENT", b"ANTIGRAVITY_PROJECT_ID", b"AUGMENT_AGENT",
    b"CLAUDECODE", b"CLAUDE_CODE", b"CLINE_ACTIVE", b"CODEX_CI", b"CODEX_SANDBOX", b"CODEX_THREAD_ID", b"COPILOT_AGENT",
    b"COPILOT_ALLOW_ALL", b"COPILOT_CLI", b"CRUSH", b"CURSOR_AGENT", b"GEMINI_CLI", b"GOOSE_TERMINAL", b"JUNIE_DATA",
    b"JUNIE_SHIM_PATH", b"OPENCODE", b"OPENCODE_APP_INFO", b"OPENCODE_BIN_PATH", b"OPENCODE_CLIENT", b"OPENCODE_MODES",
    b"OPENCODE_SERVER", b"PI_CODING_AGENT", b"QWEN_CODE",
))
CI_MARKS = frozenset((
    b"AC_APPCIRCLE", b"AGOLA_GIT_REF", b"ALPIC_HOST", b"APPCENTER_BUILD_ID", b"APPVEYOR", b"AWS_APP_ID", b"BITBUCKET_COMMIT",
    b"BITRISE_IO", b"BUDDY_WORKSPACE_ID", b"BUILDER_OUTPUT", b"BUILDKITE", b"BUILD_ID", b"BUILD_NUMBER", b"CAPAWESOME_CLOUD",
    b"CF_BUILD_ID", b"CF_PAGES", b"CI", b"CIRCLECI", b"CIRRUS_CI", b"CI_APP_ID", b"CI_BUILD_ID", b"CI_BUILD_NUMBER",
    b"CI_MERGE_REQUEST_ID", b"CI_NAME", b"CI_XCODE_PROJECT", b"CLEAVR", b"CLOUD_RUN_JOB", b"CM_BUILD_ID", b"CODEBUILD_BUILD_ARN",
    b"CODESPHERE_APP_ID", b"CONTINUOUS_INTEGRATION", b"DENO_DEPLOY", b"DENO_DEPLOYMENT_ID", b"DRONE", b"DRONE_BUILD_EVENT",
    b"DSARI", b"EARTHLY_CI", b"EAS_BUILD", b"EO_PAGES_CI", b"FIREBASE_APP_HOSTING", b"GERRIT_PROJECT", b"GITEA_ACTIONS",
    b"GITHUB_ACTIONS", b"GITLAB_CI", b"GO_PIPELINE_LABEL", b"HARNESS_BUILD_ID", b"HUDSON_URL",
    b"INPUT_AZURE_STATIC_WEB_APPS_API_TOKEN", b"JENKINS_URL", b"K_SERVICE", b"LAYERCI", b"MAGNUM", b"NETLIFY", b"NEVERCODE",
    b"NOW_BUILDER", b"PROW_JOB_ID", b"RAILWAY_PROJECT_ID", b"RAILWAY_SERVICE_ID", b"RELEASE_BUILD_ID", b"RENDER", b"RUN_ID",
    b"RWX", b"SAILCI", b"SCREWDRIVER", b"SEMAPHORE", b"SHIPPABLE", b"STACKBLITZ", b"STORMKIT", b"STRIDER",
    b"SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", b"TDDIUM", b"TEAMCITY_VERSION", b"TF_BUILD", b"TRAVIS", b"VELA", b"WORKERS_CI", b"XCS",
    b"ZEABUR", b"bamboo_planKey",
))
COMBINED = (
    ("agent", ((b"AWS_EXECUTION_ENV", "contains", b"amazonq"),)),
    ("agent", ((b"CURSOR_EXTENSION_HOST_ROLE", "is", b"agent-exec"),)),
    ("agent", ((b"CURSOR_TRACE_ID", "set", b""), (b"PAGER", "is", b"head -n 10000 | cat"))),
    ("agent", ((b"EDITOR", "named", b"devin"),)),
    ("agent", ((b"GIT_PAGER", "is", b"cat"), (b"TERM_PROGRAM", "is", b"vscode"))),
    ("agent", ((b"HOME", "is", b"/home/jules"), (b"USER", "is", b"swebot"))),
    ("agent", ((b"PAGER", "is", b"cat"), (b"TERM_PROGRAM", "is", b"zed"))),
    ("agent", ((b"PATH", "contains", b".pi/agent"),)),
    ("agent", ((b"REPLIT_MODE", "is", b"assistant"), (b"REPL_ID", "set", b""))),
    ("agent", ((b"SHELL", "is", b"/bin/jsh"), (b"npm_config_yes", "set", b""))),
    ("ci", ((b"NODE", "contains", b"/app/.heroku/node/bin/node"),)),
)
# fmt: on
# End of what is written from there.

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
    return ci_mark(env) != b""


def ci_mark(env: "dict[bytes, bytes]") -> bytes:
    """The variable that says so, or b""."""
    if b"CI" in env and not is_set(env, b"CI"):
        return b""
    return _mark(env, CI_MARKS, "ci")


def _mark(env: "dict[bytes, bytes]", marks: "frozenset[bytes]", kind: str) -> bytes:
    """The first mark of a kind that is in the environment: a variable that is set, or several that are as they should be."""
    for key in env:
        if key in marks and is_set(env, key):
            return key
    for of, conditions in COMBINED:
        if of == kind and all(key in env and _fits(env[key], how, value) for key, how, value in conditions):
            return conditions[0][0]
    return b""


def _fits(found: bytes, how: str, value: bytes) -> bool:
    if how == "is":
        return found == value
    if how == "set":
        return found.lower() not in NO
    return value in (found.rpartition(b"/")[2] if how == "named" else found).lower()


def by_agent(env: "dict[bytes, bytes]") -> bool:
    """Tell whether a coding agent runs this. Its name is never read."""
    return _mark(env, AGENT_MARKS, "agent") != b""


def actor(env: "dict[bytes, bytes]") -> str:
    """Who acts: some agents set CI for their children, so agents are looked for first."""
    return "agent" if by_agent(env) else "ci" if in_ci(env) else "human"


def test_value(env: "dict[bytes, bytes]", variable: bytes) -> str:
    """Return the value of a seed project's test variable, or `` where it is unset or not [a-z0-9-]{1,16}."""
    value = env.get(variable, b"") if variable else b""
    fits = len(value) <= 16 and not value.strip(b"abcdefghijklmnopqrstuvwxyz0123456789-")
    return value.decode("ascii") if fits else ""
