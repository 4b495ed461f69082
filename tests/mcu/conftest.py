"""Emulated microcontrollers are for `make test-mcu`: they need compilers that few machines have."""

import os

collect_ignore_glob = [] if os.environ.get("SKQ_TEST_MCU") else ["test_*.py"]
