"""What networks and users' own mistakes do to calls (field-reports-api 1, 4, 11, 15, 17)."""

import urllib.parse
import uuid
import warnings
import xml.etree.ElementTree as ET

import pytest
from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
from aliyunsdkcore.http import protocol_type
from darabonba.exceptions import UnretryableException
from darabonba.policy.retry import RetryCondition, RetryOptions

from core import Core
from line import Line
from table import Call, Caller, Expected
from tea import Tea

DRIVERS = [Tea("ACS3", tls=False), Tea("RPC", tls=False), Core("POST", tls=False), Core("GET", tls=False)]
TEA, CORE = DRIVERS[0], DRIVERS[2]
each_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)


@pytest.fixture
def line(sandbox):
    with Line(sandbox) as line:
        yield line
    sandbox.rest()


def call(sandbox, action="StartTerminalSession", endpoint=None, **parameters) -> Call:
    if action == "StartTerminalSession":
        parameters["InstanceId"] = [sandbox.instance]
    return Call(
        endpoint=endpoint or sandbox.endpoint(tls=False),
        ca=sandbox.ca,
        region=sandbox.region,
        caller=Caller(sandbox.ready["access_key_id"], sandbox.ready["access_key_secret"]),
        action=action,
        parameters={"RegionId": sandbox.region} | parameters,
    )


@each_driver
def test_a_call_that_arrives_twice_as_it_is_was_used_already(driver, sandbox, line):
    line.plan = ["twice"]

    driver.expect_error(
        call(sandbox, endpoint=line.endpoint),
        Expected(400, "SignatureNonceUsed", "Specified signature nonce was used already."),
    )

    assert driver.call(call(sandbox, endpoint=line.endpoint))["SessionId"]


@each_driver
def test_a_call_that_another_changes_is_told_what_was_signed(driver, sandbox, line):
    line.plan = ["change"]
    told = (
        "Specified signature does not match our calculation. server StringToSign is [ACS3-HMAC-SHA256\n*"
        if driver.way == "ACS3"
        else "Specified signature is not matched with our calculation. server string to sign is:*"
    )

    driver.expect_error(
        call(sandbox, endpoint=line.endpoint, Username="root"), Expected(400, "SignatureDoesNotMatch", told)
    )


@each_driver
def test_who_repeats_a_call_whose_answer_was_lost_has_one_session(driver, sandbox, line):
    line.plan = ["lose"]
    start = call(sandbox, endpoint=line.endpoint, ClientToken=uuid.uuid4().hex)

    with pytest.raises((UnretryableException, ClientException)):
        driver.call(start)
    repeated = driver.call(start)
    sessions = driver.call(call(sandbox, "DescribeTerminalSessions"))["Sessions"]["Session"]

    assert [one["SessionId"] for one in sessions] == [repeated["SessionId"]]


@pytest.mark.parametrize("driver", DRIVERS[:2], ids=lambda driver: driver.name)
def test_the_newer_sdk_repeats_when_it_is_told_to_and_signs_that_it_does(driver, sandbox, line):
    line.plan = ["busy"]
    start = call(sandbox, endpoint=line.endpoint)
    config = driver.config(start)
    again = {"maxAttempts": 2, "exception": ["ServerException"], "errorCode": ["ServiceUnavailable"]}
    config.retry_options = RetryOptions({"retryable": True, "retryCondition": [RetryCondition(again)]})

    answer = driver.call(start, config)

    assert answer["SessionId"]
    assert [seen.get("x-acs-retry-attempts") for seen in line.seen] == [None, "1"]


@pytest.mark.parametrize("trouble", ["busy", "lose"])
def test_the_older_sdk_repeats_what_describes_and_never_a_start(trouble, sandbox, line):
    line.plan = [trouble, "pass", trouble]

    regions = CORE.call(call(sandbox, "DescribeRegions", endpoint=line.endpoint))
    with pytest.raises((ServerException, ClientException)):
        CORE.call(call(sandbox, endpoint=line.endpoint))

    assert regions["Regions"]["Region"]
    assert len(line.seen) == 3


def test_the_older_sdk_takes_an_equal_protocol_for_another_and_is_served_all_the_same(sandbox):
    regions = call(sandbox, "DescribeRegions", endpoint=sandbox.endpoint(tls=True))
    request = CORE.request(regions)
    equal = "".join(["http", "s"])
    assert equal == protocol_type.HTTPS and equal is not protocol_type.HTTPS
    request.set_protocol_type(equal)

    assert CORE.client(regions).do_action_with_exception(request)


@pytest.mark.parametrize(
    ("accept", "root", "texts"),
    [
        ("XML", "StartTerminalSessionResponse", {"RequestId", "SessionId", "SecurityToken", "WebSocketUrl"}),
        ("YAML", "Error", {"RequestId", "HostId", "Code", "Message", "Recommend"}),
    ],
)
def test_formats_that_an_sdk_can_ask_for_and_not_read(accept, root, texts, sandbox):
    start = call(sandbox)
    request = CORE.request(start)
    request.set_accept_format(accept)

    with warnings.catch_warnings(action="ignore"):
        answer = ET.fromstring(CORE.client(start).do_action(request))
    sandbox.rest()

    assert answer.tag == root
    assert {one.tag for one in answer} == texts
    assert all(one.text for one in answer)
    if root == "Error":
        assert answer.findtext("Code") == "InvalidParameter.Format"


def test_whoever_is_left_on_the_clouds_own_name_has_its_own_session_url(sandbox, line):
    start = call(sandbox)
    proxied = {"https": line.endpoint}
    config = TEA.config(start)
    config.endpoint, config.protocol, config.ca, config.https_proxy = None, "https", sandbox.ca, line.endpoint
    named = [f"https://ecs.{sandbox.region}.aliyuncs.com:443", f"https://ecs-{sandbox.region}.aliyuncs.com:443"]

    answers = [TEA.call(start, config), *(CORE.call(call(sandbox, endpoint=name), proxy=proxied) for name in named)]

    for answer in answers:
        url = urllib.parse.urlsplit(answer["WebSocketUrl"])
        assert (url.scheme, url.netloc) == ("wss", f"{sandbox.region}.axt.aliyuncs.com")
