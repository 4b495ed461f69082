"""Emulated microcontrollers: how a program is built for each and run."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SUPPORT = Path(__file__).parent / "support"
COMMON = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-ffunction-sections", "-fdata-sections"]
LINK = ["-Wl,--gc-sections"]

#: Debian package of each program.
PACKAGES = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    "qemu-system-riscv32": "qemu-system-misc",
    "avr-gcc": "gcc-avr avr-libc",
    "simavr": "simavr",
}


@dataclass(frozen=True)
class Target:
    """One microcontroller.

    Parameters
    ----------
    name : str
    compiler : str
    flags : tuple of str
        Of its instruction set.
    support : str
        Source in `SUPPORT` that starts a program and ends it.
    link : tuple of str
    emulator : tuple of str
        Command that runs the program whose path follows.
    has_double : bool
        Whether ``double`` has 64 bits, as real features need.
    """

    name: str
    compiler: str
    flags: tuple[str, ...]
    support: str
    link: tuple[str, ...]
    emulator: tuple[str, ...]
    has_double: bool = True

    @property
    def missing(self):
        """Programs that are not there."""
        return [p for p in (self.compiler, self.emulator[0]) if shutil.which(p) is None]

    def build(self, sources, program, optimize="-Os", extra=()):
        """Compile and link; the error is the compiler's."""
        command = [
            self.compiler, *self.flags, *COMMON, optimize, *extra, *map(str, sources),
            str(SUPPORT / self.support), *LINK, *self.link, "-o", str(program),
        ]  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError(run.stderr[:4000])
        return program

    def run(self, program, timeout=120):
        """What the program prints; an error if it ends with anything but 0."""
        run = subprocess.run(
            [*self.emulator, str(program)],
            capture_output=True, text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        text = run.stdout + run.stderr
        failed = "exit 0" not in text if self.compiler == "avr-gcc" else run.returncode != 0
        if failed:
            raise RuntimeError(f"{self.name}: status {run.returncode}: {text[-2000:]}")
        return text


def _cortex(name, cpu, machine, flash="4M", ram="4M", fpu=()):
    sizes = (f"-Wl,--defsym=flash_size={flash}", f"-Wl,--defsym=ram_size={ram}")
    return Target(
        name, "arm-none-eabi-gcc", (f"-mcpu={cpu}", "-mthumb", *fpu), "cortex_m.c",
        ("-nostartfiles", "--specs=nano.specs", *sizes, "-T", str(SUPPORT / "cortex_m.ld"), "-lm"),
        ("qemu-system-arm", "-M", machine, "-display", "none", "-monitor", "none", "-serial",
         "none", "-semihosting-config", "enable=on,target=native", "-icount", "shift=10",
         "-kernel"),
    )  # fmt: skip


TARGETS = {
    target.name: target
    for target in (
        _cortex("cortex-m0", "cortex-m0", "microbit", "256K", "16K"),
        _cortex("cortex-m3", "cortex-m3", "mps2-an385"),
        _cortex("cortex-m4", "cortex-m4", "mps2-an386",
                fpu=("-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")),
        _cortex("cortex-m7", "cortex-m7", "mps2-an500"),
        Target(
            "rv32imac", "riscv64-unknown-elf-gcc",
            ("-march=rv32imac", "-mabi=ilp32", "--specs=picolibc.specs"), "riscv.c",
            ("-nostartfiles", "-T", str(SUPPORT / "riscv.ld"), "-lm"),
            ("qemu-system-riscv32", "-M", "virt", "-bios", "none", "-display", "none", "-monitor",
             "none", "-serial", "none", "-semihosting-config", "enable=on,target=native", "-icount",
             "shift=0", "-kernel"),
        ),
        Target(
            "avr", "avr-gcc", ("-mmcu=atmega1284p", "-DF_CPU=16000000UL"), "avr.c", (),
            ("simavr", "-m", "atmega1284p", "-f", "16000000"), has_double=False,
        ),
    )
}  # fmt: skip
