"""Which tests are collected."""

import os

#: Spark and Ray are for `make test-distributed`, which installs them.
collect_ignore = [] if os.environ.get("SKQ_TEST_DISTRIBUTED") else ["test_ray.py", "test_spark.py"]
