"""How the service is configured: environment variables ``BCMA_DECIDE_*``, then a TOML file, then what stands here."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from bcma_decide.errors import Problem, ServiceError
from bcma_decide.service.fetching.addresses import read_base
from bcma_decide.service.shared.store_address import FORMS, is_store
from bcma_decide.strict.files import UnreadableFile, read_bytes
from bcma_decide.vocabulary import DEFAULT_REGION, Design

PREFIX: Final = "BCMA_DECIDE_"
SIZE_LIMIT: Final = 1_000_000
"""Bytes a file of settings may have."""
RECOMMENDED_ALGORITHMS: Final = ("ES384", "RS384")
ALGORITHMS: Final = (*RECOMMENDED_ALGORITHMS, "ES256", "RS256")
"""Asymmetric only: a shared secret would let every client sign for every other."""

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")

Algorithm = Literal["ES384", "RS384", "ES256", "RS256"]


def is_web_address(text: str) -> bool:
    """Whether this is an ``https`` address, or an ``http`` one of this machine."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host or "")))


def _web_address(text: str) -> str:
    if not is_web_address(text):
        raise ValueError("write an https:// address (http:// on this machine only)")
    return text


def _base(text: str) -> str:
    if read_base(text) is None:
        raise ValueError("write an address without user, query and fragment, and nothing in disguise")
    return text


def _without_slash(text: str) -> str:
    return text.rstrip("/")


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise ValueError("write an origin, as https://ehr.example.org: no path, no slash at the end")
    return text


def _host_name(text: str) -> str:
    name = text.strip("[]").casefold()
    if not _HOST.fullmatch(name):
        raise ValueError("write a name or an address without port, as cds.example.org")
    return name


def _store(address: SecretStr) -> SecretStr:
    if not is_store(address.get_secret_value()):
        raise ValueError(f"write {FORMS}")
    return address


