"""What people do with S3 libraries, run inside the clients' own environment. Prints one line per fact; fails by itself.

Arguments: the hub's address, OWNER, NAME, key id, secret, what to do.
"""

import hashlib
import io
import os
import sys
from concurrent.futures import ThreadPoolExecutor

hub, owner, name, key, secret, what = sys.argv[1:]
endpoint = f"{hub}/{owner}/{name}.s3"
BIG = os.urandom(20 << 20)
NAMES = ["a.txt", "d/b c.txt", "d/ünïcødé 文件 +%#&=?.txt", "d/e/f"]


def boto(address=endpoint, secret=secret, **options):
    import boto3
    from botocore.config import Config

    options = {"signature_version": "s3v4"} | options
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, **options)
    return boto3.client("s3", endpoint_url=address, aws_access_key_id=key, aws_secret_access_key=secret,
                        region_name="us-east-1", config=config)  # fmt: skip


def quota():
    """The repository may keep 1,000,000 bytes."""
    from botocore.exceptions import ClientError

    c = boto()
    c.put_object(Bucket=name, Key="a", Body=b"a" * 600_000)
    for put in (
        lambda: c.put_object(Bucket=name, Key="b", Body=b"b" * 600_000),
        lambda: c.upload_fileobj(io.BytesIO(BIG), name, "c"),
        lambda: c.copy_object(Bucket=name, Key="d", CopySource={"Bucket": name, "Key": "a"}),
    ):
        try:
            put()
            raise AssertionError("it was taken")
        except Exception as error:
            if not isinstance(error, ClientError) and "QuotaExceeded" not in str(error):
                raise
            print(error)
    assert [o["Key"] for o in c.list_objects_v2(Bucket=name)["Contents"]] == ["a"]
    assert not c.list_multipart_uploads(Bucket=name).get("Uploads")


def boto3():
    import urllib.request

    from botocore.exceptions import ClientError

    for address, bucket in [
        (endpoint, name),
        (f"{hub}/api/v1/repo-buckets/s3/{owner}", name),
        (hub, f"{owner}.{name}"),
    ]:
        c = boto(address)
        assert bucket in [b["Name"] for b in c.list_buckets()["Buckets"]]
        c.head_bucket(Bucket=bucket)
        for path in NAMES:
            c.put_object(Bucket=bucket, Key=path, Body=path.encode(), Metadata={"of": "boto3"}, ContentType="text/x")
        got = c.get_object(Bucket=bucket, Key=NAMES[2])
        assert (got["Body"].read().decode(), got["Metadata"], got["ContentType"]) == (
            NAMES[2],
            {"of": "boto3"},
            "text/x",
        )
        pages = c.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
        assert [o["Key"] for page in pages for o in page["Contents"]] == sorted(NAMES, key=str.encode)
        top = c.list_objects(Bucket=bucket, Delimiter="/")
        assert [p["Prefix"] for p in top["CommonPrefixes"]] == ["d/"]
        for algorithm in ("CRC32", "SHA1", "SHA256"):
            c.put_object(Bucket=bucket, Key="sum", Body=io.BytesIO(b"sum"), ChecksumAlgorithm=algorithm)
            head = c.head_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")
            assert head[f"Checksum{algorithm}"]
        c.upload_fileobj(io.BytesIO(BIG), bucket, "big")
        assert c.get_object(Bucket=bucket, Key="big")["Body"].read() == BIG
        c.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy")  # a multipart copy past 8 MiB
        part = c.get_object(
            Bucket=bucket, Key="copy", Range="bytes=5-9", IfMatch=c.head_object(Bucket=bucket, Key="copy")["ETag"]
        )
        assert part["Body"].read() == BIG[5:10]
        link = c.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a.txt"}, ExpiresIn=60)
        if hub.startswith("http://"):
            assert urllib.request.urlopen(link).read() == b"a.txt"
            unsaid = boto(address, signature_version=None)  # presigns by version 2, as the AWS CLI 1 and s3cmd do
            link = unsaid.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": NAMES[2]})
            assert "AWSAccessKeyId=" in link
            assert urllib.request.urlopen(link).read().decode() == NAMES[2]
        everything = [{"Key": o["Key"]} for o in c.list_objects_v2(Bucket=bucket)["Contents"]]
        assert len(c.delete_objects(Bucket=bucket, Delete={"Objects": everything})["Deleted"]) == 7
        assert c.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
        print("boto3", address)
    for act, code in [
        (lambda: boto().get_object(Bucket=name, Key="absent"), "NoSuchKey"),
        (lambda: boto().list_objects_v2(Bucket="absent"), "NoSuchBucket"),
        (lambda: boto(secret="x").list_objects_v2(Bucket=name), "SignatureDoesNotMatch"),
        (lambda: boto().put_bucket_policy(Bucket=name, Policy="{}"), "NotImplemented"),
        (lambda: boto().put_object(Bucket="dvc", Key="files/md5/ab/" + "c" * 30, Body=b"evil"), "BadDigest"),
    ]:
        told = None
        try:
            act()
        except ClientError as error:
            told = error
        assert told is not None, code
        assert told.response["Error"]["Code"] == code, told
        print(told)


