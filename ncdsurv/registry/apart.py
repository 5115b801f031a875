"""A process of its own that reads files, held to limits: how it starts, is talked to and ends.

A file that exhausts memory, never ends or crashes a parser takes down this process, not the one that asked. It
is a plain child instead of `multiprocessing`, which would run the caller's script anew. What it works with comes
in a message, never on the command line, where others could read it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from ncdsurv.errors import InputError, NcdsurvError
from ncdsurv.registry.limits import frugal, limit_memory, limit_time, seconds_for, too_large
from ncdsurv.registry.messages import receive, send

_FAREWELL = 5
PATIENCE = 3
"""How many times its processor time a request may take by the clock, for machines that do much else."""

Request = tuple[Sequence[Path], Callable[[], Any]]
"""Files, and what is to be done with them."""


class Reader:
    """A child process and the two pipes to it.

    Args:
        main: The function it runs, as `module:function`.
        quiet: Nothing it prints is shown: what a library prints while it breaks may hold a patient's value.
    """

    def __init__(self, main: str, *, quiet: bool = False) -> None:
        module, _, function = main.partition(":")
        self.process = subprocess.Popen(
            # Run as a module, its classes would pickle as those of __main__.
            [sys.executable, "-c", f"from {module} import {function}; {function}()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            env=frugal(os.environ),
        )

    def ask(self, message: Any, paths: Sequence[Path] = ()) -> Any:
        """Send a message and wait for its answer; see `ask_all`."""
        return self.ask_all(message, paths, lambda answer: False)[0]

    def ask_all(self, message: Any, paths: Sequence[Path], more: Callable[[Any], bool]) -> list[Any]:
        """Send a message and wait for its answer, which may come in parts.

        Args:
            message: Anything that can be pickled.
            paths: The files that the request is about: it may take as long as reading them may; without any,
                it may take its time.
            more: Whether another part follows the one given.

        Raises:
            TimeoutError: It took longer; the process is gone.
            EOFError: The process died over it.
        """
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            self.process.kill()

        late = threading.Timer(PATIENCE * seconds_for(paths), stop)
        late.daemon = True
        if paths:
            late.start()
        try:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            send(self.process.stdin, message)
            answers = [receive(self.process.stdout)]
            while more(answers[-1]):
                answers.append(receive(self.process.stdout))
            return answers
        except (EOFError, OSError) as error:
            if self.process.wait() == -signal.SIGXCPU or stopped.is_set():
                raise TimeoutError from None
            raise EOFError("the other side died") from error
        finally:
            late.cancel()

    def close(self) -> None:
        """End it, gently first."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self.process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ask_once(main: str, message: Any, paths: Sequence[Path]) -> Any:
    """Have one request answered by a process started for it (see `answer_once`).

    Raises:
        InputError: The files broke the reader, or took too long, or needed too much memory.
    """
    reader = Reader(main, quiet=True)
    try:
        answer = reader.ask(message, paths)
    except (TimeoutError, EOFError) as error:
        late = isinstance(error, TimeoutError)
        raise InputError(
            f"{paths[0].name} {'takes too long to read' if late else 'broke the reader'}",
            do="open it and save it anew, or split it by month",
        ) from None
    finally:
        reader.process.kill()
        reader.close()
    if isinstance(answer, InputError):
        raise answer
    return answer


def answer_once(prepare: Callable[..., Request]) -> None:
    """The other side of `ask_once`: what is prepared before the first file is read is not held to the limits.

    Args:
        prepare: Takes the parts of the message; gives the files, and what is to be done with them.
    """
    with pipes() as (inbox, outbox):
        paths, work = prepare(*receive(inbox))
        limit_memory()
        limit_time(seconds_for(paths))
        try:
            answer = work()
        except MemoryError:
            answer = too_large(paths[0])
        except NcdsurvError as error:
            answer = InputError(str(error))
        send(outbox, answer)


@contextlib.contextmanager
def pipes() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The child's ends of the two pipes; a stray print does not enter them, and a parent that is gone ends it."""
    inbox, outbox = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    with contextlib.suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        yield inbox, outbox
