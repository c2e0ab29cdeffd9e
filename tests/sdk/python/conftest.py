"""Sandboxes for the tests: one of each kind of `sandboxes.json`, started when first asked for."""

import contextlib

import pytest

from sandbox import RULES, Sandbox


@pytest.fixture(scope="session")
def sandboxes(tmp_path_factory):
    running = {}
    with contextlib.ExitStack() as stack:

        def of_kind(kind: str) -> Sandbox:
            if kind not in running:
                running[kind] = Sandbox(tmp_path_factory.mktemp(kind), RULES["flags"][kind])
                stack.callback(running[kind].stop)
            return running[kind]

        yield of_kind


@pytest.fixture
def sandbox(sandboxes):
    return sandboxes("plain")