def s3fs():
    import s3fs

    fs = s3fs.S3FileSystem(key=key, secret=secret, endpoint_url=endpoint, client_kwargs={"region_name": "us-east-1"})
    for path in NAMES:
        fs.pipe(f"{name}/{path}", path.encode())
    assert fs.ls(name) == [f"{name}/a.txt", f"{name}/d"]
    assert sorted(fs.find(name)) == sorted(f"{name}/{path}" for path in NAMES)
    assert fs.isdir(f"{name}/d")
    assert not fs.exists(f"{name}/nothing")
    with fs.open(f"{name}/big", "wb", block_size=6 << 20) as file:
        file.write(BIG)
    with fs.open(f"{name}/big", "rb") as file:
        file.seek(10)
        assert file.read(5) == BIG[10:15]
    fs.mv(f"{name}/big", f"{name}/d/moved")
    assert fs.cat(f"{name}/d/moved") == BIG
    fs.rm(fs.find(name))  # recursive on the bucket would delete the bucket too, which a repository outlives
    fs.invalidate_cache()
    assert fs.find(name) == []
    try:
        fs.cat(f"{name}/absent")
    except FileNotFoundError as error:
        print("s3fs", error)


def pyarrow():
    import pyarrow
    import pyarrow.dataset
    import pyarrow.parquet
    from pyarrow import fs

    scheme, _, place = endpoint.partition("://")
    s3 = fs.S3FileSystem(access_key=key, secret_key=secret, endpoint_override=place, scheme=scheme, region="us-east-1")
    table = pyarrow.table({"x": range(100_000), "y": [str(n) for n in range(100_000)]})
    pyarrow.parquet.write_table(table, f"{name}/t/a.parquet", filesystem=s3, row_group_size=10_000)
    assert pyarrow.parquet.read_table(f"{name}/t/a.parquet", filesystem=s3).equals(table)
    found = pyarrow.dataset.dataset(f"{name}/t", filesystem=s3).to_table(filter=pyarrow.dataset.field("x") < 5)
    assert found.num_rows == 5
    with s3.open_output_stream(f"{name}/big") as sink:
        sink.write(BIG)
    with s3.open_input_file(f"{name}/big") as file:
        assert hashlib.md5(file.read()).digest() == hashlib.md5(BIG).digest()
    assert s3.get_file_info(f"{name}/absent").type == fs.FileType.NotFound
    s3.delete_dir_contents(name)
    assert s3.get_file_info(fs.FileSelector(name, recursive=True)) == []
    print("pyarrow")


def polars():
    import polars

    options = {
        "aws_access_key_id": key,
        "aws_secret_access_key": secret,
        "aws_endpoint_url": endpoint,
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
        "aws_virtual_hosted_style_request": "false",
    }
    frame = polars.DataFrame({"x": range(100_000), "y": [n % 7 for n in range(100_000)]})
    frame.write_parquet(f"s3://{name}/p/a.parquet", storage_options=options)
    scanned = polars.scan_parquet(f"s3://{name}/p/*.parquet", storage_options=options)
    assert scanned.filter(polars.col("y") == 3).select(polars.col("x").sum()).collect().item() == sum(
        range(3, 100_000, 7)
    )
    print("polars")


def obstore():
    import obstore
    from obstore.store import S3Store

    store = S3Store(name, endpoint=endpoint, access_key_id=key, secret_access_key=secret, region="us-east-1",
                    virtual_hosted_style_request=False, client_options={"allow_http": True})  # fmt: skip
    obstore.put(store, "o/a", b"a")
    obstore.put(store, "o/big", BIG, use_multipart=True, chunk_size=6 << 20)
    assert bytes(obstore.get(store, "o/big").bytes()) == BIG
    assert bytes(obstore.get_range(store, "o/big", start=3, end=9)) == BIG[3:9]
    assert sorted(item["path"] for item in obstore.list(store, "o").collect()) == ["o/a", "o/big"]
    obstore.copy(store, "o/a", "o/b")
    obstore.delete(store, ["o/a", "o/big"])
    assert [item["path"] for item in obstore.list(store, "o").collect()] == ["o/b"]
    try:
        obstore.get(store, "o/a")
    except FileNotFoundError:
        print("obstore")


def minio():
    """A client that refuses a path in its endpoint."""
    from minio import Minio
    from minio.error import S3Error

    scheme, _, host = hub.partition("://")
    client, bucket = (
        Minio(host, access_key=key, secret_key=secret, secure=scheme == "https", region="us-east-1"),
        f"{owner}.{name}",
    )
    assert client.bucket_exists(bucket)
    assert not client.bucket_exists(f"{owner}.absent")
    client.put_object(bucket, "m/a", io.BytesIO(BIG), len(BIG), part_size=5 << 20)
    assert client.get_object(bucket, "m/a").read() == BIG
    assert [item.object_name for item in client.list_objects(bucket, recursive=True)] == ["m/a"]
    client.remove_object(bucket, "m/a")
    try:
        client.stat_object(bucket, "m/a")
    except S3Error as error:
        print("minio", error.code)


def threads():
    """Many at once, as boto3's own transfers are."""
    c = boto(max_pool_connections=32)
    bodies = {f"many/{n}": os.urandom(20_000 + n) for n in range(200)}
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda path: c.put_object(Bucket=name, Key=path, Body=bodies[path]), bodies))
        assert all(pool.map(lambda p: c.get_object(Bucket=name, Key=p)["Body"].read() == bodies[p], bodies))
    print("threads")


{f.__name__: f for f in (boto3, quota, s3fs, pyarrow, polars, obstore, minio, threads)}[what]()
