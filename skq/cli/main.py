"""Arguments and errors of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from skq.cli.export import add_export
from skq.cli.info import add_info, add_versions
from skq.cli.predict import add_predict

#: Exit status of an error, as argparse has it.
FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Those of the process by default.

    Returns
    -------
    int
        Exit status: 0, or 2 after an error, which is one line on the standard error stream.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except BrokenPipeError:  # the reader of the output has closed it
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        return _failed("interrupted")
    except (OSError, ValueError, TypeError, ImportError, AttributeError) as error:
        return _failed(str(error) or type(error).__name__)
    return 0


def _failed(message: str) -> int:
    print(f"skq: error: {' '.join(message.split())}", file=sys.stderr)
    return FAILED


class _OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage."""

    def error(self, message: str) -> None:  # type: ignore[override]
        sys.exit(_failed(f"{message} (see {self.prog} --help)"))


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(
        prog="skq", description="Look at, run and export models that skq.save wrote."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (add_info, add_predict, add_export, add_versions):
        add(commands)
    return parser
