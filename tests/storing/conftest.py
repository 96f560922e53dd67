"""The command line, the fake service and a real bucket."""

from tests.staging.conftest import batch, bucket, fake, here, s3  # noqa: F401 (fixtures)
