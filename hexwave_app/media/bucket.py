"""The S3-compatible bucket that the library may keep its files in."""

from datetime import timedelta

from obstore.exceptions import BaseError
from obstore.store import S3Store

from hexwave_app.processes.errors import SettingsError

_REQUEST = timedelta(seconds=20)


async def open_bucket(
    name: str, access_key_id: str, secret_access_key: str, region: str, endpoint: str | None = None
) -> S3Store:
    """The bucket, which has answered once; `endpoint` is where it is when it is not Amazon's own.

    Raises `SettingsError` when it cannot be reached, is not there, or does not know the key.
    """
    bucket = S3Store(
        name,
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        region=region,
        # Explicit, or obstore would look for it in the environment.
        endpoint=endpoint or f"https://s3.{region}.amazonaws.com",
        virtual_hosted_style_request=False,
        client_options={"allow_http": endpoint is not None, "timeout": _REQUEST},
        retry_config={"max_retries": 3, "retry_timeout": _REQUEST},
    )
    try:
        await bucket.list_with_delimiter_async("hexwave")  # pyright: ignore[reportUnknownMemberType]
    except BaseError as error:
        raise SettingsError(f"S3_BUCKET cannot work: {_reason(error)}.") from error
    return bucket


def _reason(error: Exception) -> str:
    # A listing's errors are all of one type; the status is in their words alone.
    if "403 Forbidden" in str(error):
        return "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY are not allowed to list it"
    if "NoSuchBucket" in str(error):
        return "there is no such bucket at S3_ENDPOINT"
    return "its server does not answer at S3_ENDPOINT"
