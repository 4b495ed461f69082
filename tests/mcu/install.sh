#!/bin/sh
# Cross compilers and emulators of `make test-mcu` (microcontrollers, and ARM with NEON): installs
# Debian's where it may, says what is missing where not. Tests of a target whose tools are missing
# are skipped.
missing=
for pair in arm-none-eabi-gcc:gcc-arm-none-eabi qemu-system-arm:qemu-system-arm \
    riscv64-unknown-elf-gcc:gcc-riscv64-unknown-elf qemu-system-riscv32:qemu-system-misc \
    avr-gcc:gcc-avr simavr:simavr \
    aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu qemu-aarch64:qemu-user; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -z "$missing" ] && exit 0
packages="$missing libnewlib-arm-none-eabi picolibc-riscv64-unknown-elf avr-libc libc6-dev-arm64-cross"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing$missing (about two minutes)"
    apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages \
            >/dev/null && exit 0
    echo "apt-get could not install them."
fi
echo "Missing for some targets:$missing. On Debian, as root:"
echo "    apt-get install --no-install-recommends $packages"
