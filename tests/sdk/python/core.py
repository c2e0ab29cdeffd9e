"""aliyun-python-sdk-core with aliyun-python-sdk-ecs: setters on a request, bytes as the answer."""

import importlib
import json
import urllib.parse

import pytest
from alibabacloud_ecs20140526 import models
from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.http import protocol_type
from aliyunsdkcore.request import CommonRequest

from shape import misfits
from table import Call, Expected

# Objects become JSON by the SDK's hand, these by its user's.
_MAPS = {"Parameters"}


class Core:
    sdk = "python-core"

    def __init__(self, way: str, tls: bool):
        self.way = way
        self.name = f"{self.sdk}/{way}"
        self.tls = tls

    def client(self, call: Call, **more) -> AcsClient:
        endpoint = urllib.parse.urlsplit(call.endpoint)
        settings = {"region_id": call.region, "port": endpoint.port, "verify": call.ca} | more
        if call.timeout_ms:
            settings["timeout"] = call.timeout_ms / 1000
        if call.caller.token is None:
            return AcsClient(call.caller.key, call.caller.secret, **settings)
        credential = StsTokenCredential(call.caller.key, call.caller.secret, call.caller.token)
        return AcsClient(credential=credential, **settings)

    def request(self, call: Call):
        try:
            module = importlib.import_module(f"aliyunsdkecs.request.v20140526.{call.action}Request")
        except ModuleNotFoundError:
            request = CommonRequest(version="2014-05-26", action_name=call.action)
            for name, value in call.parameters.items():
                request.add_query_param(name, value)
        else:
            request = getattr(module, f"{call.action}Request")()
            for name, value in call.parameters.items():
                _set(request, name, value)
        if "Version" in call.beside:
            request.set_version(call.beside["Version"])
        endpoint = urllib.parse.urlsplit(call.endpoint)
        request.set_endpoint(endpoint.hostname)
        # The SDK compares by identity, so its own constant it has to be.
        request.set_protocol_type(protocol_type.HTTPS if endpoint.scheme == "https" else protocol_type.HTTP)
        request.set_method(self.way)
        return request

    def call(self, call: Call, **more) -> dict:
        body = json.loads(self.client(call, **more).do_action_with_exception(self.request(call)))
        # It has no classes for answers: those of the newer SDK stand for what users write.
        model = getattr(models, f"{call.action}ResponseBody")
        assert misfits(model, body) == []
        return body

    def expect_error(self, call: Call, expected: Expected):
        with pytest.raises(ServerException) as raised:
            self.call(call)
        error = raised.value
        assert (error.get_error_code(), error.get_http_status()) == (expected.code, expected.status)
        expected.assert_message(error.get_error_msg())
        assert len(error.get_request_id()) == 36

    def expect_lost(self, call: Call):
        with pytest.raises(ClientException) as raised:
            self.call(call)
        assert raised.value.get_error_code() == "SDK.HttpError"
        assert "Read timed out" in raised.value.get_error_msg()


def _set(request, name: str, value):
    """Calls the setter: `set_InstanceIds` for the list `InstanceId`."""
    if name in _MAPS:
        value = json.dumps(value)
    several = getattr(request, f"set_{name}s", None)
    if several is not None and isinstance(value, list):
        several(value)
    elif hasattr(request, f"set_{name}"):
        getattr(request, f"set_{name}")(value)
    else:
        request.add_query_param(name, value)
