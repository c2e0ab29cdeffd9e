"""The table of cases, which the Node suite reads too, and how a case is carried out."""

import contextlib
import json
import re
import time
import uuid
from dataclasses import dataclass, field

from sandbox import GUARD_S, HERE, Sandbox, host
from shape import at, compare, shown

_CASES = HERE / "cases"
ERRORS = json.loads((_CASES / "errors.json").read_text())
_ANSWERS = json.loads((_CASES / "answers.json").read_text())
ANSWERS, UNSHOWN = _ANSWERS["answers"], _ANSWERS["unshown"]
FILES = ("start", "gateway", "actions", "managed", "commands")
CASES = [case for name in FILES for case in json.loads((_CASES / f"{name}.json").read_text())["cases"]]


@dataclass
class Caller:
    """Whose call it is."""

    key: str
    secret: str
    token: str | None = None


@dataclass
class Call:
    """A call as a user of an SDK thinks of it, names and values as the page has them."""

    endpoint: str
    ca: str
    region: str
    caller: Caller
    action: str
    parameters: dict
    beside: dict = field(default_factory=dict)
    timeout_ms: int | None = None


@dataclass
class Expected:
    """The error that the page documents."""

    status: int
    code: str
    message: str
    denied: dict | None = None

    def assert_message(self, message: str):
        if self.message.endswith("*"):
            assert message.startswith(self.message[:-1])
        else:
            assert message == self.message


def reason_not_to(case: dict, way: str) -> str | None:
    """Why an SDK (`python-tea`), or a way of calling with it (`python-tea/ACS3`), cannot do it."""
    reasons = case.get("not", {})
    return reasons.get(way) or reasons.get(way.split("/")[0])


class Run:
    """A case under way, with what it has kept so far."""

    def __init__(self, driver, sandbox: Sandbox):
        self.driver = driver
        self.sandbox = sandbox
        endpoint = sandbox.endpoint(driver.tls)
        self.words = {
            "instance": sandbox.instance,
            "region": sandbox.region,
            "axt": sandbox.session_base(driver.tls),
            "host": host(endpoint),
            "unique": uuid.uuid4().hex,
        }

    def case(self, case: dict):
        with contextlib.ExitStack() as opened:
            try:
                for step in case["steps"]:
                    self.step(step, opened)
            finally:
                self.sandbox.rest()

    def step(self, step: dict, opened: contextlib.ExitStack):
        if "region" in step:
            self.sandbox.change_region(step["region"])
        elif "instance" in step:
            self.sandbox.change_instance(step["instance"])
        elif "advance_ms" in step:
            self.sandbox.advance(step["advance_ms"])
        elif "register" in step:
            self.keep(step, self.sandbox.register(**self.fill(step["register"])))
        elif "open" in step:
            opened.enter_context(self.sandbox.open(self.fill(step["open"])))
        else:
            self.call(step)

    def call(self, step: dict):
        call = self.prepare(step)
        travelled = clock_off_by(step["clock_s"]) if "clock_s" in step else contextlib.nullcontext()
        with travelled:
            if "lost_after_ms" in step:
                self.driver.expect_lost(call)
            elif "error" in step:
                self.driver.expect_error(call, self.expected(step))
            else:
                self.answer(step, call)

    def answer(self, step: dict, call: Call):
        deadline = time.monotonic() + GUARD_S
        while True:
            body = self.driver.call(call)
            wanted = step.get("until", {})
            if all(at(body, path) == value for path, value in wanted.items()):
                break
            assert time.monotonic() < deadline, f"{wanted} never came about: {body}"
            time.sleep(0.02)
        assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", body["RequestId"])
        compare(body, ANSWERS[step.get("answers", call.action)])
        for path in step.get("shows", []):
            assert shown(body, path), f"{path} is not in {body}"
        self.keep(step, body)
        for path, value in step.get("is", {}).items():
            assert at(body, path) == self.fill(value), path

    def prepare(self, step: dict) -> Call:
        ready, key = self.sandbox.ready, step.get("as")
        caller = Caller(key or ready["access_key_id"], "example-secret" if key else ready["access_key_secret"])
        caller.secret = step.get("secret", caller.secret)
        caller.token = step.get("token")
        parameters = {"RegionId": self.sandbox.region} | self.fill(step.get("with", {}))
        endpoint = self.sandbox.endpoint(self.driver.tls)
        if "at" in step:
            endpoint = endpoint.split("//")[0] + "//" + self.fill(step["at"])
        return Call(
            endpoint=endpoint,
            ca=self.sandbox.ca,
            region=self.sandbox.region,
            caller=caller,
            action=step["call"],
            parameters={name: value for name, value in parameters.items() if value is not None},
            beside=self.fill(step.get("beside", {})),
            timeout_ms=step.get("lost_after_ms"),
        )

    def expected(self, step: dict) -> Expected:
        code = step["error"]
        status, message = ERRORS["errors"][code]
        status = step.get("status", status)
        message = step.get("message", message)
        if "instead" in step:
            code, message = step["instead"].get(self.driver.sdk, (code, message))
        return Expected(status, code, self.fill(message), step.get("denied"))

    def keep(self, step: dict, body: dict):
        for name, path in step.get("keep", {}).items():
            self.words[name] = at(body, path)
            assert self.words[name], f"{path} is empty in {body}"

    def fill(self, value):
        """Puts what was kept for `{name}`, and so many of a letter for `{x*9}`."""
        if isinstance(value, dict):
            return {name: self.fill(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        if not isinstance(value, str):
            return value
        value = re.sub(r"\{(.)\*(\d+)\}", lambda found: found[1] * int(found[2]), value)
        return re.sub(r"\{([a-z]+)\}", lambda found: self.words[found[1]], value)


def clock_off_by(seconds: int):
    """A machine whose clock is wrong."""
    import time_machine

    return time_machine.travel(time.time() + seconds, tick=True)