HostName = Annotated[str, AfterValidator(_host_name)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
BaseAddress = Annotated[str, AfterValidator(_web_address), AfterValidator(_without_slash)]
ServerAddress = Annotated[BaseAddress, AfterValidator(_base)]
Origin = Annotated[str, AfterValidator(_web_address), AfterValidator(_origin)]


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


RECORD_SCOPES: Final = (
    "patient/Patient.r",
    "patient/Condition.rs",
    "patient/Observation.rs",
    "patient/DiagnosticReport.rs",
    "patient/MedicationRequest.rs",
    "patient/MedicationAdministration.rs",
    "patient/MedicationStatement.rs",
    "patient/MedicationDispense.rs",
    "patient/Procedure.rs",
)
"""What is read of a record, as SMART 2 writes it."""


class Ehr(BaseModel):
    """An EHR whose users may open the page filled from its record (SMART App Launch 2).

    ``iss`` is the address of its FHIR server, as it names itself at a launch. With ``key_file``, a private key as JWK
    or PEM (EC P-384 or RSA), the service proves who it is (``private_key_jwt``); without, it is a public client.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    label: str = ""
    """What people choose by, where there are several."""
    iss: Annotated[WebAddress, AfterValidator(_base)]
    client_id: str = Field(min_length=1)
    key_file: Path | None = None
    scopes: tuple[Annotated[str, Field(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")], ...] = (
        "openid",
        "fhirUser",
        *RECORD_SCOPES,
    )
    """``launch`` or ``launch/patient`` is added, as the launch wants it."""


class Settings(BaseSettings):
    """Everything that can be set; docstrings below are the documentation of the configuration file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    """0 takes a free one."""
    public_url: BaseAddress | None = None
    """The address clients know this service by; links on cards need it."""
    hosts: tuple[HostName, ...] = ()
    """Names and addresses, without port, that requests may name as their host beside that of ``public_url``."""
    smart_launch_url: WebAddress | None = None
    """A SMART app that cards offer to open."""
    issuers: tuple[Issuer, ...] = ()
    """Who may call. None: open, on this machine only."""
    smart: tuple[Ehr, ...] = ()
    """EHRs whose users may open the page filled from a record."""
    frame_ancestors: tuple[Origin, ...] = ()
    """Web origins that may show the pages in a frame, as some EHRs do; none by default."""
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
    """Requests at work at a time; more are refused. A connection that asks for nothing is none."""
    stop_seconds: int = Field(default=30, ge=0)
    """Time that running requests get to finish when the service is told to stop."""
    metrics: bool = True
    """Whether ``/metrics`` exists."""
    metrics_clients: tuple[IPv4Network | IPv6Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
    """Addresses that may read ``/metrics``."""
    fhir_servers: tuple[ServerAddress, ...] = ()
    """FHIR servers that are read for what a client did not send, those below an address included; none by default."""
    fhir_private_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that are not public in which these servers may be."""
    fhir_seconds: float = Field(default=3.0, gt=0)
    """Time that reading takes at most, for one call."""
    fhir_size_limit: int = Field(default=10_000_000, ge=1_000)
    """Bytes, unpacked, that one answer and all answers for one call may have."""
    fhir_searches: int = Field(default=32, ge=1)
    """Searches at a time, for all calls; more wait."""
    audit: SecretStr | None = Field(default=None, min_length=1)
    """Database for a record of every answer, with what was asked: ``sqlite:///audit.db`` or ``postgresql://...``."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that answer; each takes a core."""
    store: Annotated[SecretStr, AfterValidator(_store)] | None = None
    """Where sessions, logins, used tokens and counted requests are kept for all workers: ``sqlite:///FILE`` on one
    machine, ``redis://`` or ``rediss://`` (Redis, Valkey) for several. None: in the one process, or in a file of its
    own in memory that ends with the service where there are several workers."""
    pdf_processes: int = Field(default=1, ge=1, le=16)
    """Sheets on paper that a worker makes at a time, each in a process of its own."""
    pdf_queue: int = Field(default=8, ge=0, le=1_000)
    """Sheets that may wait for their turn at a worker; more are refused."""
    pdf_seconds: float = Field(default=25.0, gt=0)
    """Seconds that making a sheet may take."""
    pdf_per_process: int = Field(default=50, ge=1)
    """Sheets after which a process is replaced, so that its memory does not grow."""
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

    @field_validator("smart")
    @classmethod
    def _are_apart(cls, ehrs: tuple[Ehr, ...]) -> tuple[Ehr, ...]:
        for names in ([each.id for each in ehrs], [each.iss.rstrip("/") for each in ehrs]):
            if len(set(names)) < len(names):
                raise ValueError("each id and each iss stands there once")
        return ehrs

    @model_validator(mode="after")
    def _reach_browsers(self) -> Settings:
        if self.smart and self.public_url is None and not is_loopback(self.host):
            raise ValueError("smart needs public_url: the EHR sends browsers back to it")
        if self.frame_ancestors and not self.https:
            raise ValueError("frame_ancestors needs public_url with https: without, browsers send no cookie in a frame")
        return self

    @property
    def open(self) -> bool:
        """Whether everybody may call."""
        return not self.issuers

    def shared_out(self, most: int) -> int:
        """The part of each worker in what all of them may do at a time."""
        return max(1, -(-most // self.workers))

    @property
    def https(self) -> bool:
        """Whether browsers come over https; otherwise they are on this machine."""
        return self.public_url is not None and self.public_url.startswith("https:")


def read_settings(config: Path | None = None, **given: Any) -> Settings:  # noqa: ANN401  # as pydantic takes them
    """Read the settings; ``given`` goes before the environment, the environment before the file.

    Raises
    ------
    ServiceError
        With everything that is wrong, none of it repeated in the message: settings may be secret.
    """
    if config is not None:
        try:
            read_bytes(config, SIZE_LIMIT)
        except UnreadableFile as error:
            problem = Problem("", error.reason, error.fix, str(config))
            raise ServiceError("the service cannot start", [problem]) from None

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
    except (OSError, ValueError, RecursionError) as error:  # TOML that cannot be parsed
        raise ServiceError(heading, [Problem("", f"is not TOML: {error}", "mend the file", name)]) from None


def _message(kind: str, message: str) -> str:
    return "is not a setting" if kind == "extra_forbidden" else message.removeprefix("Value error, ")


LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")


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
