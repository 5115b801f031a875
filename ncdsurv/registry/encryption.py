"""What a cluster with TLS needs on this side, asked for before anything is sent.

Dask itself answers a missing certificate with a TypeError of its sockets, after half a minute.
"""

from __future__ import annotations

from ncdsurv.errors import UsageError

VARIABLES = tuple(
    f"DASK_DISTRIBUTED__COMM__TLS__{name}" for name in ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")
)
"""Environment variables that Dask's configuration reads the three files from."""


def check_encryption(address: str) -> None:
    """Refuse an address that Dask's configuration, as it is here, cannot serve.

    Args:
        address: A scheduler's; without a scheme Dask's own default scheme is meant.

    Raises:
        UsageError: TLS without readable certificates, or none where the configuration requires it.

    Example:
        >>> check_encryption("tcp://10.0.0.5:8786")
    """
    from distributed import Security
    from distributed.comm import parse_address

    scheme, _ = parse_address(address)
    got = "no certificates"
    try:
        given = Security().get_connection_args("client")
    except OSError as error:  # errors of ssl are among them
        given, got = {}, f"files that cannot be read ({type(error).__name__})"
    if scheme == "tls" and given.get("ssl_context") is None:
        raise UsageError(
            "a scheduler with TLS needs certificates on this side too",
            got=got,
            do=f"name the files in {', '.join(VARIABLES)}, or in Dask's configuration",
        )
    if scheme == "tcp" and given.get("require_encryption"):
        raise UsageError(
            "Dask's configuration requires encryption",
            got=address,
            allowed="tls://HOST:8786",
            do="give the scheduler's tls address, or change distributed.comm.require-encryption",
        )
