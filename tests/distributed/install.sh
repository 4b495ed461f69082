#!/bin/sh
# Spark and Ray, and Java for Spark, for `make test-distributed`: installs what it may, says what is
# missing. Tests of an engine that is missing are skipped.
#
#   install.sh PYTHON PIP...    the interpreter to install for, and the pip that does it
python=$1
shift
requirements=$(dirname "$0")/requirements.txt
for engine in ray pyspark; do
    "$python" -c "import $engine" 2>/dev/null && continue
    others=$([ "$engine" = ray ] && echo '^pyspark|^py4j' || echo '^ray')
    echo "Installing $engine (pyspark is 450 MB: some minutes)"
    grep -Ev "^#|$others" "$requirements" |
        "$@" install -qq --no-deps --no-build-isolation -r /dev/stdin ||
        echo "MISSING: $engine could not be installed; its tests are skipped."
done
if ! command -v java >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing a Java runtime"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends default-jre-headless >/dev/null
    fi
    command -v java >/dev/null 2>&1 || echo "MISSING: Java; the tests of Spark are skipped." \
        "On Debian, as root: apt-get install default-jre-headless"
fi
exit 0
