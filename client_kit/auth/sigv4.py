"""AWS Signature Version 4, made by botocore, which is imported with the first call."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast

from client_kit.effects import Fetch, Flow
from client_kit.wire import Request

__all__ = ["AwsSigV4", "CredentialSource"]


class Credentials(Protocol):
    """Keys at one moment: botocore's `ReadOnlyCredentials`."""

    @property
    def access_key(self) -> str | None: ...
    @property
    def secret_key(self) -> str | None: ...
    @property
    def token(self) -> str | None: ...


class CredentialSource(Protocol):
    """Where keys come from, perhaps over the network: botocore's `Credentials`, what boto3's sessions give."""

    def get_frozen_credentials(self) -> Credentials: ...


class AwsSigV4:
    """Sign requests for services behind AWS IAM: API Gateway, or with `service="lambda"` function URLs.

    Without `credentials` botocore finds them as it always does: environment, profile, role.
    """

    def __init__(
        self, region: str, *, service: str = "execute-api", credentials: CredentialSource | None = None
    ) -> None:
        self._region = region
        self._service = service
        self._source = credentials

    def authorize(self, request: Request) -> Flow[Request]:
        if self._source is None:
            self._source = cast(CredentialSource, (yield Fetch(_find_credentials)))
        source = self._source
        signature = yield Fetch(lambda: _signature(request, source, self._service, self._region))
        return request.with_headers(cast(dict[str, str], signature))

    def rejected(self, request: Request) -> bool:
        return False


def _find_credentials() -> CredentialSource:
    found = _botocore("session").get_session().get_credentials()
    if found is None:
        raise RuntimeError(
            "there are no AWS credentials to sign with; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or give AwsSigV4(credentials=...)"
        )
    return cast(CredentialSource, found)


def _signature(request: Request, source: CredentialSource, service: str, region: str) -> dict[str, str]:
    credentials = source.get_frozen_credentials()  # may ask the network for new ones
    outgoing = _botocore("awsrequest").AWSRequest(
        method=request.method, url=request.url, headers=dict(request.headers), data=request.body
    )
    _botocore("auth").SigV4Auth(credentials, service, region).add_auth(outgoing)
    signed = {str(k).lower(): str(v) for k, v in outgoing.headers.items()}
    return {k: v for k, v in signed.items() if k in ("authorization", "x-amz-date", "x-amz-security-token")}


def _botocore(module: str) -> Any:
    """Return a module of botocore, which has no types."""
    try:
        return import_module(f"botocore.{module}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "AwsSigV4 needs botocore; install it with: pip install 'service-kit[aws]'", name="botocore"
        ) from error
