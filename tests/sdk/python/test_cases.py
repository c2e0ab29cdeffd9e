"""Each case of the table, with both official Python SDKs, unmodified, and in both their ways."""

import os
import re
import subprocess

import pytest

from core import Core
from shape import optional
from table import ANSWERS, CASES, ERRORS, UNSHOWN, Run, reason_not_to
from tea import Tea

DRIVERS = [Tea("ACS3", tls=True), Tea("RPC", tls=False), Core("POST", tls=True), Core("GET", tls=False)]
SDKS = {"python-tea": ("ACS3", "RPC"), "python-core": ("POST", "GET"),
        "node-tea": ("ACS3", "RPC"), "node-pop": ("POST", "GET")}


def listed(*arguments: str) -> list[str]:
    told = subprocess.run([os.environ["AXT"], *arguments], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()


ACTIONS = [line.split()[0] for line in listed("api", "--actions")]
# What a case can need: an action or a limit.
THERE = {*ACTIONS, *(line.split()[0] for line in listed("up", "--help") if line.strip())}
RUNS = [
    pytest.param(driver, case, id=f"{driver.name}: {case['name']}")
    for driver in DRIVERS
    for case in CASES
    if not reason_not_to(case, driver.name) and case.get("needs", ACTIONS[0]) in THERE
]


@pytest.mark.parametrize(("driver", "case"), RUNS)
def test_case(driver, case, sandboxes):
    Run(driver, sandboxes(case.get("sandbox", "plain"))).case(case)


def steps():
    return [step for case in CASES for step in case["steps"] if "call" in step]


def test_the_names_of_cases_and_of_those_who_cannot_are_in_order():
    names = [case["name"] for case in CASES]
    assert len(set(names)) == len(names)
    ways = {*SDKS, *(f"{sdk}/{way}" for sdk, ways in SDKS.items() for way in ways)}
    for case in CASES:
        assert set(case.get("not", {})) <= ways
        assert all(case.get("not", {}).values()), "each says why"


def test_each_action_is_called_with_success_and_has_a_documented_answer():
    called = {step.get("answers", step["call"]) for step in steps() if not {"error", "lost_after_ms"} & set(step)}
    assert set(ACTIONS) <= called
    assert called <= set(ANSWERS)


def test_each_error_comes_about_or_says_why_not():
    codes = {line.split()[1].removesuffix(":") for line in listed("api", "--errors") if line[:3].isdigit()}
    codes -= {"MissingParameter.<Name>", "InvalidParameter.<Name>"}
    provoked = {step["error"] for step in steps() if "error" in step}
    assert codes <= provoked | set(ERRORS["unreached"])
    assert provoked == set(ERRORS["errors"])


@pytest.mark.parametrize("action", ANSWERS)
def test_each_field_that_an_answer_need_not_have_is_shown_by_a_case(action):
    shows = {path for step in steps() if step["call"] == action for path in shown_by(step)}
    missing = {path for path in optional(ANSWERS[action]) if not any(covers(one, path) for one in shows)}
    assert missing == set(UNSHOWN.get(action, {}))


def shown_by(step) -> set[str]:
    """What the answer has to have: `A.B[].C`."""
    told = {re.sub(r"\.\d+", "[]", path) for path, value in step.get("is", {}).items() if value}
    whole = {path + "[]" for path, value in step.get("is", {}).items() if isinstance(value, list) and value}
    return {*step.get("shows", []), *told, *whole}


def covers(shown: str, path: str) -> bool:
    """Whether showing the one shows the other: what it is in, and what is in it."""
    return shown == path or shown.startswith((path + ".", path + "[]")) or path.startswith(shown + ".")
