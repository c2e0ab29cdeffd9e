"""alibabacloud_ecs20140526: requests and answers are models, errors exceptions of its runtime."""

import re
import urllib.parse

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi import exceptions
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.exceptions import UnretryableException
from darabonba.runtime import ExtendsParameters, RuntimeOptions

from shape import misfits
from table import Call, Expected

# What ACS3 has in headers.
_HEADERS = {
    "Action": "x-acs-action",
    "Version": "x-acs-version",
    "Timestamp": "x-acs-date",
    "SignatureNonce": "x-acs-signature-nonce",
}


class Recorded(Client):
    """The client, which lets the test see the body behind the model."""

    def call_api(self, params, request, runtime):
        self.raw = super().call_api(params, request, runtime)
        return self.raw


class Tea:
    sdk = "python-tea"

    def __init__(self, way: str, tls: bool):
        self.way = way
        self.name = f"{self.sdk}/{way}"
        self.tls = tls

    def config(self, call: Call) -> Config:
        endpoint = urllib.parse.urlsplit(call.endpoint)
        config = Config(
            access_key_id=call.caller.key,
            access_key_secret=call.caller.secret,
            security_token=call.caller.token,
            region_id=call.region,
            endpoint=endpoint.netloc,
            protocol=endpoint.scheme,
        )
        if endpoint.scheme == "https":
            config.ca = call.ca
        if self.way == "RPC":
            config.signature_algorithm = "v2"
        return config

    def call(self, call: Call, config: Config | None = None) -> dict:
        client = Recorded(config or self.config(call))
        method = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", call.action).lower() + "_with_options"
        model = getattr(models, f"{call.action}Request", None)
        if model is None:
            return self._generic(client, call)
        request = model().from_map(call.parameters)
        answer = getattr(client, method)(request, self.runtime(call))
        body = client.raw["body"]
        assert answer.status_code == 200
        assert answer.headers["x-acs-request-id"] == answer.body.request_id == body["RequestId"]
        assert misfits(type(answer.body), body) == []
        assert answer.body.to_map() == body
        return body

    def _generic(self, client: Client, call: Call) -> dict:
        params = Params(
            action=call.action, version="2014-05-26", protocol="HTTPS", pathname="/",
            method="POST", auth_type="AK", style="RPC", req_body_type="formData", body_type="json",
        )
        query = {f"{name}.1" if isinstance(value, list) else name: value[0] if isinstance(value, list) else value
                 for name, value in call.parameters.items()}
        return client.call_api(params, OpenApiRequest(query=query), self.runtime(call))["body"]

    def runtime(self, call: Call) -> RuntimeOptions:
        runtime = RuntimeOptions(read_timeout=call.timeout_ms)
        if call.beside:
            runtime.extends_parameters = (
                ExtendsParameters(queries=call.beside)
                if self.way == "RPC"
                else ExtendsParameters(headers={_HEADERS[name]: value for name, value in call.beside.items()})
            )
        return runtime

    def expect_error(self, call: Call, expected: Expected):
        with pytest.raises(exceptions.AlibabaCloudException) as raised:
            self.call(call)
        error = raised.value
        if expected.code.startswith("Throttling"):
            kind = exceptions.ThrottlingException
            assert error.retry_after > 0
        else:
            kind = exceptions.ServerException if expected.status >= 500 else exceptions.ClientException
        assert (type(error), error.code, error.status_code) == (kind, expected.code, expected.status)
        told = re.fullmatch(r"code: (\d+), (.*) request id: (\S+)", error.message, re.DOTALL)
        assert int(told[1]) == expected.status
        expected.assert_message(told[2])
        assert told[3] == error.request_id == error.data["RequestId"]
        assert error.data["HostId"] == urllib.parse.urlsplit(call.endpoint).netloc
        assert urllib.parse.quote(expected.code) in error.data["Recommend"]
        if expected.denied:
            assert expected.denied.items() <= error.access_denied_detail.items()

    def expect_lost(self, call: Call):
        with pytest.raises(UnretryableException) as raised:
            self.call(call)
        assert "Read timed out" in str(raised.value)
