"""Which tests are collected."""

import os

#: Emulated microcontrollers are for `make test-mcu`: they need compilers that few machines have.
collect_ignore_glob = [] if os.environ.get("SKQ_TEST_MCU") else ["mcu/test_*.py"]
