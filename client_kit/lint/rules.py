"""The one table of rules: what each stands for, how a finding says it, and what a workflow cannot use."""

from __future__ import annotations

from collections.abc import Mapping

RULES: Mapping[str, tuple[str, str]] = {
    "nondeterminism": (
        "workflow code that may do something else in a replay",
        "{name} differs from replay to replay",
    ),
    "workflow-io": (
        "workflow code that reaches outside",
        "{name} reaches outside of the workflow, again in each replay",
    ),
    "workflow-thread": (
        "workflow code that runs beside its loop",
        "{name} runs beside the workflow, in an order that no replay repeats",
    ),
    "never-awaited": (
        "an awaitable that nobody awaits",
        "the result of {name}(...) is never awaited: it does not run",
    ),
    "not-gathered": (
        "a workflow calls what is not part of the service, or a task or subscription of no service",
        "no service gathers {name}: it never runs",
    ),
    "undeclared-error": (
        "a command raises an error that it does not declare",
        "{name} is raised and not declared: callers get a 500",
    ),
}
"""Every rule by its code: what it stands for, and how a finding says it."""

_TASK = "do it in a task, and await the task"
_NOW, _LOOP_TIME = "use workflow.now()", "use asyncio.get_running_loop().time()"
_CHANCE = "use workflow.random(), or do it in a task"
SIDE_BY_SIDE = "use asyncio.gather or a TaskGroup, or do it in a task"


def _named(code: str, cure: str, module: str, names: str) -> dict[str, tuple[str, str]]:
    return {f"{module}.{name}": (code, cure) for name in names.split()}


# fmt: off
FORBIDDEN: Mapping[str, tuple[str, str]] = {
    **_named("nondeterminism", _NOW, "time", "time time_ns"),
    **_named("nondeterminism", _LOOP_TIME, "time",
             "monotonic monotonic_ns perf_counter perf_counter_ns process_time"),
    **_named("nondeterminism", "use 'await asyncio.sleep(...)'", "time", "sleep"),
    **_named("nondeterminism", _NOW, "datetime.datetime", "now utcnow today"),
    **_named("nondeterminism", _NOW, "datetime.date", "today"),
    **_named("nondeterminism", _CHANCE, "random",
             "random randint randrange choice choices sample shuffle uniform triangular gauss normalvariate "
             "betavariate expovariate gammavariate getrandbits randbytes SystemRandom"),
    **_named("nondeterminism", "do it in a task", "secrets",
             "choice randbelow randbits token_bytes token_hex token_urlsafe SystemRandom"),
    **_named("nondeterminism", "do it in a task", "os", "urandom getrandom"),
    **_named("nondeterminism", "use workflow.uuid4()", "uuid", "uuid1 uuid4"),
    **_named("workflow-io", _TASK, "builtins", "open input"),
    **_named("workflow-io", _TASK, "os",
             "open system popen listdir scandir walk remove unlink rename replace mkdir makedirs rmdir stat"),
    **_named("workflow-io", _TASK, "pathlib.Path()",
             "open read_text read_bytes write_text write_bytes unlink mkdir rmdir touch rename iterdir glob exists"),
    **_named("workflow-io", _TASK, "shutil", "copy copy2 copyfile copytree move rmtree"),
    **_named("workflow-io", _TASK, "tempfile", "TemporaryFile NamedTemporaryFile TemporaryDirectory mkdtemp mkstemp"),
    **_named("workflow-io", _TASK, "subprocess", "run Popen call check_call check_output getoutput getstatusoutput"),
    **_named("workflow-io", _TASK, "socket", "socket create_connection create_server getaddrinfo gethostbyname"),
    **_named("workflow-io", _TASK, "urllib.request", "urlopen urlretrieve"),
    **_named("workflow-io", _TASK, "http.client", "HTTPConnection HTTPSConnection"),
    **_named("workflow-io", _TASK, "smtplib", "SMTP SMTP_SSL"),
    **_named("workflow-io", _TASK, "sqlite3", "connect"),
    **_named("workflow-io", _TASK, "boto3", "client resource Session"),
    **_named("workflow-io", _TASK, "aiohttp", "ClientSession request"),
    **_named("workflow-io", _TASK, "requests", "get post put patch delete head options request Session"),
    **_named("workflow-io", _TASK, "httpx",
             "get post put patch delete head options request stream Client AsyncClient"),
    **_named("workflow-io", _TASK, "asyncio",
             "open_connection start_server create_subprocess_exec create_subprocess_shell"),
    **_named("workflow-thread", SIDE_BY_SIDE, "threading", "Thread Timer"),
    **_named("workflow-thread", SIDE_BY_SIDE, "multiprocessing", "Process Pool"),
    **_named("workflow-thread", SIDE_BY_SIDE, "concurrent.futures", "ThreadPoolExecutor ProcessPoolExecutor"),
    **_named("workflow-thread", SIDE_BY_SIDE, "asyncio", "to_thread run run_coroutine_threadsafe"),
}
# fmt: on
"""What a workflow cannot use, by its full name: the rule that it breaks, and the cure."""
