"""The S3 endpoint: any S3 program reads and writes a repository's data.

Owns: the protocol (signatures, chunks, checksums, documents: plain Python), its operations, multipart uploads.
The bucket `dvc` is the DVC remote; the bucket named like the repository is free.
May import: what datasets may.
"""
