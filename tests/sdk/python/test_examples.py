"""The programs of sdk-examples, as they stand there, in the environment of `axt env`."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from sandbox import GUARD_S, HERE

EXAMPLES = HERE.parent.parent / "sdk-examples"


@pytest.mark.parametrize("program", ["python_tea.py", "python_core.py"])
def test_example(program, sandbox):
    state = {**os.environ, "AXT_STATE_DIR": str(pathlib.Path(sandbox.ca).parents[1])}
    told = subprocess.run([os.environ["AXT"], "env"], env=state, capture_output=True, text=True, check=True)
    printed = re.findall(r"^export (\w+)=(.*)$", told.stdout, re.M)

    ran = subprocess.run(
        [sys.executable, EXAMPLES / program], env={**os.environ, **dict(printed)},
        capture_output=True, text=True, timeout=GUARD_S,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.fullmatch(r"s-\w+ wss://localhost:\d+/session\?sessionId=s-\w+&token=\S+\n", ran.stdout)
