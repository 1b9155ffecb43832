"""The todo service and its consumers, each a process of its own, over HTTP."""

from __future__ import annotations

from tests.plugins.conftest import Run


def test_the_demo_ends_with_the_output_of_typed_calls(run: Run) -> None:
    printed = run("plugins/todo/demo.py")
    assert "hello_world('sam')        hello sam\n" in printed
    assert "TodoNotFound, with its fields: todo_id=3" in printed
    assert "watch_todos, a stream     removed: 3 bake bread (open, low)" in printed
    assert "The service has stopped." in printed


def test_the_typed_client_calls_every_command(run: Run, url: str) -> None:
    printed = run("-m", "plugins.todo.client", url)
    assert "add_todo                  2 file taxes (open, high, due 2030-04-15)" in printed
    assert "add_todo, same key twice  4 call mum (open, normal), then again number 4" in printed
    assert "complete_todo(1)          1 buy milk (done, normal)" in printed
    assert "list_todos(priority=high) 2 file taxes (open, high, due 2030-04-15)\n" in printed
    assert "get_todo(3)               TodoNotFound, with its fields: todo_id=3" in printed
    assert "export_todos, a stream    4 call mum (open, normal)" in printed
    assert "watch_todos, a stream     completed: 1 buy milk (done, normal)" in printed


def test_langchain_reads_the_manifest_and_every_operation(run: Run, url: str) -> None:
    printed = run("-m", "plugins.todo.langchain_plugin", url)
    assert "plugin      todo: TODO Plugin\n" in printed
    assert "described   Manage a TODO list: add, view, complete and remove your TODOs.\n" in printed
    assert "guide       Usage Guide: Manage the user's TODO list" in printed
    operations = {line.split()[1].partition("(")[0] for line in printed.splitlines() if "operation " in line}
    assert operations == {
        "add_todo", "list_todos", "get_todo", "complete_todo", "remove_todo", "export_todos", "watch_todos",
        "hello_world",
    }  # fmt: skip
    assert "list_todos(status, priority, contains, due_before, after, limit): List todos" in printed
    assert "add_todo(title, priority, due): Add a todo to the list" in printed


def test_an_agent_calls_what_the_plugins_guide_told(run: Run, url: str) -> None:
    printed = run("-m", "plugins.todo.langchain_plugin", url)
    assert "call      todo()\n  answer  Usage Guide: " in printed
    assert printed.endswith("says      It is todo number 1.\n")


def test_an_agent_with_typed_tools_reads_declared_errors(run: Run, url: str) -> None:
    typed, untyped = run("-m", "plugins.todo.langchain_tools", url).split("and by the URL alone:\n")
    assert "  error  TodoNotFound: Todo not found (todo_id=7)" in typed
    assert "  error  TodoNotFound: Todo not found (todo_id=7)" in untyped
    assert typed.endswith("says      Done: call the plumber.\n")
    assert untyped.endswith("says      Done: call the plumber, call the plumber.\n")


def test_an_agent_works_with_the_operations_that_it_read(run: Run, url: str) -> None:
    printed = run("-m", "plugins.todo.langchain_agent", url)
    assert f"POST {url}/todos -> 200" in printed
    assert f"POST {url}/todos/1/complete -> 200" in printed
    assert f"GET {url}/todos?status=done -> 200" in printed
    assert printed.endswith("says      Done: water the plants.\n")
