"""How the service is configured: environment variables ``BCMA_DECIDE_*``, then a TOML file, then what stands here."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from bcma_decide.errors import Problem, ServiceError
from bcma_decide.vocabulary import DEFAULT_REGION, Design

PREFIX: Final = "BCMA_DECIDE_"
RECOMMENDED_ALGORITHMS: Final = ("ES384", "RS384")
ALGORITHMS: Final = (*RECOMMENDED_ALGORITHMS, "ES256", "RS256")
"""Asymmetric only: a shared secret would let every client sign for every other."""

Algorithm = Literal["ES384", "RS384", "ES256", "RS256"]


def _web_address(text: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    local = parts.hostname is not None and is_loopback(parts.hostname)
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
        raise ValueError("write an https:// address (http:// on this machine only)")
    return text


def _without_slash(text: str) -> str:
    return text.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]
BaseAddress = Annotated[str, AfterValidator(_web_address), AfterValidator(_without_slash)]


class Issuer(BaseModel):
    """Who may call: a name as it stands in the tokens, for whom they are meant, and where its public keys are.

    ``audience`` holds the addresses this service is known by, as tokens name them. One that ends in ``*`` stands for
    the address of whatever is called: ``https://cds.example.org*`` admits a token for exactly the called address.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1)
    audience: tuple[str, ...] = Field(min_length=1)
    jwks_file: Path | None = None
    jwks_url: WebAddress | None = None
    algorithms: tuple[Algorithm, ...] = Field(default=("ES384", "RS384"), min_length=1)

    @model_validator(mode="after")
    def _one_source(self) -> Issuer:
        if (self.jwks_file is None) == (self.jwks_url is None):
            raise ValueError("give either jwks_file or jwks_url")
        return self


class Settings(BaseSettings):
    """Everything that can be set; docstrings below are the documentation of the configuration file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    """0 takes a free one."""
    public_url: BaseAddress | None = None
    """The address clients know this service by; links on cards need it."""
    smart_launch_url: WebAddress | None = None
    """A SMART app that cards offer to open."""
    issuers: tuple[Issuer, ...] = ()
    """Who may call. None: open, on this machine only."""
    clock_skew: int = Field(default=60, ge=0, le=300)
    """Seconds the clocks of client and service may differ."""
    jwks_refresh: int = Field(default=300, ge=1)
    """Least seconds between two looks at the same remote keys."""
    cors_origins: tuple[str, ...] = ()
    """Web origins whose pages may call; none by default."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    body_limit: int = Field(default=5_000_000, ge=1_000)
    """Bytes a request may have."""
    time_limit: float = Field(default=30.0, gt=0)
    """Seconds a request may take, reading it included."""
    requests_per_minute: int = Field(default=1_200, ge=0)
    """Per client address; 0 sets no limit."""
    connections: int = Field(default=200, ge=1)
    """Requests at a time; more are refused."""
    stop_seconds: int = Field(default=30, ge=0)
    """Time that running requests get to finish when the service is told to stop."""
    metrics: bool = True
    """Whether ``/metrics`` exists."""
    metrics_clients: tuple[IPv4Network | IPv6Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
    """Addresses that may read ``/metrics``."""
    page: Literal["launch", "open", "off"] = "launch"
    """Who sees the web page where issuers are configured: who comes from a record, everybody, or nobody."""
    region: str = DEFAULT_REGION
    """Whose labels CDS Hooks cards judge, and the page until another is chosen."""
    setting: Design = "real_world"
    """Whose results cards expect, and the page until another is chosen: ``real_world`` or ``interventional``."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, environment, file; no ``.env`` and no secrets folder."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def open(self) -> bool:
        """Whether everybody may call."""
        return not self.issuers


def read_settings(config: Path | None = None, **given: Any) -> Settings:  # noqa: ANN401  # as pydantic takes them
    """Read the settings; ``given`` goes before the environment, the environment before the file.

    Raises
    ------
    ServiceError
        With everything that is wrong, none of it repeated in the message: settings may be secret.
    """
    if config is not None and not config.is_file():
        raise ServiceError("the service cannot start", [Problem("", "cannot be read", "check the path", str(config))])

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=config)

    heading = "the service cannot start: its settings cannot be used"
    name = "" if config is None else str(config)
    try:
        return FromFile(**given)
    except ValidationError as error:
        problems = [
            Problem(".".join(str(part) for part in each["loc"]), _message(each["type"], each["msg"]), "", name)
            for each in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise ServiceError(heading, problems) from None
    except SettingsError as error:
        field = str(error).partition('field "')[2].partition('"')[0]
        problem = Problem(PREFIX + field.upper(), "is not JSON", 'write a list as ["a", "b"]')
        raise ServiceError(heading, [problem]) from None
    except (OSError, ValueError) as error:  # TOML that cannot be parsed
        raise ServiceError(heading, [Problem("", f"is not TOML: {error}", "mend the file", name)]) from None


def _message(kind: str, message: str) -> str:
    return "is not a setting" if kind == "extra_forbidden" else message.removeprefix("Value error, ")


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require_authentication(settings: Settings) -> None:
    """Refuse to be open to a network; raises ServiceError."""
    if settings.open and not is_loopback(settings.host):
        fix = "configure issuers, or listen on 127.0.0.1"
        problem = Problem("issuers", f"none is configured, and {settings.host} is reached from other machines", fix)
        raise ServiceError("the service does not start without authentication", [problem])
