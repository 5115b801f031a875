"""The same counting on other machines: buckets go to the workers of a running dask.distributed cluster.

This machine lays the buckets into the exchange; a worker reads one, counts it with `counting.answer`, writes the
counts back and returns their names; both are removed once the counts are fetched. A worker that dies costs its
bucket only: the scheduler gives it to another.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ncdsurv
from ncdsurv.errors import NcdsurvError, StoreError, UsageError
from ncdsurv.registry.counting import Count, Question, answer, in_threads, nameless, question_of
from ncdsurv.registry.digest import code_digest
from ncdsurv.registry.encryption import check_encryption
from ncdsurv.registry.exchange import Exchange
from ncdsurv.spells import Bucket

if TYPE_CHECKING:
    from ncdsurv.registry.buckets import Buckets

PATIENCE = 15
"""Seconds to wait for the scheduler, and for its first worker."""
TABLES, COUNTS, PROBE = "tables", "counts", "probe"
_SHOWN = 8  # hex digits of a digest, for people


@dataclass
class Cluster:
    """Counts buckets on a cluster; see `counting.Runner`.

    Args:
        address: The scheduler's, for instance `tcp://10.0.0.5:8786`.
        exchange: Where the workers find the buckets.
        patience: Seconds to wait for the scheduler and a worker.
    """

    address: str
    exchange: Exchange
    patience: float = PATIENCE

    def run(
        self, buckets: Buckets, numbers: Sequence[int], question: Question
    ) -> Iterator[tuple[int, dict[str, Count]]]:
        """Count some buckets on the workers; gives each one's number and counts, as they come in.

        Raises:
            UsageError: The extra is not installed, or TLS lacks certificates.
            StoreError: No scheduler or worker answers, a worker has another version or cannot reach the
                exchange, or the cluster gave up. What was counted until then is kept.
        """
        with self._client() as client:
            self._check(client)
            yield from self._counted(client, buckets, numbers, question)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            from distributed import Client
        except ModuleNotFoundError as error:
            raise UsageError(
                "a cluster needs dask.distributed", got="not installed", do="pip install 'ncdsurv[cluster]'"
            ) from error
        check_encryption(self.address)
        try:
            client = Client(self.address, timeout=self.patience, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise StoreError(
                "no scheduler answers",
                got=self.address,
                allowed="tcp://HOST:8786 or tls://HOST:8786",
                do="start one (dask scheduler), or check the address and the firewall",
            ) from error
        try:
            yield client
        finally:
            client.close(timeout=self.patience)

    def _check(self, client: Any) -> None:
        """Every worker has our code and reaches the exchange."""
        try:
            client.wait_for_workers(1, timeout=self.patience)
        except TimeoutError as error:
            raise StoreError(
                "the cluster has no worker", got=self.address, do=f"start some: dask worker {self.address}"
            ) from error
        probe = self.exchange.put(PROBE, code_digest().encode(), _owner())
        try:
            told: Mapping[str, Mapping[str, str]] = client.run(_introduce, self.exchange.uri, probe)
        except NcdsurvError as error:
            raise StoreError(
                "a worker cannot reach the exchange",
                got=self.exchange.uri,
                do="give a place that all machines reach (--exchange s3://BUCKET/PREFIX), and the workers the "
                "credentials and endpoint in their environment",
            ) from error
        except Exception as error:  # whatever a worker without our modules answers
            raise StoreError(
                "a worker cannot run ncdsurv",
                got=type(error).__name__,
                do=f"install ncdsurv {ncdsurv.__version__} on every worker",
            ) from error
        finally:
            self.exchange.remove(probe)
        ours = _versions()
        for worker, theirs in sorted(told.items()):
            if theirs != ours:
                raise _another_version(ours, theirs, worker)

    def _counted(
        self, client: Any, buckets: Buckets, numbers: Sequence[int], question: Question
    ) -> Iterator[tuple[int, dict[str, Count]]]:
        from distributed import as_completed

        futures: dict[Any, int] = {}
        laid: dict[int, dict[str, str]] = {}

        def lay(number: int) -> str:
            owner = _owner()
            laid[number] = lay_out(self.exchange, buckets.read(number), owner)
            return owner

        try:
            with closing(in_threads(lay, numbers)) as owners:
                for number, owner in zip(numbers, owners, strict=True):
                    months = question.first, question.last
                    asked = (self.exchange.uri, laid[number], *months, _versions(), owner)
                    futures[client.submit(count_there, *asked, pure=False)] = number
            for future in as_completed(list(futures), loop=client.loop):
                number = futures.pop(future)
                try:
                    named = future.result()
                except NcdsurvError:
                    raise
                except Exception as error:
                    raise StoreError(
                        "the cluster could not count a bucket",
                        got=f"bucket {number} ({type(error).__name__})",
                        do="look at the workers' logs and run the command again; what was counted is kept",
                    ) from error
                future.release()
                found = self._fetched(named)
                self._clear(laid.pop(number))
                yield number, found
        finally:  # what was not counted is about people too
            with suppress(StoreError):
                for tables in laid.values():
                    self._clear(tables)

    def _clear(self, tables: Mapping[str, str]) -> None:
        for name in tables.values():
            self.exchange.remove(name)

    def _fetched(self, named: Mapping[str, Mapping[str, str]]) -> dict[str, Count]:
        found = {}
        for answered, objects in named.items():
            found[answered] = Count(**{part: self.exchange.get_frame(name) for part, name in objects.items()})
        for name in {name for objects in named.values() for name in objects.values()}:
            self.exchange.remove(name)
        return found


@contextmanager
def runner_at(scheduler: str | None, exchange: str | None, own: Path | str) -> Iterator[Cluster | None]:
    """The runner that two options ask for; None where buckets are counted on this machine.

    Args:
        scheduler: Address of a scheduler, or None.
        exchange: Address of an exchange, or None for the registry's own.
        own: That one: a folder, which is removed at the end, or an address.

    Raises:
        UsageError: An exchange without a scheduler.
    """
    if scheduler is None:
        if exchange is not None:
            raise UsageError("an exchange serves a cluster only", do="give --scheduler ADDRESS too")
        yield None
        return
    try:
        yield Cluster(scheduler, Exchange(exchange or str(own)))
    finally:
        if exchange is None and isinstance(own, Path):
            shutil.rmtree(own, ignore_errors=True)


def lay_out(exchange: Exchange, bucket: Bucket, owner: str = "") -> dict[str, str]:
    """Put a bucket's tables into the exchange, without the persons' ids; table -> name of the object."""
    return {
        name: exchange.put_frame(TABLES, frame, owner) for name, frame in nameless(bucket).tables().items()
    }


def count_there(
    uri: str, tables: Mapping[str, str], first: int, last: int, ours: Mapping[str, str], owner: str
) -> dict[str, dict[str, str]]:
    """What a worker does: read a bucket from the exchange, count it, write the counts back.

    Args:
        uri: The exchange.
        tables: Table of the bucket -> name of the object.
        first: First month index counted.
        last: Last month index, included.
        ours: Versions of the machine that asks.
        owner: Marks the counts as this bucket's: two buckets may have equal counts, an empty one for
            instance, and those of the first are removed before the second's are fetched.

    Returns:
        Name of the answer -> part of the count -> name of the object.

    Raises:
        StoreError: This worker has another version than the one that asks, or cannot reach the exchange.
    """
    if (theirs := _versions()) != ours:  # a worker that joined after the check
        raise _another_version(ours, theirs, "that joined later")
    exchange = Exchange(uri)
    bucket = Bucket(**{name: exchange.get_frame(named) for name, named in tables.items()})
    return {
        name: {
            part: exchange.put_frame(COUNTS, frame, owner)
            for part, frame in (("cells", found.cells), ("carry", found.carry))
        }
        for name, found in answer(bucket, question_of(first, last)).items()
    }


def _owner() -> str:
    return uuid.uuid4().hex + "-"


def _versions() -> dict[str, str]:
    """What must be equal on all machines for counts to be equal."""
    return {"ncdsurv": ncdsurv.__version__, "code": code_digest(), "polars": version("polars")}


def _introduce(uri: str, probe: str) -> dict[str, str]:
    """Run on every worker before the work: can it read the exchange, and which version is it."""
    Exchange(uri).get(probe)
    return _versions()


def _another_version(ours: Mapping[str, str], theirs: Mapping[str, str], worker: str) -> StoreError:
    def told(versions: Mapping[str, str]) -> str:
        return ", ".join(f"{name} {value[:_SHOWN]}" for name, value in sorted(versions.items()))

    return StoreError(
        "a worker has another version of ncdsurv",
        got=f"{told(theirs)} (worker {worker})",
        allowed=told(ours),
        do="install the same version on every machine",
    )
